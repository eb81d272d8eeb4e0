"""Reading what went wrong: incidents and their evidence, and which loans need somebody's help."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import and_, any_, exists, func, or_, select

from app.db import Tx
from app.errors import NotFound
from app.loans import queries, story
from app.loans.incident import Amount, Evidence, Incident
from app.loans.models import Loan, LoanEvent
from app.loans.rules import NOT_HERE_WITHIN, STUCK_AFTER
from app.loans.states import State
from app.people.models import Membership, Person, Role, Status
from app.people.rules import COORDINATING
from app.people.viewer import Viewer
from app.tools.models import Tool
from app.tools.rules import ON_THE_BOARD

NEEDS_HELP = 200
Row = TypeVar("Row", Incident, Evidence, Amount)


@dataclass(frozen=True)
class Case:
    """A loan with all that went wrong; `names` of everybody who appears in it."""

    loan: Loan
    events: Sequence[LoanEvent]
    incidents: Sequence[Incident]
    evidence: Sequence[Evidence]
    amounts: Sequence[Amount]
    names: dict[int, str]

    @property
    def open(self) -> list[Incident]:
        return [one for one in self.incidents if one.settled_at is None]


async def case(tx: Tx, loan: Loan) -> Case:
    here = (loan.community_id, loan.id)
    incidents = await _of(tx, Incident, here)
    evidence = await _of(tx, Evidence, here)
    amounts = await _of(tx, Amount, here)
    events = await story.of_loan(tx, loan)
    people = {*loan.parties, loan.mediator_id, loan.named_id, loan.named_by}
    people |= {one.by_id for one in evidence} | {one.by_id for one in events}
    people |= {one.offer_by for one in incidents} | {one.settled_by for one in incidents}
    people |= {one.noted_by for one in amounts}
    return Case(loan, events, incidents, evidence, amounts, await names(tx, people))


async def _of(tx: Tx, kind: type[Row], loan: tuple[int, int]) -> Sequence[Row]:
    community_id, loan_id = loan
    rows = await tx.scalars(
        select(kind)
        .where(kind.community_id == community_id, kind.loan_id == loan_id)
        .order_by(kind.id)
    )
    return rows.all()


async def names(tx: Tx, people: Iterable[int | None]) -> dict[int, str]:
    ids = [person for person in people if person is not None]
    rows = await tx.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


async def incidents_of(tx: Tx, loan: Loan, *, unsettled: bool = False) -> Sequence[Incident]:
    found = await _of(tx, Incident, (loan.community_id, loan.id))
    return [one for one in found if one.settled_at is None or not unsettled]


async def incident(tx: Tx, loan: Loan, incident_id: int) -> Incident:
    """One of this loan's, as it is now; whoever asks holds the loan. Raises NotFound."""
    found = await tx.get(Incident, (loan.community_id, incident_id), populate_existing=True)
    if found is None or found.loan_id != loan.id:
        raise NotFound
    return found


async def amount(tx: Tx, loan: Loan, amount_id: int) -> Amount:
    found = await tx.get(Amount, (loan.community_id, amount_id), populate_existing=True)
    if found is None or found.loan_id != loan.id:
        raise NotFound
    return found


async def count_evidence(tx: Tx, loan: Loan) -> int:
    found = await tx.scalar(
        select(func.count())
        .select_from(Evidence)
        .where(Evidence.community_id == loan.community_id, Evidence.loan_id == loan.id)
    )
    return found or 0


async def evidence_for(tx: Tx, viewer: Viewer, name: str) -> Evidence:
    """A picture by its file name, for the two and their mediator. Raises NotFound."""
    found = await tx.scalar(
        select(Evidence).where(
            Evidence.community_id == viewer.community_id, Evidence.photo_name == name
        )
    )
    if found is None:
        raise NotFound
    await queries.loan_for(tx, viewer, found.loan_id)
    return found


async def coordinators(tx: Tx, community_id: int) -> dict[int, str]:
    """The active ones: id → name, by name."""
    rows = await tx.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.community_id == community_id,
            Membership.status == Status.ACTIVE,
            Membership.role.in_([Role(role) for role in COORDINATING]),
        )
        .order_by(func.lower(Person.name), Person.id)
    )
    return {row[0]: row[1] for row in rows}


async def lenders(tx: Tx, community_id: int) -> dict[int, str]:
    """Who hangs something on the board: their names are no secret to any member."""
    rows = await tx.execute(
        select(Person.id, Person.name)
        .join(Membership, Membership.person_id == Person.id)
        .where(
            Membership.community_id == community_id,
            Membership.status == Status.ACTIVE,
            exists().where(
                Tool.community_id == community_id,
                or_(Tool.owner_id == Person.id, Person.id == any_(Tool.keepers)),
                Tool.status.in_(ON_THE_BOARD),
            ),
        )
        .order_by(func.lower(Person.name), Person.id)
    )
    return {row[0]: row[1] for row in rows}


async def in_need(
    tx: Tx, community_id: int, now: datetime, *, before: int | None = None, limit: int = NEEDS_HELP
) -> Sequence[Loan]:
    """Open incidents, disputes, and returns that are stuck; the newest loan first."""
    unsettled = exists().where(
        Incident.community_id == Loan.community_id,
        Incident.loan_id == Loan.id,
        Incident.settled_at.is_(None),
    )
    stuck = or_(
        Loan.state == State.DISPUTED,
        and_(Loan.state == State.OUT, func.upper(Loan.period) <= now - STUCK_AFTER),
        and_(Loan.state == State.RETURN_CLAIMED, Loan.claimed_at <= now - NOT_HERE_WITHIN),
        unsettled,
    )
    found = queries.with_all().where(Loan.community_id == community_id, stuck)
    if before is not None:
        found = found.where(Loan.id < before)
    return (await tx.scalars(found.order_by(Loan.id.desc()).limit(limit))).all()


async def unsettled(tx: Tx, community_id: int) -> dict[int, list[Incident]]:
    """loan → its open incidents."""
    rows = await tx.scalars(
        select(Incident)
        .where(Incident.community_id == community_id, Incident.settled_at.is_(None))
        .order_by(Incident.id)
    )
    found: dict[int, list[Incident]] = {}
    for one in rows:
        found.setdefault(one.loan_id, []).append(one)
    return found
