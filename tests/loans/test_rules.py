"""Every (state, act, actor) pair of the table of moves, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects.postgresql import Range

from app.errors import Refusal
from app.loans import rules
from app.loans.models import Loan
from app.loans.states import FINAL, MOVES, POSSESSED, UNDO_WITHIN, UNDOABLE, Act, State, Who
from app.loans.undo import TOOK_BACK
from app.people.models import PersonId, Role
from app.people.viewer import Apart, Here, Viewer
from app.tools.models import Tool, ToolStatus

START = datetime(2026, 5, 2, 9, tzinfo=UTC)
END = START + timedelta(days=2)
HERE = Here(1, "elm", "Elm Street", ZoneInfo("Europe/London"), "en-GB", "GBP", "request")
LENDER, BORROWER, COORDINATOR, STRANGER, MEDIATOR = 1, 2, 3, 4, 5

# When an act is asked for so that only state and actor can stand in its way.
IN_TIME = {
    Act.APPROVE: START - timedelta(hours=1),
    Act.EXPIRE: START,
    Act.LAPSE: END + rules.LAPSE_AFTER,
    Act.NO_SHOW: START + rules.NO_SHOW_AFTER,
    Act.FETCHED: END,
}


def viewer(person_id: int, role: Role = Role.MEMBER, suspended: bool = False) -> Viewer:
    return Viewer(PersonId(person_id), f"Person {person_id}", "en-GB", HERE, role, suspended)


ACTORS = {
    Who.BORROWER: viewer(BORROWER),
    Who.LENDER: viewer(LENDER),
    Who.COORDINATOR: viewer(COORDINATOR, Role.COORDINATOR),
    Who.SYSTEM: None,
    Who.MEDIATOR: viewer(MEDIATOR),
    Who.NOBODY: viewer(STRANGER),
}


def loan(state: State = State.REQUESTED, **more: object) -> Loan:
    tool = Tool(community_id=1, id=7, owner_id=LENDER, name="Drill", status=ToolStatus.LISTED)
    made = Loan(
        community_id=1,
        id=42,
        tool_id=7,
        borrower_id=BORROWER,
        lender_id=LENDER,
        period=Range(START, END),
        state=state,
        version=1,
        expires_at=START,
        claimed_at=START,
        mediator_id=MEDIATOR,
    )
    made.__dict__["tool"] = tool  # as if loaded: rules only get loaded objects
    for name, value in more.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)))
@pytest.mark.parametrize("part", list(ACTORS), ids=lambda part: part.name)
def test_who_may_do_what_in_which_state(state: State, act: Act, part: Who) -> None:
    refusal = rules.why_not(act, loan(state), ACTORS[part], IN_TIME.get(act, START))
    move = MOVES.get((state, act))
    if move is None:
        assert refusal is not None
        assert refusal.code == "state", "the sentence tells the state the loan is in now"
    elif part in move[1] and part is not Who.NOBODY:
        assert refusal is None
    else:
        assert refusal is not None
        assert refusal.status == 403


def test_every_refusal_is_a_sentence() -> None:
    for state, act, part in product(State, Act, ACTORS):
        refusal = rules.why_not(act, loan(state), ACTORS[part], START)
        if refusal is not None:
            assert refusal.sentence[0].isupper() or refusal.sentence[0] == "“"
            assert refusal.sentence.endswith(".")


def test_final_states_have_no_way_on() -> None:
    assert {state for state, _ in MOVES} & FINAL == set()
    reached = {State.REQUESTED} | {to for to, _ in MOVES.values()}
    assert reached == set(State)


def test_a_coordinator_who_borrows_does_not_approve_the_own_request() -> None:
    both = viewer(BORROWER, Role.COORDINATOR)
    refusal = rules.why_not(Act.APPROVE, loan(), both, START - timedelta(hours=1))
    assert refusal is not None
    assert rules.part_of(loan(), both) is Who.BORROWER


def test_somebody_of_another_community_has_no_part() -> None:
    other = Viewer(PersonId(LENDER), "Ada", "en-GB", replace(HERE, id=2), Role.ADMIN)
    assert rules.part_of(loan(), other) is Who.NOBODY


@pytest.mark.parametrize("act", sorted(rules.WHEN_SUSPENDED))
def test_who_is_suspended_may_still_bring_back_and_step_back(act: Act) -> None:
    for (state, one), (_, who) in MOVES.items():
        for part, person in ((Who.BORROWER, BORROWER), (Who.LENDER, LENDER)):
            if one is act and part in who:
                by = viewer(person, suspended=True)
                assert rules.why_not(act, loan(state), by, START) is None


def test_who_is_suspended_cannot_approve_or_hand_over() -> None:
    by = viewer(LENDER, suspended=True)
    for act, state in ((Act.APPROVE, State.REQUESTED), (Act.HAND_OVER, State.APPROVED)):
        refusal = rules.why_not(act, loan(state), by, START - timedelta(hours=1))
        assert refusal is not None
        assert "suspended" in refusal.sentence


@pytest.mark.parametrize(
    ("act", "state", "at", "allowed"),
    [
        (Act.APPROVE, State.REQUESTED, START, False),
        (Act.EXPIRE, State.REQUESTED, START - timedelta(seconds=1), False),
        (Act.HAND_OVER, State.APPROVED, START - rules.EARLY_PICK_UP, True),
        (Act.HAND_OVER, State.APPROVED, START - rules.EARLY_PICK_UP - timedelta(1), False),
        (Act.NO_SHOW, State.APPROVED, START + timedelta(hours=1), False),
        (Act.LAPSE, State.APPROVED, END + timedelta(hours=23), False),
        (Act.NOT_HERE, State.RETURN_CLAIMED, START + timedelta(hours=48), True),
        (Act.NOT_HERE, State.RETURN_CLAIMED, START + timedelta(hours=49), False),
    ],
)
def test_when_an_act_is_possible(act: Act, state: State, at: datetime, allowed: bool) -> None:
    (part,) = [part for part in ACTORS if part in MOVES[state, act][1]][:1]
    assert (rules.why_not(act, loan(state), ACTORS[part], at) is None) is allowed


def test_overdue_begins_with_the_due_minute_and_stops_with_a_claim() -> None:
    assert not rules.is_late(loan(State.OUT), END - timedelta(seconds=1))
    assert rules.is_late(loan(State.OUT), END)
    assert not rules.is_late(loan(State.RETURN_CLAIMED), END + timedelta(days=1))


def test_a_request_waits_48_hours_or_until_its_start() -> None:
    day = timedelta(days=1)
    assert rules.answer_until(START, END, START - 5 * day) == START - 3 * day
    assert rules.answer_until(START, END, START - day) == START
    begun = START + timedelta(hours=1)
    assert rules.answer_until(START, END, begun) == END, "a day that has begun can still be lent"


def why(
    start: datetime, end: datetime, now: datetime, by: int = BORROWER, **tool: object
) -> Refusal | None:
    asked = Tool(community_id=1, owner_id=LENDER, status=ToolStatus.LISTED)
    for name, value in tool.items():
        setattr(asked, name, value)
    return rules.why_not_request(asked, start, end, viewer(by), None, now)


def test_what_can_be_asked_for() -> None:
    now, day = START, timedelta(days=1)
    assert why(START, END, now) is None
    assert why(START, START + timedelta(hours=2), now) is None
    for refusal in (
        why(END, START, now),
        why(START - 3 * day, END - 3 * day, now),
        why(START, START + 9 * day, now),
        why(START + 91 * day, END + 91 * day, now),
    ):
        assert refusal is not None
        assert refusal.status == 422
        assert refusal.way_out
    assert why(START, END, now, by=LENDER) is not None
    assert why(START, END, now, status=ToolStatus.PAUSED) is not None


def test_who_is_blocked_hears_of_a_pause_and_who_blocks_of_the_block() -> None:
    tool = Tool(community_id=1, owner_id=LENDER, status=ToolStatus.LISTED)
    paused = Tool(community_id=1, owner_id=LENDER, status=ToolStatus.PAUSED)
    theirs, mine = Apart("Ada Moreno", mine=False), Apart("Ada Moreno", mine=True)
    asks = viewer(BORROWER)
    as_paused = rules.why_not_ask(paused, asks, None)
    for hidden in (rules.why_not_ask(tool, asks, theirs), rules.why_not_ask(paused, asks, theirs)):
        assert hidden is not None
        assert as_paused is not None
        assert hidden.__dict__ == as_paused.__dict__
    for told in (rules.why_not_ask(tool, asks, mine), rules.why_not_ask(paused, asks, mine)):
        assert told is not None
        assert told.sentence == "You blocked Ada."
        assert told.way_out
    assert rules.why_not_ask(tool, asks, None) is None


def test_a_tool_that_is_out_cannot_be_asked_for_now_but_for_later() -> None:
    out, hour = loan(State.OUT), timedelta(hours=1)
    late = END + hour
    assert rules.why_not_free(late - hour / 2, late + hour, [], out, [], late) is not None
    assert rules.why_not_free(late + hour, late + 2 * hour, [], out, [], late) is None
    assert sorted(POSSESSED) == [State.OUT, State.RETURN_CLAIMED]


def test_touching_periods_do_not_overlap() -> None:
    busy = [(START, END)]
    assert rules.why_not_free(END, END + timedelta(1), busy, None, [], START) is None
    assert rules.why_not_free(START - timedelta(1), START, busy, None, [], START) is None
    clash = rules.why_not_free(
        END - timedelta(seconds=1), END + timedelta(1), busy, None, [(END, END)], START
    )
    assert clash is not None
    assert clash.free == [(END, END)]


def test_only_what_a_person_did_can_be_undone_and_each_has_its_words() -> None:
    assert set(TOOK_BACK) == UNDOABLE
    for (_, act), (_, who) in MOVES.items():
        # The yes of a tool, and the no of one that is not safe, have nobody to undo them.
        if act in UNDOABLE - {Act.APPROVE, Act.DECLINE}:
            assert Who.SYSTEM not in who


@pytest.mark.parametrize(("state", "act"), list(product(State, Act)))
def test_a_move_and_its_undo_lead_back_to_where_it_began(state: State, act: Act) -> None:
    one = loan(state)
    if (state, act) not in MOVES or act not in UNDOABLE:
        return
    one.move(act, START)
    assert one.undo_until == START + UNDO_WITHIN
    one.undo(act, state)
    assert (one.state, one.version) == (state, 3)
    assert [one.ended_at, one.undo_until] == [None, None]
