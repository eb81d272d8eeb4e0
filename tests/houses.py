"""Instances as bin/demo and bin/run start them, mostly with a small stand-in for the app."""

import contextlib
import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.processes import ROOT, descendants, read_until

# Tells who answers, and at its end which servers still listen. Files beside it make it start
# slowly or not at all.
APP = """
import json, os, pathlib, re, socket, time
HERE = pathlib.Path(__file__).parent
if (HERE / "broken").exists():
    raise RuntimeError("the roof is missing")
while (HERE / "slow").exists():
    time.sleep(0.02)
SHOWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DEMO", "PORT", "DATA_DIR", "REDIS_PREFIX",
         "S3_BUCKET")

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


STANDIN = ("-c", RUN)
REAL = ("-m", "app.serve")


def begin(
    kind: str, folder: Path, *more: str, program: Sequence[str] = STANDIN, **env: str
) -> subprocess.Popen[str]:
    (folder / "standin.py").write_text(APP)
    clean = {name: value for name, value in os.environ.items() if name not in env}
    for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "PUBLIC_URL", "HOST"):
        clean.pop(name, None)
    clean |= {"DATA_DIR": str(folder / "kept"), "PORT": "0", "PYTHONPATH": f"{ROOT}:{folder}"}
    command = [sys.executable, *program, kind, *more]
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
def running(
    kind: str, folder: Path, program: Sequence[str] = STANDIN, **env: str
) -> Iterator[House]:
    top = begin(kind, folder, program=program, **env)
    try:
        house = House(top, read_until(top, "Ctrl-C"))
        yield house
    finally:
        if top.poll() is None:
            top.terminate()
        top.communicate(timeout=60)
