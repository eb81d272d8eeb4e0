"""The pages' two buttons: to block somebody, and to end that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi import Form as Field
from starlette.responses import Response

from app import clock, db, pages
from app.http import idempotency, throttle
from app.members import blocks
from app.people import doors
from app.people.doors import MemberEvenSuspended, SignedIn
from app.people.models import PersonId
from app.people.viewer import Viewer

router = APIRouter()

Typed = Annotated[str, Field()]
PersonKey = Annotated[int, Path(ge=1, lt=2**62)]


@router.post("/c/{slug}/people/{person_id}/block")
async def block(
    request: Request,
    viewer: MemberEvenSuspended,
    person_id: PersonKey,
    idempotency_key: Typed = "",
    back: Typed = "",
) -> Response:
    async def act(tx: db.Tx) -> None:
        await blocks.block(tx, PersonId(person_id), viewer, clock.now())

    return await _once(request, viewer, idempotency_key, back or viewer.here.path, act)


@router.post("/profile/blocks/{person_id}/end")
async def unblock(
    request: Request,
    viewer: SignedIn,
    person_id: PersonKey,
    idempotency_key: Typed = "",
    back: Typed = "",
) -> Response:
    async def act(tx: db.Tx) -> None:
        await blocks.unblock(tx, PersonId(person_id), viewer)

    return await _once(request, viewer, idempotency_key, back or "/profile", act)


async def _once(
    request: Request,
    viewer: Viewer,
    key: str,
    back: str,
    act: Callable[[db.Tx], Awaitable[None]],
) -> Response:
    """The command, once per key, then the page on which the button stood."""
    await throttle.spend(f"block:{viewer.person_id}", "block", limit="30/minute")
    async with db.begin() as tx:
        named = idempotency.key_of(request, key)
        if await idempotency.recall(tx, viewer.person_id, request, named, {}) is None:
            await act(tx)
            await idempotency.keep(tx, viewer.person_id, request, named, {}, {"done": True})
    return pages.back_to(doors.inside(back))
