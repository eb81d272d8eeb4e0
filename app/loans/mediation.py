"""A mediator: a coordinator whom one of the two asks in; where one of them is one, both name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app import topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Refusal
from app.http.log import security
from app.loans import amends, cases, fair, news, story
from app.loans.commands import locked
from app.loans.models import Loan
from app.loans.states import Who
from app.notices.models import Kind
from app.people import queries as people
from app.people.models import Status
from app.people.viewer import Viewer
from app.realtime import touch


@dataclass(frozen=True)
class Choice:
    """Who could mediate, and whether the two have to agree on it."""

    both: bool
    names: dict[int, str]
    gone: bool  # whoever mediates is no active member any more


async def choice(tx: Tx, loan: Loan) -> Choice:
    coordinators = await cases.coordinators(tx, loan.community_id)
    both = fair.needs_both(loan, coordinators)
    names = coordinators
    if both:  # there may be no other coordinator: then another neighbour who lends
        names = coordinators | await cases.lenders(tx, loan.community_id)
    parties = (loan.borrower_id, *loan.lenders)
    gone = False
    if loan.mediator_id is not None:
        standing = await people.standing(tx, loan.community_id, loan.mediator_id)
        gone = standing is None or standing.status != Status.ACTIVE
    found = {one: name for one, name in names.items() if one not in parties}
    return Choice(both, found, gone)


async def show_choices(tx: Tx, community_id: int) -> None:
    """Who could mediate has changed: for whoever has something to settle."""
    for loan_id in await cases.unsettled(tx, community_id):
        touch(tx, topic.amends(community_id, loan_id))


async def invite(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, whom: int, version: int | None = None
) -> Loan:
    """Lets a mediator into the room; where both have to name one, only with the second name."""
    loan = await locked(tx, loan_id, by, version)
    unsettled = await cases.incidents_of(tx, loan, unsettled=True)
    offered = await choice(tx, loan)
    if refusal := fair.why_not_invite(loan, by, len(unsettled), offered.gone):
        raise refusal
    standing = await people.standing(tx, loan.community_id, whom)
    lends = whom in offered.names
    if refusal := fair.why_not_mediate(loan, standing, offered.both, lends):
        raise refusal
    name = (await people.person(tx, whom)).name
    agreed = loan.named_by is not None and not loan.same_side(loan.named_by, by.person_id)
    if offered.both and (loan.named_id != whom or not agreed):
        loan.named_id, loan.named_by = whom, by.person_id
        loan.version += 1
        note = f"{by.name} names {name} as a mediator. The other one has to agree."
        await amends.tell(tx, loan, by, now, note, kind=Kind.MEDIATOR_NAMED, why=name)
        return loan
    room = ConversationId(loan.conversation_id)
    if loan.mediator_id is not None:
        await chat.leave(tx, loan.community_id, room, loan.mediator_id)
    loan.mediator_id, loan.named_id, loan.named_by = whom, None, None
    loan.version += 1
    await chat.join(tx, loan.community_id, room, whom)
    amends.record(tx, loan, story.MEDIATOR, by, name, now)
    security("mediator_invited", person=by.person_id, whose=whom, community=loan.community_id)
    two = Who.BORROWER | Who.LENDER
    note = f"{by.name} asked {name} to mediate. {name} reads this room from now on."
    await amends.tell(tx, loan, by, now, note, kind=Kind.MEDIATOR_JOINED, whom=two, why=name)
    await news.tell(tx, loan, Kind.MEDIATOR_ASKED, Who.MEDIATOR, now, by=by)
    return loan


async def step_down(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """The mediator leaves the room; the two can ask somebody else."""
    loan = await locked(tx, loan_id, by, version)
    if loan.mediator_id != by.person_id:
        raise Refusal("You do not mediate here.", status=403)
    amends.record(tx, loan, story.STEPPED_DOWN, by, "", now)
    note = f"{by.name} has left; you can ask another mediator."
    await amends.tell(tx, loan, by, now, note, kind=Kind.MEDIATOR_LEFT)
    room = ConversationId(loan.conversation_id)
    await chat.leave(tx, loan.community_id, room, by.person_id)
    loan.mediator_id = None
    loan.version += 1
    return loan
