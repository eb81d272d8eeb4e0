"""The demo: told once and whole, the same at every hour of every kind of day."""

from __future__ import annotations

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import asyncpg
import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import async_sessionmaker

from app import db
from app.board import mine
from app.board import queries as board
from app.board import states as board_states
from app.chat import queries as chat
from app.chat.models import Message, MessageKind
from app.clock import started_days
from app.demo.load import PASSWORD, PLACES, shots_of, tell
from app.demo.stage import Stage
from app.loans import alone, waits
from app.loans import queries as loan_queries
from app.loans.incident import Evidence, Incident
from app.loans.models import Loan, LoanEvent
from app.loans.papers import HandoverPhoto
from app.loans.proposal import LoanChange
from app.loans.states import State
from app.notices import queries as notices
from app.people import passwords, queries
from app.people.models import Membership, Person, Status
from app.queue import Job
from app.realtime import versions
from app.tools import photos
from app.tools.models import Tool

INSTANTS = [
    pytest.param(datetime(2026, 7, 15, 12, 0, tzinfo=UTC), id="a-summer-noon"),
    pytest.param(datetime(2028, 2, 29, 0, 5, tzinfo=UTC), id="leap-day-just-begun"),
    pytest.param(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), id="the-night-of-the-lost-hour"),
    pytest.param(datetime(2026, 10, 25, 0, 30, tzinfo=UTC), id="the-night-of-the-second-hour"),
    pytest.param(datetime(2026, 12, 31, 23, 30, tzinfo=UTC), id="new-year-in-berlin-only"),
]
WITHIN = 120.0  # seconds: a deadline, on a machine that may be busy


@dataclass
class Told:
    """The demo as it stands at `now`, in a transaction that is rolled back."""

    tx: db.Tx
    now: datetime
    elm: Stage
    mill: Stage


@pytest.fixture
async def told(database: str, request: pytest.FixtureRequest) -> AsyncIterator[Told]:
    engine = db.make_engine(database)
    async with async_sessionmaker(engine, expire_on_commit=False)() as tx:
        await tx.begin()
        stages = await tell(tx, request.param, "none")
        await tx.flush()
        await versions.flush(tx)
        yield Told(tx, request.param, *stages)
        await tx.rollback()
    await engine.dispose()


async def states(told: Told, stage: Stage) -> Counter[str]:
    here = stage.viewers[stage.place.people[0].first].here
    tools = await board.on_the_board(told.tx, here)
    seen = await board.seen(told.tx, here, tools, told.now, "en-GB")
    counted = await board_states.counts(told.tx, here, told.now)
    assert counted["free"] == sum(one.state.free_now for one in seen)
    return Counter(one.state.kind for one in seen)


@pytest.mark.parametrize("told", INSTANTS, indirect=True)
async def test_every_hour_finds_the_same_street(told: Told) -> None:
    assert await states(told, told.elm) == {
        "free": 38,
        "asked": 7,
        "reserved": 9,
        "out": 9,
        "overdue": 2,
        "paused": 2,
    }
    assert await states(told, told.mill) == {"free": 6, "asked": 1, "reserved": 1, "out": 1}
    there = set(await told.tx.scalars(select(Loan.state).distinct()))
    assert there == {*State}
    await no_job_is_late(told)
    await nobody_acts_at_night_or_in_the_future(told)
    await every_loan_is_told_in_order_and_priced(told)
    await ada_has_something_to_answer(told)
    await each_promise_of_a_loan_is_there(told)
    await cy_lives_in_both_places(told)


async def no_job_is_late(told: Told) -> None:
    assert await told.tx.scalar(select(Job.key).where(Job.run_at <= told.now)) is None


async def nobody_acts_at_night_or_in_the_future(told: Told) -> None:
    for stage in (told.elm, told.mill):
        zone = ZoneInfo(stage.place.zone)
        here = stage.viewers["cy"].community_id
        made = select(Tool.created_at).where(Tool.community_id == here)
        said = select(Message.created_at).where(
            Message.community_id == here, Message.kind == MessageKind.TEXT
        )
        for at in (*await told.tx.scalars(made), *await told.tx.scalars(said)):
            assert at <= told.now
            assert 7 <= at.astimezone(zone).hour < 22


async def every_loan_is_told_in_order_and_priced(told: Told) -> None:
    events = list(await told.tx.scalars(select(LoanEvent).order_by(LoanEvent.id)))
    assert [event.at for event in events] == sorted(event.at for event in events)
    assert events[-1].at <= told.now
    zones = {
        stage.viewers["cy"].community_id: stage.viewers["cy"].here.zone
        for stage in (told.elm, told.mill)
    }
    for loan, tool in await told.tx.execute(
        select(Loan, Tool).join(
            Tool, (Tool.community_id == Loan.community_id) & (Tool.id == Loan.tool_id)
        )
    ):
        days = started_days(loan.start, loan.end, zones[loan.community_id])
        assert loan.price_cents == days * tool.price_cents
        assert tool.created_at < loan.requested_at


async def ada_has_something_to_answer(told: Told) -> None:
    ada, ben = told.elm.viewers["ada"], told.elm.viewers["ben"]
    things = await mine.things(told.tx, ada, told.now)
    waiting = [one["loan"] for one in things["waiting"]]  # type: ignore[attr-defined]
    assert sum(loan.state == State.REQUESTED for loan in waiting) == 4
    drill = await told.tx.scalar(
        select(Loan).where(
            Loan.lender_id == ada.person_id,
            Loan.borrower_id == ben.person_id,
            Loan.state == State.OUT,
        )
    )
    assert drill is not None
    room = (drill.community_id, drill.conversation_id)
    lines = await chat.newest(told.tx, *room)
    assert 8 <= sum(line.kind == MessageKind.TEXT for line in lines) <= 12
    assert (await chat.unread_by_room(told.tx, ada.person_id))[room] == 2
    assert room not in await chat.unread_by_room(told.tx, ben.person_id)


async def each_promise_of_a_loan_is_there(told: Told) -> None:
    """At risk, an offer, other dates, what went wrong, days off, a name at the door, the bells."""
    people, tools = told.elm.viewers, told.elm.tools
    ben = await mine.things(told.tx, people["ben"], told.now)
    steps = [one["loan"].next_step for one in ben["waiting"]]  # type: ignore[attr-defined]
    assert "Wait for it, or let it go?" in steps
    truck = await told.tx.scalar(
        select(Loan).where(
            Loan.tool_id == tools["hand-truck"].id,
            Loan.borrower_id == people["ben"].person_id,
            Loan.state == State.APPROVED,
        )
    )
    assert truck is not None
    truck = await loan_queries.loan_for(told.tx, people["ben"], truck.id)
    assert await alone.box_for(told.tx, truck, people["ben"], told.now)
    line = await waits.line(told.tx, people["ada"].community_id, tools["garden-shredder"].id)
    assert line[0].person_id == people["ada"].person_id
    assert line[0].offered_until is not None
    assert line[0].offered_until > told.now
    for model, number in ((LoanChange, 1), (Incident, 3), (HandoverPhoto, 5), (Evidence, 4)):
        assert await told.tx.scalar(select(func.count()).select_from(model)) == number, model
    mediated = await told.tx.scalar(select(Loan).where(Loan.mediator_id.is_not(None)))
    assert mediated is not None
    assert mediated.mediator_id == people["cora"].person_id
    named = await told.tx.scalar(select(Loan).where(Loan.borrower_name.is_not(None)))
    assert named is not None
    assert named.state == State.OUT
    for name in ("ada", "ben"):
        assert 3 <= await notices.unseen(told.tx, people[name].person_id) <= 12


async def cy_lives_in_both_places(told: Told) -> None:
    cy = told.elm.viewers["cy"]
    assert await queries.slugs_of(told.tx, cy.person_id) == ["elm", "mill"]
    assert (await queries.person(told.tx, cy.person_id)).last_community_id == cy.community_id
    waiting = await told.tx.execute(
        select(Person.email, Membership.note)
        .join(Membership, Membership.person_id == Person.id)
        .where(Membership.status == Status.PENDING)
    )
    ((email, note),) = waiting.all()
    assert email == "zoe@example.org"
    assert note
    for stage in (told.elm, told.mill):
        link = await queries.link_by_code(told.tx, stage.code)
        assert link is not None
        assert link.community_id == stage.viewers["cy"].community_id
        assert link.expires_at > told.now


async def run_demo(database: str, folder: Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "app.demo"),
        env={**os.environ, "DATABASE_URL": database, "DATA_DIR": str(folder)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def said(demo: asyncio.subprocess.Process) -> str:
    async with asyncio.timeout(WITHIN):
        written, problem = await demo.communicate()
    assert demo.returncode == 0, problem.decode()
    return written.decode()


async def test_a_demo_that_cannot_be_loaded_leaves_nothing(database: str, tmp_path: Path) -> None:
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        await connection.execute(
            "INSERT INTO person (email, name, password_hash, locale, created_at)"
            " VALUES ('ben@example.org', 'Another Ben', 'none', 'en-GB', now())"
        )
        demo = await run_demo(database, tmp_path)
        async with asyncio.timeout(WITHIN):
            await demo.communicate()
        assert demo.returncode == 1
        rows = await whole(connection)
        assert rows["person"] == 1
        assert rows["community"] == rows["live_topic"] == rows["job"] == 0
        assert not [file for file in tmp_path.rglob("*") if file.is_file()]
    finally:
        await connection.close()


async def test_it_is_loaded_once_whatever_happens(database: str, tmp_path: Path) -> None:
    """Killed in the middle, then started twice at once, then again."""
    connection = await asyncpg.connect(database.replace("+asyncpg", ""))
    try:
        killed = await run_demo(database, tmp_path / "killed")
        assert killed.stdout is not None
        async with asyncio.timeout(WITHIN):
            assert await killed.stdout.readuntil("…".encode())
        killed.kill()
        await killed.communicate()
        assert await connection.fetchval("SELECT count(*) FROM community") == 0

        folder = tmp_path / "files"
        both = [await run_demo(database, folder) for _ in range(2)]
        first, second = sorted(await asyncio.gather(*map(said, both)))
        assert "Neighbours can join Elm Street with the code" in first
        assert "nothing was changed" in second
        rows = await whole(connection)
        kept = {file.name for file in (folder / "photos").iterdir()}
        hung = sum(tool.count for place in PLACES for tool in place.tools)
        assert rows["photo"] == rows["tool"] == hung
        pictures = hung + len(shots_of(PLACES))
        assert len(kept) == pictures * len(photos.COPIES)

        assert "nothing was changed" in await said(await run_demo(database, folder))
        assert await whole(connection) == rows
        assert {file.name for file in (folder / "photos").iterdir()} == kept
        hashes = await connection.fetch("SELECT DISTINCT password_hash FROM person")
        assert len(hashes) == 1
        assert await passwords.matches(PASSWORD, hashes[0][0])
    finally:
        await connection.close()


async def whole(connection: asyncpg.Connection) -> dict[str, int]:
    tables = [
        row[0]
        for row in await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        )
    ]
    return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
