"""Waiting for a tool, on its page: joining the line, leaving it, answering an offer, moving."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from app import clock, db, pages
from app.board.tool_page import ToolKey, tool_page_with
from app.errors import Refusal, mistyped
from app.http import idempotency, problems
from app.loans import periods, waitlist
from app.people.doors import MemberEvenSuspended
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools.models import Tool

router = APIRouter()
Text = Annotated[str, Form()]
LIKE = Annotated[int, Form(ge=0, lt=2**62)]


@router.post("/c/{slug}/tools/{tool_id}/waitlist")
async def join(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    idempotency_key: Text = "",
    wait_start: Text = "",
    wait_end: Text = "",
    wait_days: Text = "",
    like: LIKE = 0,
) -> Response:
    """For days, for any days, or (`like`) for the dates that one has asked for in vain."""
    typed = {"wait_start": wait_start, "wait_end": wait_end, "wait_days": wait_days}

    async def act(tx: db.Tx, now: datetime) -> object:
        if like:
            return await waitlist.join_like(tx, tool_id, like, viewer, now)
        if wait_days and not wait_start:
            days = _number("days", wait_days)
            return await waitlist.join(tx, tool_id, viewer, now, days=days)
        period = periods.period_from(wait_start, wait_end, "", "", viewer.here.zone)
        return await waitlist.join(tx, tool_id, viewer, now, period=period)

    try:
        await _once(request, viewer, idempotency_key, {**typed, "like": str(like)}, act)
    except Refusal as refusal:
        if problems.is_htmx(request) or like:  # the form on the page still holds what was typed
            raise
        form = Typed.again(refusal, **typed)
        return await tool_page_with(request, viewer, tool_id, free=refusal.free, waiting=form)
    return _back(viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/waitlist/end")
async def leave(
    request: Request, viewer: MemberEvenSuspended, tool_id: ToolKey, idempotency_key: Text = ""
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> Tool:
        return await waitlist.leave(tx, tool_id, viewer, now)

    await _once(request, viewer, idempotency_key, {}, act)
    return _back(viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/waitlist/offer/acceptance")
async def accept(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    idempotency_key: Text = "",
    accept_safety: Text = "",
) -> Response:
    """Leads to the room of the loan that it has become."""

    async def act(tx: db.Tx, now: datetime) -> dict[str, int]:
        read = bool(accept_safety)
        return {"loan_id": (await waitlist.accept(tx, tool_id, viewer, now, accept_safety=read)).id}

    done = await _once(request, viewer, idempotency_key, {}, act)
    return pages.back_to(f"{viewer.here.path}/loans/{done['loan_id']}")


@router.post("/c/{slug}/tools/{tool_id}/waitlist/offer/refusal")
async def decline(
    request: Request, viewer: MemberEvenSuspended, tool_id: ToolKey, idempotency_key: Text = ""
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> Tool:
        return await waitlist.decline(tx, tool_id, viewer, now)

    await _once(request, viewer, idempotency_key, {}, act)
    return _back(viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/waitlist/order")
async def move(
    request: Request,
    viewer: MemberEvenSuspended,
    tool_id: ToolKey,
    idempotency_key: Text = "",
    person: LIKE = 0,
    place: Text = "",
    reason: Text = "",
) -> Response:
    async def act(tx: db.Tx, now: datetime) -> Tool:
        to = _number("place", place)
        return await waitlist.move(tx, tool_id, person, to, viewer, now, reason)

    said = {"person": str(person), "place": place, "reason": reason}
    await _once(request, viewer, idempotency_key, said, act)
    return _back(viewer, tool_id)


async def _once(
    request: Request,
    viewer: Viewer,
    key: str,
    body: dict[str, str],
    act: Callable[[db.Tx, datetime], Awaitable[object]],
) -> dict[str, int]:
    """One command, once per key."""
    async with db.begin() as tx:
        named = idempotency.key_of(request, key)
        done = await idempotency.recall(tx, viewer.person_id, request, named, body)
        if done is None:
            made = await act(tx, clock.now())
            done = made if isinstance(made, dict) else {}
            await idempotency.keep(tx, viewer.person_id, request, named, body, done)
    return done


def _number(name: str, typed: str) -> int:
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 4):
        raise mistyped(name, "That is not a number.", "Write it like 2.")
    return int(typed)


def _back(viewer: Viewer, tool_id: int) -> Response:
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}")
