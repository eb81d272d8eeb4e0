"""Redis killed, a worker killed, a socket cut: every screen is right again, nothing doubled."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app import db, embedded, topic
from app.loans.models import Loan
from tests.neighbours import Screen, Street, found_street
from tests.workers import Worker, start_worker


@pytest.fixture
async def frail(tmp_path: Path) -> AsyncIterator[tuple[Street, list[embedded.Server]]]:
    """A street on two workers and a Redis of their own, which the test may kill."""
    redis = [embedded.start_valkey(tmp_path)]
    pair = [await start_worker(name, REDIS_URL=redis[0].url) for name in ("left", "right")]
    try:
        async with found_street((pair[0], pair[1])) as street:
            yield street, redis
    finally:
        for worker in pair:
            await worker.stop()
        redis[-1].stop()


async def heard(worker: Worker) -> float:
    """How many hints of other workers have brought this worker news."""
    async with httpx.AsyncClient(base_url=worker.url) as client:
        answer = await client.get("/metrics", headers={"Authorization": "Bearer only-for-tests"})
    found = re.search(r'live_events_total\{event="hints_heard"[^}]*\} ([0-9.e+]+)', answer.text)
    return float(found[1]) if found else 0.0


async def room_of(street: Street, loan_id: int) -> str:
    async with db.snapshot() as tx:
        loan = await tx.get(Loan, (street.here.id, loan_id))
        assert loan is not None
        return topic.room(street.here.id, loan.conversation_id)


def said(screen: Screen, room: str) -> list[str]:
    return re.findall(r'<p class="body" dir="auto">(.*?)</p>', screen.html.get(room) or "")


async def test_boards_and_rooms_stay_right_while_redis_is_away(
    frail: tuple[Street, list[embedded.Server]], tmp_path: Path
) -> None:
    street, redis = frail
    ada, ben = street.ada, street.ben  # at different workers
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, street.today)
    room, card = await room_of(street, loan), topic.tool(street.here.id, drill)
    async with ben.watches(room, card) as bens, ada.watches(room, card) as adas:
        await ada.says(loan, "with Redis")
        await bens.shows(room, "with Redis")

        redis[0].stop()
        await ada.says(loan, "without Redis")
        await bens.shows(room, "without Redis")
        await ada.acts(loan, "approval")
        await bens.shows(card, "Reserved")
        await ben.says(loan, "still here")
        await adas.shows(room, "still here")

        redis.append(embedded.start_valkey(tmp_path))
        for n in range(100):  # until hints of the other worker arrive again
            before = await heard(street.workers[1])
            await ada.says(loan, f"again {n}")
            await bens.shows(room, f"again {n}")
            if await heard(street.workers[1]) > before:
                break
        else:
            raise AssertionError("no hint came through Redis any more")

        await ada.acts(loan, "handover")
        await bens.shows(card, "Out")
        expected = ["with Redis", "without Redis", "still here"]
        expected += [f"again {i}" for i in range(n + 1)]
        for screen in (bens, adas):
            await screen.shows(room, f"again {n}")
            assert said(screen, room) == expected, "each once, in one order for both"


async def test_a_block_falls_and_lifts_while_redis_is_away(
    frail: tuple[Street, list[embedded.Server]],
) -> None:
    street, redis = frail
    ada, ben, here = street.ada, street.ben, street.here.id  # at different workers
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, street.today)
    await ada.acts(loan, "approval")
    card, dates, box = topic.tool(here, drill), topic.dates(here, drill), topic.writing(here, loan)
    async with ben.watches(card, dates, box) as bens:
        redis[0].stop()
        await ada.does(f"{ada.home}/people/{ben.id}/block")
        await bens.shows(card, "Paused")
        await bens.shows(dates, "Paused")
        await bens.shows(box, "Nobody can write")
        await ada.does(f"/profile/blocks/{ben.id}/end")
        await bens.shows(card, "Reserved")
        await bens.until(lambda: "Nobody can write" not in (bens.html[box] or ""))
        await ben.says(loan, "Hello again")


async def test_a_killed_worker_costs_nobody_a_message(
    frail: tuple[Street, list[embedded.Server]],
) -> None:
    street, _ = frail
    ada, ben, (left, right) = street.ada, street.ben, street.workers
    drill = await ada.lists("Cordless drill")
    loan = await ben.asks_for(drill, street.today)
    room = await room_of(street, loan)
    async with ben.watches(room) as before:
        await ada.says(loan, "one")
        await before.shows(room, "one")
        await right.kill()
        await ada.says(loan, "two")
        await ada.says(loan, "three")
    # The browser comes back to another worker, with the version that it shows.
    async with ben.watches(at=left) as after:
        after.html, after.version = before.html, before.version
        await after.watch(room, versions={room: before.version[room]})
        await after.shows(room, "three")
        assert said(after, room) == ["one", "two", "three"]
        assert not any(frame.get("reset") for frame in after.frames), "only what was missing came"


async def test_a_cut_arrives_while_redis_is_away(
    frail: tuple[Street, list[embedded.Server]],
) -> None:
    street, redis = frail
    cora, ben = street.cora, street.ben
    board = topic.board(street.here.id)
    await street.ada.lists("Cordless drill")
    at = next(worker for worker in street.workers if worker is not cora.at)
    async with ben.watches(board, at=at) as screen:
        assert screen.html[board]
        redis[0].stop()
        await cora.does(f"{cora.home}/members/{ben.id}/suspension")
        await screen.until(lambda: screen.html[board] is None)
