"""An incident: opened by one of the two, with evidence, and settled by both or by a mediator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app import words
from app.db import Tx
from app.errors import mistyped
from app.loans import amends, cases, fair, keeping, off, rules, story
from app.loans.commands import change, locked
from app.loans.dates import come_free
from app.loans.incident import Amount, Evidence, Incident, IncidentKind, Payer, Purpose
from app.loans.models import Loan
from app.loans.states import FINAL, Act, State
from app.notices.models import Kind
from app.people.viewer import Viewer
from app.tools import photos
from app.tools.models import ToolStatus
from app.tools.photos import Stored
from app.tools.rules import ON_THE_BOARD

WORDS = {
    IncidentKind.LATE: "it came back late",
    IncidentKind.DAMAGE: "something is damaged",
    IncidentKind.LOSS: "it is lost",
    IncidentKind.NO_SHOW: "nobody came",
    IncidentKind.NOT_HERE: "it is not where it was left",
}


@dataclass(frozen=True)
class Terms:
    """What the two, or their mediator, settle on. No money passes through ToolShare."""

    words: str
    cents: int = 0
    payer: Payer = Payer.BORROWER

    def said(self, by: Viewer) -> str:
        here = by.here
        if not self.cents:
            return self.words
        sum_of = words.money(self.cents, here.currency, here.locale)
        return f"{self.words} ({sum_of}, paid by the {self.payer})"


async def open_incident(
    tx: Tx,
    loan_id: int,
    by: Viewer,
    now: datetime,
    kind: str,
    told: str,
    *,
    picture: Stored | None = None,
    dispute: bool = False,
    version: int | None = None,
) -> Incident:
    """With `dispute` the loan stays open until it is settled; a lost tool is missing at once."""
    loan = await locked(tx, loan_id, by, version)
    if State(loan.state) in FINAL:
        loan = await keeping.renew(tx, loan, now)
    if refusal := fair.why_not_open(loan, by, now):
        raise refusal
    if kind not in tuple(IncidentKind):
        raise mistyped("kind", "Say what happened.", "Choose one of the list.")
    happened, told = IncidentKind(kind), fair.check_words(told, "what happened")
    if refusal := fair.why_not_kind(loan, happened, now):
        raise refusal
    lost = happened is IncidentKind.LOSS and loan.in_hand
    if (dispute or lost) and (refusal := fair.why_not_dispute(loan)):
        raise refusal
    incident = await _add(tx, loan, by, happened, now)
    await _keep(tx, loan, incident, by, told, picture, now)
    if (dispute or lost) and loan.state != State.DISPUTED:
        await change(tx, loan, Act.DISPUTE, by, now)
    amends.record(tx, loan, story.INCIDENT, by, happened, now)
    if lost and loan.tool.status in ON_THE_BOARD:
        await off.take_off(tx, loan.tool, ToolStatus.MISSING, by, now)
        await amends.tell_promised(tx, loan.tool, Kind.TOOL_MISSING, by, now)
    note = f"{by.name} opened an incident: {WORDS[happened]}. {told}"
    await amends.tell(tx, loan, by, now, note, kind=Kind.INCIDENT, why=told)
    return incident


async def not_here(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> Incident:
    """Comes with the lender's "not here": the loan is out again, and this is kept."""
    incident = await _add(tx, loan, by, IncidentKind.NOT_HERE, now)
    amends.record(tx, loan, story.INCIDENT, by, IncidentKind.NOT_HERE, now)
    await tx.flush()
    return incident


async def found(tx: Tx, loan: Loan, by: Viewer, now: datetime) -> None:
    """It is back: that it was not there needs no settling any more."""
    for one in await cases.incidents_of(tx, loan, unsettled=True):
        if one.kind == IncidentKind.NOT_HERE:
            _close(one, by, "It is back.", now)


async def add_evidence(
    tx: Tx,
    loan_id: int,
    incident_id: int,
    by: Viewer,
    now: datetime,
    told: str,
    picture: Stored | None = None,
) -> Evidence:
    loan = await locked(tx, loan_id, by, None)
    incident = await cases.incident(tx, loan, incident_id)
    kept = await cases.count_evidence(tx, loan)
    if refusal := fair.why_not_add(incident, loan, by, kept):
        raise refusal
    told = rules.check_reason(told) if picture else fair.check_words(told, "what you want to add")
    added = await _keep(tx, loan, incident, by, told, picture, now)
    await amends.tell(tx, loan, by, now, f"{by.name} added evidence to the incident.")
    return added


async def offer(
    tx: Tx, loan_id: int, incident_id: int, by: Viewer, now: datetime, terms: Terms
) -> Incident:
    """One proposes how to settle it; the other accepts, or proposes something else."""
    loan = await locked(tx, loan_id, by, None)
    incident = await cases.incident(tx, loan, incident_id)
    if refusal := fair.why_not_offer(incident, loan, by):
        raise refusal
    terms = _checked(terms)
    if loan.borrower_id is None:  # nobody is there to answer: the lender writes down what is so
        await _settle(tx, loan, incident, by, terms, now)
        return incident
    incident.offer_by, incident.offer_words = by.person_id, terms.words
    incident.offer_cents, incident.offer_payer = terms.cents, terms.payer
    incident.version += 1
    said = terms.said(by)
    note = f"{by.name} proposes to settle it: {said}"
    await amends.tell(tx, loan, by, now, note, kind=Kind.OFFER, why=said)
    return incident


async def accept(
    tx: Tx, loan_id: int, incident_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Incident:
    """`version`: of the incident, as it was read; a newer proposal is not accepted unread."""
    loan = await locked(tx, loan_id, by, None)
    incident = await cases.incident(tx, loan, incident_id)
    refusal = fair.why_not_accept(incident, loan, by)
    if refusal := refusal or fair.why_not_changed(incident, version):
        raise refusal
    payer = Payer(incident.offer_payer)
    terms = Terms(incident.offer_words, incident.offer_cents, payer)
    await _settle(tx, loan, incident, by, terms, now)
    return incident


async def record_result(
    tx: Tx, loan_id: int, incident_id: int, by: Viewer, now: datetime, terms: Terms
) -> Incident:
    """A mediator's word, where the two do not find one of their own."""
    loan = await locked(tx, loan_id, by, None)
    incident = await cases.incident(tx, loan, incident_id)
    if refusal := fair.why_not_record(incident, loan, by):
        raise refusal
    await _settle(tx, loan, incident, by, _checked(terms), now)
    return incident


async def is_here(
    tx: Tx, loan_id: int, by: Viewer, now: datetime, version: int | None = None
) -> Loan:
    """A disputed loan's tool is back after all: free for others, whatever is still to settle."""
    loan = await locked(tx, loan_id, by, version)
    if refusal := fair.why_not_found(loan, by):
        raise refusal
    loan.back_at = now
    loan.version += 1
    amends.record(tx, loan, story.FOUND, by, "", now)
    await found(tx, loan, by, now)
    await come_free(tx, loan, now)
    if loan.tool.status == ToolStatus.MISSING:
        await amends.set_tool(tx, loan.tool, ToolStatus.LISTED, now)
    await amends.tell(tx, loan, by, now, f"{by.name} has the tool again.", kind=Kind.FOUND)
    return loan


async def _add(tx: Tx, loan: Loan, by: Viewer, kind: IncidentKind, now: datetime) -> Incident:
    incident = Incident(
        community_id=loan.community_id,
        loan_id=loan.id,
        kind=kind,
        opened_by=by.person_id,
        opened_at=now,
    )
    tx.add(incident)
    await tx.flush()
    return incident


async def _keep(
    tx: Tx,
    loan: Loan,
    incident: Incident | None,
    by: Viewer,
    told: str,
    picture: Stored | None,
    now: datetime,
) -> Evidence:
    row = Evidence(
        community_id=loan.community_id,
        loan_id=loan.id,
        incident_id=incident.id if incident else None,
        by_id=by.person_id,
        words=told,
        photo_name=picture.name if picture else None,
        width=picture.width if picture else 0,
        height=picture.height if picture else 0,
        at=now,
    )
    tx.add(row)
    await tx.flush()
    if picture is not None:
        await photos.keep(tx, picture, loan.community_id, now)
    return row


async def keep_picture(tx: Tx, loan: Loan, by: Viewer, picture: Stored, now: datetime) -> Evidence:
    """How it was left, by a borrower who brought it back: part of no incident, if none comes."""
    return await _keep(tx, loan, None, by, loan.place, picture, now)


def _close(incident: Incident, by: Viewer, result: str, now: datetime) -> None:
    incident.settled_at, incident.settled_by, incident.result = now, by.person_id, result
    incident.version += 1


def _checked(terms: Terms) -> Terms:
    told = fair.check_words(terms.words, "what you settle on")
    return Terms(told, fair.check_cents(terms.cents), terms.payer)


async def _settle(
    tx: Tx, loan: Loan, incident: Incident, by: Viewer, terms: Terms, now: datetime
) -> None:
    """The last open incident of a disputed loan closes it; nothing that was said goes away."""
    _close(incident, by, terms.words, now)
    if terms.cents:
        tx.add(
            Amount(
                community_id=loan.community_id,
                loan_id=loan.id,
                incident_id=incident.id,
                purpose=Purpose.DAMAGE,
                payer=terms.payer,
                cents=terms.cents,
                noted_by=by.person_id,
                noted_at=now,
                agreed_at=now,
            )
        )
    await tx.flush()
    said = terms.said(by)
    await amends.tell(
        tx, loan, by, now, f"{by.name} settled it: {said}", kind=Kind.SETTLED, why=said
    )
    if loan.state == State.DISPUTED and not await cases.incidents_of(tx, loan, unsettled=True):
        never_back = loan.in_hand
        await change(tx, loan, Act.SETTLE, by, now)
        if never_back:
            await come_free(tx, loan, now)
