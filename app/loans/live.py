"""The loan's own live regions, for its parties: what can be done now, and why one cannot write."""

from __future__ import annotations

from app import clock, topic
from app.board import queries as cards
from app.db import Tx
from app.errors import NotFound
from app.loans import changes, hands, queries, rules, sides, similar, standing
from app.loans.models import Loan
from app.loans.states import State
from app.pages import partial
from app.people import blocks
from app.people import rules as people_rules
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()


@topics.personal("loan")
async def loan(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    now, me, known = clock.now(), viewer.person_id, await standing.around(tx, [seen])
    apart = await blocks.between(tx, me, [seen.other_than(me)])
    taken = await changes.why_not_beside_others(tx, seen, known.change(seen), viewer, now)
    return partial(
        "loans/_loan.html",
        hands=await hands.tell(tx, seen, viewer, now),
        loan=standing.tell(seen, known, viewer.here, me, now, viewer.locale),
        actions=standing.actions(seen, known, viewer, now),
        proposed=standing.proposed(seen, known, viewer, now, taken),
        propose=standing.way_to_propose(seen, known, viewer, apart, now),
        room_id=seen.conversation_id,
        zone=viewer.here.zone,
    )


@topics.personal("handover")
async def handover(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty until the tool has changed hands."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    shown = await sides.sides(tx, seen, viewer)
    return partial("loans/_handover.html", loan_id=seen.id, sides=shown)


def _with_the_wall(key: str) -> tuple[str, ...]:
    """What is free elsewhere changes with every tool; whether it matters, with the loan."""
    return (f"loan/{key}", "board")


@topics.personal("similar", follows=_with_the_wall)
async def instead(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """For the borrower of a loan at risk: what else is free in its dates. Else empty."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    now, tools = clock.now(), []
    if seen.borrower_id == viewer.person_id and seen.state == State.APPROVED:
        known = await standing.around(tx, [seen])
        if known.at_risk(seen, now):
            apart = await blocks.apart_from(tx, viewer.person_id)
            tools = [
                cards.line(one, viewer.here, viewer.locale)
                for one in await similar.free_like(tx, seen, viewer.person_id, apart, now)
            ]
            return partial("loans/_similar.html", loan_id=seen.id, at_risk=True, tools=tools)
    return partial("loans/_similar.html", loan_id=seen.id, at_risk=False, tools=tools)


@topics.personal("writing")
async def writing(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    """Empty while this person can write; else the reason, in the place of the box."""
    seen = await _theirs(tx, viewer, key)
    if seen is None:
        return None
    apart = await blocks.between(tx, viewer.person_id, [seen.other_than(viewer.person_id)])
    why_not = rules.why_not_write(seen, viewer) or people_rules.why_not_write_to(apart)
    return partial("loans/_writing.html", loan_id=seen.id, why_not_write=why_not)


async def _theirs(tx: Tx, viewer: Viewer, key: str) -> Loan | None:
    loan_id = topic.number(key)
    if loan_id is None:
        return None
    try:
        return await queries.loan_for(tx, viewer, loan_id)
    except NotFound:
        return None
