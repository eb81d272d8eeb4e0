"""What a late return means for the next borrower: derived afresh each time, never stored.

A loan is at risk when its tool is still out with somebody else past the agreed end, or beyond the
loan's own start. Loans that only touch are no risk until the first is late: nobody is nagged.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import exists, func, or_, select, tuple_

from app import topic
from app.db import Tx
from app.errors import Conflict, Refusal
from app.loans import news, queries, rules
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.loans.states import POSSESSED, Act, State, Who
from app.loans.telling import Action, Told
from app.notices.models import Kind
from app.people.viewer import Viewer
from app.realtime import touch

BEFORE = timedelta(hours=24)  # the start is near enough to look for something else
LETS_GO = "The tool is late."
# Of requests, and of what is said only: whose tool it is, and when, stays as it was.
QUIET = frozenset(
    {Act.DECLINE, Act.WITHDRAW, Act.EXPIRE, Act.SUPERSEDE, Act.WAIT, Act.FETCHED, Act.CLOSE}
)
# What may put a loan at risk at once.
WAKES = frozenset({Act.APPROVE, Act.HAND_OVER, Act.NOT_HERE, Act.CHANGE})


def at_risk(loan: Loan, holder: Loan | None, now: datetime) -> bool:
    """`holder` is the loan that has the tool in hand; one who says it is back is no risk."""
    if holder is None or holder.id == loan.id or holder.state != State.OUT:
        return False
    if loan.state != State.APPROVED or now < loan.start - BEFORE:
        return False
    return rules.is_late(holder, now) or holder.end > loan.start


def why_not_wait(loan: Loan, holder: Loan | None, now: datetime) -> Refusal | None:
    if at_risk(loan, holder, now):
        return None
    return Conflict("The tool is not late any more.", "Look at the loan as it is.", code="state")


def choices(loan: Loan, viewer: Viewer, now: datetime, back: str = "") -> list[Action]:
    """What the next borrower may do about it: wait, or let go without blame."""
    if rules.part_of(loan, viewer) is not Who.BORROWER:
        return []
    path = f"{viewer.here.path}/loans/{loan.id}"
    fields: dict[str, object] = {"version": loan.version} | ({"back": back} if back else {})
    wait = Action(
        "I wait",
        f"{path}/wait",
        "primary",
        rules.why_not(Act.WAIT, loan, viewer, now),
        key=f"wait-{loan.id}-{loan.version}",
        fields=fields,
    )
    let_go = Action(
        "Let it go",
        f"{path}/cancellation",
        "quiet",
        confirm="The dates are free for others. Nobody will hold it against you.",
        key=f"let-go-{loan.id}-{loan.version}",
        fields=fields | {"reason": LETS_GO},
    )
    return [let_go] if loan.waits_since else [wait, let_go]


def retell(told: Told, loan: Loan, person_id: int) -> Told:
    """A loan at risk, as one of its two sees it: never who is late."""
    if person_id != loan.borrower_id:
        borrower = told.borrower_name.split()[0]
        waits = f"{borrower} waits for it" if loan.waits_since else f"{borrower} has been told"
        step, mine = f"Get it back first; {waits}", False
    elif loan.waits_since:
        step, mine = "You wait until it is back", False
    else:
        step, mine = "Wait for it, or let it go?", True
    return replace(
        told,
        state_kind="overdue",
        state_icon="clock-alert",
        state_words="At risk: it is not back yet",
        next_step=step,
        my_turn=mine,
    )


async def holders(tx: Tx, loans: Iterable[Loan]) -> Mapping[tuple[int, int], Loan]:
    """(community, tool) → the loan that has it in hand, for all tools of approved loans at once."""
    tools = {(o.community_id, o.tool_id) for o in loans if o.state == State.APPROVED}
    if not tools:
        return {}
    rows = await tx.scalars(
        queries.with_all().where(
            tuple_(Loan.community_id, Loan.tool_id).in_(sorted(tools)), Loan.state.in_(POSSESSED)
        )
    )
    return {(one.community_id, one.tool_id): one for one in rows}


async def next_after(tx: Tx, loans: Iterable[Loan], now: datetime) -> Sequence[Loan]:
    """Approved loans that begin soon, or have begun, of tools that are out in these loans."""
    tools = {(o.community_id, o.tool_id) for o in loans if State(o.state) in POSSESSED}
    if not tools:
        return []
    rows = await tx.scalars(
        select(Loan).where(
            tuple_(Loan.community_id, Loan.tool_id).in_(sorted(tools)),
            Loan.state == State.APPROVED,
            func.lower(Loan.period) <= now + BEFORE,
        )
    )
    return rows.all()


async def keeps_waiting(tx: Tx, loan: Loan, now: datetime) -> bool:
    """Whether somebody is to have the tool that this loan still has out; never who."""
    if not rules.is_late(loan, now):
        return False
    return any(at_risk(one, loan, now) for one in await next_after(tx, [loan], now))


async def of_act(tx: Tx, loan: Loan, act: Act, now: datetime) -> None:
    """What an act on one loan means for the other loans of its tool."""
    if act not in QUIET:
        await show_others(tx, loan, now)
    if act in WAKES:
        await tell(tx, loan, now)


async def tell(tx: Tx, loan: Loan, now: datetime) -> None:
    """Both of each loan at risk hear of it once, and who has the tool that somebody waits."""
    holder = await queries.holder(tx, loan.community_id, loan.tool_id)
    if holder is None:
        return
    rows = await tx.scalars(
        queries.with_all()
        .where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.state == State.APPROVED,
            func.lower(Loan.period) <= now + BEFORE,
        )
        .order_by(Loan.id)
    )
    for one in rows.all():
        if at_risk(one, holder, now):
            await news.tell(tx, one, Kind.AT_RISK, Who.BORROWER, now, due_at=one.start)
            await news.tell(tx, one, Kind.NEXT_WAITS, Who.LENDER, now, due_at=one.start)
            await news.tell(tx, holder, Kind.SOMEONE_WAITS, Who.BORROWER, now, due_at=one.start)


async def show_others(tx: Tx, loan: Loan, now: datetime) -> None:
    """Whose screens depend on this tool: who has it, is next soon, or proposes other dates."""
    proposed = exists().where(
        LoanChange.community_id == Loan.community_id,
        LoanChange.loan_id == Loan.id,
        LoanChange.state == ChangeState.OPEN,
    )
    soon = (Loan.state == State.APPROVED) & (func.lower(Loan.period) <= now + BEFORE)
    rows = await tx.execute(
        select(Loan.id, Loan.borrower_id, Loan.lender_id, Loan.keepers).where(
            Loan.community_id == loan.community_id,
            Loan.tool_id == loan.tool_id,
            Loan.state.in_((State.APPROVED, *POSSESSED)),
            Loan.id != loan.id,
            or_(soon, proposed, Loan.state.in_(POSSESSED)),
        )
    )
    for loan_id, borrower_id, lender_id, keepers in rows:
        touch(tx, topic.loan(loan.community_id, loan_id))
        for person_id in (borrower_id, lender_id, *keepers):
            if person_id is not None:
                touch(tx, topic.things(person_id), topic.waiting(person_id), topic.rooms(person_id))
