"""The top process: it starts all, keeps it up, and leaves nothing behind, however it ends."""

import fcntl
import json
import os
import pty
import re
import signal
import socket
import stat
import subprocess
import sys
import termios
from functools import partial
from pathlib import Path

import pytest
import uvicorn.main

from app import instance, worker
from app.child import StartError
from app.crew import END_WITHIN, GONE_WITHIN
from tests.houses import APP, RUN, refused, running
from tests.processes import ROOT, Watched, descendants, until


def test_a_killed_top_process_leaves_nothing_behind(tmp_path: Path) -> None:
    with running("demo", tmp_path) as house:
        assert house.asks()["DEMO"] == "1"
        assert len(house.children("app.worker")) == 2
        family = Watched(descendants(house.top.pid))
        house.top.kill()
        assert family.still_there() == set()
        with socket.create_server(("127.0.0.1", house.port)):  # its port is free again
            pass


def test_ctrl_c_at_the_terminal_ends_all_in_order_with_success(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()

    def take_the_terminal() -> None:
        os.setsid()
        fcntl.ioctl(theirs, termios.TIOCSCTTY, 0)

    (tmp_path / "standin.py").write_text(APP)
    env = {**os.environ, "DATA_DIR": str(tmp_path / "kept"), "PORT": "0"}
    env["PYTHONPATH"] = f"{ROOT}:{tmp_path}"
    top = subprocess.Popen(
        [sys.executable, "-c", RUN, "demo"],
        cwd=ROOT,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        preexec_fn=take_the_terminal,
    )
    os.close(theirs)
    said = b""
    while b"Ctrl-C" not in said:
        said += os.read(ours, 4096)
    family = Watched(descendants(top.pid))
    os.write(ours, b"\x03")
    assert top.wait(60) == 0
    os.close(ours)
    assert family.still_there(within=0) == set()
    ends = [path.read_text() for path in tmp_path.glob("end-*")]
    assert ends == ["True True"] * 2  # both workers ended while the servers still listened


def test_what_ends_before_its_time_is_started_again(tmp_path: Path) -> None:
    with running("demo", tmp_path) as house:
        for words in ("app.worker", "valkey-server", "postgres"):
            before = house.children(words)
            os.kill(min(before), signal.SIGKILL)
            until(partial(house.has_replaced, before, words))
        assert house.asks()["pid"]
        assert house.top.poll() is None


def test_a_second_start_keeps_the_key_and_a_third_beside_it_is_refused(tmp_path: Path) -> None:
    with running("demo", tmp_path) as house:
        assert "the demo is there" in house.seen
        assert "ada, ben, cy or cora @example.org, password toolshare" in house.seen
        key = house.asks()["SECRET_KEY"]
        assert len(key) == 64
        assert stat.S_IMODE((tmp_path / "kept/secret").stat().st_mode) == 0o600
        assert f"running at http://127.0.0.1:{house.port}" in refused("demo", tmp_path)
        with pytest.raises(StartError, match="stop that one first"):
            reset_with(tmp_path, "demo", "y")
    with running("demo", tmp_path) as house:
        assert house.asks()["SECRET_KEY"] == key


def test_a_taken_port_moves_on(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with running("demo", tmp_path, PORT=str(port)) as house:
            assert house.port != port
            assert f"Port {port} is taken: this one is at {house.port}." in house.seen
            assert house.asks()["PORT"] == str(house.port)


def test_the_demo_knows_no_database_but_its_own(tmp_path: Path) -> None:
    others = {"DATABASE_URL": "x://other", "REDIS_URL": "x://other", "S3_BUCKET": "other"}
    with running("demo", tmp_path, **others) as house:
        answer = house.asks()
        assert answer["DATABASE_URL"].endswith(f"host={tmp_path}/kept/postgres")
        assert answer["REDIS_URL"] == f"unix://{tmp_path}/kept/valkey/valkey.sock"
        assert answer["DATA_DIR"] == str(tmp_path / "kept")
        assert answer["S3_BUCKET"] is None


def test_your_own_takes_the_servers_and_the_key_it_is_given(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "x://db?host=/nowhere", "REDIS_URL": "unix:///nowhere"}
    given |= {"S3_BUCKET": "ours"}
    with running("own", tmp_path, **given, SECRET_KEY="k" * 32, DEMO="1") as house:
        answer = house.asks()
        assert {name: answer[name] for name in given} == given
        assert answer["SECRET_KEY"] == "k" * 32
        assert answer["DEMO"] is None
        assert "one-time code code-7" in house.seen
        assert house.children("postgres") | house.children("valkey") == set()


@pytest.mark.parametrize("key", ["change-me" + "x" * 40, "short"])
def test_a_sample_key_is_refused(tmp_path: Path, key: str) -> None:
    assert "SECRET_KEY" in refused("own", tmp_path, SECRET_KEY=key)


def test_demo_and_own_never_share_a_folder(tmp_path: Path) -> None:
    for kind, other in (("demo", "own"), ("own", "demo")):
        folder = tmp_path / kind
        (folder / "kept").mkdir(parents=True)
        (folder / f"kept/is-{other}").touch()
        assert "holds the data of" in refused(kind, folder)
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/letters").touch()
    assert "something else" in refused("own", tmp_path)
    assert [path.name for path in (tmp_path / "kept").iterdir()] == ["letters"]


def test_a_failing_step_is_one_sentence(tmp_path: Path) -> None:
    said = refused("demo", tmp_path, "raise SystemExit('no such revision')")
    assert "failed: no such revision" in said
    assert "PORT must be a number" in refused("demo", tmp_path, PORT="http")
    (tmp_path / "broken").touch()
    said = refused("demo", tmp_path)
    assert "The web workers did not start: RuntimeError: the roof is missing" in said
    assert f"see {tmp_path}/kept/web.log" in said


def test_the_container_serves_as_bin_run_does() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text().replace("\\\n", "")
    command = json.loads(dockerfile.rpartition("CMD ")[2])
    flags = uvicorn.main.make_context(command[0], command[1:]).params
    ours = worker.config(flags["app"])
    for name in ("loop", "http", "ws", "ws_max_size", "access_log", "proxy_headers"):
        assert flags[name] == getattr(ours, name), name
    assert flags["timeout_graceful_shutdown"] == END_WITHIN
    web = (ROOT / "docker-compose.yml").read_text().partition("  web:\n")[2]
    grace = re.search(r"stop_grace_period: (\d+)s", web)
    assert grace
    assert int(grace[1]) > GONE_WITHIN


def reset_with(folder: Path, kind: str, answer: str, *, sure: bool = False) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATA_DIR", str(folder / "kept"))
        return instance.reset(kind, sure=sure, ask=lambda question: answer)


def test_reset_asks_first_and_empties_only_what_it_names(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    assert "Nothing to empty" in reset_with(tmp_path, "demo", "y")
    kept.mkdir()
    (kept / "is-own").touch()
    with pytest.raises(StartError, match="holds the data of bin/run"):
        reset_with(tmp_path, "demo", "y")
    for answer in ("", "y", "yes", "demo"):
        assert "Nothing was changed" in reset_with(tmp_path, "own", answer, sure=True)
    assert "is emptied" in reset_with(tmp_path, "own", "own")
    assert not kept.exists()
    kept.mkdir()
    (kept / "is-demo").touch()
    assert "Nothing was changed" in reset_with(tmp_path, "demo", "")
    assert "is emptied" in reset_with(tmp_path, "demo", "", sure=True)
    assert not kept.exists()
