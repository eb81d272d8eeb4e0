"""What presence may cost: hints, memory, and a reader that does not read."""

import asyncio
import contextlib
import json
import time
from contextlib import AsyncExitStack

from redis.asyncio import Redis

from tests.realtime import world as worlds
from tests.realtime.looking import ROOM, looking, sees
from tests.realtime.test_slow_reader import LONG, ROUNDS, stalled
from tests.realtime.world import Worker, World, until


async def test_at_most_one_hint_a_second_of_one_person_whatever_they_do(
    room: World, worker: Worker, other: Worker
) -> None:
    channel = f"{room.prefix}:live:t1"
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(looking(worker, 1))
        pages = [await stack.enter_async_context(looking(at, 2)) for at in (worker, other, other)]
        redis = await stack.enter_async_context(
            Redis.from_url(room.redis_url, decode_responses=True)
        )
        ears = await stack.enter_async_context(redis.pubsub())
        await ears.subscribe(channel)
        began = time.monotonic()
        for _ in range(5):
            for page in pages:
                for word in ("typing", "here", "typing"):
                    await page.send({word: ROOM})
        for page in pages:
            await page.send({"here": ROOM})
        await sees(ada, "p2 is here")
        passed = time.monotonic() - began
        await redis.publish(channel, "that is all")
        hints, said = 0, ""
        while said != "that is all":
            message = await ears.get_message(timeout=1)
            said = str(message["data"]) if message and message["type"] == "message" else ""
            hints += f"~{ROOM}" in said
        assert 1 <= hints <= 1 + passed
        assert all(page.closed is None for page in pages)


async def test_words_for_what_is_not_theirs_leave_nothing_in_memory(
    room: World, worker: Worker
) -> None:
    async with looking(worker, 1) as ada:
        for n in range(15):
            await ada.send({"typing": f"t1/room/{n + 100}"})
        await ada.send({"typing": "t1/x/1"})  # a kind without company
        await ada.send({"here": "nonsense"})
        await ada.watch({"t1/x/1": 0})
        assert not worker.engine.presence.noted
        assert not worker.engine.company._beats


async def test_all_that_is_remembered_goes_with_the_last_screen(
    room: World, worker: Worker
) -> None:
    async with looking(worker, 1) as ada, looking(worker, 2) as ben:
        await ada.send({"here": ROOM})
        await ben.send({"here": ROOM})
        await sees(ada, "p2 is here")
        await sees(ben, "p1 is here")
    company = worker.engine.company
    await until(lambda: not worker.engine.sockets and not worker.engine.presence.noted)
    assert not any((company._beats, company._shown, company._timers))


async def test_a_slow_reader_holds_no_backlog_and_gets_only_the_newest(
    room: World, worker: Worker
) -> None:
    async with stalled(worker, 1) as slow, looking(worker, 2, ROOM, "t1/x/1") as ben:
        await slow.send(json.dumps({"watch": {ROOM: 0}, "n": 2}))
        while json.loads(await slow.recv()).get("live") != 2:
            pass
        (behind,) = (s for s in worker.engine.sockets if s.listener.person_id == 1)
        for n in range(ROUNDS):
            await room.write("1", f"{LONG} round {n}.")
            await ben.sees("t1/x/1", f"round {n}.")
        await until(lambda: behind.full)
        written = worker.engine.counters["company_written"]
        for word in ("here", "typing", "here", "typing"):
            await ben.send({word: ROOM})
            await until(
                lambda w=word: (
                    (behind.company or {}).get(ROOM, ("",))[0]  # type: ignore[misc]
                    == ("p2 types" if w == "typing" else "p2 is here")
                )
            )
        assert worker.engine.counters["company_written"] >= written + 4
        assert len(behind.company or ()) == 1
        assert not behind.said
        company: list[str] = []
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(worlds.DEADLINE):
                while not company:
                    frame = json.loads(await slow.recv())
                    if "ttl" in frame:
                        company.append(frame["html"])
        assert company in (["p2 types"], [""]), "the newest, or that it is over"
