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
from app.loans import commands, handover, shelf
from app.main import registry
from tests.loans.lending import AUTUMN, Command, Lending

EXAMPLES = int(os.environ.get("LENDING_EXAMPLES", "12"))
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
            await commands.request(tx, tool_id, begins, begins + timedelta(hours=hours), by, now)

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
        assert all(said.endswith((".", "!", "?")) for said in Street.lending.sentences)
    finally:
        await engine.dispose()
