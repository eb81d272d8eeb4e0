"""Other dates for a loan on pages: a form that keeps what was typed, and the answers to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Request, Response

from app import clock, db, pages, words
from app.errors import Refusal, Span, mistyped
from app.http import idempotency
from app.http.schemas import ID_LIMIT, LoanKey
from app.loans import changes, periods, proposals, queries, rules
from app.loans.models import Loan
from app.loans.once import once
from app.loans.proposal import LoanChange
from app.loans.states import Act, State
from app.loans.telling import Action
from app.people.doors import MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Here, Viewer
from app.tools import lending

router = APIRouter()
ChangeKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[5])]
Field_ = Annotated[str, Form()]
Answer = Callable[..., Awaitable[LoanChange]]
TYPED = ("start", "start_time", "end", "end_time", "note")


@router.get("/c/{slug}/loans/{loan_id}/changes")
async def form(request: Request, viewer: MemberEvenSuspended, loan_id: LoanKey) -> Response:
    """Which dates instead? Filled in with what is agreed on now."""
    return await _page(request, viewer, loan_id, None)


@router.post("/c/{slug}/loans/{loan_id}/changes")
async def propose(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    start: Field_ = "",
    start_time: Field_ = "",
    end: Field_ = "",
    end_time: Field_ = "",
    note: Field_ = "",
    idempotency_key: Field_ = "",
    version: Annotated[int | None, Form()] = None,
) -> Response:
    typed = dict(zip(TYPED, (start, start_time, end, end_time, note), strict=True))
    try:
        async with db.begin() as tx:
            key = idempotency.key_of(request, idempotency_key)
            if await idempotency.recall(tx, viewer.person_id, request, key, typed) is None:
                loan = await queries.loan_for(tx, viewer, loan_id)
                dates, now = _period(loan, typed, viewer.here), clock.now()
                await changes.propose(tx, loan_id, viewer, now, *dates, note, version)
                done = {"loan_id": loan_id}
                await idempotency.keep(tx, viewer.person_id, request, key, typed, done)
    except Refusal as refusal:
        again = Typed.again(refusal, **typed)
        return await _page(request, viewer, loan_id, again, refusal.free)
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


def _period(loan: Loan, typed: dict[str, str], here: Here) -> tuple[datetime | None, datetime]:
    """What was typed; what looks as it was agreed on is what was agreed on, to the second."""
    zone, out = here.zone, loan.state == State.OUT
    if not typed["end"]:
        raise mistyped("end", "Choose a day.")
    first = clock.local_day(loan.start, zone).isoformat() if out else typed["start"]
    from_ = "" if out else typed["start_time"]
    start, end = periods.period_from(first, typed["end"], from_, typed["end_time"], zone)
    now = _filled(loan, here)
    if out or all(typed[name] == now[name] for name in ("start", "start_time")):
        start = loan.start
    if all(typed[name] == now[name] for name in ("end", "end_time")):
        end = loan.end
    return start, end


def _filled(loan: Loan, here: Here) -> dict[str, str]:
    """The form's fields as the loan has it: whole days have no times."""
    zone = here.zone
    start, end = loan.start.astimezone(zone), loan.end.astimezone(zone)
    whole = clock.is_midnight(loan.end, zone)
    last = clock.local_day(loan.end - timedelta(microseconds=1), zone) if whole else end.date()
    return {
        "start": start.date().isoformat(),
        "start_time": "" if clock.is_midnight(loan.start, zone) else f"{start:%H:%M}",
        "end": last.isoformat(),
        "end_time": "" if whole else f"{end:%H:%M}",
        "note": "",
    }


async def _page(
    request: Request, viewer: Viewer, loan_id: int, typed: Typed | None, free: Sequence[Span] = ()
) -> Response:
    here, now = viewer.here, clock.now()
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        shown = replace(typed or Typed(values=_filled(loan, here)), key=pages.fresh_key())
        why_not = rules.why_not(Act.CHANGE, loan, viewer, now)
        if why_not is None and await proposals.open_of(tx, loan) is not None:
            why_not = Refusal("Other dates are proposed already.", "Answer that first.")
        today = clock.local_day(now, here.zone)
        ahead = (today + timedelta(days=loan.tool.lending.horizon_days)).isoformat()
        return await pages.render(
            request,
            "loans/changes.html",
            tx=tx,
            status=shown.status,
            loan={
                "path": f"{here.path}/loans/{loan.id}",
                "tool_name": loan.tool.name,
                "version": loan.version,
                "out": loan.state == State.OUT,
                "since": words.since(loan.start, here.zone, viewer.locale, now),
                "period_words": words.period(loan.start, loan.end, here.zone, viewer.locale, now),
            },
            other=_other(loan, viewer),
            rules=lending.in_words(loan.tool.lending, here.currency, viewer.locale),
            lends=proposals.lends(loan, viewer),
            quick=[] if why_not else await _quick(tx, loan, viewer, now),
            why_not=why_not,
            form=shown,
            free=free,
            today=today.isoformat(),
            horizon=max(ahead, _filled(loan, here)["end"]),
        )


def _other(loan: Loan, viewer: Viewer) -> str:
    lends = loan.lent_by(viewer.person_id)
    name = (loan.borrower.name if loan.borrower else loan.borrower_name) if lends else None
    return (name or loan.lender.name).split()[0]


async def _quick(tx: db.Tx, loan: Loan, viewer: Viewer, now: datetime) -> list[Action]:
    """One tap each; what the next loan stands in the way of is greyed, with the free dates."""
    here = viewer.here
    today = clock.local_day(now, here.zone)
    tonight = clock.days(today, today, here.zone)[1]
    longer = clock.days_later(loan.end, 1, here.zone, last=True) if loan.end > now else tonight
    label = "One day longer" if loan.end > now else "Until the end of today"
    wanted = [(label, (loan.start, longer))]
    earlier = clock.days_later(loan.start, -1, here.zone)
    if loan.state == State.APPROVED and earlier > now:
        wanted.append(("Fetch it a day earlier", (earlier, loan.end)))
    made = []
    for words_, period in wanted:
        why_not = proposals.why_not_period(loan, period, viewer, now)
        if why_not is None:
            why_not = await changes.why_not_free(tx, loan, period, here, viewer.locale, now)
        as_if = Loan(period=type(loan.period)(*period))
        made.append(
            Action(
                words_,
                f"{here.path}/loans/{loan.id}/changes",
                "quiet",
                why_not,
                key=f"quick-{loan.id}-{loan.version}-{pages.fresh_key()}",
                fields={**_filled(as_if, here), "version": loan.version},
            )
        )
    return made


@dataclass(frozen=True)
class Press:
    """A button that answers a proposal, on a page: by whom, to which, and where it stood."""

    request: Request
    viewer: Viewer
    loan_id: int
    change_id: int
    key: str
    back: str


async def _press(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    change_id: ChangeKey,
    idempotency_key: Field_ = "",
    back: Field_ = "",
) -> Press:
    return Press(request, viewer, loan_id, change_id, idempotency_key, back)


Pressed = Annotated[Press, Depends(_press)]


@router.post("/c/{slug}/loans/{loan_id}/changes/{change_id}/acceptance")
async def agree(by: Pressed) -> Response:
    return await _answer(by, changes.agree)


@router.post("/c/{slug}/loans/{loan_id}/changes/{change_id}/refusal")
async def refuse(by: Pressed) -> Response:
    return await _answer(by, changes.refuse)


@router.post("/c/{slug}/loans/{loan_id}/changes/{change_id}/withdrawal")
async def withdraw(by: Pressed) -> Response:
    return await _answer(by, changes.withdraw)


async def _answer(by: Press, answer: Answer) -> Response:
    """Once per key, then the page on which the button stood."""
    async with db.begin() as tx:

        async def say() -> object:
            return await answer(tx, by.loan_id, by.change_id, by.viewer, clock.now())

        await once(tx, by.request, by.viewer, idempotency.key_of(by.request, by.key), {}, say)
    there = "things" if by.back == "things" else f"loans/{by.loan_id}"
    return pages.back_to(f"{by.viewer.here.path}/{there}")
