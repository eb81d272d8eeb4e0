"""SIGUSR1 to the top process: new web workers, one after the other, and nobody turned away."""

import http.client
import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pytest

from tests.houses import House, running
from tests.processes import Watched, descendants, read_until, until

SERVERS = {"DATABASE_URL": "x://db?host=/nowhere", "REDIS_URL": "unix:///nowhere"}
DONE = "The web workers are restarted."


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Two workers and nothing else."""
    with running("own", tmp_path, **SERVERS) as started:
        yield started


def workers(house: House) -> set[int]:
    return house.children("app.worker")


def tell(house: House) -> None:
    pid = (Path(house.asks()["DATA_DIR"]) / "pid").read_text()
    os.kill(int(pid), signal.SIGUSR1)


def has_all(house: House, number: int) -> bool:
    return len(workers(house)) == number


@dataclass
class Passers:
    """They knock on new connections, one after the other, until they are told to stop."""

    port: int
    answered_by: set[int] = field(default_factory=set)
    turned_away: list[str] = field(default_factory=list)
    knocks: int = 0
    enough: threading.Event = field(default_factory=threading.Event)

    def knock(self) -> None:
        while not self.enough.is_set():
            self.knocks += 1
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
            try:
                connection.request("GET", "/")
                self.answered_by.add(json.loads(connection.getresponse().read())["pid"])
            except (OSError, http.client.HTTPException) as problem:
                self.turned_away.append(repr(problem))
            finally:
                connection.close()


def test_each_worker_is_renewed_and_nobody_is_turned_away(house: House) -> None:
    before = workers(house)
    passers = Passers(house.port)
    threads = [threading.Thread(target=passers.knock) for _ in range(4)]
    for thread in threads:
        thread.start()
    tell(house)
    read_until(house.top, DONE)
    after = workers(house)
    until(lambda: after <= passers.answered_by)
    passers.enough.set()
    for thread in threads:
        thread.join()
    assert passers.turned_away == []
    assert passers.answered_by == before | after
    assert len(after) == 2
    assert not before & after


def test_a_signal_during_a_restart_is_one_restart_more(house: House, tmp_path: Path) -> None:
    before = workers(house)
    (tmp_path / "slow").touch()
    tell(house)
    until(partial(has_all, house, 3))
    for _ in range(3):
        tell(house)
    (tmp_path / "slow").unlink()
    read_until(house.top, DONE)
    between = workers(house)
    said = read_until(house.top, DONE)
    assert "one after the other" in said
    after = workers(house)
    assert len(before) == len(after) == 2
    assert not after & (before | between)
    house.top.terminate()
    assert house.top.stdout
    assert "one after the other" not in house.top.stdout.read()


def test_one_that_does_not_start_leaves_the_old_ones_serving(house: House, tmp_path: Path) -> None:
    before = workers(house)
    (tmp_path / "broken").touch()
    tell(house)
    said = read_until(house.top, "did not start")
    assert "the old ones go on serving" in said
    assert workers(house) == before
    assert int(house.asks()["pid"]) in before
    (tmp_path / "broken").unlink()
    tell(house)
    read_until(house.top, DONE)
    assert not workers(house) & before


def test_who_ends_during_a_restart_is_replaced(house: House, tmp_path: Path) -> None:
    before = workers(house)
    (tmp_path / "slow").touch()
    tell(house)
    until(partial(has_all, house, 3))
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    until(lambda: not workers(house) & before and has_all(house, 3))
    (tmp_path / "slow").unlink()
    read_until(house.top, DONE)
    assert int(house.asks()["pid"]) in workers(house)


def test_a_stop_during_a_restart_stops(house: House, tmp_path: Path) -> None:
    (tmp_path / "slow").touch()
    tell(house)
    until(partial(has_all, house, 3))
    family = Watched(descendants(house.top.pid))
    house.top.terminate()
    assert house.top.wait(60) == 0
    assert family.still_there(within=0) == set()


def test_a_stop_while_one_leaves_stops(house: House) -> None:
    before = workers(house)
    seen: set[int] = set()
    kept = []  # whoever is told to end waits a while for kept connections
    while seen != before:
        kept.append(http.client.HTTPConnection("127.0.0.1", house.port, timeout=20))
        kept[-1].request("GET", "/")
        seen.add(json.loads(kept[-1].getresponse().read())["pid"])
    tell(house)
    until(lambda: int(house.asks()["pid"]) not in before)
    family = Watched(descendants(house.top.pid))
    house.top.terminate()
    assert house.top.wait(60) == 0
    assert family.still_there(within=0) == set()
    for connection in kept:
        connection.close()
