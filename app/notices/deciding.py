"""Whether a notice goes further than the page: the one place that decides. It asks nobody."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app import clock
from app.errors import Span
from app.notices.kinds import Channel, Weight, weight_of
from app.notices.models import Kind
from app.outgoing import STALE

MINUTE = timedelta(minutes=1)
# How long a notice may stay unseen before it goes this way.
PATIENCE: dict[Channel, dict[Weight, timedelta]] = {
    Channel.PUSH: {
        Weight.URGENT: timedelta(seconds=15),
        Weight.USUAL: 2 * MINUTE,
        Weight.CALM: 2 * MINUTE,
    },
    Channel.MAIL: {
        Weight.URGENT: 5 * MINUTE,
        Weight.USUAL: 15 * MINUTE,
        Weight.CALM: 15 * MINUTE,
    },
}
MORNING = time(8)  # when what came together over a day goes out, in the person's zone


class MailWish(enum.StrEnum):
    AT_ONCE = "at_once"
    DAILY = "daily"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to get of one group of kinds."""

    push: bool = True
    mail: MailWish = MailWish.AT_ONCE


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours of each night (or day) in which nothing rings. Equal ends: there are none."""

    begins: time
    ends: time
    zone: ZoneInfo

    def end_of(self, at: datetime) -> datetime | None:
        """When the quiet hours end that this instant lies in; None outside of them."""
        found = self.stretch(at)
        return found[1] if found and found[0] <= at else None

    def stretch(self, at: datetime) -> Span | None:
        """The quiet hours that are, or come next; None: there are none.

        They are instants, not readings of the clock: in the hour that comes twice a border has
        been passed for good once it has been passed.
        """
        if self.begins == self.ends:
            return None
        over = timedelta(days=1 if self.begins > self.ends else 0)
        day = clock.local_day(at, self.zone) - timedelta(days=1)
        while True:
            start = clock.at_wall(day, self.begins, self.zone)
            end = clock.at_wall(day + over, self.ends, self.zone)
            if start < end and at < end:
                return start, end
            day += timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Question:
    """All that the answer stands on."""

    kind: Kind
    channel: Channel
    told_at: datetime
    seen: bool
    wish: Wish
    quiet: Quiet
    paused_until: datetime | None
    muted: bool
    reachable: bool


class Verdict(enum.StrEnum):
    SEND = "send"
    LATER = "later"
    NEVER = "never"


class Why(enum.StrEnum):
    SEEN = "seen"
    OFF = "off"
    UNREACHABLE = "unreachable"
    MUTED = "muted"
    PAUSED = "paused"
    TOO_LATE = "too_late"
    EARLY = "early"
    QUIET = "quiet"
    DUE = "due"


@dataclass(frozen=True, slots=True)
class Decision:
    """`at`: when to ask again. `together`: with whatever else has gathered by then."""

    verdict: Verdict
    why: Why
    at: datetime | None = None
    together: bool = False


def decide(asked: Question, now: datetime) -> Decision:
    """Asked again at each step, so whatever has changed meanwhile counts."""
    if why := _why_never(asked):
        return Decision(Verdict.NEVER, why)
    together, due = gathers(asked), due_at(asked)
    if now < due:
        return Decision(Verdict.LATER, Why.EARLY, due, together)
    if now >= due + STALE:  # whatever was away for so long: nobody gets a heap of old news
        return Decision(Verdict.NEVER, Why.TOO_LATE)
    if quiet_ends := asked.quiet.end_of(now):
        return Decision(Verdict.LATER, Why.QUIET, quiet_ends, together)
    return Decision(Verdict.SEND, Why.DUE, together=together)


def _why_never(asked: Question) -> Why | None:
    if asked.seen:
        return Why.SEEN
    if asked.channel is Channel.PUSH:
        wanted = asked.wish.push
    else:
        wanted = asked.wish.mail is not MailWish.NEVER
    if not wanted:
        return Why.OFF
    if not asked.reachable:
        return Why.UNREACHABLE
    if asked.muted and weight_of(asked.kind) is not Weight.URGENT:
        return Why.MUTED
    if asked.channel is Channel.PUSH and _was_paused(asked):
        return Why.PAUSED  # what rang days later would be no news
    return None


def _was_paused(asked: Question) -> bool:
    return asked.paused_until is not None and asked.told_at < asked.paused_until


def gathers(asked: Question) -> bool:
    """By mail, what is not urgent, what somebody wants once a day, what a pause has held back."""
    calm = weight_of(asked.kind) is Weight.CALM or asked.wish.mail is MailWish.DAILY
    return asked.channel is Channel.MAIL and (calm or _was_paused(asked))


def due_at(asked: Question) -> datetime:
    """When it goes, if it is still unseen by then and nobody sleeps."""
    due = asked.told_at + PATIENCE[asked.channel][weight_of(asked.kind)]
    if asked.paused_until is not None and _was_paused(asked):
        due = max(due, asked.paused_until)
    return morning_after(due, asked.quiet.zone) if gathers(asked) else due


def morning_after(at: datetime, zone: ZoneInfo) -> datetime:
    """The first morning that is not before this instant."""
    local = at.astimezone(zone)
    day = local.date() + timedelta(days=0 if local.time() <= MORNING else 1)
    return clock.at_wall(day, MORNING, zone)


def first_look(kind: Kind, told_at: datetime) -> datetime:
    """When to ask for the first time."""
    return told_at + min(by_weight[weight_of(kind)] for by_weight in PATIENCE.values())
