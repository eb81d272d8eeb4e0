"""What people do besides asking, giving and taking back: rules, waiting, noting, falling out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from app.demo.deeds import Deed
from app.loans import (
    alone,
    blackouts,
    incidents,
    mediation,
    noting,
    patience,
    records,
    trust,
    waitlist,
)
from app.loans.incidents import Terms
from app.loans.noting import Noted
from app.loans.papers import Direction
from app.tools import commands as tools
from app.tools import rules, terms
from app.tools.commands import ToolText

DAYS = {"weekdays": range(5), "weekends": range(5, 7)}


async def set_rules(it: Deed) -> None:
    """'notice_hours 24, deposit 20, weekdays 17:00-20:00': what the form would send."""
    form: dict[str, object] = dict(terms.typed(it.tool.lending))
    for each in it.words.split(", "):
        name, value = each.split(" ")
        for day in DAYS.get(name, ()):
            form[f"opens_{day}"], form[f"closes_{day}"] = value.split("-")
        form[name] = value
    given = terms.read(form)
    assert given is not None, "the form has rules in it"
    await tools.set_terms(it.tx, it.tool, given, it.by, it.now)


async def warn(it: Deed) -> None:
    await tools.set_terms(it.tx, it.tool, replace(it.tool.lending, safety=it.words), it.by, it.now)


async def put_parts_with_it(it: Deed) -> None:
    """'Case, Charger': what comes with the tool."""
    text = ToolText(parts=it.words.replace(", ", "\n"))
    await tools.edit(it.tx, it.tool.id, text, it.by, it.now)


async def hang_up_the_key(it: Deed) -> None:
    """'In the shed, left of the door; 4711': from now on everybody takes it alone."""
    place, code = it.words.split("; ")
    await tools.edit(it.tx, it.tool.id, ToolText(self_service=True), it.by, it.now)
    await alone.change_box(it.tx, it.tool.id, place, code, it.by, it.now)


async def keep_days(it: Deed) -> None:
    start, end = it.period(it.words)
    await blackouts.black_out(it.tx, it.tool.id, start, end, it.by, it.now)


async def wait(it: Deed) -> None:
    """'+1 to +2', or 'any 2 days'."""
    if it.words.startswith("any "):
        await waitlist.join(*it.on_tool, days=int(it.words.split()[1]))
    else:
        await waitlist.join(*it.on_tool, period=it.period(it.words))


async def note(it: Deed) -> None:
    """'worn, without Oil can; A word about it.': after a hand-over, out or in."""
    how, _, said = it.words.partition("; ")
    condition, _, missing = how.partition(", without ")
    there = [name for name in records.parts_of(it.tool) if name != missing]
    noted = Noted(there=there, condition=condition.replace(" ", "_"), words=said)
    way = Direction.OUT if it.loan.back_at is None else Direction.IN
    shot = await it.shot()
    tx, loan_id, by, now = it.on_loan
    await noting.note(tx, loan_id, way, noted, [shot] if shot else [], by, now)


async def report(it: Deed, *, dispute: bool = False) -> None:
    shot = await it.shot()
    incident = await incidents.open_incident(
        *it.on_loan, "damage", it.words, picture=shot, dispute=dispute
    )
    it.played.incident_id = incident.id


async def add_evidence(it: Deed) -> None:
    tx, loan_id, by, now = it.on_loan
    shot = await it.shot()
    await incidents.add_evidence(tx, loan_id, it.played.incident_id, by, now, it.words, shot)


async def propose_to_settle(it: Deed) -> None:
    """'I buy a new one, 18.50': the borrower pays."""
    said, _, sum_of = it.words.rpartition(", ")
    tx, loan_id, by, now = it.on_loan
    given = Terms(said, rules.price_from(sum_of))
    await incidents.offer(tx, loan_id, it.played.incident_id, by, now, given)


FURTHER: dict[str, Callable[[Deed], Awaitable[object]]] = {
    "lends it by": set_rules,
    "warns": warn,
    "puts with it": put_parts_with_it,
    "hangs up the key": hang_up_the_key,
    "keeps": keep_days,
    "trusts": lambda it: trust.mark(
        it.tx, it.played.stage.viewers[it.words].person_id, it.by, it.now
    ),
    "waits": wait,
    "waits for it": lambda it: patience.wait(*it.on_loan),
    "notes": note,
    "takes it": lambda it: _alone(it, alone.take),
    "brings it": lambda it: _alone(it, alone.bring),
    "finds damage": report,
    "disputes": lambda it: report(it, dispute=True),
    "adds": add_evidence,
    "offers": propose_to_settle,
    "asks in": lambda it: mediation.invite(
        *it.on_loan, it.played.stage.viewers[it.words].person_id
    ),
}


async def _alone(it: Deed, act: Callable[..., Awaitable[object]]) -> None:
    """At a self-service tool, with the photo of it."""
    await act(*it.on_loan, await it.shot())
