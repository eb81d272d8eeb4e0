"""How other dates are told to each of the two: what is wished, what it costs, the buttons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app import words
from app.errors import Refusal, Span
from app.loans import proposals
from app.loans.models import Loan
from app.loans.proposal import ChangeKind, ChangeState, LoanChange
from app.loans.telling import Action, Told
from app.people.viewer import Here, Viewer

WANTS = {
    ChangeKind.EXTEND: "would like to have it longer",
    ChangeKind.SHORTEN: "needs it for less time",
    ChangeKind.EARLY: "would like to fetch it earlier",
    ChangeKind.MOVE: "would like other dates",
}
OFFERS = {
    ChangeKind.EXTEND: "can lend it longer",
    ChangeKind.SHORTEN: "asks for less time",
    ChangeKind.EARLY: "can hand it over earlier",
    ChangeKind.MOVE: "asks for other dates",
}


@dataclass(frozen=True)
class Proposed:
    """An open proposal as one of the two sees it, with the buttons that answer it."""

    id: int
    mine: bool
    sentence: str
    was_words: str
    period_words: str
    price_words: str
    note: str
    actions: list[Action]


def tell(
    change: LoanChange,
    loan: Loan,
    by: Viewer,
    now: datetime,
    why_not_free: Refusal | None = None,
    back: str = "",
) -> Proposed:
    here, locale, mine = by.here, by.locale, loan.same_side(change.by_id, by.person_id)
    wants = WANTS if change.by_id == loan.borrower_id else OFFERS
    myself = change.by_id == by.person_id
    who = "You" if myself else change.by.name.split()[0]
    said = wants[ChangeKind(change.kind)]
    if myself:
        said = said.replace("needs", "need").replace("asks", "ask")

    def answer(label: str, noun: str, state: ChangeState, kind: str) -> Action:
        refusal = proposals.why_not_answer(change, loan, by, state, now)
        if state is ChangeState.AGREED:
            refusal = refusal or why_not_free
        return Action(
            label,
            f"{here.path}/loans/{loan.id}/changes/{change.id}/{noun}",
            kind,
            refusal,
            key=f"{noun}-{change.community_id}-{change.id}",
            fields={"back": back} if back else {},
        )

    return Proposed(
        id=change.id,
        mine=mine,
        sentence=f"{who} {said}.",
        was_words=_when(change, change.was_span, here, locale, now),
        period_words=_when(change, (change.start, change.end), here, locale, now),
        price_words=price_words(change.was_price_cents, change.price_cents, here, locale),
        note=change.note,
        actions=[answer("Withdraw it", "withdrawal", ChangeState.WITHDRAWN, "quiet")]
        if mine
        else [
            answer("Agree", "acceptance", ChangeState.AGREED, "primary"),
            answer("Keep the dates", "refusal", ChangeState.REFUSED, "quiet"),
        ],
    )


def _when(change: LoanChange, span: Span, here: Here, locale: str, now: datetime) -> str:
    """'until Fri 27 Nov' where the start stays."""
    if change.was_span[0] == change.start:
        return f"until {words.until(span[1], here.zone, locale, now)}"
    return words.period(*span, here.zone, locale, now)


def price_words(was: int, now_cents: int, here: Here, locale: str) -> str:
    """'£7.50 instead of £5 (£2.50 more)'; empty where nothing changes."""
    if was == now_cents:
        return ""

    def money(cents: int) -> str:
        return words.money(cents, here.currency, locale)

    more = f"{money(abs(now_cents - was))} {'more' if now_cents > was else 'less'}"
    return f"{money(now_cents)} instead of {money(was)} ({more})"


def retell(
    told: Told,
    change: LoanChange,
    loan: Loan,
    person_id: int,
    here: Here,
    now: datetime,
    locale: str,
) -> Told:
    """The loan's next step while other dates are proposed."""
    when = _when(change, (change.start, change.end), here, locale, now)
    if loan.same_side(change.by_id, person_id):
        who = "You" if change.by_id == person_id else change.by.name.split()[0]
        return replace(told, next_step=f"{who} asked for other dates ({when}); no answer yet")
    cost = price_words(change.was_price_cents, change.price_cents, here, locale)
    step = f"{change.by.name.split()[0]} asks for other dates: {when}"
    return replace(told, next_step=step + (f", {cost}" if cost else ""), my_turn=True)
