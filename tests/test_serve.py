"""The top process: it starts all, keeps it up, and leaves nothing behind, however it ends."""

import contextlib
import fcntl
import http.client
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
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from app import instance
from app.child import StartError
from tests.processes import ROOT, Watched, descendants, read_until, until

# A small stand-in for the app: tells who answers, and at its end which servers still listen.
APP = """
import json, os, pathlib, re, socket
HERE = pathlib.Path(__file__).parent
if "BROKEN" in os.environ:
    raise RuntimeError("the roof is missing")
SHOWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEMO", "PORT", "DATA_DIR", "REDIS_PREFIX")

def listens(path):
    with socket.socket(socket.AF_UNIX) as connection:
        return connection.connect_ex(path) == 0

async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        postgres = os.environ["DATABASE_URL"].partition("host=")[2] + "/.s.PGSQL.5432"
        valkey = os.environ["REDIS_URL"].removeprefix("unix://")
        seen = f"{listens(postgres)} {listens(valkey)}"
        (HERE / f"end-{os.getpid()}").write_text(seen)
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = {"pid": os.getpid()} | {name: os.environ.get(name) for name in SHOWN}
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": json.dumps(body).encode()})
"""

RUN = """
import sys
from app.serve import Plan, serve
told = "import os; print('code-7')"
migrate = ("-c", sys.argv[2] if len(sys.argv) > 2 else "pass")
plan = Plan("standin:app", migrate, ("-c", "print('the demo is there')"), ("-c", told))
sys.exit(serve(sys.argv[1], plan))
"""


@dataclass
class House:
    """A top process that a test started, in a folder of its own."""

    top: subprocess.Popen[str]
    seen: str = ""

    @property
    def port(self) -> int:
        found = re.search(r"ready: http://127\.0\.0\.1:(\d+)", self.seen)
        assert found, self.seen
        return int(found[1])

    def asks(self) -> dict[str, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/")
            answer: dict[str, str] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def children(self, words: str) -> set[int]:
        """Of the top process itself, with these words in their command."""
        found = set()
        for pid in descendants(self.top.pid):
            with contextlib.suppress(OSError):
                parent = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1]
                command = Path(f"/proc/{pid}/cmdline").read_text()
                if int(parent) == self.top.pid and words in command:
                    found.add(pid)
        return found

    def has_replaced(self, before: set[int], words: str) -> bool:
        now = self.children(words)
        return len(now - before) == 1 and len(now) == len(before)


def begin(kind: str, folder: Path, *more: str, **env: str) -> subprocess.Popen[str]:
    (folder / "standin.py").write_text(APP)
    clean = {name: value for name, value in os.environ.items() if name not in env}
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "HOST"):
        clean.pop(name, None)
    clean |= {"DATA_DIR": str(folder / "kept"), "PORT": "0", "PYTHONPATH": f"{ROOT}:{folder}"}
    command = [sys.executable, "-c", RUN, kind, *more]
    return subprocess.Popen(
        command, cwd=ROOT, env=clean | env, stdout=-1, stderr=subprocess.STDOUT, text=True
    )


def refused(kind: str, folder: Path, *more: str, **env: str) -> str:
    """What it says on ending with a failure; never a stack trace."""
    top = begin(kind, folder, *more, **env)
    said, _ = top.communicate(timeout=60)
    assert top.returncode == 1, said
    assert "Traceback" not in said
    return said


@contextlib.contextmanager
def running(kind: str, folder: Path, **env: str) -> Iterator[House]:
    top = begin(kind, folder, **env)
    try:
        house = House(top, read_until(top, "Ctrl-C"))
        yield house
    finally:
        if top.poll() is None:
            top.terminate()
        top.communicate(timeout=60)


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
    with running("demo", tmp_path, DATABASE_URL="x://other", REDIS_URL="x://other") as house:
        answer = house.asks()
        assert answer["DATABASE_URL"].endswith(f"host={tmp_path}/kept/postgres")
        assert answer["REDIS_URL"] == f"unix://{tmp_path}/kept/valkey/valkey.sock"
        assert answer["DATA_DIR"] == str(tmp_path / "kept")


def test_your_own_takes_the_servers_and_the_key_it_is_given(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "x://db?host=/nowhere", "REDIS_URL": "unix:///nowhere"}
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
    said = refused("demo", tmp_path, BROKEN="1")
    assert "The web workers did not start: RuntimeError: the roof is missing" in said
    assert f"see {tmp_path}/kept/web.log" in said


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
