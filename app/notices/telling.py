"""A notice in words: one sentence, and the page where something can be done about it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from app import words
from app.notices.models import Kind, Notice
from app.people.viewer import Here

# Kind of topic → where its pages are.
PAGES = {
    **{"loan": "loans", "tool": "tools", "question": "rooms", "reports": "reports"},
    **{"wanted": "wanted", "watch": "watches"},
}

# kind → icon, sentence. {who} is who did it, {other} the other one of the two, {tool} and {when}
# (the loan's period) and {reason} speak for themselves.
SENTENCES: dict[Kind, tuple[str, str]] = {
    Kind.REQUESTED: ("hand", "{who} asks for your {tool}, {when}."),
    Kind.APPROVED: ("calendar-clock", "{other} lends you the {tool}, {when}."),
    Kind.DECLINED: ("circle-x", "{who} cannot lend you the {tool}{reason}"),
    Kind.WITHDRAWN: ("undo-2", "{who} does not need your {tool} any more."),
    Kind.SUPERSEDED: (
        "circle-x",
        "Somebody else got the {tool}, {when}. You can wait for it, in case it comes free again.",
    ),
    Kind.EXPIRED: ("clock", "The request for the {tool} ran out without an answer."),
    Kind.CANCELLED: ("circle-x", "{who} cancelled the loan of the {tool}, {when}{reason}"),
    Kind.HANDED_OVER: ("package-open", "{who} noted that you have the {tool} now."),
    Kind.RETURN_CLAIMED: ("undo-2", "{who} brought the {tool} back. Is it there?"),
    Kind.NOT_HERE: ("clock-alert", "{who} has not found the {tool} where you left it."),
    Kind.TAKEN_BACK: ("circle-check", "{who} has the {tool} back. Thank you!"),
    Kind.NO_SHOW: ("circle-x", "{who} ended the loan of the {tool}: nobody came."),
    Kind.LAPSED: ("clock", "The {tool} was never picked up; the loan has lapsed."),
    Kind.PAUSED_FOR_SILENCE: (
        "circle-pause",
        "Three requests in a row had no answer, so your {tool} is paused. Lend it again any time.",
    ),
    Kind.ANSWER_SOON: ("hourglass", "{other} still waits for your answer about the {tool}."),
    Kind.STARTS_SOON: ("calendar-clock", "The loan of the {tool} begins soon: {when}."),
    Kind.WAS_IT_FETCHED: ("clock", "Was the {tool} handed over? Nobody has said so yet."),
    Kind.DUE_SOON: ("clock", "The {tool} is due back soon: {when}."),
    Kind.DUE: ("clock-alert", "The {tool} is due back at {other}’s now."),
    Kind.LATE: ("clock-alert", "The {tool} is overdue: it was due {end}."),
    Kind.CONFIRM_RETURN: ("undo-2", "Is the {tool} back? {other} says that it is."),
    Kind.APPROVED_AT_ONCE: ("calendar-clock", "{who}, whom you trust, has your {tool}, {when}."),
    Kind.FETCHED: ("package-open", "{who} has your {tool} now."),
    Kind.GIVEN_BACK: ("circle-check", "{who} gave your {tool} back. Is all well with it?"),
    Kind.LENT: ("package-open", "{who} lent you the {tool}, {when}."),
    Kind.STUCK: ("clock-alert", "The loan of the {tool} from {other} needs help."),
    Kind.CHANGE_PROPOSED: ("calendar-clock", "{who} asks for other dates for the {tool}: {when}."),
    Kind.CHANGE_AGREED: ("calendar-clock", "{who} agreed: the loan of the {tool} is {when} now."),
    Kind.CHANGE_REFUSED: ("circle-x", "{who} would rather keep the dates of the {tool}."),
    Kind.CHANGE_WITHDRAWN: ("undo-2", "{who} keeps the dates of the {tool} as they are."),
    Kind.CHANGE_ENDED: ("clock", "Nobody answered in time: the dates of the {tool} stay."),
    Kind.AT_RISK: (
        "clock-alert",
        "The {tool} is not back yet, so your loan may begin late: {when}. Wait, or let it go?",
    ),
    Kind.NEXT_WAITS: (
        "clock-alert",
        "The {tool} is not back yet, and {other} is to have it next: {when}.",
    ),
    Kind.SOMEONE_WAITS: (
        "clock-alert",
        "A neighbour is waiting for the {tool}. Please bring it back, or say when you can.",
    ),
    Kind.WILL_WAIT: ("hourglass", "{who} waits until the {tool} is back."),
    Kind.FETCH_SAID: ("package-open", "{who} says that the {tool} was handed over. Was it?"),
    Kind.INCIDENT: ("circle-alert", "{who} opened an incident about the {tool}{reason}"),
    Kind.OFFER: ("handshake", "{who} proposes how to settle it about the {tool}{reason}"),
    Kind.SETTLED: ("handshake", "It is settled about the {tool}{reason}"),
    Kind.FOUND: ("circle-check", "{who} has the {tool} again."),
    Kind.AMOUNT: ("coins", "About the {tool} {who} noted{reason}"),
    Kind.MEDIATOR_NAMED: ("user-plus", "{who} names a mediator about the {tool}{reason}"),
    Kind.MEDIATOR_JOINED: ("user-plus", "{who} asked for a mediator about the {tool}{reason}"),
    Kind.MEDIATOR_ASKED: ("user-plus", "{who} asks you to mediate about the {tool}."),
    Kind.MEDIATOR_LEFT: ("user", "{who} does not mediate about the {tool} any more."),
    Kind.UNDONE: ("undo-2", "{who} took a step about the {tool} back{reason}"),
    Kind.FREE_AGAIN: ("calendar-check", "The {tool} may be free after all, {when}. Ask again."),
    Kind.CORRECTED: ("pencil", "{who} corrected the loan of the {tool}{reason}"),
    Kind.UNSAFE: ("triangle-alert", "The {tool} is not safe and is being looked at: {when}."),
    Kind.TOOL_UNSAFE: ("triangle-alert", "{who} says that your {tool} is not safe{reason}"),
    Kind.TOOL_MISSING: ("circle-alert", "The {tool} is missing; you may not get it, {when}."),
    Kind.TOOL_BROKEN: (
        "wrench",
        "The {tool} is broken and has to be repaired; you may not get it, {when}.",
    ),
    Kind.TOOL_IN_ORDER: ("circle-check", "The {tool} is in order again: you get it, {when}."),
    Kind.OFFERED: (
        "hourglass",
        "The {tool} is free for you, {when}. It is kept for you until {until}.",
    ),
    Kind.OFFER_RAN_OUT: (
        "clock",
        "The {tool} was kept for you, {when}, and went to whoever waits next.",
    ),
    Kind.WAIT_PAUSED: (
        "circle-pause",
        "The {tool} is paused. You keep your place among those who wait.",
    ),
    Kind.WAIT_OVER: ("calendar-x", "The {tool} did not come free for you, {when}."),
    Kind.WAIT_GONE: ("archive", "The {tool} is not lent any more, so nobody waits for it."),
    Kind.MOVED_IN_LINE: ("users", "{who} moved you to place {place} for the {tool}{reason}"),
    Kind.LINE_CHANGED: (
        "users",
        "{who} moved {other} to place {place} among those who wait for your {tool}{reason}",
    ),
    Kind.MESSAGE: ("messages-square", "{who} wrote to you about the {tool}."),
    Kind.KEEPER_NAMED: ("handshake", "You look after the {tool} now: you lend it for all."),
    Kind.KEEPER_RELEASED: ("handshake", "You do not look after the {tool} any more."),
    Kind.REPORTED: ("flag", "{who} reported what {other} has said{reason}"),
    Kind.WANTED_ANSWERED: ("hand", "{who} answers what you look for, “{words}”{reason}"),
    Kind.WANTED_LISTED: ("hammer", "{who} listed the {tool} that you look for. Ask for it."),
    Kind.WANTED_REPORTED: ("flag", "{who} reported what {other} looks for, “{words}”{reason}"),
    Kind.WANTED_REMOVED: ("circle-x", "{who} removed what you look for, “{words}”{reason}"),
    Kind.WATCHED: ("eye", "You look for {words}: the {tool} is free."),
}


@dataclass(frozen=True)
class Told:
    """A notice as its person reads it."""

    id: int
    kind: str
    icon: str
    sentence: str
    path: str
    at: datetime
    unseen: bool
    thing: str  # what it is about, as a heading


@dataclass(frozen=True)
class Heap:
    """What was told about one subject, the newest first."""

    key: str  # fit for an id
    newest: Told
    older: Sequence[Told]
    zone: ZoneInfo
    unseen: int


def heaps(told: Iterable[tuple[Notice, Told, ZoneInfo]]) -> list[Heap]:
    """In the order of the newest of each."""
    found: dict[str, list[tuple[Told, ZoneInfo]]] = {}
    for notice, one, zone in told:
        found.setdefault(notice.subject, []).append((one, zone))
    return [
        Heap(
            subject.replace("/", "-"),
            rows[0][0],
            [one for one, _ in rows[1:]],
            rows[0][1],
            sum(one.unseen for one, _ in rows),
        )
        for subject, rows in found.items()
    ]


def tell(notice: Notice, here: Here, now: datetime, locale: str) -> Told:
    """`here` is the notice's community: its zone says the days."""
    icon, sentence = SENTENCES[Kind(notice.kind)]
    return Told(
        id=notice.id,
        kind=notice.kind,
        icon=icon,
        sentence=sentence.format_map(_facts(notice, here, now, locale)),
        path=path_of(notice.subject, here.path),
        at=notice.at,
        unseen=notice.seen_at is None,
        thing=str(notice.facts.get("tool", "")) or here.name,
    )


def path_of(subject: str, home: str) -> str:
    """The page of a topic; the board where there is none. `home`: the path of its community."""
    _, kind, *key = subject.split("/", 2)
    return "/".join((home, PAGES[kind], *key)) if kind in PAGES else home


class _Facts(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return ""


def _facts(notice: Notice, here: Here, now: datetime, locale: str) -> _Facts:
    found = _Facts({name: str(value) for name, value in notice.facts.items()})
    found["who"] = notice.by.name if notice.by else "ToolShare"
    if "start" in found and "end" in found:
        start, end = (datetime.fromisoformat(found[name]) for name in ("start", "end"))
        found["when"] = words.period(start, end, here.zone, locale, now)
        found["end"] = words.moment(end, here.zone, locale, now)
    if "until" in found:
        until = datetime.fromisoformat(found["until"])
        found["until"] = words.moment(until, here.zone, locale, now)
    reason = found.get("reason", "")
    found["reason"] = f": “{reason}”" if reason else "."
    return found
