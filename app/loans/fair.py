"""What is put right, and by whom: incidents, settlements, mediators, undo, *correct*, unsafe."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from app.errors import Conflict, Refusal, mistyped
from app.loans.incident import CENTS_HIGHEST, Amount, Incident, IncidentKind, Payer
from app.loans.models import Loan, LoanEvent
from app.loans.rules import DONE, check_reason, is_late, part_of
from app.loans.states import MOVES, POSSESSED, UNDO_WITHIN, UNDOABLE, Act, State, Who
from app.people.models import Membership, Status
from app.people.rules import COORDINATING
from app.people.viewer import Viewer
from app.tools import rules as tools
from app.tools.models import ToolStatus

INCIDENTS_WITHIN = timedelta(days=30)
MOST_EVIDENCE = 40  # of one loan: enough for two people, and no store for anybody
TWO = Who.BORROWER | Who.LENDER
IN_USE = frozenset({IncidentKind.LATE, IncidentKind.DAMAGE, IncidentKind.LOSS})
KINDS_IN: dict[State, frozenset[IncidentKind]] = {
    State.OUT: IN_USE,
    State.RETURN_CLAIMED: IN_USE,
    State.RETURNED: IN_USE,
    State.DISPUTED: IN_USE,
    State.CLOSED: IN_USE,
    State.NO_SHOW: frozenset({IncidentKind.NO_SHOW}),
}
NOT_YOURS = Refusal("Only the borrower or the lender can do this.", status=403)


def why_not_open(loan: Loan, by: Viewer, now: datetime) -> Refusal | None:
    """Whether an incident can be opened at all; 30 days after the end without reopening it."""
    if not part_of(loan, by) & TWO:
        return NOT_YOURS
    state = State(loan.state)
    if state not in KINDS_IN:
        return Conflict(DONE[state], "Write to each other in the room.", code="state")
    since = loan.back_at or loan.ended_at
    if since is not None and state is not State.DISPUTED and now > since + INCIDENTS_WITHIN:
        return Refusal(
            "An incident can be opened until 30 days after the return.",
            "Talk to a coordinator.",
            "a coordinator",
        )
    return None


def kinds_of(loan: Loan, now: datetime) -> list[IncidentKind]:
    """What can have happened, as far as its state and its times say."""
    possible = set(KINDS_IN.get(State(loan.state), ()))
    if not (is_late(loan, now) or (loan.back_at is not None and loan.back_at > loan.end)):
        possible.discard(IncidentKind.LATE)
    return [kind for kind in IncidentKind if kind in possible]


def why_not_kind(loan: Loan, kind: IncidentKind, now: datetime) -> Refusal | None:
    if kind in kinds_of(loan, now):
        return None
    if kind is IncidentKind.LATE:
        return mistyped("kind", "It was not late.", "Choose what happened.")
    return mistyped("kind", "That cannot have happened to this loan.", "Choose what happened.")


def why_not_dispute(loan: Loan) -> Refusal | None:
    if (State(loan.state), Act.DISPUTE) in MOVES or loan.state == State.DISPUTED:
        return None
    return mistyped("dispute", "This loan cannot be kept open.", "Open the incident without that.")


def why_not_add(incident: Incident, loan: Loan, by: Viewer, kept: int) -> Refusal | None:
    if not part_of(loan, by) & (TWO | Who.MEDIATOR):
        return NOT_YOURS
    if kept >= MOST_EVIDENCE:
        return Refusal(f"A loan may have {MOST_EVIDENCE} pieces of evidence.", "Use the room.")
    return why_not_go_on(incident)


def why_not_go_on(incident: Incident) -> Refusal | None:
    if incident.settled_at is not None:
        return Conflict("This incident is settled.", "Look at it as it is now.", code="state")
    return None


def why_not_changed(incident: Incident, version: int | None) -> Refusal | None:
    """`version` is what the page showed: nobody agrees to words they have not read."""
    if version is None or version == incident.version:
        return None
    return Conflict("There is another proposal by now.", "Read it, then answer.", code="state")


def why_not_offer(incident: Incident, loan: Loan, by: Viewer) -> Refusal | None:
    return why_not_go_on(incident) if part_of(loan, by) & TWO else NOT_YOURS


def why_not_accept(incident: Incident, loan: Loan, by: Viewer) -> Refusal | None:
    if refusal := why_not_offer(incident, loan, by):
        return refusal
    if incident.offer_by is None:
        return Refusal("Nobody has proposed anything yet.", "Make a proposal.")
    if loan.same_side(incident.offer_by, by.person_id):
        return Refusal("This is your own proposal.", "The other one accepts it.", "the other one")
    return None


def why_not_record(incident: Incident, loan: Loan, by: Viewer) -> Refusal | None:
    """A mediator's word ends it; nobody mediates the own case, and nobody uninvited."""
    part = part_of(loan, by)
    if part & TWO:
        return Refusal(
            "Nobody mediates the own case.", "Accept a proposal, or ask a mediator.", status=403
        )
    if not part & Who.MEDIATOR:
        return Refusal("Only a mediator whom one of the two asked can do this.", status=403)
    return why_not_go_on(incident)


def why_not_invite(loan: Loan, by: Viewer, open_incidents: int, gone: bool) -> Refusal | None:
    """`gone`: the mediator there was is no member any more, or suspended."""
    if not part_of(loan, by) & TWO:
        return NOT_YOURS
    if not open_incidents:
        return Refusal("There is nothing to settle.", "Open an incident first.")
    if loan.mediator_id is not None and not gone:
        return Refusal("There is a mediator already.", "Write to them in the room.")
    return None


def why_not_mediate(
    loan: Loan, standing: Membership | None, both: bool, lends: bool
) -> Refusal | None:
    """Whether this neighbour can be named; `both`: the two have to agree on who it is."""
    if standing is not None and standing.person_id in loan.parties:
        return mistyped("mediator", "Nobody mediates the own case.", "Choose somebody else.")
    if standing is None or standing.status != Status.ACTIVE:
        return mistyped("mediator", "Choose one of those in the list.")
    if standing.role in COORDINATING or (both and lends):
        return None
    return mistyped("mediator", "Choose one of those in the list.")


def needs_both(loan: Loan, coordinators: Collection[int]) -> bool:
    """A coordinator who is a party must not choose alone who looks into the own case."""
    return loan.borrower_id is not None and any(person in coordinators for person in loan.parties)


def why_not_undo(loan: Loan, last: LoanEvent | None, by: Viewer, now: datetime) -> Refusal | None:
    if not part_of(loan, by):
        return NOT_YOURS
    if last is None or last.by_id != by.person_id or last.act not in UNDOABLE:
        return Conflict(DONE[State(loan.state)], "Look at the loan as it is now.", code="state")
    if now >= last.at + UNDO_WITHIN:
        return Conflict(
            "It can be undone for ten minutes.", "Talk to each other in the room.", code="over"
        )
    to, status = State(last.from_state or ""), loan.tool.status
    if to is State.REQUESTED and now >= loan.expires_at:
        return Conflict("The request has run out meanwhile.", "Ask for it anew.", code="over")
    if to is State.APPROVED and now >= loan.end:
        return Conflict("Its dates are over.", "Ask for it anew.", code="over")
    lent = (ToolStatus.LISTED,) if to is State.REQUESTED else (ToolStatus.LISTED, ToolStatus.PAUSED)
    if to in (State.REQUESTED, State.APPROVED) and status not in lent:
        return Conflict("The tool is not lent at the moment.", "Talk to whoever lends it.")
    return None


def why_not_correct(loan: Loan, by: Viewer) -> Refusal | None:
    part = part_of(loan, by)
    if part & TWO:
        return Refusal(
            "Nobody corrects the own loan.", "Ask another coordinator.", "a coordinator", status=403
        )
    if not part & Who.COORDINATOR:
        return Refusal("Only a coordinator can do this.", lifted_by="a coordinator", status=403)
    return None


def why_not_leave(loan: Loan) -> Refusal | None:
    """Whether it may be left somewhere; None says nothing of the state it is in."""
    if loan.tool.doorstep:
        return None
    return Refusal(
        "This tool is handed back in person.",
        "Agree on a time in the room.",
        "the lender",
        field_name="place",
    )


def why_not_unsafe(loan: Loan, by: Viewer) -> Refusal | None:
    """Whoever holds it, and its lender while the loan is open: it is theirs in any case."""
    part = part_of(loan, by)
    if not part & TWO:
        return NOT_YOURS
    if not loan.in_hand and not (part is Who.LENDER and loan.state == State.RETURNED):
        return Refusal("Only who holds the tool can say that.", "Write it in the room.")
    if loan.tool.status not in (ToolStatus.LISTED, ToolStatus.PAUSED):
        return Refusal("The tool is not lent at the moment.", "Whoever lends it knows.")
    return None


def why_not_found(loan: Loan, by: Viewer) -> Refusal | None:
    """The lender of a tool that was lost, or never came back, has it again after all."""
    if part_of(loan, by) is not Who.LENDER:
        return Refusal("Only the lender can do this.", lifted_by="the lender", status=403)
    if loan.state != State.DISPUTED or loan.back_at is not None:
        return Conflict(DONE[State(loan.state)], "Look at the loan as it is now.", code="state")
    return None


def why_not_note_amount(loan: Loan, by: Viewer) -> Refusal | None:
    if not part_of(loan, by) & TWO:
        return NOT_YOURS
    if State(loan.state) not in (State.APPROVED, *POSSESSED, State.RETURNED, State.DISPUTED):
        return Conflict(DONE[State(loan.state)], "Write to each other in the room.", code="state")
    return None


def is_payer(amount: Amount, loan: Loan, by: Viewer) -> bool:
    payer = Who.BORROWER if amount.payer == Payer.BORROWER else Who.LENDER
    return part_of(loan, by) is payer


def why_not_amount(amount: Amount, step: str, loan: Loan, by: Viewer) -> Refusal | None:
    """`step`: agreed (by the other), paid (says who gets it), back (says who had paid it)."""
    if not part_of(loan, by) & TWO:
        return NOT_YOURS
    alone = loan.borrower_id is None  # whoever has no account leaves the writing to the lender
    if step == "agreed":
        theirs = not loan.same_side(amount.noted_by, by.person_id)
        mine, done, ready = theirs or alone, amount.agreed_at, True
    elif step == "paid":
        mine, done = not is_payer(amount, loan, by) or alone, amount.paid_at
        ready = amount.agreed_at is not None
    else:
        mine, done = is_payer(amount, loan, by) or alone, amount.back_at
        ready = amount.paid_at is not None and amount.purpose == "deposit"
    if done is not None or not ready:
        return Conflict("This has moved on.", "Look at it as it is now.", code="state")
    return None if mine else Refusal("The other one says that.", lifted_by="the other one")


def check_words(text: str, what: str) -> str:
    words = check_reason(text)
    if not words:
        raise mistyped("reason", f"Say {what}, in a few words.", "The other one reads it.")
    return words


def cents_from(text: str) -> int:
    """'12.50' or '' as cents."""
    try:
        cents = tools.cents_from(text)
    except ValueError:
        raise mistyped("amount", "That is not an amount.", "Write it like 12.50.") from None
    return check_cents(cents)


def check_cents(cents: int) -> int:
    if not 0 <= cents <= CENTS_HIGHEST:
        raise mistyped("amount", f"An amount lies between 0 and {CENTS_HIGHEST // 100}.")
    return cents


def check_payer(payer: str) -> Payer:
    if payer not in tuple(Payer):
        raise mistyped("payer", "Say who pays.", "Choose the borrower or the lender.")
    return Payer(payer)
