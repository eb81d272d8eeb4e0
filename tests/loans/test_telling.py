"""What each of the two reads about their loan, and which buttons they get."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.loans import telling
from app.loans.models import Loan
from app.loans.states import FINAL, MOVES, POSSESSED, Act, State, Who
from app.people.models import Person, Role
from app.people.viewer import Viewer
from app.tools.models import Category
from app.tools.photo import Photo
from tests.loans.test_rules import BORROWER, COORDINATOR, END, HERE, LENDER, START, loan, viewer

HOUR = timedelta(hours=1)
GB = "en-GB"


def drawn(state: State = State.REQUESTED, **more: object) -> Loan:
    """A loan as its page loads it."""
    made = loan(state, price_cents=0, reason="", **more)
    made.__dict__["lender"] = Person(name="Ada Moreno")
    made.__dict__["borrower"] = Person(name="Ben Okafor")
    made.tool.__dict__["category"] = Category(icon="drill")
    made.tool.__dict__["photo"] = None
    return made


def labels(one: Loan, by: Viewer, holder: Loan | None = None) -> dict[str, str | None]:
    """Label → why not."""
    found = telling.actions(one, by, holder, START)
    return {one.label: one.why_not.sentence if one.why_not else None for one in found}


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("part", [LENDER, BORROWER])
def test_every_state_has_words_for_both(state: State, part: int) -> None:
    told = telling.tell(drawn(state), HERE, part, START, GB)
    assert told.state_words
    assert not told.state_words.endswith(".")
    if state in FINAL:
        assert (told.next_step, told.my_turn) == ("", False)


def test_each_reads_the_name_of_the_other() -> None:
    ada, ben = (telling.tell(drawn(), HERE, who, START, GB) for who in (LENDER, BORROWER))
    assert (ada.who, ben.who) == ("to Ben Okafor", "from Ada Moreno")
    assert ada.next_step == "Ben is waiting for your answer"
    assert ben.next_step == "Waiting for Ada"
    assert (ada.my_turn, ben.my_turn) == (True, False)


def test_a_borrower_without_account_has_the_name_that_was_written_down() -> None:
    one = drawn(State.OUT, borrower_id=None, borrower_name="Mr Finch from no. 7")
    one.__dict__["borrower"] = None
    told = telling.tell(one, HERE, LENDER, START, GB)
    assert told.borrower_name == "Mr Finch from no. 7"
    assert told.next_step == "Waiting for Mr to bring it back"


def test_the_lenders_turn_to_hand_over_comes_with_the_start() -> None:
    one = drawn(State.APPROVED)
    assert not telling.tell(one, HERE, LENDER, START - HOUR, GB).my_turn
    assert telling.tell(one, HERE, LENDER, START, GB).my_turn


def test_a_late_loan_presses_the_borrower() -> None:
    one = drawn(State.OUT)
    before, after = (telling.tell(one, HERE, BORROWER, at, GB) for at in (END - HOUR, END))
    assert (before.state_kind, before.my_turn) == ("out", False)
    assert (after.state_kind, after.my_turn) == ("overdue", True)
    assert after.state_words == "Overdue: it was due today 10:00"
    claimed = telling.tell(drawn(State.RETURN_CLAIMED), HERE, BORROWER, END + HOUR, GB)
    assert (claimed.state_kind, claimed.my_turn) == ("out", False)


def test_a_picture_and_a_price_are_told_where_there_are_some() -> None:
    one = drawn()
    assert telling.tell(one, HERE, BORROWER, START, GB).price_words == ""
    one.price_cents = 750
    one.tool.__dict__["photo"] = Photo(name="abc")
    told = telling.tell(one, HERE, BORROWER, START, GB)
    assert told.price_words == "£7.50"
    assert told.photo_url == "/c/elm/photos/abc-480.webp"


@pytest.mark.parametrize("state", State)
def test_no_button_leads_where_the_table_does_not(state: State) -> None:
    for part in (Who.LENDER, Who.BORROWER):
        for act, *_ in telling.OFFERED.get((state, part), ()):
            assert part & MOVES[state, act][1]


@pytest.mark.parametrize("state", sorted(FINAL | {State.DISPUTED, State.RETURNED}))
def test_what_is_over_has_no_buttons(state: State) -> None:
    for by in (viewer(LENDER), viewer(BORROWER), viewer(COORDINATOR, Role.COORDINATOR)):
        lost = state is State.SUPERSEDED and by.person_id == BORROWER
        assert list(labels(drawn(state), by)) == ["Wait for these dates"] * lost


def test_a_button_that_is_not_possible_says_why() -> None:
    holder = drawn(State.OUT, id=41)
    can = labels(drawn(State.APPROVED), viewer(LENDER), holder)
    assert can["I handed it over"] == "The tool is still out with somebody else."
    assert can["Cancel"] is None
    holder.state = State.RETURN_CLAIMED
    assert labels(drawn(State.APPROVED), viewer(LENDER), holder)["I handed it over"] is None


def test_nobody_came_is_offered_only_when_it_can_be_true() -> None:
    one, ada = drawn(State.APPROVED), viewer(LENDER)
    early, late = (telling.actions(one, ada, None, at) for at in (START, START + 2 * HOUR))
    assert "Nobody came" not in [action.label for action in early]
    assert "Nobody came" in [action.label for action in late]


def test_a_lender_who_cancels_is_asked_for_a_reason() -> None:
    for person, needed in ((LENDER, True), (BORROWER, False)):
        (cancel,) = [
            action
            for action in telling.actions(drawn(State.APPROVED), viewer(person), None, START)
            if action.label == "Cancel"
        ]
        assert cancel.needs_reason is needed
        assert cancel.post == "/c/elm/loans/42/cancellation"
        assert cancel.fields == {"version": 1}


def test_a_button_has_another_key_after_each_change() -> None:
    first = telling.actions(drawn(version=1), viewer(LENDER), None, START)
    second = telling.actions(drawn(version=2), viewer(LENDER), None, START)
    assert {one.key for one in first} & {one.key for one in second} == set()
    assert len({one.key for one in first}) == len(first)


def test_a_suspended_borrower_can_still_bring_it_back() -> None:
    by = viewer(BORROWER, suspended=True)
    assert labels(drawn(State.OUT), by) == {"I brought it back": None}
    ada = labels(drawn(State.REQUESTED), viewer(LENDER, suspended=True))
    assert ada["Approve"] == "Your membership is suspended."


def test_whoever_has_the_tool_is_told_with_a_colour_of_its_own() -> None:
    assert {telling.KINDS[state][0] for state in POSSESSED} == {"out"}
    assert Act.TAKE_BACK in {act for act, *_ in telling.OFFERED[State.OUT, Who.LENDER]}
