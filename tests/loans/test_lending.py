"""Random people, acts, clock jumps, deaths and races on one street: the promises hold throughout.

More of it: `LENDING_EXAMPLES=500 bin/test tests/loans/test_lending.py`.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from app import clock, db
from app.errors import NotFound
from app.loans import changes, commands, handover, patience, proposals, queries, shelf
from app.loans.states import State
from app.main import registry
from tests.loans import door, joints, outside
from tests.loans.lending import AUTUMN, Command, Lending

EXAMPLES = int(os.environ.get("LENDING_EXAMPLES", "25"))
STEPS = 40
WHO = st.sampled_from(("ada", "ben", "cy", "cora"))
BORROWERS = st.sampled_from(("ben", "cy", "cora", "ada"))
NTH, TOOL = st.integers(0, 40), st.integers(0, 1)
ACTS: dict[str, Any] = {
    "approve": commands.approve,
    "decline": commands.decline,
    "withdraw": commands.withdraw,
    "cancel": commands.cancel,
    "hand over": handover.hand_over,
    "claim": handover.claim_return,
    "not here": handover.not_here,
    "take back": handover.take_back,
    "no show": handover.no_show,
    "wait": patience.wait,
    "fetched": patience.fetched,
}
# Else nobody gets anywhere.
LIKELY = st.sampled_from(("approve", "approve", "hand over", "take back", *ACTS))


class Street(RuleBasedStateMachine):
    """Drives `Lending` on the test's own event loop, from a thread of Hypothesis' own."""

    loop: asyncio.AbstractEventLoop
    lending: Lending

    def run(self, act: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(act, self.loop).result(60)

    @initialize()
    def move_in(self) -> None:
        self.run(start_anew(self.lending))

    def _of(self, act: str, nth: int, who: str, stale: bool = False) -> Command | None:
        loans = self.run(self.lending.loans())
        if not loans:
            return None
        loan_id, by = loans[-1 - nth % min(len(loans), 5)], self.lending.people[who]
        more: dict[str, Any] = {"reason": "It rains."} if act == "cancel" else {}
        if stale:
            more["version"] = 1
        return lambda tx, now: ACTS[act](tx, loan_id, by, now, **more)

    def _ask(self, who: str, tool: int, start: int, hours: int) -> Command:
        tool_id, by = self.lending.tools[tool], self.lending.people[who]

        async def ask(tx: db.Tx, now: Any) -> None:
            begins = now.replace(minute=0) + timedelta(hours=start)
            ends = begins + timedelta(hours=hours)
            await commands.request(tx, tool_id, begins, ends, by, now, outside.SAID)

        return ask

    @rule(who=BORROWERS, tool=TOOL, start=st.integers(-2, 60), hours=st.integers(1, 90))
    def asks(self, who: str, tool: int, start: int, hours: int) -> None:
        self.run(self.lending.does(self._ask(who, tool, start, hours)))

    @rule(act=LIKELY, nth=NTH, who=WHO, dies=st.integers(0, 9), stale=st.booleans())
    def acts(self, act: str, nth: int, who: str, dies: int, stale: bool) -> None:
        if command := self._of(act, nth, who, stale and dies > 6):
            self.run(self.lending.does(command, dies=dies == 0))

    @rule(act=st.sampled_from(("approve", "hand over", "take back")), nth=NTH)
    def ada_moves_it_on(self, act: str, nth: int) -> None:
        if command := self._of(act, nth, "ada"):
            self.run(self.lending.does(command))

    @rule(act=st.sampled_from(door.OF_A_LOAN), nth=NTH, who=WHO, other=WHO)
    def at_the_door(self, act: str, nth: int, who: str, other: str) -> None:
        """With a code of the one for the other, or alone at a shed."""
        loans = self.run(self.lending.loans())
        if not loans:
            return
        loan_id = loans[-1 - nth % min(len(loans), 5)]
        for name, what in ((who, act), (other, "type")):
            self.run(self.lending.does(self._at_the_door(name, what, loan_id)))

    def _at_the_door(self, name: str, what: str, loan_id: int) -> Command:
        by = self.lending.people[name]
        return lambda tx, now: door.at_the_door(tx, what, loan_id, by, now)

    @rule(tool=TOOL, who=WHO, hours=st.integers(1, 60))
    def lends_now(self, tool: int, who: str, hours: int) -> None:
        tool_id, ada, to = (
            self.lending.tools[tool],
            self.lending.people["ada"],
            self.lending.people[who],
        )
        self.run(self.lending.does(lambda tx, now: door.lends(tx, tool_id, ada, to, hours, now)))

    @rule(tool=TOOL, who=WHO, whom=WHO, looks_after=st.booleans())
    def keeps(self, tool: int, who: str, whom: str, looks_after: bool) -> None:
        tool_id, people = self.lending.tools[tool], self.lending.people
        by, keeper = people[who], people[whom]
        self.run(
            self.lending.does(
                lambda tx, now: joints.keeps(tx, tool_id, by, keeper, looks_after, now)
            )
        )

    @rule()
    def opens_a_shed(self) -> None:
        tool_id, ada = self.lending.tools[1], self.lending.people["ada"]
        self.run(self.lending.does(lambda tx, now: door.opens_a_shed(tx, tool_id, ada, now)))

    def _other_dates(self, nth: int, who: str, start: int, end: int) -> Command | None:
        loans = self.run(self.lending.loans())
        if not loans:
            return None
        loan_id, by = loans[-1 - nth % min(len(loans), 5)], self.lending.people[who]

        async def propose(tx: db.Tx, now: Any) -> None:
            loan = await queries.locked(tx, by.community_id, loan_id)
            first = loan.start + timedelta(hours=start) if start else None
            await changes.propose(tx, loan_id, by, now, first, loan.end + timedelta(hours=end))

        return propose

    def _answer(self, nth: int, who: str, answer: Any) -> Command | None:
        loans = self.run(self.lending.loans())
        if not loans:
            return None
        loan_id, by = loans[-1 - nth % min(len(loans), 5)], self.lending.people[who]

        async def say(tx: db.Tx, now: Any) -> None:
            loan = await queries.locked(tx, by.community_id, loan_id)
            change = await proposals.open_of(tx, loan)
            if change is None:
                raise NotFound
            await answer(tx, loan_id, change.id, by, now)

        return say

    @rule(
        nth=NTH,
        who=st.sampled_from(("ada", "ben", "cy")),
        start=st.sampled_from((0, 0, 0, -20, 5, 30)),
        end=st.integers(-30, 60),
        answered=st.sampled_from((None, changes.agree, changes.agree, changes.refuse)),
    )
    def proposes(self, nth: int, who: str, start: int, end: int, answered: Any) -> None:
        command = self._other_dates(nth, who, start, end)
        if command and self.run(self.lending.does(command)) and answered:
            for other in self.lending.people:
                if then := self._answer(nth, other, answered):
                    self.run(self.lending.does(then))

    @rule(
        nth=NTH,
        who=WHO,
        too=WHO,
        one=st.sampled_from((changes.agree, changes.withdraw)),
        act=LIKELY,
    )
    def answers_while_it_moves(self, nth: int, who: str, too: str, one: Any, act: str) -> None:
        first, second = self._answer(nth, who, one), self._of(act, nth, too)
        if first and second:
            self.run(self.lending.both(first, second))

    @rule(one=LIKELY, other=LIKELY, nth=NTH, who=WHO, too=WHO)
    def two_at_once(self, one: str, other: str, nth: int, who: str, too: str) -> None:
        first, second = self._of(one, nth, who), self._of(other, nth + 1, too)
        if first and second:
            self.run(self.lending.both(first, second))

    @rule(act=st.sampled_from(tuple(ACTS)), nth=NTH, who=WHO)
    def twice(self, act: str, nth: int, who: str) -> None:
        """A command repeated without its key is refused the second time, or changes nothing."""
        if command := self._of(act, nth, who):
            taken = self.run(self.lending.does(command))
            assert not (taken and self.run(self.lending.does(command)))

    @rule(hours=st.sampled_from((0.1, 1, 3, 13, 25, 49, 24 * 9)), dies=st.integers(0, 3))
    def time_passes(self, hours: float, dies: int) -> None:
        self.run(self.lending.passes(hours, dies=dies == 0))

    @rule(tool=TOOL, act=st.sampled_from((shelf.pause, shelf.resume, shelf.archive)))
    def shelves(self, tool: int, act: Any) -> None:
        tool_id, ada = self.lending.tools[tool], self.lending.people["ada"]
        if self.run(self.lending.does(lambda tx, now: act(tx, tool_id, ada, now))):
            back = shelf.restore if act is shelf.archive else shelf.resume
            self.run(self.lending.does(lambda tx, now: back(tx, tool_id, ada, now)))

    @rule(who=BORROWERS, tool=TOOL, start=st.integers(0, 60), hours=st.sampled_from((0, 2, 30)))
    def chooses(self, who: str, tool: int, start: int, hours: int) -> None:
        tool_id, by = self.lending.tools[tool], self.lending.people[who]
        self.run(
            self.lending.does(lambda tx, now: joints.chooses(tx, tool_id, by, start, hours, now))
        )

    @rule(who=BORROWERS, tool=TOOL, what=st.sampled_from(joints.WAITING), days=st.integers(1, 3))
    def waits(self, who: str, tool: int, what: str, days: int) -> None:
        tool_id, by = self.lending.tools[tool], self.lending.people[who]
        self.run(self.lending.does(lambda tx, now: joints.waits(tx, tool_id, by, what, days, now)))

    @rule(nth=NTH, who=WHO, then=st.sampled_from((*ACTS, "")))
    def takes_back(self, nth: int, who: str, then: str) -> None:
        """One's own last step, at once or while somebody takes the next."""
        loans = self.run(self.lending.loans())
        if not loans:
            return
        loan_id, by = loans[-1 - nth % min(len(loans), 5)], self.lending.people[who]

        async def undo(tx: db.Tx, now: Any) -> None:
            await joints.takes_back(tx, loan_id, by, now)

        other = self._of(then, nth, "ada") if then else None
        self.run(self.lending.both(undo, other) if other else self.lending.does(undo))

    @rule(nth=NTH, state=st.sampled_from(State))
    def puts_right(self, nth: int, state: State) -> None:
        loans = self.run(self.lending.loans())
        if not loans:
            return
        loan_id, cora = loans[-1 - nth % min(len(loans), 5)], self.lending.people["cora"]
        self.run(
            self.lending.does(lambda tx, now: joints.puts_right(tx, loan_id, cora, state, now))
        )

    @rule(nth=NTH, who=WHO, what=st.sampled_from(joints.TROUBLE))
    def falls_out(self, nth: int, who: str, what: str) -> None:
        loans = self.run(self.lending.loans())
        if not loans:
            return
        loan_id, by = loans[-1 - nth % min(len(loans), 5)], self.lending.people[who]
        self.run(self.lending.does(lambda tx, now: joints.falls_out(tx, loan_id, by, what, now)))

    @invariant()
    def the_promises_hold(self) -> None:
        if self.lending.people:
            self.run(self.lending.check())


async def start_anew(lending: Lending) -> None:
    """An empty street a few days before the clocks go back."""
    lending.people, lending.tools, lending.screens, lending.now = {}, [], {}, AUTUMN
    async with lending.begin() as tx:
        await tx.execute(
            text("TRUNCATE person, community, job, live_topic, job_run RESTART IDENTITY CASCADE")
        )
    await lending.move_in()


async def test_whatever_neighbours_do_the_promises_hold(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = db.make_engine(database, pool_size=3)
    try:
        Street.loop = asyncio.get_running_loop()
        Street.lending = Lending(engine, registry())
        # Not a moment of its own passes, so that each example is the same when it is run again.
        monkeypatch.setattr(clock, "now", lambda: Street.lending.now)
        await asyncio.to_thread(
            run_state_machine_as_test,
            Street,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                # What fails is told as it was found: to shrink it takes minutes here.
                phases=[Phase.reuse, Phase.generate],
            ),
        )
        taken = Street.lending.outcomes
        assert taken["taken"] > 0 < taken["refused"], taken
        assert taken["read by the two"] > 0, "what is kept from others was there to be read"
        assert all(said.endswith((".", "!", "?")) for said in Street.lending.sentences)
    finally:
        await engine.dispose()
