"""What went wrong, told to the two and their mediator: what stands in the room beside the loan."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app import words
from app.loans import fair, telling
from app.loans.cases import Case
from app.loans.incident import Amount, Evidence, Incident, IncidentKind, Payer, Purpose
from app.loans.mediation import Choice
from app.loans.models import Loan
from app.loans.rules import part_of
from app.loans.states import UNDO_WITHIN, State, Who
from app.loans.telling import Action
from app.people.viewer import Here, Viewer

KINDS = {
    IncidentKind.LATE: "It was late",
    IncidentKind.DAMAGE: "Something is damaged",
    IncidentKind.LOSS: "It is lost",
    IncidentKind.NO_SHOW: "Nobody came",
    IncidentKind.NOT_HERE: "It is not where it was left",
}
PURPOSES = {Purpose.DEPOSIT: "Deposit", Purpose.DAMAGE: "For the damage"}


@dataclass(frozen=True)
class Room:
    """Who reads it, where, and when: what every sentence here needs."""

    case: Case
    viewer: Viewer
    now: datetime

    @property
    def loan(self) -> Loan:
        return self.case.loan

    @property
    def here(self) -> Here:
        return self.viewer.here

    @property
    def path(self) -> str:
        return f"{self.here.path}/loans/{self.loan.id}"

    @property
    def part(self) -> Who:
        return part_of(self.loan, self.viewer)

    def when(self, at: datetime) -> str:
        """Always with its day: a region must not grow old at midnight."""
        return words.moment(at, self.here.zone, self.viewer.locale)

    def who(self, person_id: int | None) -> str:
        if person_id == self.viewer.person_id:
            return "You"
        return self.case.names.get(person_id, "") if person_id else "ToolShare"

    def sum_of(self, cents: int, payer: str) -> str:
        return f"{words.money(cents, self.here.currency, self.viewer.locale)}, {self.pays(payer)}"

    def pays(self, payer: str) -> str:
        lender, borrower = self.loan.lender.name, telling.borrower_name(self.loan)
        names = (borrower, lender) if payer == Payer.BORROWER else (lender, borrower)
        return "{} to {}".format(*names)


def undo(room: Room) -> Action | None:
    """The button that takes one's own last act back, as long as it can."""
    loan, last = room.loan, room.case.events[-1] if room.case.events else None
    why_not = fair.why_not_undo(loan, last, room.viewer, room.now)
    if why_not is not None and (last is None or why_not.code in ("state", "over")):
        return None
    if why_not is not None and why_not.status == 403:
        return None
    return Action(
        "Undo",
        f"{room.path}/undo",
        "quiet",
        why_not,
        key=f"undo-{loan.id}-{loan.version}",
        fields={"version": loan.version},
    )


def undo_until(room: Room) -> str:
    last = room.case.events[-1].at + UNDO_WITHIN
    return words.clock_time(last, room.here.zone)


def incidents(room: Room) -> list[dict[str, object]]:
    """The open ones first, the newest in front."""
    newest = sorted(room.case.incidents, key=lambda one: (one.settled_at is not None, -one.id))
    return [_incident(room, one) for one in newest]


def _incident(room: Room, one: Incident) -> dict[str, object]:
    case, path = room.case, f"{room.path}/incidents/{one.id}"
    evidence = [each for each in case.evidence if each.incident_id == one.id]
    loan, by = room.loan, room.viewer
    return {
        "id": one.id,
        "kind": KINDS[IncidentKind(one.kind)],
        "opened": f"{room.who(one.opened_by)} opened it, {room.when(one.opened_at)}",
        "open": one.settled_at is None,
        "evidence": [_evidence(room, each) for each in evidence],
        "offer": _offer(room, one),
        "settled": f"{room.who(one.settled_by)}, {room.when(one.settled_at)}"
        if one.settled_at
        else "",
        "result": one.result,
        "may_add": fair.why_not_add(one, loan, by, len(case.evidence)) is None,
        "may_offer": fair.why_not_offer(one, loan, by) is None,
        "may_record": fair.why_not_record(one, loan, by) is None,
        "path": path,
        "key": f"{one.id}-{one.version}-{len(evidence)}",
    }


def _evidence(room: Room, one: Evidence) -> dict[str, object]:
    return {
        "id": one.id,
        "by": room.who(one.by_id),
        "at": room.when(one.at),
        "words": one.words,
        "photo_url": f"{room.here.path}/evidence/{one.photo_name}-480.webp"
        if one.photo_name
        else None,
        "large_url": f"{room.here.path}/evidence/{one.photo_name}-1200.webp"
        if one.photo_name
        else None,
        "width": one.width,
        "height": one.height,
    }


def _offer(room: Room, one: Incident) -> dict[str, object] | None:
    if one.offer_by is None or one.settled_at is not None:
        return None
    accept = None
    if fair.why_not_accept(one, room.loan, room.viewer) is None:
        accept = Action(
            "Accept",
            f"{room.path}/incidents/{one.id}/settlement",
            key=f"accept-{one.id}-{one.version}",
            fields={"version": one.version},
        )
    sum_of = room.sum_of(one.offer_cents, one.offer_payer) if one.offer_cents else ""
    return {
        "by": room.who(one.offer_by),
        "words": one.offer_words,
        "sum": sum_of,
        "accept": accept,
    }


def pictures(room: Room) -> list[dict[str, object]]:
    """How it was left, where a borrower took a picture."""
    return [_evidence(room, one) for one in room.case.evidence if one.incident_id is None]


def amounts(room: Room) -> list[dict[str, object]]:
    return [_amount(room, one) for one in room.case.amounts]


STEPS = (
    ("agreed", "I agree to that"),
    ("paid", "I got it"),
    ("back", "I got it back"),
)


def _amount(room: Room, one: Amount) -> dict[str, object]:
    ready = [
        Action(label, f"{room.path}/amounts/{one.id}/{step}", "quiet", key=f"{step}-{one.id}")
        for step, label in STEPS
        if fair.why_not_amount(one, step, room.loan, room.viewer) is None
    ]
    return {
        "id": one.id,
        "purpose": PURPOSES[Purpose(one.purpose)],
        "sum": room.sum_of(one.cents, one.payer),
        "state": _amount_state(room, one),
        "actions": ready,
    }


def _amount_state(room: Room, one: Amount) -> str:
    if one.back_at:
        return f"Given back {room.when(one.back_at)}"
    if one.paid_at:
        return f"Paid {room.when(one.paid_at)}"
    if one.agreed_at:
        return "Agreed, not paid yet"
    return f"Noted by {room.who(one.noted_by)}, not agreed yet"


def open_form(room: Room) -> dict[str, object] | None:
    loan, kinds = room.loan, fair.kinds_of(room.loan, room.now)
    if not kinds or fair.why_not_open(loan, room.viewer, room.now):
        return None
    return {
        "post": f"{room.path}/incidents",
        "kinds": [(kind.value, KINDS[kind]) for kind in kinds],
        "may_keep_open": loan.state in (State.OUT, State.RETURNED),
        "key": f"incident-{loan.id}-{loan.version}-{len(room.case.incidents)}",
        "version": loan.version,
    }


def doorstep(room: Room) -> dict[str, object] | None:
    """For a borrower who left it somewhere: the place, a picture, or why that is not allowed."""
    loan = room.loan
    if loan.state != State.OUT or room.part is not Who.BORROWER:
        return None
    return {
        "post": f"{room.path}/doorstep",
        "why_not": fair.why_not_leave(loan),
        "key": f"doorstep-{loan.id}-{loan.version}",
        "version": loan.version,
    }


def told(room: Room, offered: Choice | None) -> dict[str, object]:
    """For `loans/_amends.html`."""
    loan, by = room.loan, room.viewer
    step = undo(room)
    unsafe = fair.why_not_unsafe(loan, by) is None
    noting = fair.why_not_note_amount(loan, by) is None
    return {
        "loan_id": loan.id,
        "room_id": loan.conversation_id,
        "path": room.path,
        "version": loan.version,
        "undo": step,
        "undo_until": undo_until(room) if step else "",
        "doorstep": doorstep(room),
        "unsafe_key": f"unsafe-{loan.id}-{loan.version}" if unsafe else "",
        "found": _found(room),
        "open_form": open_form(room),
        "incidents": incidents(room),
        "pictures": pictures(room),
        "amounts": amounts(room),
        "amount_key": f"amount-{loan.id}-{len(room.case.amounts)}" if noting else "",
        "payers": [
            (Payer.BORROWER.value, room.pays(Payer.BORROWER)),
            (Payer.LENDER.value, room.pays(Payer.LENDER)),
        ],
        "currency": room.here.currency,
        "mediator": _mediator(room, offered),
    }


def _found(room: Room) -> Action | None:
    if fair.why_not_found(room.loan, room.viewer):
        return None
    return Action(
        "I have it again",
        f"{room.path}/found",
        "quiet",
        key=f"found-{room.loan.id}-{room.loan.version}",
        fields={"version": room.loan.version},
        confirm="Others can borrow it again. What is open stays open.",
    )


def _mediator(room: Room, offered: Choice | None) -> dict[str, object]:
    """Who mediates, whom one has named, or whom the two can ask."""
    loan, by = room.loan, room.viewer
    mine = loan.mediator_id == by.person_id
    leave = None
    if mine:
        leave = Action(
            "Stop mediating",
            f"{room.path}/mediator/end",
            "quiet",
            confirm="The two can ask somebody else.",
            key=f"leave-{loan.id}-{loan.version}",
            fields={"version": loan.version},
        )
    asking = offered is not None and fair.why_not_invite(loan, by, 1, offered.gone) is None
    return {
        "name": room.who(loan.mediator_id) if loan.mediator_id and not asking else "",
        "leave": leave,
        "named": room.who(loan.named_id) if loan.named_id else "",
        "named_id": loan.named_id,
        "named_by": room.who(loan.named_by) if loan.named_by else "",
        "agree": loan.named_by is not None and not loan.same_side(loan.named_by, by.person_id),
        "choice": list(offered.names.items()) if offered and asking else [],
        "both": bool(offered and offered.both),
        "key": f"mediator-{loan.id}-{loan.version}",
    }
