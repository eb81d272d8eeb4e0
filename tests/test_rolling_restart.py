"""Two workers restarted one after the other, twice, while neighbours use the app: who notices?"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from sqlalchemy import select

from app import db
from app.chat.models import Message, MessageKind
from app.tools.models import Tool, ToolStatus
from tests.crowd import Caller, Onlooker, Told, Wish, owner, reader, talker
from tests.houses import REAL, House, running
from tests.neighbours import Neighbour, Street, found_street
from tests.processes import read_until
from tests.test_live_equals_page import Story, drawn, find_room
from tests.workers import Worker

MESSAGES = 40  # of each talker: fewer than one person may write in a minute


@dataclass
class Place:
    house: House
    street: Street
    stories: list[Story]  # one with ben, one with cy, about tools of ada's

    async def restarts(self) -> None:
        os.kill(self.house.top.pid, signal.SIGUSR1)
        async with asyncio.timeout(120):
            await asyncio.to_thread(read_until, self.house.top, "The web workers are restarted.")


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    """A house as bin/run starts it, on the tests' servers, and a street that lives in it."""
    given = {name: os.environ[name] for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY")}
    with running("own", tmp_path, REAL, **given) as house:
        process = cast(asyncio.subprocess.Process, None)  # the house's business
        worker = Worker("house", house.port, process, tmp_path / "kept/web.log")
        async with found_street((worker, worker)) as street:
            stories = []
            for borrower in (street.ben, street.cy):
                story = Story(street, tool=await street.ada.lists(f"Drill for {borrower.name}"))
                story.loan = await borrower.asks_for(story.tool, street.today)
                await find_room(story)
                stories.append(story)
            yield Place(house, street, stories)


def topics_of(place: Place, who: Neighbour) -> dict[str, str]:
    """topic → the page that shows it, of everything that this person may watch."""
    kinds = ("board", "recent", "tool", "things", "waiting", "unread", "rooms")
    found = {}
    for story, borrower in zip(place.stories, (place.street.ben, place.street.cy), strict=True):
        is_party = who in (place.street.ada, borrower)
        cases = story.cases(who)
        for kind in (*kinds, "mine", "dates", *(("loan", "room") if is_party else ())):
            name, path = cases[kind]
            found[name] = path
    return found


async def callers(place: Place, told: Told) -> list[tuple[Caller, Iterator[Wish]]]:
    """Who asks for what. Each owner has a tool of their own, so that nobody is in the way."""
    street, stories = place.street, place.stories
    busy = []
    for who in street.people:
        tool = await who.lists(f"Saw of {who.name}", "saws")
        busy.append((Caller(who, told, True, 0.6), owner(who.home, tool)))
        busy.append((Caller(who, told, True, 0.6), reader(who.home, f"{who.home}/things")))
        busy.append((Caller(who, told, False, 0.2), reader(f"{who.home}/rooms", "/health")))
    for who, story in zip((street.ben, street.cy), stories, strict=True):
        talk = talker(who.home, story.loan, who.name, MESSAGES)
        busy.append((Caller(who, told, True, 0.2), talk))
    for _ in range(16):  # in a hurry, so that some are always about to ask
        busy.append((Caller(street.cora, told, True, 0.05), reader("/static/live.js")))
    return busy


async def test_two_restarts_under_load_lose_nothing(place: Place) -> None:
    told, enough = Told(), asyncio.Event()
    people = place.street.people
    topics = {who.id: topics_of(place, who) for who in people}
    onlookers = [Onlooker(who, told, list(topics[who.id])) for who in people for _ in range(3)]
    looking = [asyncio.create_task(each.looks()) for each in onlookers]
    asking = [
        asyncio.create_task(caller.goes_on_asking(wishes, enough))
        for caller, wishes in await callers(place, told)
    ]
    try:
        for _ in range(2):
            await place.restarts()
        enough.set()
        await asyncio.gather(*asking)
        assert told.wrong == [], told.counts
        assert told.counts["asked"] == told.counts["answered"]
        await everything_done_is_there(place, told)
        for who in people:
            theirs = [each for each in onlookers if each.who is who]
            await show_what_a_fresh_page_shows(theirs, who, topics[who.id])
        assert set(told.cuts) == {1012}
        assert len(told.cuts) >= 2 * len(onlookers), "each was cut in each restart"
        assert not any(task.done() for task in looking)
    finally:
        for task in (*looking, *asking):
            task.cancel()
        await asyncio.gather(*looking, *asking, return_exceptions=True)


async def everything_done_is_there(place: Place, told: Told) -> None:
    """Each command that was answered with success is in the database, once."""
    expected = [form["body"] for _, path, form in told.done if path.endswith("/messages")]
    async with db.snapshot() as tx:
        here = place.street.here.id
        said = await tx.scalars(
            select(Message.body)
            .where(Message.community_id == here, Message.kind == MessageKind.TEXT)
            .order_by(Message.id)
        )
        assert sorted(said) == sorted(expected)
        for tool in await tx.scalars(select(Tool).where(Tool.community_id == here)):
            last = [path for _, path, _ in told.done if f"/tools/{tool.id}/pause" in path][-1:]
            paused = bool(last) and not last[0].endswith("/end")
            assert tool.status == (ToolStatus.PAUSED if paused else ToolStatus.LISTED)


async def show_what_a_fresh_page_shows(
    onlookers: list[Onlooker], who: Neighbour, topics: dict[str, str]
) -> None:
    pages = {path: await who.opens(path) for path in set(topics.values())}
    for name, path in topics.items():
        version, html = await drawn(who, name)
        for each in onlookers:
            await each.shows(name, version)
            shown = (each.html.get(name) or html or "").strip()
            for part in shown.split("<li ") if "/room/" in name else [shown]:
                assert part.strip() in pages[path], f"{name} is shown to {who.name} as\n{part}"
