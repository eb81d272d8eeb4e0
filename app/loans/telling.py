"""How a loan is told to one of its parties: its state in words, whose turn it is, the buttons."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from app import words
from app.errors import Refusal
from app.loans import rules
from app.loans.models import Loan
from app.loans.states import Act, State, Who
from app.people.viewer import Here, Viewer

KINDS = {
    State.REQUESTED: ("asked", "hand"),
    State.APPROVED: ("reserved", "calendar-clock"),
    State.OUT: ("out", "package-open"),
    State.RETURN_CLAIMED: ("out", "undo-2"),
    State.RETURNED: ("free", "circle-check"),
    State.CLOSED: ("free", "circle-check"),
    State.DISPUTED: ("overdue", "circle-alert"),
}
OVER = ("paused", "circle-x")


@dataclass(frozen=True)
class Action:
    """A button: where it posts, and why it is not possible if it is not."""

    label: str
    post: str
    kind: str = "primary"
    why_not: Refusal | None = None
    needs_reason: bool = False
    confirm: str = ""
    key: str = ""
    fields: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Told:
    """A loan as one of its parties sees it, on its page and as a row in a list."""

    id: int
    path: str
    tool_name: str
    tool_path: str
    photo_url: str | None
    icon: str
    lender_name: str
    borrower_name: str
    who: str
    period_words: str
    state: str
    state_kind: str
    state_icon: str
    state_words: str
    next_step: str
    my_turn: bool
    price_words: str
    reason: str


def tell(loan: Loan, here: Here, person_id: int, now: datetime, locale: str) -> Told:
    """`here` is the loan's community: its zone says the days."""
    lends = loan.lent_by(person_id)
    borrower = borrower_name(loan)
    late = rules.is_late(loan, now)
    kind, icon = ("overdue", "clock-alert") if late else KINDS.get(State(loan.state), OVER)
    a_third = not lends and person_id != loan.borrower_id
    step, mine = ("", False) if a_third else next_step(loan, lends, now)
    photo = loan.tool.photo
    return Told(
        id=loan.id,
        path=f"{here.path}/loans/{loan.id}",
        tool_name=loan.tool.name,
        tool_path=f"{here.path}/tools/{loan.tool_id}",
        photo_url=f"{here.path}/photos/{photo.name}-480.webp" if photo else None,
        icon=loan.tool.category.icon,
        lender_name=loan.lender.name,
        borrower_name=borrower,
        who=_who(loan, lends, a_third),
        period_words=words.period(loan.start, loan.end, here.zone, locale, now),
        state=loan.state,
        state_kind=kind,
        state_icon=icon,
        state_words=state_words(loan, here, now, locale),
        next_step=step,
        my_turn=mine,
        price_words=_costs(loan, here, locale),
        reason=loan.reason,
    )


def _who(loan: Loan, lends: bool, a_third: bool) -> str:
    borrower, lender = borrower_name(loan), loan.lender.name
    if a_third:
        return f"from {lender} to {borrower}"
    return f"to {borrower}" if lends else f"from {lender}"


def _costs(loan: Loan, here: Here, locale: str) -> str:
    price = words.money(loan.price_cents, here.currency, locale) if loan.price_cents else ""
    if not loan.deposit_cents:
        return price
    deposit = f"{words.money(loan.deposit_cents, here.currency, locale)} deposit"
    return f"{price}, and {deposit}" if price else deposit


def borrower_name(loan: Loan) -> str:
    return loan.borrower.name if loan.borrower else loan.borrower_name or ""


def state_words(loan: Loan, here: Here, now: datetime, locale: str) -> str:
    end = words.until(loan.end, here.zone, locale, now)
    match State(loan.state):
        case State.REQUESTED:
            return "Asked for"
        case State.APPROVED:
            return "Approved"
        case State.OUT if rules.is_late(loan, now):
            return f"Overdue: it was due {words.moment(loan.end, here.zone, locale, now)}"
        case State.OUT:
            return f"Out until {end}"
        case State.RETURN_CLAIMED:
            return "Brought back, not confirmed yet"
        case State.RETURNED:
            return "Back"
        case State.CLOSED:
            return "Back and closed"
        case other:
            return rules.DONE[other].rstrip(".")


def next_step(loan: Loan, lends: bool, now: datetime) -> tuple[str, bool]:
    """What happens next, and whether it is this person's turn."""
    lender, borrower = loan.lender.name.split()[0], (borrower_name(loan).split() or ["them"])[0]
    match State(loan.state), lends:
        case State.REQUESTED, True:
            return f"{borrower} is waiting for your answer", True
        case State.REQUESTED, False:
            return f"Waiting for {lender}", False
        case State.APPROVED, True:
            return f"Hand it to {borrower}, then press the button", now >= loan.start
        case State.APPROVED, False:
            return f"Fetch it from {lender}", False
        case State.OUT, True:
            return f"Waiting for {borrower} to bring it back", False
        case State.OUT, False:
            return f"Bring it back to {lender}", rules.is_late(loan, now)
        case State.RETURN_CLAIMED, True:
            return "Confirm that it is back", True
        case State.RETURN_CLAIMED, False:
            return f"Waiting for {lender} to confirm", False
        case State.DISPUTED, _:
            help_ = "your mediator helps" if loan.mediator_id else "or ask for a mediator"
            return f"Agree on how to settle it, {help_}", False
        case _:
            return "", False


def actions(
    loan: Loan, viewer: Viewer, holder: Loan | None, now: datetime, back: str = ""
) -> list[Action]:
    """The buttons of this viewer, in the order of the hand that reaches for them.

    `back` "things": they stand in "My things" and lead there again.
    """
    part = rules.part_of(loan, viewer)
    offered = OFFERED.get((State(loan.state), part), ())
    path = f"{viewer.here.path}/loans/{loan.id}"
    made = []
    for act, noun, label, kind, confirm in offered:
        why_not = rules.why_not(act, loan, viewer, now)
        if act is Act.HAND_OVER and why_not is None:
            why_not = rules.why_not_while_out(loan, holder)
        if act is Act.NO_SHOW and why_not is not None:
            continue
        made.append(
            Action(
                label,
                f"{path}/{noun}",
                kind,
                why_not,
                needs_reason=act is Act.CANCEL and part is not Who.BORROWER,
                confirm=confirm,
                key=f"{act}-{loan.id}-{loan.version}",
                fields={"version": loan.version, "back": back}
                if back
                else {"version": loan.version},
            )
        )
    if loan.state == State.SUPERSEDED and part is Who.BORROWER:
        made.append(_invitation(loan, viewer))
    return made


def _invitation(loan: Loan, viewer: Viewer) -> Action:
    """Who lost the dates waits for them with one tap."""
    return Action(
        "Wait for these dates",
        f"{viewer.here.path}/tools/{loan.tool_id}/waitlist",
        key=f"wait-like-{loan.id}",
        fields={"like": loan.id},
    )


Offer = tuple[Act, str, str, str, str]
GIVE_BACK: Offer = (Act.CLAIM_RETURN, "return-claim", "I brought it back", "primary", "")
TAKE: Offer = (Act.TAKE_BACK, "return", "It is back", "primary", "")
OFFERED: dict[tuple[State, Who], tuple[Offer, ...]] = {
    (State.REQUESTED, Who.LENDER): (
        (Act.APPROVE, "approval", "Approve", "primary", ""),
        (Act.DECLINE, "refusal", "Decline", "danger", "The borrower is told at once."),
    ),
    (State.REQUESTED, Who.BORROWER): (
        (Act.WITHDRAW, "withdrawal", "Withdraw", "quiet", "You can ask again at any time."),
    ),
    (State.APPROVED, Who.LENDER): (
        (Act.HAND_OVER, "handover", "I handed it over", "primary", ""),
        (Act.NO_SHOW, "no-show", "Nobody came", "quiet", "The dates are free again."),
        (Act.CANCEL, "cancellation", "Cancel", "danger", "The dates are free again."),
    ),
    (State.APPROVED, Who.BORROWER): (
        (Act.CANCEL, "cancellation", "Cancel", "danger", "The dates are free for others."),
    ),
    (State.OUT, Who.BORROWER): (GIVE_BACK,),
    (State.OUT, Who.LENDER): (TAKE,),
    (State.RETURN_CLAIMED, Who.LENDER): (
        TAKE,
        (Act.NOT_HERE, "return-claim/end", "Not here", "danger", "The loan counts as out again."),
    ),
}
