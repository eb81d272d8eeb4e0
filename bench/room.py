"""Opening a room with very much in it, beside one with little: it must not matter."""

from __future__ import annotations

import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

from sqlalchemy import insert, text, update

from app import clock, db, topic
from app.chat import commands as chat
from app.chat.models import ConversationId, Message, MessageKind
from app.loans import commands as loans
from app.loans.models import Loan
from app.realtime import bump
from app.realtime.versions import live_topic
from bench import neighbours
from bench.browser import Browser
from bench.figures import Section, latency
from bench.ground import Ground
from bench.neighbours import Neighbour
from bench.size import Size

LITTLE = 20
WORDS = "Could you leave it by the door? I come at six, or a little later."


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    ((ada, ben),) = await neighbours.street_of(1, slug="talkative")
    seldom = await room_of(ada, ben, LITTLE)
    often = await room_of(ada, ben, size.messages)
    async with db.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.execute(text("ANALYZE message"))
    browser = Browser(ground.workers[0], ada.cookie)
    section = Section(
        f"Opening a room ({size.pages // 2} pages a round, one after the other, nothing unread)",
        notes=["the page shows the newest 50 lines; the small room has no more than 22"],
    )

    async def opened(path: str) -> list[float]:
        took = []
        await browser.get(path)
        for _ in range(size.pages // 2):
            began = time.perf_counter()
            await browser.get(path)
            took.append(time.perf_counter() - began)
        return took

    async def round_once() -> None:
        section.add(f"GET a room with {LITTLE} messages", latency(await opened(seldom)))
        section.add(f"GET a room with {size.messages:,}", latency(await opened(often)))
        earlier = f"{often}?before={size.messages // 2}"
        section.add("the same, a page in its middle", latency(await opened(earlier)))

    yield section, round_once
    browser.close()


async def room_of(ada: Neighbour, ben: Neighbour, count: int) -> str:
    """The path of a room in which so much was said, all of it seen."""
    tool = await neighbours.lists(ada, f"Drill that is talked about {count} times")
    now, here = clock.now(), ada.viewer.here
    async with db.begin() as tx:
        today = clock.local_day(now, here.zone)
        start, end = clock.days(today, today, here.zone)
        loan: Loan = await loans.request(tx, tool, start, end, ben.viewer, now)
        name = topic.room(here.id, loan.conversation_id)
        first = await bump(tx, name) + 1
        counted = update(live_topic).where(live_topic.c.name == name)
        await tx.execute(counted.values(version=first + count))
        said = [
            {
                "community_id": here.id,
                "conversation_id": loan.conversation_id,
                "author_id": (ada, ben)[n % 2].viewer.person_id,
                "kind": MessageKind.TEXT,
                "body": f"{n}: {WORDS}",
                "client_id": uuid.uuid4(),
                "born": first + n,
                "revision": first + n,
                "created_at": now - timedelta(seconds=count - n),
            }
            for n in range(count)
        ]
        for at in range(0, count, 1000):
            await tx.execute(insert(Message), said[at : at + 1000])
        for who in (ada, ben):
            room = ConversationId(loan.conversation_id)
            await chat.mark_seen(tx, here.id, room, who.viewer.person_id, 2**60)
        return f"{here.path}/loans/{loan.id}"
