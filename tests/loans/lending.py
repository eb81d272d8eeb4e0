"""A street on which anything may happen in any order, and what must hold whatever did."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker

from app import db, jobs, queue, topic
from app.errors import NotFound, Refusal
from app.loans import commands as loans
from app.loans import keeping
from app.loans.models import Loan, LoanEvent
from app.loans.states import FINAL, MOVES, POSSESSED, Act, State
from app.notices.models import Notice
from app.people import queries as people
from app.people.models import Community, Person
from app.people.viewer import Viewer
from app.queue import Job
from app.realtime import Listener, Topics, versions
from app.realtime.topics import Face, draw, face_for
from app.tools import commands as tools
from app.tools.commands import ToolText
from app.tools.models import Occupancy, OccupancyKind
from tests.loans import outside
from tests.loans.living import elm_street
from tests.people.living import community, member, person, viewer

HOUR = timedelta(hours=1)
AUTUMN = datetime(2026, 10, 20, 11, tzinfo=UTC)  # the clocks go back in the night to the 25th
Command = Callable[[db.Tx, datetime], Awaitable[object]]


class Died(Exception):  # noqa: N818 - what happens to a worker, not an error of ours
    """The worker was killed before it could commit."""


@dataclass
class Lending:
    """One database, one street, one clock that only this process has."""

    engine: AsyncEngine
    topics: Topics
    people: dict[str, Viewer] = field(default_factory=dict)
    tools: list[int] = field(default_factory=list)
    now: datetime = AUTUMN
    ticked: datetime = AUTUMN
    screens: dict[tuple[str, str], tuple[int, Face]] = field(default_factory=dict)
    turn: int = 0
    dee: Viewer = field(init=False)  # lives there, and has no part in anything
    zoe: Viewer = field(init=False)  # of another street
    outcomes: Counter[str] = field(default_factory=Counter)
    sentences: set[str] = field(default_factory=set)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[db.Tx]:
        sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        async with sessions() as tx, tx.begin():
            yield tx
            await tx.flush()
            await versions.flush(tx)

    @property
    def community_id(self) -> int:
        return self.people["ada"].community_id

    async def move_in(self) -> None:
        async with self.begin() as tx:
            elm = await elm_street(tx)
            self.people = {name: getattr(elm, name) for name in ("ada", "ben", "cy", "cora")}
            more = ToolText(name="Ladder", category="ladders", price_cents=250, of_all=True)
            ladder = await tools.list_tool(tx, more, elm.cora, self.now)
            await keeping.name(tx, ladder.id, elm.ada.person_id, elm.cora, self.now)
            self.tools = [elm.drill.id, ladder.id]
            begins = self.now + 26 * HOUR  # so that there is something to keep from others
            dates, ben = (begins, begins + 20 * HOUR), elm.ben
            await loans.request(tx, elm.drill.id, *dates, ben, self.now, outside.SAID)
            street = await tx.get_one(Community, self.community_id)
            self.dee = await member(tx, street, "Dee Harlow")
            zoe = await person(tx, "Zoe Marsh")
            self.zoe = await viewer(tx, await community(tx, zoe), zoe)
        self.ticked = self.now

    async def loans(self) -> list[int]:
        async with self.begin() as tx:
            return list(await tx.scalars(select(Loan.id).order_by(Loan.id)))

    async def does(self, command: Command, *, dies: bool = False) -> bool:
        """One command in its transaction; True if it was taken. What is refused leaves nothing."""
        try:
            async with self.begin() as tx:
                await command(tx, self.now)
                if dies:
                    raise Died
        except Refusal as refusal:
            self.outcomes["refused"] += 1
            self.sentences.add(refusal.sentence)
            return False
        except NotFound:
            self.outcomes["not found"] += 1
            return False
        except Died:
            self.outcomes["died"] += 1
            return False
        self.outcomes["taken"] += 1
        return True

    async def both(self, one: Command, other: Command) -> None:
        """Two at the same moment; each is taken or refused, and neither hangs."""
        async with asyncio.timeout(20):
            await asyncio.gather(self.does(one), self.does(other))

    async def passes(self, hours: float, *, dies: bool = False) -> None:
        """Time goes by, and whatever falls due runs; a worker may die over it first."""
        self.now = now = self.now + timedelta(hours=hours)
        async with self.begin() as tx:
            await jobs.time_passed(tx, self.ticked, now)
        self.ticked = now
        while await self._run_one(now, dies=dies):
            dies = False

    async def _run_one(self, now: datetime, *, dies: bool) -> bool:
        with suppress(Died):
            async with self.begin() as tx:
                job = await tx.scalar(
                    select(Job).where(Job.run_at <= now).order_by(Job.run_at, Job.id).limit(1)
                )
                if job is None:
                    return False
                name, key = job.name, job.key
                await tx.delete(job)
                await tx.flush()
                await jobs.COMMANDS[name](tx, key, now)
                await queue.record(tx, name, now)
                if dies:
                    raise Died
        return True

    # --- what must hold

    async def check(self) -> None:
        async with self.begin() as tx:
            loans = list(await tx.scalars(select(Loan).order_by(Loan.id)))
            events = list(await tx.scalars(select(LoanEvent).order_by(LoanEvent.id)))
            rows = list(await tx.scalars(select(Occupancy)))
            one_possession(loans)
            no_overlap(rows)
            stories_follow_the_table(loans, events)
            occupancy_is_what_loans_imply(loans, rows, self.now)
            await reminders_once(tx, loans)
            await self._screens_are_pages(tx)
            if loans and self.turn % 5 == 0:
                await self._walls_stand(tx, loans[-1 - self.turn // 5 % min(len(loans), 4)])

    async def _walls_stand(self, tx: db.Tx, loan: Loan) -> None:
        """Whoever has no part in a loan learns nothing of it; who has one reads what is said."""
        dee, zoe = await self._listener(tx, self.dee), await self._listener(tx, self.zoe)
        turn = self.turn // 5
        await outside.a_neighbour_learns_nothing(tx, self.topics, dee, self.dee, loan, turn)
        await outside.a_stranger_learns_nothing(tx, self.topics, zoe, self.zoe, loan)
        room = topic.room(self.community_id, loan.conversation_id)
        for one in self.people.values():
            if one.person_id == loan.borrower_id:
                reads = await outside.look(tx, self.topics, await self._listener(tx, one), room)
                self.outcomes["read by the two"] += outside.SAID in reads

    async def _screens_are_pages(self, tx: db.Tx) -> None:
        """What looks new has a higher version: so no open screen can be left behind.

        One person at each step, in turn; what they missed meanwhile shows at the next.
        """
        self.turn += 1
        name = list(self.people)[self.turn % len(self.people)]
        viewer = self.people[name]
        listener = await self._listener(tx, viewer)
        regions = self._regions(viewer, await self._loan_ids(tx))
        reading = await versions.read(tx, regions)
        for region in regions:
            kind = self.topics.kinds[versions.split(region)[1]]
            face = face_for(await draw(tx, kind, listener, region), viewer.person_id)
            version, was = reading.version(region), self.screens.get((name, region))
            if was is not None:
                assert version >= was[0], f"{region} went back"
                assert face == was[1] or version > was[0], (
                    f"{region} looks new to {name} unannounced:\n{was[1]}\n{face}"
                )
            self.screens[name, region] = (version, face)

    def _regions(self, viewer: Viewer, loans: list[int]) -> list[str]:
        here, person = self.community_id, viewer.person_id
        found = [topic.board(here), topic.things(person), topic.waiting(person)]
        found += [topic.bell(person), topic.notices(person)]
        for tool in self.tools:
            found += [topic.tool(here, tool), topic.dates(here, tool), topic.mine(here, tool)]
            found += [topic.waitlist(here, tool)]
        for loan in loans:
            found += [topic.loan(here, loan), topic.handover(here, loan)]
            found += [topic.similar(here, loan), topic.amends(here, loan)]
        return found

    async def _loan_ids(self, tx: db.Tx) -> list[int]:
        newest = select(Loan.id).order_by(Loan.id.desc()).limit(4)
        return list(await tx.scalars(newest))

    async def _listener(self, tx: db.Tx, viewer: Viewer) -> Listener:
        """As the door makes it, without a session."""
        person = await tx.get_one(Person, viewer.person_id)
        community = await tx.get_one(Community, viewer.community_id)
        standing = await people.standing(tx, community.id, person.id)
        assert standing is not None
        own = people.viewer_of(person)
        there = people.viewer_of(person, (community, standing))
        viewers = {f"u{person.id}": own, there.here.scope: there}
        return Listener(
            person_id=person.id,
            scopes=frozenset(viewers),
            locale=person.locale,
            viewer=viewers.get,
            community={there.here.scope: there.here}.get,
        )


def one_possession(loans: list[Loan]) -> None:
    held = Counter(
        loan.tool_id
        for loan in loans
        if State(loan.state) in POSSESSED or (loan.state == State.DISPUTED and not loan.back_at)
    )
    assert all(number == 1 for number in held.values()), held


def no_overlap(rows: list[Occupancy]) -> None:
    by_tool: dict[int, list[tuple[datetime, datetime]]] = {}
    for row in rows:
        assert row.period.lower is not None
        assert row.period.upper is not None
        by_tool.setdefault(row.tool_id, []).append((row.period.lower, row.period.upper))
    for spans in by_tool.values():
        spans.sort()
        for (_, end), (start, _) in pairwise(spans):
            assert end <= start, "two have the tool at once"


def stories_follow_the_table(loans: list[Loan], events: list[LoanEvent]) -> None:
    """Each event continues the one before, by the table of moves; nothing leaves a final state."""
    at: dict[int, str | None] = {}
    for event in events:
        assert event.from_state == at.get(event.loan_id), f"{event.act} out of nowhere"
        if event.from_state is not None and event.act in set(Act):
            move = MOVES.get((State(event.from_state), Act(event.act)))
            if move is not None:
                assert move[0] == event.to_state
            else:
                assert event.act in BY_THE_WAY, f"{event.act} from {event.from_state}"
        at[event.loan_id] = event.to_state
    for loan in loans:
        assert at[loan.id] == loan.state
        assert (loan.ended_at is not None) == (State(loan.state) in FINAL)


BY_THE_WAY: frozenset[str] = frozenset({"correct", "undo"})  # move a loan outside the table


def occupancy_is_what_loans_imply(loans: list[Loan], rows: list[Occupancy], now: datetime) -> None:
    of_loans = {row.loan_id: row for row in rows if row.kind == OccupancyKind.LOAN}
    for loan in loans:
        row = of_loans.pop(loan.id, None)
        state = State(loan.state)
        over = row is None and loan.end <= now  # put right afterwards: what is past blocks nothing
        if (state is State.APPROVED or state in POSSESSED) and not over:
            assert row is not None, f"a loan that is {state} blocks nothing"
            assert row.period.upper is not None
            assert row.period.upper >= loan.end, f"a loan that is {state} blocks less than it is"
        elif state in (State.RETURNED, State.CLOSED) and row is not None:
            assert loan.back_at is not None
            assert row.period.upper is not None
            assert row.period.upper <= max(loan.back_at, row.period.lower or loan.back_at) + HOUR
        elif state is not State.DISPUTED:
            assert row is None, f"a loan that is {state} blocks the tool"
    assert not of_loans, "an occupancy without its loan"


async def reminders_once(tx: db.Tx, loans: list[Loan]) -> None:
    often = await tx.execute(
        select(Notice.subject, Notice.kind, Notice.due_at, Notice.person_id)
        .where(Notice.due_at.is_not(None))
        .group_by(Notice.subject, Notice.kind, Notice.due_at, Notice.person_id)
        .having(func.count() > 1)
    )
    assert not often.all(), "a reminder was told twice"
    ended = {topic.loan(loan.community_id, loan.id): loan.ended_at for loan in loans}
    reminders = await tx.scalars(select(Notice).where(Notice.due_at.is_not(None)))
    for one in reminders:
        end = ended.get(one.subject)
        assert end is None or one.at <= end, "a reminder of what is over"
