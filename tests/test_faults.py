"""Faults of what the app stands on, under load, on real workers: what neighbours see of them."""

from __future__ import annotations

import asyncio
import os
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text, update
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from app import clock, db, embedded, topic
from app.people.models import Session
from tests.crowd import Caller, Told, owner, reader
from tests.neighbours import Street, found_street
from tests.test_healing import room_of, said
from tests.workers import Worker, start_worker

SOON = 15  # seconds: a deadline on waiting


@asynccontextmanager
async def house(*, left: dict[str, str], right: dict[str, str]) -> AsyncIterator[Street]:
    """A street on two workers of its own: ada's and ben's."""
    both = (("left", left), ("right", right))
    async with AsyncExitStack() as stack:

        async def starts(name: str, env: dict[str, str]) -> Worker:
            worker = await start_worker(name, port=0, **env)
            stack.push_async_callback(worker.stop)
            return worker

        pair = await asyncio.gather(*(starts(name, env) for name, env in both))
        async with found_street((pair[0], pair[1])) as street:
            yield street


@asynccontextmanager
async def ours_at(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    """What this process writes and reads is in this database, too."""
    engine = db.make_engine(url)
    monkeypatch.setattr(db, "sessions", async_sessionmaker(engine, expire_on_commit=False))
    yield engine
    await engine.dispose()


@pytest.fixture
async def own(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[AsyncEngine]:
    async with ours_at(database, monkeypatch) as engine:
        yield engine


async def status(worker: Worker) -> str:
    async with httpx.AsyncClient(base_url=worker.url, timeout=SOON) as client:
        found: str = (await client.get("/health")).json()["status"]
    return found


async def events(worker: Worker) -> Counter[str]:
    """What its live engine has counted."""
    async with httpx.AsyncClient(base_url=worker.url, timeout=SOON) as client:
        answer = await client.get("/metrics", headers={"Authorization": "Bearer only-for-tests"})
    found = re.findall(r'live_events_total\{event="(\w+)"[^}]*\} ([0-9.e+]+)', answer.text)
    return Counter({event: int(float(number)) for event, number in found})


async def until(true: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SOON):
        while not await true():
            await asyncio.sleep(0.05)


# --- Redis


async def test_redis_that_answers_nothing_holds_nobody_up(tmp_path: Path) -> None:
    """Stopped in the middle: it takes connections and never answers."""
    redis = embedded.start_valkey(tmp_path)
    ours = {"REDIS_URL": redis.url}
    told, enough = Told(), asyncio.Event()
    try:
        async with house(left=ours, right=ours) as street, asyncio.TaskGroup() as tasks:
            drill = await street.ada.lists("Cordless drill")
            loan = await street.ben.asks_for(drill, street.today)
            for who in street.people:
                tool = await who.lists(f"Saw of {who.name}", "saws")
                for wishes in (owner(who.home, tool), reader(who.home, f"{who.home}/rooms")):
                    caller = Caller(who, told, True, 0.3)
                    tasks.create_task(caller.goes_on_asking(wishes, enough))
            await while_redis_is_stopped(street, redis, drill, loan)
            await and_after_it_goes_on(street, loan)
            enough.set()
        assert told.wrong == [], told.counts
        assert told.counts["asked"] == told.counts["answered"] > 0
    finally:
        redis.process.send_signal(signal.SIGCONT)
        redis.stop()


async def while_redis_is_stopped(
    street: Street, redis: embedded.Server, drill: int, loan: int
) -> None:
    ada, ben, (left, right) = street.ada, street.ben, street.workers
    room, card = await room_of(street, loan), topic.tool(street.here.id, drill)
    async with ada.watches(room, card) as adas, ben.watches(room, card) as bens:
        redis.process.send_signal(signal.SIGSTOP)
        await ada.says(loan, "Nobody tells you")
        await bens.shows(room, "Nobody tells you", SOON)
        for worker in (left, right):
            assert await status(worker) == "degraded"
        await ada.acts(loan, "approval")
        await bens.shows(card, "Reserved", SOON)
        async with ben.watches(room, card) as late:  # a page that is opened meanwhile
            await late.shows(card, "Reserved", SOON)
            await ben.says(loan, "And yet I see it")
            for screen in (adas, bens, late):
                await screen.shows(room, "And yet I see it", SOON)
        wrong = await ben.client.post(
            "/sign-in", data={"email": ben.email, "password": "not mine at all"}
        )
        assert wrong.status_code == 422, "the throttle counts on by itself"
        redis.process.send_signal(signal.SIGCONT)


async def and_after_it_goes_on(street: Street, loan: int) -> None:
    """Hints come through it again, both ways, and it is well."""
    room = await room_of(street, loan)
    for worker in street.workers:
        await until(lambda at=worker: well(at))  # type: ignore[misc]
    for who, other in ((street.ada, street.ben), (street.ben, street.ada)):
        async with other.watches(room) as screen:
            for n in range(5):
                before = (await events(other.at))["hints_heard"]
                await who.says(loan, f"{who.name} {n}")
                await screen.shows(room, f"{who.name} {n}")
                if await hears_more(other.at, before):
                    break
            else:
                raise AssertionError("no hint came through Redis any more")


async def hears_more(worker: Worker, before: int) -> bool:
    """False if its own compare was first."""
    with suppress(TimeoutError):
        async with asyncio.timeout(3):
            while (await events(worker))["hints_heard"] <= before:
                await asyncio.sleep(0.1)
        return True
    return False


async def well(worker: Worker) -> bool:
    return await status(worker) == "ok"


# --- a worker


HOLD_COMMIT = (
    """CREATE FUNCTION hold() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN PERFORM pg_advisory_xact_lock(4711); RETURN NULL; END $$""",
    """CREATE CONSTRAINT TRIGGER hold AFTER INSERT ON message DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.body = 'Never announced') EXECUTE FUNCTION hold()""",
)
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 4711 AND NOT granted"


async def test_a_worker_killed_between_commit_and_announcement_leaves_no_screen_wrong(
    own: AsyncEngine,
) -> None:
    """PostgreSQL is told to commit, and the worker is dead before it hears that it did."""
    at = {"DATABASE_URL": own.url.render_as_string(hide_password=False)}
    async with house(left=at, right=at) as street, own.connect() as holding:
        ada, ben, left = street.ada, street.ben, street.workers[0]
        loan = await ben.asks_for(await ada.lists("Cordless drill"), street.today)
        room = await room_of(street, loan)
        for statement in HOLD_COMMIT:
            await holding.execute(text(statement))
        await holding.commit()
        await holding.execute(text("SELECT pg_advisory_xact_lock(4711)"))

        async def commits() -> bool:
            async with own.connect() as looking:
                return bool(await looking.scalar(text(HELD)))

        async with ben.watches(room) as bens:
            saying = asyncio.create_task(ada.says(loan, "Never announced"))
            await until(commits)
            await left.kill()
            await holding.rollback()
            with pytest.raises(httpx.TransportError):
                await saying
            await bens.shows(room, "Never announced", SOON)
            await ben.says(loan, "Are you there?")
            await bens.shows(room, "Are you there?", SOON)
            assert said(bens, room) == ["Never announced", "Are you there?"]


# --- the clock


AS_THE_FILE_SAYS = """
import os, pathlib, time
real, file = time.time, pathlib.Path(os.environ["CLOCK_FILE"])
time.time = lambda: real() + float(file.read_text())
"""


class Wall:
    """The wall clock of one worker: of the app, and whatever else asks for the time of day."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(AS_THE_FILE_SAYS)
        self.file = folder / "clock"
        self.env = {"CLOCK_FILE": str(self.file), "PYTHONPATH": str(folder)}
        self.noon = float(Path(os.environ["CLOCK_FILE"]).read_text())
        self.jump(timedelta())

    def jump(self, by: timedelta) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(self.noon + by.total_seconds()))
        fresh.replace(self.file)


async def test_workers_whose_clocks_jump_apart_stay_live_and_agree(
    own: AsyncEngine, tmp_path: Path
) -> None:
    at = {"DATABASE_URL": own.url.render_as_string(hide_password=False)}
    walls, hour = (Wall(tmp_path / "left"), Wall(tmp_path / "right")), timedelta(hours=1)
    async with house(left=at | walls[0].env, right=at | walls[1].env) as street:
        ada, ben = street.ada, street.ben
        loan = await ben.asks_for(await ada.lists("Cordless drill"), street.today)
        room = await room_of(street, loan)
        words: list[str] = []
        async with ada.watches(room) as adas, ben.watches(room) as bens:
            for left, right in ((hour, -hour), (-hour, hour)):
                walls[0].jump(left)
                walls[1].jump(right)
                before = [await events(worker) for worker in street.workers]
                for who in (ada, ben, ada):
                    words.append(f"{who.name} {len(words)}")
                    await who.says(loan, words[-1])
                    for screen in (adas, bens):
                        await screen.shows(room, words[-1], SOON)
                for worker, counted in zip(street.workers, before, strict=True):
                    await until(lambda w=worker, c=counted: compared(w, c))  # type: ignore[misc]
            assert said(adas, room) == said(bens, room) == words
            await sessions_end_by_the_workers_clock(street, walls)
            await street.workers[0].stop()  # it says goodbye, whatever the clock says
            await adas.socket.wait_closed()
            assert adas.socket.close_code == 1012


async def compared(worker: Worker, before: Counter[str]) -> bool:
    return (await events(worker))["compares"] > before["compares"]


async def sessions_end_by_the_workers_clock(street: Street, walls: tuple[Wall, Wall]) -> None:
    """Half an hour is left of cora's: at a worker an hour ahead it is over, and not before."""
    cora = street.cora
    async with db.begin() as tx:
        ends = clock.now() + timedelta(minutes=30)
        await tx.execute(
            update(Session).where(Session.person_id == cora.id).values(expires_at=ends)
        )
    walls[0].jump(-timedelta(hours=1))
    await cora.opens(cora.home)
    walls[0].jump(timedelta(hours=1))
    assert (await cora.client.get(cora.home)).status_code == 303
    walls[0].jump(timedelta())
    await cora.opens(cora.home)
