"""Messages a second, beside transactions that do nothing, or next to nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sqlalchemy import func, select

from app import db
from app.chat.models import Message
from app.people.models import Community
from bench.approvals import connection, timed, transactions
from bench.figures import Section, rate
from bench.ground import Ground
from bench.said import Talk, rooms
from bench.size import CLIENTS, Size

WORDS = "Could you leave it by the door? I come at six, or a little later."
UNSEEN, DRAWN = "talking", "talking-watched"  # streets


@asynccontextmanager
async def measure(
    ground: Ground, size: Size
) -> AsyncIterator[tuple[Section, Callable[[], Awaitable[None]]]]:
    section = Section(
        f"Messages through two workers ({size.said} a round, {CLIENTS} people at once)",
        floors=2,
        per_second=True,
        notes=["each in a room of their own; drawn: the other one's page of it is open, too"],
    )
    async with AsyncExitStack() as stack:
        unseen = await rooms(stack, ground, slug=UNSEEN, look=False)
        drawn = await rooms(stack, ground, slug=DRAWN, look=True)
        idle = [await connection(stack) for _ in range(CLIENTS)]
        await idle[0].execute("CREATE TABLE IF NOT EXISTS measured (at timestamptz NOT NULL)")
        said = 0

        async def round_once() -> None:
            nonlocal said
            for name, sql in (
                ("BEGIN, COMMIT", ""),
                ("BEGIN, INSERT of one row, COMMIT", "INSERT INTO measured VALUES (now())"),
            ):
                section.add(name, rate(size.empties, await transactions(idle, sql, size.empties)))
            for name, talks in (("nobody looks", unseen), ("drawn", drawn)):
                each = size.said // len(talks)
                took = await timed(
                    [_goes_on(talk, said, each, look=talks is drawn) for talk in talks]
                )
                section.add(f"POST …/messages, {name}", rate(size.said, took))
            said += size.said // CLIENTS
            for slug in (UNSEEN, DRAWN):
                assert await _count(slug) == said * CLIENTS, "each was said"

        yield section, round_once


async def _goes_on(talk: Talk, first: int, count: int, *, look: bool) -> None:
    """One after the other; at the end, the last is on the other's screen."""
    for number in range(first, first + count):
        await talk.say(f"{number}: {WORDS}")
    if look:
        await talk.arrival(f"{first + count - 1}: {WORDS[:20]}")


async def _count(slug: str) -> int:
    async with db.snapshot() as tx:
        here = select(Community.id).where(Community.slug == slug).scalar_subquery()
        found = select(func.count()).select_from(Message).where(Message.community_id == here)
        return await tx.scalar(found) or 0
