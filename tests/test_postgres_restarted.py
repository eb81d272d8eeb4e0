"""PostgreSQL is restarted, in order and not, while neighbours use the app: what do they lose?"""

from __future__ import annotations

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import select

from app import db, embedded, topic
from app.chat.models import Message, MessageKind
from app.realtime import versions
from app.tools.models import Tool
from tests import servers
from tests.crowd import Caller, Onlooker, Told, Wish, reader
from tests.lines import Answer
from tests.neighbours import Neighbour, Street
from tests.test_faults import SOON, house, ours_at, status, until
from tests.test_healing import room_of
from tests.workers import Worker

AGAIN = "Try again in a moment."
MESSAGES = 35  # of each talker: fewer than one person may write in a minute


class Patient(Told):
    """Takes a 503 that says what to do for an answer."""

    def take(self, wish: Wish, answer: Answer) -> None:
        if answer.status == 503 and AGAIN in answer.body.decode():
            self.counts["answered"] += 1
            self.counts["asked to wait"] += 1
        else:
            super().take(wish, answer)


@dataclass
class Talker:
    """Sends each line until it is taken, as somebody who presses the button again."""

    who: Neighbour
    loan: int
    told: Told
    lines: list[str] = field(default_factory=list)

    async def talks(self, enough: asyncio.Event) -> None:
        while not enough.is_set() and len(self.lines) < MESSAGES:
            self.lines.append(f"{self.who.name} {len(self.lines)}")
            form = {"body": self.lines[-1], "client_id": str(uuid.uuid4())}
            while not await self.sends(form):
                await asyncio.sleep(0.1)
            await asyncio.sleep(random.uniform(0, 0.5))

    async def sends(self, form: dict[str, str]) -> bool:
        path = f"{self.who.home}/loans/{self.loan}/messages"
        answer = await self.who.client.post(path, data=form, headers={"HX-Request": "true"})
        if answer.status_code == 503:
            assert AGAIN in answer.text
            assert answer.headers["hx-retarget"] == "#flash", "the box keeps what is in it"
            self.told.counts["lines refused"] += 1
        else:
            assert answer.status_code in (200, 204, 303), answer.text
        return answer.status_code != 503


@pytest.fixture
async def ground(
    tmp_path: Path, valkey: servers.Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Street, list[embedded.Postgres]]]:
    """A street on a durable PostgreSQL of its own, which the test may stop."""
    running = [embedded.start_postgres(tmp_path)]
    at = {"DATABASE_URL": running[0].url, "REDIS_PREFIX": "toolshare_test_restarted"}
    try:
        async with ours_at(running[0].url, monkeypatch), house(left=at, right=at) as street:
            yield street, running
    finally:
        running[-1].stop()


async def comes_back(street: Street, told: Told, tmp_path: Path) -> embedded.Postgres:
    """Away until some have been asked to wait; back when both workers say so."""
    async with asyncio.timeout(SOON):
        noticed = told.counts["asked to wait"] + 4, told.counts["lines refused"] + 1
        while (told.counts["asked to wait"], told.counts["lines refused"]) < noticed:
            await asyncio.sleep(0.05)
    postgres = embedded.start_postgres(tmp_path)
    for worker in street.workers:
        await until(lambda at=worker: serves(at))  # type: ignore[misc]
    return postgres


async def serves(worker: Worker) -> bool:
    return await status(worker) == "ok"


async def test_postgres_restarted_under_load_loses_nothing_that_was_answered(
    ground: tuple[Street, list[embedded.Postgres]], tmp_path: Path
) -> None:
    street, running = ground
    ada, ben = street.ada, street.ben
    told, enough = Patient(), asyncio.Event()
    loan = await ben.asks_for(await ada.lists("Cordless drill"), street.today)
    talkers = [Talker(who, loan, told) for who in (ada, ben)]
    room = await room_of(street, loan)
    watched = [room, topic.board(street.here.id)]
    onlookers = [Onlooker(who, told, watched) for who in (ada, ben)]
    tasks = [asyncio.create_task(each.looks()) for each in onlookers]
    asking = [asyncio.create_task(each.talks(enough)) for each in talkers]
    for who in street.people:
        for wishes in (lister(who, 20), reader(who.home, f"{who.home}/rooms")):
            caller = Caller(who, told, True, 0.4)
            asking.append(asyncio.create_task(caller.goes_on_asking(wishes, enough)))
    try:
        running[0].stop()
        running.append(await comes_back(street, told, tmp_path))
        running[-1].process.kill()  # without a word, and with nothing written out
        running[-1].stop()
        running.append(await comes_back(street, told, tmp_path))
        enough.set()
        await asyncio.gather(*asking)
        assert told.wrong == [], told.counts
        assert told.counts["asked"] == told.counts["answered"]
        await all_is_there_once(street, talkers, told)
        newest = await versions_of(watched)
        for onlooker in onlookers:
            for name, version in newest.items():
                await onlooker.shows(name, version)
        assert not any(task.done() for task in tasks)
    finally:
        for task in (*tasks, *asking):
            task.cancel()
        await asyncio.gather(*tasks, *asking, return_exceptions=True)


async def all_is_there_once(street: Street, talkers: list[Talker], told: Told) -> None:
    here = street.here.id
    async with db.snapshot() as tx:
        lines = await tx.scalars(
            select(Message.body).where(
                Message.community_id == here, Message.kind == MessageKind.TEXT
            )
        )
        assert Counter(lines) == Counter(line for each in talkers for line in each.lines)
        names = Counter(await tx.scalars(select(Tool.name).where(Tool.community_id == here)))
    listed = [form["name"] for _, path, form in told.done if path.endswith("/tools")]
    assert listed
    for name in listed:
        assert names[name] == 1, f"{name} was answered with success"


async def versions_of(names: list[str]) -> dict[str, int]:
    async with db.snapshot() as tx:
        reading = await versions.read(tx, names)
    return {name: reading.version(name) for name in names}


def lister(who: Neighbour, most: int) -> Iterator[Wish]:
    """Hangs up so many tools, with looks between them."""
    for number in range(most):
        yield "POST", f"{who.home}/tools", {"name": f"{who.name}'s {number}", "category": "saws"}
        yield "GET", f"{who.home}/things", {}
    yield from reader(who.home)
