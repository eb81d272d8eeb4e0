"""May this person do this now? Each answer is None or a Refusal with a sentence and a way out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app import words
from app.clock import local_day, started_days
from app.errors import Conflict, Refusal, Span, mistyped
from app.loans import choosing
from app.loans.models import Loan
from app.loans.states import FINAL, MOVES, Act, State, Who
from app.people.viewer import Apart, Here, Viewer
from app.tools.models import Tool, ToolStatus

ANSWER_WITHIN = timedelta(hours=48)
EARLY_PICK_UP = timedelta(hours=24)
NO_SHOW_AFTER = timedelta(hours=2)
NOT_HERE_WITHIN = timedelta(hours=48)
LAPSE_AFTER = timedelta(hours=24)
STUCK_AFTER = timedelta(days=8)  # overdue for so long, somebody should help
CLOSE_AFTER = timedelta(hours=48)
SILENT = 3  # requests of a lender in a row that ran out: then the tool is paused
REASON_LONGEST = 500

DONE = {
    State.REQUESTED: "This request is waiting for an answer.",
    State.APPROVED: "This loan is already approved.",
    State.OUT: "The tool is already out.",
    State.RETURN_CLAIMED: "The borrower says that it was brought back.",
    State.RETURNED: "The tool is already back.",
    State.DISPUTED: "This loan is being sorted out.",
    State.CLOSED: "This loan is closed.",
    State.DECLINED: "This request was declined.",
    State.WITHDRAWN: "This request was withdrawn.",
    State.EXPIRED: "This request ran out without an answer.",
    State.SUPERSEDED: "Somebody else got these dates.",
    State.CANCELLED: "This loan was cancelled.",
    State.LAPSED: "This loan was never picked up.",
    State.NO_SHOW: "This loan ended because nobody came.",
}
UNFIT = {
    ToolStatus.MAINTENANCE: "The tool is being repaired.",
    ToolStatus.MISSING: "The tool is missing.",
}
"""It changes no hands like this."""
THEIR_NAMES = {
    Who.BORROWER: "the borrower",
    Who.LENDER: "the lender",
    Who.COORDINATOR: "a coordinator",
    Who.SYSTEM: "the clock",
    Who.MEDIATOR: "a mediator",
}
WHEN_SUSPENDED = frozenset(
    {Act.CLAIM_RETURN, Act.TAKE_BACK, Act.GIVE_BACK, Act.WITHDRAW, Act.CANCEL}
    | {Act.DISPUTE, Act.SETTLE}
)


def part_of(loan: Loan, by: Viewer | None) -> Who:
    """The part somebody plays in this loan; a party is never its own coordinator."""
    if by is None:
        return Who.SYSTEM
    if by.community is None or by.community_id != loan.community_id:
        return Who.NOBODY
    if by.person_id == loan.borrower_id:
        return Who.BORROWER
    if loan.lent_by(by.person_id):
        return Who.LENDER
    part = Who.COORDINATOR if by.is_coordinator else Who.NOBODY
    if by.person_id == loan.mediator_id and not by.suspended:
        part |= Who.MEDIATOR
    return part


def why_not(act: Act, loan: Loan, by: Viewer | None, now: datetime) -> Refusal | None:
    """The table of moves, then what this act asks for besides. `by` None is the system."""
    state = State(loan.state)
    move = MOVES.get((state, act))
    if move is None:
        return Conflict(DONE[state], _after(state), code="state")
    _, who = move
    part = part_of(loan, by)
    if not part & who:  # `in` would let NOBODY pass: zero is in every flag
        return Refusal(f"Only {_names(who)} can do this.", lifted_by=_names(who), status=403)
    if by is not None and by.suspended and act not in WHEN_SUSPENDED:
        return Refusal("Your membership is suspended.", "Ask a coordinator.", status=403)
    if act is Act.NO_SHOW and by is not None:
        return _no_show(loan, by, now)
    ask = _MORE.get(act)
    return ask(loan, now) if ask else None


def why_not_outdated(loan: Loan, version: int | None) -> Refusal | None:
    """`version` is what the page showed; None: whoever asks has not looked."""
    if version is None or version == loan.version:
        return None
    return Conflict(DONE[State(loan.state)], "Look at it as it is now.", code="state")


def why_not_request(
    tool: Tool, start: datetime, end: datetime, by: Viewer, apart: Apart | None, now: datetime
) -> Refusal | None:
    """What can be said without looking at other loans; `apart`: a block between them."""
    if refusal := why_not_ask(tool, by, apart):
        return refusal
    zone = by.here.zone
    if start >= end:
        return mistyped("end", "The end comes before the start.", "Choose a later end.")
    today = local_day(now, zone)
    if local_day(start, zone) < today or end <= now:
        return mistyped("start", "These dates have passed.", "Choose today or a later day.")
    return choosing.why_not_within(tool.lending, start, end, now, zone, by.here.locale)


def why_not_ask(tool: Tool, by: Viewer, apart: Apart | None) -> Refusal | None:
    """Whether this person can ask for this tool at all: what the page shows before any dates.

    Whoever the owner has blocked hears what everybody hears of a paused tool.
    """
    if by.suspended:
        return Refusal("Your membership is suspended.", "Ask a coordinator.", status=403)
    if tool.owner_id == by.person_id:
        return Refusal("This is your own tool.", "Pause it if you need it yourself.")
    if tool.lenders == (by.person_id,):
        return Refusal(
            "You look after this tool alone.", "Ask a coordinator to name a second keeper."
        )
    if apart and apart.mine:
        return Refusal(
            f"You blocked {apart.first_name}.",
            "End the block in your profile to ask.",
            code="blocked",
        )
    if apart or tool.status != ToolStatus.LISTED:
        return Refusal("This tool is not lent at the moment.", "Look for a similar one.")
    return None


def why_not_write(loan: Loan, by: Viewer) -> Refusal | None:
    """Who is suspended may still write where something is open, to bring it to an end."""
    if by.suspended and State(loan.state) in FINAL:
        return Refusal(
            "Your membership is suspended, and this loan is over.",
            "Ask a coordinator.",
            status=403,
        )
    return None


def why_not_free(
    start: datetime,
    end: datetime,
    busy: Sequence[Span],
    out: Loan | None,
    free: Sequence[Span],
    now: datetime,
) -> Refusal | None:
    """Whether the tool is taken in these dates; `out` is the loan that has it in hand."""
    if any(lower < end and start < upper for lower, upper in busy):
        return Conflict(
            "Somebody has the tool in these dates.",
            "Choose other dates; the nearest free ones are below.",
            free=free,
        )
    if out is not None and start <= now:
        return Conflict(
            "The tool is still out.", "Choose dates that begin later.", "the lender", free=free
        )
    return None


def why_not_while_out(loan: Loan, holder: Loan | None) -> Refusal | None:
    """Whether somebody else still has the tool; a claimed return is confirmed by handing it on."""
    if holder is None or holder.id == loan.id or holder.state == State.RETURN_CLAIMED:
        return None
    return Conflict(
        "The tool is still out with somebody else.", "Confirm its return first.", code="out"
    )


def answer_until(start: datetime, end: datetime, now: datetime) -> datetime:
    """A request waits 48 h or until its start; one that has already begun waits until its end."""
    return min(now + ANSWER_WITHIN, start if start > now else end)


def check_reason(reason: str) -> str:
    reason = reason.replace("\x00", "").strip()
    if len(reason) > REASON_LONGEST:
        raise mistyped("reason", f"A reason may have {REASON_LONGEST} characters.", "Shorten it.")
    return reason


def price(tool: Tool, start: datetime, end: datetime, here: Here) -> int:
    """Cents for the whole period: started days times the price of a day."""
    return tool.price_cents * started_days(start, end, here.zone)


def is_late(loan: Loan, now: datetime) -> bool:
    """Overdue from the due minute on; a claimed return stops that clock."""
    return loan.state == State.OUT and now >= loan.end


def _approve(loan: Loan, now: datetime) -> Refusal | None:
    if now >= loan.expires_at:
        return Conflict(DONE[State.EXPIRED], "Ask the borrower to ask again.", code="state")
    if loan.tool.status != ToolStatus.LISTED:
        return Refusal("This tool is paused.", "Resume it first.", "the lender")
    return None


def _hand_over(loan: Loan, now: datetime) -> Refusal | None:
    return _unfit(loan, "Lend it again on its page first.") or _too_early(loan, now)


def _fetch(loan: Loan, now: datetime) -> Refusal | None:
    way_out = "Ask the lender when it can be had, or cancel this loan."
    return _unfit(loan, way_out, "the lender") or _too_early(loan, now)


def _unfit(loan: Loan, way_out: str, lifted_by: str | None = None) -> Refusal | None:
    said = UNFIT.get(ToolStatus(loan.tool.status))
    return Refusal(said, way_out, lifted_by) if said else None


def _too_early(loan: Loan, now: datetime) -> Refusal | None:
    if now < loan.start - EARLY_PICK_UP:
        return Refusal(
            "It is too early to hand it over.", "You can do so from a day before the start."
        )
    return None


def no_show_from(loan: Loan, zone: ZoneInfo) -> datetime:
    """A while after the last moment at which he could come; `passing.of_loans` asks the rows."""
    could = choosing.fetched_until(loan.tool.lending, loan.start, zone)
    return min(could, loan.end) + NO_SHOW_AFTER


def _no_show(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    begins = no_show_from(loan, by.here.zone)
    if now >= begins:
        return None
    when = words.moment(begins, by.here.zone, by.locale, now)
    return Refusal("It is too early for that.", f"You can say so from {when}.")


def _not_here(loan: Loan, now: datetime) -> Refusal | None:
    if loan.claimed_at is not None and now > loan.claimed_at + NOT_HERE_WITHIN:
        return Refusal("“Not here” is possible for 48 hours.", "Ask a coordinator to help.")
    return None


def _expire(loan: Loan, now: datetime) -> Refusal | None:
    return None if now >= loan.expires_at else Refusal("The request may still be answered.")


def _fetched(loan: Loan, now: datetime) -> Refusal | None:
    if loan.fetched_said_at is not None:
        return Conflict("You have said so already.", "The lender is asked.", code="state")
    if now < loan.end:
        return Refusal("It is too early for that.", "Ask the lender to press the button.")
    return None


def _wait(loan: Loan, now: datetime) -> Refusal | None:
    if loan.waits_since is not None:
        return Conflict("The lender knows that you wait.", code="state")
    return None


def _lapse(loan: Loan, now: datetime) -> Refusal | None:
    if loan.fetched_said_at is not None:
        return Refusal("The borrower says that it was handed over.", lifted_by="the lender")
    return None if now >= loan.end + LAPSE_AFTER else Refusal("It may still be picked up.")


_MORE = {
    Act.APPROVE: _approve,
    Act.HAND_OVER: _hand_over,
    Act.FETCH: _fetch,
    Act.NOT_HERE: _not_here,
    Act.EXPIRE: _expire,
    Act.LAPSE: _lapse,
    Act.FETCHED: _fetched,
    Act.WAIT: _wait,
}


def _after(state: State) -> str:
    if state in FINAL:
        return "Ask for the tool again if you still need it."
    return "Look at the loan as it is now."


def _names(who: Who) -> str:
    people = who & ~Who.SYSTEM or who  # the clock only where nobody else can
    return " or ".join(name for part, name in THEIR_NAMES.items() if part in people)
