"""A loan for coordinators: its facts, not what the two say; and who needs help, as lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app import words
from app.loans import telling
from app.loans.case_words import KINDS, Room, undo, undo_until
from app.loans.cases import Case
from app.loans.incident import Incident, IncidentKind
from app.loans.models import Loan
from app.loans.rules import is_late
from app.loans.states import Act, State, Who
from app.people.viewer import Viewer

HAPPENED = {
    "request": "asked for it",
    Act.APPROVE: "approved",
    Act.DECLINE: "declined",
    Act.WITHDRAW: "withdrew the request",
    Act.SUPERSEDE: "somebody else got the dates",
    Act.EXPIRE: "ran out without an answer",
    Act.CANCEL: "cancelled",
    Act.HAND_OVER: "handed it over",
    Act.LAPSE: "lapsed: nobody fetched it",
    Act.NO_SHOW: "said that nobody came",
    Act.CLAIM_RETURN: "said that it was brought back",
    Act.NOT_HERE: "said that it is not there",
    Act.TAKE_BACK: "took it back",
    Act.CLOSE: "closed",
    Act.DISPUTE: "kept it open until it is settled",
    Act.SETTLE: "closed it: settled",
    "undo": "took the last step back",
    "correct": "corrected it",
    "incident": "opened an incident",
    "found": "has the tool again",
    "unsafe": "called the tool unsafe",
    "mediator": "asked for a mediator",
    "stepped_down": "stopped mediating",
}


def facts(room: Room) -> dict[str, object]:
    """For `loans/_facts.html`."""
    loan, here = room.loan, room.here
    step = undo(room)
    if step is not None:
        step.fields["back"] = "help"
    mediates = bool(room.part & Who.MEDIATOR)
    return {
        "loan_id": loan.id,
        "room_path": room.path if mediates else "",
        "state": telling.state_words(loan, here, room.now, room.viewer.locale),
        "period": words.period(loan.start, loan.end, here.zone, room.viewer.locale),
        "lender": loan.lender.name,
        "borrower": telling.borrower_name(loan),
        "out_at": room.when(loan.out_at) if loan.out_at else "",
        "back_at": room.when(loan.back_at) if loan.back_at else "",
        "mediator": room.who(loan.mediator_id) if loan.mediator_id else "",
        "incidents": summaries(room.case.incidents, room.viewer),
        "story": story(room.case, room.viewer),
        "undo": step,
        "undo_until": undo_until(room) if step else "",
    }


def in_need(
    loan: Loan, unsettled: Sequence[Incident], viewer: Viewer, now: datetime
) -> dict[str, object]:
    """A line of "who needs help"."""
    here = viewer.here
    why = [KINDS[IncidentKind(one.kind)] for one in unsettled]
    kind, icon = telling.KINDS.get(State(loan.state), telling.OVER)
    return {
        "id": loan.id,
        "path": f"{here.path}/help/{loan.id}",
        "tool_name": loan.tool.name,
        "who": f"{loan.lender.name} and {telling.borrower_name(loan)}",
        "period": words.period(loan.start, loan.end, here.zone, viewer.locale),
        "state": telling.state_words(loan, here, now, viewer.locale),
        "kind": "overdue" if is_late(loan, now) else kind,
        "icon": "clock-alert" if is_late(loan, now) else icon,
        "why": ", ".join(why),
    }


def story(case: Case, viewer: Viewer) -> list[dict[str, str]]:
    """Who did what and when; what the two wrote is not among it, a correction's reason is."""
    here = viewer.here
    return [
        {
            "at": words.moment(one.at, here.zone, viewer.locale),
            "who": case.names.get(one.by_id, "Former neighbour") if one.by_id else "By itself",
            "what": HAPPENED.get(one.act, one.act.replace("_", " ")),
            "why": one.reason if one.act == "correct" else "",
        }
        for one in case.events
    ]


def summaries(incidents: Sequence[Incident], viewer: Viewer) -> list[dict[str, str]]:
    here = viewer.here
    return [
        {
            "kind": KINDS[IncidentKind(one.kind)],
            "opened": words.moment(one.opened_at, here.zone, viewer.locale),
            "state": "settled" if one.settled_at else "open",
        }
        for one in incidents
    ]
