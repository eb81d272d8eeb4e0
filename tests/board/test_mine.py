"""My things: who waits for me comes first, each question with its answers, quick for hundreds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event

from app import db
from app.board import mine
from app.chat import commands as chat
from app.loans import changes, handover
from app.loans.models import Loan
from app.pages import partial
from app.people.viewer import Viewer
from tests.loans.living import DAY, HOUR, Elm, elm_street
from tests.people.living import NOW


async def things(elm: Elm, who: Viewer, now: datetime) -> Mapping[str, Any]:
    return await mine.things(elm.tx, who, now)


def asked(found: Mapping[str, Any]) -> list[tuple[int, str, list[str]]]:
    """(loan, question, answers), in order."""
    return [
        (one["loan"].id, one["loan"].next_step, [action.label for action in one["actions"]])
        for one in found["waiting"]
    ]


async def test_whoever_waits_for_an_answer_comes_first_with_one_tap_answers(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    late = await elm.out(elm.ben, 0)
    after = await elm.promised(elm.cy, 1)
    wish = await elm.asked(elm.cora, 3, now=late.end)
    longer = await elm.promised(elm.cy, 5, now=late.end)
    change = await changes.propose(tx, longer.id, elm.cy, late.end, None, longer.end + DAY)
    now = late.end + HOUR
    assert asked(await things(elm, elm.ada, now)) == [
        (longer.id, "Cy asks for other dates: until Thu 7 May", ["Agree", "Keep the dates"]),
        (wish.id, "Cora is waiting for your answer", ["Approve", "Decline"]),
        (late.id, "Is it back? Ben should bring it", ["It is back"]),
    ]
    assert asked(await things(elm, elm.cy, now)) == [
        (after.id, "Wait for it, or let it go?", ["I wait", "Let it go"])
    ]
    assert asked(await things(elm, elm.ben, now)) == [
        (late.id, "Bring it back to Ada", ["I brought it back"])
    ]
    await changes.agree(tx, longer.id, change.id, elm.ada, now)
    await handover.claim_return(tx, late.id, elm.ben, now)
    first = asked(await things(elm, elm.ada, now))[0]
    assert first == (late.id, "Confirm that it is back", ["It is back", "Not here"])


async def test_was_it_handed_over_is_answered_with_one_tap_by_both(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    loan = await elm.promised(elm.ben, 1)
    now = loan.end + timedelta(hours=2)  # nobody came all day
    (bens,) = asked(await things(elm, elm.ben, now))
    assert bens[1:] == ("Was it handed over?", ["Yes, I have it", "No, never"])
    (adas,) = asked(await things(elm, elm.ada, now))
    assert adas[1:] == ("Was it handed over?", ["I handed it over", "Nobody came", "Cancel"])


async def _many(elm: Elm, first: Loan, number: int) -> None:
    """So many more like the first, one a day; as rows, since nobody asks that fast."""
    fields = {
        c.name: getattr(first, c.name)
        for c in Loan.__table__.columns
        if c.name not in ("id", "conversation_id", "period")
    }
    for n in range(number):
        room = await chat.open_for(elm.tx, elm.here.id, (elm.ben.person_id,), NOW)
        start, end = elm.days(2 + n)
        period = type(first.period)(start, end)
        elm.tx.add(Loan(**fields, conversation_id=room, period=period))
    await elm.tx.flush()


async def test_two_hundred_loans_cost_as_many_queries_as_two_and_fold_away(tx: db.Tx) -> None:
    elm = await elm_street(tx)
    first, counted = await elm.promised(elm.ben, 1), list[int]()
    for more in (2, 198):
        await _many(elm, first, more)
        statements: list[str] = []

        def count(*args: Any, into: list[str] = statements) -> None:
            into.append(args[2])

        event.listen(db.engine.sync_engine, "before_cursor_execute", count)
        found = await things(elm, elm.ben, NOW)
        event.remove(db.engine.sync_engine, "before_cursor_execute", count)
        counted.append(len(statements))
    assert len(found["borrowing"]) > 200
    assert counted[0] == counted[1]
    html = partial("board/_things.html", **found)
    assert html.count('id="borrowing-') == len(found["borrowing"]) + 1, "all are there"
    assert "Show 189 more" in html
