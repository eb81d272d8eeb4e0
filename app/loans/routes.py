"""The room of a loan: what was said, what it is now, and a button for each act."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from app import clock, db, pages, topic
from app.chat import company, timeline
from app.chat.models import Message
from app.chat.timeline import Where
from app.errors import Refusal, mistyped
from app.http import idempotency, problems, throttle
from app.loans import (
    cards,
    commands,
    handover,
    help,
    patience,
    queries,
    questions,
    saying,
    settling,
    telling,
    trust,
)
from app.loans.models import Loan
from app.members import blocks as member_blocks
from app.people import blocks
from app.people.doors import MemberEvenSuspended
from app.people.viewer import Viewer

router = APIRouter()
router.include_router(settling.router)
router.include_router(help.router)
LoanKey = Annotated[int, Path(ge=1, lt=2**62)]
Birth = Annotated[int | None, Query(ge=0, lt=2**62)]


@router.get("/c/{slug}/loans/{loan_id}")
async def room(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    before: Birth = None,
    after: Birth = None,
    at: Birth = None,
    answer: Birth = None,
) -> Response:
    """The room of the two: what the loan is now, what was said, what can be done.

    `at`, `before` and `after` open another page of what was said; `answer` quotes a message.
    """
    return await _room(request, viewer, loan_id, Typed(quotes=answer), Where(at, before, after))


@dataclass(frozen=True)
class Typed:
    """What stands in the box: words that could not be taken, and why; what they answer."""

    body: str = ""
    error: str = ""
    status: int = 200
    quotes: int | None = None


async def _room(
    request: Request, viewer: Viewer, loan_id: int, typed: Typed, where: Where
) -> Response:
    async with db.snapshot() as tx:
        loan = await queries.loan_for(tx, viewer, loan_id)
        told = telling.tell(loan, viewer.here, viewer.person_id, clock.now(), viewer.locale)
        here, room_id = loan.community_id, loan.conversation_id
        name = _other_name(told, loan, viewer)
        return await pages.render(
            request,
            "loans/page.html",
            tx=tx,
            status=typed.status,
            loan=told,
            other_name=name,
            block=await _block_button(tx, viewer, loan, name, told.path),
            trust=await trust.button(tx, viewer, loan, told.path),
            loan_html=await pages.region(request, tx, topic.loan(here, loan.id)),
            handover_html=await pages.region(request, tx, topic.handover(here, loan.id)),
            similar_html=await pages.region(request, tx, topic.similar(here, loan.id)),
            amends_html=await pages.region(request, tx, topic.amends(here, loan.id)),
            writing_html=await pages.region(request, tx, topic.writing(here, loan.id)),
            **await questions.beside(tx, viewer, room_id),
            seen_html=await pages.region(request, tx, topic.seen(here, room_id)),
            **await _of_other(tx, viewer, loan),
            talk=await timeline.opened(tx, viewer, room_id, told.path, where, cards.cards),
            delivered_html=await pages.region(request, tx, topic.delivered(here, loan.id)),
            composer={
                "client_id": uuid.uuid4(),
                "body": typed.body,
                "error": typed.error,
                "quoted": await timeline.quotable(tx, viewer, room_id, typed.quotes),
            },
        )


async def _of_other(tx: db.Tx, viewer: Viewer, loan: Loan) -> dict[str, Any]:
    """What one sees of whom one talks with; a mediator talks with two."""
    mediates = viewer.person_id == loan.mediator_id
    other = None if mediates else loan.other_than(viewer.person_id)
    return await company.of_other(tx, viewer, other)


def _other_name(told: telling.Told, loan: Loan, viewer: Viewer) -> str:
    """Whom one talks with here; a mediator talks with both."""
    if viewer.person_id == loan.mediator_id:
        return f"{told.lender_name} and {told.borrower_name}"
    return told.borrower_name if loan.lent_by(viewer.person_id) else told.lender_name


async def _block_button(
    tx: db.Tx, viewer: Viewer, loan: Loan, name: str, back: str
) -> telling.Action | None:
    if viewer.person_id == loan.mediator_id:
        return None
    other = loan.other_than(viewer.person_id)
    apart = await blocks.between(tx, viewer.person_id, [other])
    key = pages.fresh_key()
    return await member_blocks.button(tx, viewer, other, name, apart, key, back)


@dataclass(frozen=True)
class Press:
    """A button of a room, pressed: by whom, on which loan, and what the form said."""

    request: Request
    viewer: Viewer
    loan_id: int
    key: str
    version: int | None
    reason: str
    place: str
    back: str


async def press(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    idempotency_key: Annotated[str, Form()] = "",
    version: Annotated[int | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
    place: Annotated[str, Form()] = "",
    back: Annotated[str, Form()] = "",
) -> Press:
    return Press(request, viewer, loan_id, idempotency_key, version, reason, place, back)


Pressed = Annotated[Press, Depends(press)]


async def _act(by: Press, act: Callable[..., Awaitable[Loan]], **more: str) -> Response:
    """One command, once per key, then the page on which the button stood."""
    body = {"version": str(by.version), **more}
    viewer, request = by.viewer, by.request
    async with db.begin() as tx:
        key = idempotency.key_of(request, by.key)
        seen = await idempotency.recall(tx, viewer.person_id, request, key, body)
        if seen is None:
            loan = await act(tx, by.loan_id, viewer, clock.now(), version=by.version, **more)
            seen = {"loan_id": by.loan_id, "tool_id": loan.tool_id}
            await idempotency.keep(tx, viewer.person_id, request, key, body, seen)
    # "My things" holds the loans of all communities, so it looks the same under each of them.
    there = "things" if by.back == "things" else f"loans/{by.loan_id}"
    if by.back == "tool" and "tool_id" in seen:
        there = f"tools/{seen['tool_id']}"
    return pages.back_to(f"{viewer.here.path}/{there}")


@router.post("/c/{slug}/loans/{loan_id}/approval")
async def approve(by: Pressed) -> Response:
    return await _act(by, commands.approve)


@router.post("/c/{slug}/loans/{loan_id}/refusal")
async def decline(by: Pressed) -> Response:
    return await _act(by, commands.decline, reason=by.reason)


@router.post("/c/{slug}/loans/{loan_id}/withdrawal")
async def withdraw(by: Pressed) -> Response:
    return await _act(by, commands.withdraw)


@router.post("/c/{slug}/loans/{loan_id}/cancellation")
async def cancel(by: Pressed) -> Response:
    return await _act(by, commands.cancel, reason=by.reason)


@router.post("/c/{slug}/loans/{loan_id}/handover")
async def hand_over(by: Pressed) -> Response:
    return await _act(by, handover.hand_over)


@router.post("/c/{slug}/loans/{loan_id}/no-show")
async def no_show(by: Pressed) -> Response:
    return await _act(by, handover.no_show)


@router.post("/c/{slug}/loans/{loan_id}/return-claim")
async def claim_return(by: Pressed) -> Response:
    return await _act(by, handover.claim_return, place=by.place)


@router.post("/c/{slug}/loans/{loan_id}/return-claim/end")
async def not_here(by: Pressed) -> Response:
    return await _act(by, handover.not_here)


@router.post("/c/{slug}/loans/{loan_id}/return")
async def take_back(by: Pressed) -> Response:
    return await _act(by, handover.take_back)


@router.post("/c/{slug}/loans/{loan_id}/wait")
async def wait(by: Pressed) -> Response:
    return await _act(by, patience.wait)


@router.post("/c/{slug}/loans/{loan_id}/fetched")
async def fetched(by: Pressed) -> Response:
    return await _act(by, patience.fetched)


@router.post("/c/{slug}/loans/{loan_id}/messages")
async def say(
    request: Request,
    viewer: MemberEvenSuspended,
    loan_id: LoanKey,
    body: Annotated[str, Form()] = "",
    client_id: Annotated[str, Form()] = "",
    quotes: Annotated[int | None, Form(ge=1, lt=2**62)] = None,
) -> Response:
    """The client id makes a retry the same message; each drawn form brings a fresh one."""
    try:
        await throttle.spend(f"say:{viewer.person_id}", "say", limit="60/minute")
        said = await _say(viewer, loan_id, body, client_id, quotes)
    except Refusal as refusal:
        if problems.wants_json(request):  # the page keeps the words, and says why
            raise
        why = " ".join(part for part in (refusal.sentence, refusal.way_out) if part)
        typed = Typed(body, why, refusal.status, quotes)
        return await _room(request, viewer, loan_id, typed, Where())
    if problems.wants_json(request):
        return JSONResponse({"id": said.id, "revision": said.revision}, 201)
    return pages.back_to(f"{viewer.here.path}/loans/{loan_id}")


async def _say(
    viewer: Viewer, loan_id: int, body: str, client_id: str, quotes: int | None
) -> Message:
    try:
        named = uuid.UUID(client_id) if client_id else uuid.uuid4()
    except ValueError:
        raise mistyped("client_id", "This form is broken.", "Reload the page.") from None
    async with db.begin() as tx:
        room = (await queries.loan_for(tx, viewer, loan_id)).conversation_id
        return await saying.say(tx, room, body, viewer, clock.now(), named, quotes=quotes)
