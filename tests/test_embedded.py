"""The servers of a machine that has none: they keep rows and never outlive who started them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from app import embedded
from app.child import StartError
from tests.processes import ROOT, Watched, descendants, ordinary_user, read_until, until

START = """
import os, signal, sys
from pathlib import Path
from app import embedded
folder = Path(sys.argv[1])
postgres = embedded.start_postgres(folder / "postgres")
valkey = embedded.start_valkey(folder / "valkey")
postgres.run("CREATE TABLE IF NOT EXISTS kept (word text)", database="toolshare")
postgres.run("INSERT INTO kept VALUES ('drill')", database="toolshare")
print("user", postgres.run("SELECT current_user"), os.geteuid(), flush=True)
print("ready", flush=True)
signal.pause()
"""


def starter(folder: Path, *before: str, script: str = START) -> subprocess.Popen[str]:
    command = [*before, sys.executable, "-c", script, str(folder)]
    return subprocess.Popen(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=-1, text=True
    )


def kill(process: subprocess.Popen[str]) -> set[int]:
    """Kills it without a chance to tidy up; returns those of its descendants that stay."""
    family = Watched(descendants(process.pid))
    process.kill()
    process.communicate()
    return family.still_there()


def test_rows_outlive_a_restart_and_nobody_else_may_enter(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    first = embedded.start_postgres(folder)
    try:
        first.run("CREATE TABLE kept AS SELECT 'drill' AS word", database="toolshare")
        assert first.run("SHOW listen_addresses") == ""
        assert first.run("SHOW fsync") == "on"
        assert stat.S_IMODE(first.sockets.stat().st_mode) == 0o700
    finally:
        first.stop()
        first.stop()  # the second time it does nothing
    again = embedded.start_postgres(folder, durable=False)
    try:
        assert again.run("SELECT word FROM kept", database="toolshare") == "drill"
        assert again.run("SHOW fsync") == "off"
        assert again.url == first.url
    finally:
        again.stop()


def test_a_database_is_copied_from_a_template_once(tmp_path: Path) -> None:
    server = embedded.start_postgres(tmp_path / "postgres", durable=False)
    try:
        server.run("CREATE TABLE kept AS SELECT 'drill' AS word", database="toolshare")
        url = embedded.create_database(server, "copy_1", template="toolshare")
        assert url == embedded.create_database(server, "copy_1", template="toolshare")
        assert url.split("?")[0].endswith("/copy_1")
        assert server.run("SELECT word FROM kept", database="copy_1") == "drill"
        with pytest.raises(ValueError, match="plain name"):
            embedded.create_database(server, "copy; DROP TABLE kept")
        with pytest.raises(StartError, match="nonsense"):
            server.run("nonsense")
    finally:
        server.stop()


def test_valkey_answers_on_its_socket_and_keeps_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        server = embedded.start_valkey(tmp_path / "valkey")
        # Out of our session, Ctrl-C at our terminal passes it by.
        assert os.getsid(server.process.pid) == server.process.pid != os.getsid(0)
        server.stop()
        assert server.process.poll() == 0
    assert server.url == f"unix://{tmp_path}/valkey/valkey.sock"
    assert {path.name for path in (tmp_path / "valkey").iterdir()} == {"lock", "valkey.log"}


def test_nothing_outlives_a_killed_parent_and_the_rows_are_kept(tmp_path: Path) -> None:
    for times in (1, 2):  # the second start comes at once, while the first may still go down
        process = starter(tmp_path)
        read_until(process, "ready")
        assert len(descendants(process.pid)) > 2
        family = Watched(descendants(process.pid))
        process.kill()
        process.communicate()
        server = embedded.start_postgres(tmp_path / "postgres")
        try:
            assert server.run("SELECT count(*) FROM kept", database="toolshare") == str(times)
        finally:
            server.stop()
        assert family.still_there() == set()


def test_an_ordinary_user_can_start_them_too(tmp_path: Path) -> None:
    process = starter(tmp_path, *ordinary_user(tmp_path))
    seen = read_until(process, "ready")
    assert f"user toolshare {os.geteuid() or 65534}" in seen
    assert kill(process) == set()
    if os.geteuid() == 0:  # then root takes the folder over, and leaves it to its owner
        server = embedded.start_postgres(tmp_path / "postgres")
        server.stop()
        made = list((tmp_path / "postgres").rglob("*"))
        assert made
        assert {path.stat().st_uid for path in made} == {65534}


def test_an_interrupted_making_is_begun_anew(tmp_path: Path) -> None:
    process = starter(tmp_path)
    until((tmp_path / "postgres/cluster.new/PG_VERSION").exists)
    assert not (tmp_path / "postgres/cluster").exists()
    assert kill(process) == set()
    assert not (tmp_path / "postgres/cluster").exists()
    server = embedded.start_postgres(tmp_path / "postgres")
    server.stop()


def test_what_a_crash_left_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / "postgres"
    embedded.start_postgres(folder).stop()
    stale = f"{os.getpid()}\n{folder}/cluster\n1\n5432\n{folder}\n\n\nready\n"  # a living process
    (folder / "cluster/postmaster.pid").write_text(stale)
    (folder / ".s.PGSQL.5432.lock").write_text(stale)
    server = embedded.start_postgres(folder)
    assert server.run("SELECT 1") == "1"
    server.stop()


def test_a_crashed_server_gives_the_folder_free(tmp_path: Path) -> None:
    server = embedded.start_postgres(tmp_path / "postgres")
    server.run("CREATE TABLE kept AS SELECT 'drill' AS word", database="toolshare")
    server.process.kill()
    server.process.wait()
    server.stop()
    again = embedded.start_postgres(tmp_path / "postgres")
    assert again.run("SELECT word FROM kept", database="toolshare") == "drill"
    again.stop()


def test_two_on_one_folder_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "PATIENCE", 0.1)
    for start in (embedded.start_postgres, embedded.start_valkey):
        server = start(tmp_path / start.__name__)
        with pytest.raises(StartError, match="is in use"):
            start(tmp_path / start.__name__)
        server.stop()


@pytest.mark.parametrize("name", ["n" * 100, "with blanks, and a comma", "Zoë"])
def test_a_folder_that_cannot_stand_in_an_address_gets_another(tmp_path: Path, name: str) -> None:
    server = embedded.start_postgres(tmp_path / name, durable=False)
    assert server.run("SELECT 1") == "1"
    assert server.sockets.parent != tmp_path
    assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    server.stop()
    embedded.start_valkey(tmp_path / name / "valkey").stop()
    server.sockets.rmdir()


def test_a_failure_is_one_sentence(tmp_path: Path) -> None:
    embedded.start_postgres(tmp_path).stop()
    (tmp_path / "cluster/PG_VERSION").write_text("9\n")
    with pytest.raises(StartError) as failure:
        embedded.start_postgres(tmp_path)
    assert "did not start" in str(failure.value)
    assert "PG_VERSION" in str(failure.value) or "incompatible" in str(failure.value)
    assert len(str(failure.value).splitlines()) == 1
    (tmp_path / "a-file").touch()
    with pytest.raises(StartError, match="cannot be used"):
        embedded.start_valkey(tmp_path / "a-file")


def test_without_any_server_it_says_what_to_do() -> None:
    script = "from app import embedded; embedded.valkey_program()"
    environment = {"PATH": "/nowhere", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-S", "-c", script], env=environment, capture_output=True, text=True
    )
    assert "install requirements.txt" in done.stderr


def test_a_kernel_without_parent_death_signals_is_no_obstacle(tmp_path: Path) -> None:
    script = START.replace("import os,", "import sys; sys.platform = 'darwin'; import os,")
    process = starter(tmp_path, script=script)
    read_until(process, "ready")
    assert kill(process) == set()
