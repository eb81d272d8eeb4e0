"""Who hears what of a loan: of each act at once, of reminders when they fall due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from app import queue, topic
from app.chat import queries as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.loans import reminders, talk
from app.loans.models import Loan
from app.loans.reminders import Reminder
from app.loans.states import FINAL, OPEN, Act, State, Who
from app.notices import commands as notices
from app.notices import steps
from app.notices.models import Kind
from app.people import queries as people
from app.people.models import Community, Role
from app.people.viewer import Viewer

REMIND = "loans.remind"
BOTH = Who.BORROWER | Who.LENDER
# Never who acts. A closed loan needs no telling: both have heard that the tool is back.
HEARD: dict[Act, tuple[Kind, Who]] = {
    Act.APPROVE: (Kind.APPROVED, Who.BORROWER),
    Act.DECLINE: (Kind.DECLINED, Who.BORROWER),
    Act.WITHDRAW: (Kind.WITHDRAWN, Who.LENDER),
    Act.SUPERSEDE: (Kind.SUPERSEDED, Who.BORROWER),
    Act.EXPIRE: (Kind.EXPIRED, BOTH),
    Act.CANCEL: (Kind.CANCELLED, BOTH),
    Act.HAND_OVER: (Kind.HANDED_OVER, Who.BORROWER),
    Act.CLAIM_RETURN: (Kind.RETURN_CLAIMED, Who.LENDER),
    Act.NOT_HERE: (Kind.NOT_HERE, Who.BORROWER),
    Act.TAKE_BACK: (Kind.TAKEN_BACK, Who.BORROWER),
    Act.FETCH: (Kind.FETCHED, Who.LENDER),
    Act.GIVE_BACK: (Kind.GIVEN_BACK, Who.LENDER),
    Act.NO_SHOW: (Kind.NO_SHOW, Who.BORROWER),
    Act.LAPSE: (Kind.LAPSED, BOTH),
    Act.CHANGE: (Kind.CHANGE_AGREED, BOTH),
    Act.WAIT: (Kind.WILL_WAIT, Who.LENDER),
    Act.FETCHED: (Kind.FETCH_SAID, Who.LENDER),
}


async def of_act(tx: Tx, loan: Loan, act: Act, by: Viewer | None, now: datetime) -> None:
    if State(loan.state) in FINAL or loan.state == State.RETURNED:
        whom = [one for one in loan.parties if one is not None]
        about = topic.loan(loan.community_id, loan.id)
        await steps.call_off(tx, whom, loan.community_id, about)
    if act in HEARD:
        kind, heard = HEARD[act]
        await tell(tx, loan, kind, heard, now, by=by)
    await plan(tx, loan, now)


async def tell(
    tx: Tx,
    loan: Loan,
    kind: Kind,
    whom: Who,
    now: datetime,
    *,
    by: Viewer | None = None,
    due_at: datetime | None = None,
    more: Mapping[str, str] | None = None,
    reason: str | None = None,
) -> None:
    """To those who play one of these parts; coordinators who are a party hear it as a party."""
    told: list[tuple[Iterable[int | None], str]] = []
    borrower = loan.borrower.name if loan.borrower else loan.borrower_name or ""
    lender = by.name if by and loan.lent_by(by.person_id) else loan.lender.name
    if whom & Who.BORROWER:
        told.append(((loan.borrower_id,), lender))
    if whom & Who.LENDER:
        told.append((loan.lenders, borrower))
    if whom & Who.MEDIATOR:
        told.append(((loan.mediator_id,), lender))
    if whom & Who.COORDINATOR:
        helpers = await people.with_roles(tx, loan.community_id, (Role.COORDINATOR, Role.ADMIN))
        told.append((set(helpers) - set(loan.parties), lender))
    for people_told, other in told:
        await notices.tell(
            tx,
            people_told,
            kind,
            loan.community_id,
            topic.loan(loan.community_id, loan.id),
            facts(loan, other) | dict(more or {}) | ({} if reason is None else {"reason": reason}),
            now,
            by_id=by.person_id if by else None,
            due_at=due_at,
        )


async def of_words(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> None:
    """Somebody wrote in the room: the others hear of it until they have looked."""
    whom = (*loan.parties, loan.mediator_id)
    about = topic.loan(loan.community_id, loan.id)
    said = facts(loan, by.name)
    await notices.tell_of_words(tx, whom, loan.community_id, about, said, now, by_id=by.person_id)


async def of_room(tx: Tx, room_id: int, by: Viewer, now: datetime, loan: Loan | None) -> None:
    """The same of a room, also where only a question has been asked yet (`loan` is None)."""
    if loan is not None:
        await of_words(tx, loan, by, now)
        return
    whom = await chat.participants_of(tx, by.community_id, ConversationId(room_id))
    names = await talk.tool_names(tx, by, [room_id])
    about = topic.question(by.community_id, room_id)
    said = {"tool": names.get(room_id, ""), "other": by.name}
    await notices.tell_of_words(tx, whom, by.community_id, about, said, now, by_id=by.person_id)


async def room_seen(tx: Tx, room_id: int, by: Viewer, now: datetime) -> None:
    """Its words have been looked at, and with them whatever else was told of it."""
    about = await talk.subject_of(tx, by.community_id, room_id)
    await notices.mark_seen(tx, by.person_id, notices.EVERYTHING, now, about)


def facts(loan: Loan, other: str) -> dict[str, str]:
    return {
        "tool": loan.tool.name,
        "other": other,
        "start": loan.start.isoformat(),
        "end": loan.end.isoformat(),
        "reason": loan.reason,
    }


async def plan(tx: Tx, loan: Loan, now: datetime) -> None:
    """One job a loan, at its next reminder; none where there is nothing left to remind of."""
    zone = (await tx.get_one(Community, loan.community_id)).tz
    follows = reminders.following(loan, now, zone) if State(loan.state) in OPEN else None
    key = f"{loan.community_id}/{loan.id}"
    if follows is None:
        await queue.drop(tx, REMIND, key)
    else:
        await queue.enqueue(tx, REMIND, key, follows.due_at, now)


async def remind(tx: Tx, loan: Loan, now: datetime) -> None:
    """Whatever has fallen due; after a long sleep only the last of each kind."""
    zone = (await tx.get_one(Community, loan.community_id)).tz
    last: dict[Kind, Reminder] = {}
    for one in reminders.between(loan, reminders.entered(loan), now, zone):
        last[one.kind] = one
    if Kind.DUE in last:  # it says more than that it will be due
        last.pop(Kind.DUE_SOON, None)
    for one in last.values():
        await tell(tx, loan, one.kind, one.whom, now, due_at=one.due_at)
    await plan(tx, loan, now)
