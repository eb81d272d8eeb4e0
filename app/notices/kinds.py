"""What kind of thing a notice is: to which group of the preferences it belongs, and its weight."""

from __future__ import annotations

import enum
from collections.abc import Sequence

from app.notices.models import Kind


class Channel(enum.StrEnum):
    """The ways to somebody who is not looking, in the order in which they are tried."""

    PUSH = "push"
    MAIL = "mail"


class Group(enum.StrEnum):
    """A line of the preferences."""

    REQUESTS = "requests"
    HANDOVERS = "handovers"
    REMINDERS = "reminders"
    MESSAGES = "messages"
    WAITLISTS = "waitlists"
    TROUBLE = "trouble"


class Weight(enum.StrEnum):
    URGENT = "urgent"  # somebody waits, or something is lost by waiting
    USUAL = "usual"
    CALM = "calm"  # good to know: by mail once a day, together


GROUP_WORDS = {
    Group.REQUESTS: "Requests and answers",
    Group.HANDOVERS: "Hand-overs and returns",
    Group.REMINDERS: "Reminders",
    Group.MESSAGES: "What neighbours write",
    Group.WAITLISTS: "Waiting for a tool",
    Group.TROUBLE: "When something went wrong",
}

_U, _N, _C = Weight.URGENT, Weight.USUAL, Weight.CALM
_BY_GROUP: dict[Group, dict[Kind, Weight]] = {
    Group.REQUESTS: {
        Kind.REQUESTED: _N,
        Kind.APPROVED: _N,
        Kind.DECLINED: _N,
        Kind.WITHDRAWN: _C,
        Kind.SUPERSEDED: _N,
        Kind.EXPIRED: _C,
        Kind.CANCELLED: _U,
        Kind.NO_SHOW: _N,
        Kind.LAPSED: _C,
        Kind.PAUSED_FOR_SILENCE: _N,
        Kind.APPROVED_AT_ONCE: _N,
        Kind.CHANGE_PROPOSED: _N,
        Kind.CHANGE_AGREED: _N,
        Kind.CHANGE_REFUSED: _N,
        Kind.CHANGE_WITHDRAWN: _C,
        Kind.CHANGE_ENDED: _C,
        Kind.KEEPER_NAMED: _N,
        Kind.KEEPER_RELEASED: _C,
    },
    Group.HANDOVERS: {
        Kind.HANDED_OVER: _C,
        Kind.RETURN_CLAIMED: _N,
        Kind.NOT_HERE: _U,
        Kind.TAKEN_BACK: _C,
        Kind.FETCHED: _C,
        Kind.GIVEN_BACK: _C,
        Kind.LENT: _C,
        Kind.FETCH_SAID: _N,
        Kind.WILL_WAIT: _C,
    },
    Group.REMINDERS: {
        Kind.ANSWER_SOON: _N,
        Kind.STARTS_SOON: _N,
        Kind.WAS_IT_FETCHED: _N,
        Kind.DUE_SOON: _N,
        Kind.DUE: _U,
        Kind.LATE: _U,
        Kind.CONFIRM_RETURN: _N,
        Kind.AT_RISK: _U,
        Kind.NEXT_WAITS: _U,
        Kind.SOMEONE_WAITS: _U,
    },
    Group.MESSAGES: {Kind.MESSAGE: _N},
    Group.WAITLISTS: {
        Kind.OFFERED: _U,
        Kind.OFFER_RAN_OUT: _N,
        Kind.WAIT_PAUSED: _C,
        Kind.WAIT_OVER: _C,
        Kind.WAIT_GONE: _C,
        Kind.MOVED_IN_LINE: _C,
        Kind.LINE_CHANGED: _C,
        Kind.WANTED_ANSWERED: _N,
        Kind.WANTED_LISTED: _N,
        Kind.WATCHED: _N,
    },
    Group.TROUBLE: {
        Kind.STUCK: _N,
        Kind.INCIDENT: _N,
        Kind.OFFER: _N,
        Kind.SETTLED: _N,
        Kind.FOUND: _N,
        Kind.AMOUNT: _N,
        Kind.MEDIATOR_NAMED: _N,
        Kind.MEDIATOR_JOINED: _N,
        Kind.MEDIATOR_ASKED: _N,
        Kind.MEDIATOR_LEFT: _N,
        Kind.UNDONE: _N,
        Kind.FREE_AGAIN: _N,
        Kind.CORRECTED: _N,
        Kind.UNSAFE: _U,
        Kind.TOOL_UNSAFE: _U,
        Kind.TOOL_MISSING: _U,
        Kind.TOOL_BROKEN: _U,
        Kind.TOOL_IN_ORDER: _N,
        Kind.REPORTED: _N,
        Kind.WANTED_REPORTED: _N,
        Kind.WANTED_REMOVED: _N,
    },
}
KINDS = {
    kind: (group, weight) for group, of_it in _BY_GROUP.items() for kind, weight in of_it.items()
}


def words_of(groups: Sequence[Group]) -> str:
    """“Reminders”, “…” and “…”."""
    *first, last = [f"“{GROUP_WORDS[group]}”" for group in groups]
    return f"{', '.join(first)} and {last}" if first else last


def group_of(kind: Kind) -> Group:
    return KINDS[kind][0]


def weight_of(kind: Kind) -> Weight:
    return KINDS[kind][1]
