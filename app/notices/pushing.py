"""What a page says about its browser: ring here, ring here no more."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from starlette.responses import JSONResponse, Response

from app import clock, db, push
from app.errors import Refusal
from app.http import throttle
from app.notices import devices
from app.people.doors import SignedCookie, SignedIn

router = APIRouter()
Typed = Annotated[str, Form(max_length=push.ENDPOINT_LENGTH)]


@router.get("/push/key")
async def key(viewer: SignedIn) -> Response:
    async with db.snapshot() as tx:
        private = await devices.kept_key(tx)
    if private is None:  # the instance starts for the first time
        raise Refusal("Push is not ready yet.", "Please try again in a moment.", status=503)
    return JSONResponse({"key": push.public_text(private)})


@router.post("/push/subscription", status_code=204)
async def subscribe(
    viewer: SignedIn,
    found: SignedCookie,
    endpoint: Typed = "",
    public_key: Typed = "",
    auth: Typed = "",
) -> None:
    assert found is not None, "SignedIn has seen to it"
    await throttle.spend(f"push:{viewer.person_id}", "push", limit="30/minute")
    target = push.check(endpoint, public_key, auth)
    async with db.begin() as tx:
        await devices.subscribe(tx, viewer.person_id, found.key_hash, target, clock.now())


@router.post("/push/subscription/end", status_code=204)
async def unsubscribe(viewer: SignedIn, endpoint: Typed = "") -> None:
    async with db.begin() as tx:
        await devices.unsubscribe(tx, viewer.person_id, endpoint)
