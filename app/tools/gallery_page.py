"""The page where the photos of a tool are added, ordered and described."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse

from app import clock, db, pages
from app.errors import Refusal, mistyped
from app.http import problems, throttle
from app.loans import shelf
from app.people.doors import Member
from app.people.forms import Form as Typed
from app.people.viewer import Viewer
from app.tools import album, beforehand, gallery, photos, rules
from app.tools.photo import Photo

router = APIRouter()
Key = Annotated[int, Path(ge=1, lt=2**62)]


@router.get("/c/{slug}/tools/{tool_id}/photos")
async def album_page(request: Request, viewer: Member, tool_id: Key) -> Response:
    return await _page(request, viewer, tool_id, Typed())


@router.post("/c/{slug}/tools/{tool_id}/photos")
async def add(request: Request, viewer: Member, tool_id: Key) -> Response:
    """One photo or several. The page's script sends each by itself, with a client id."""
    async with db.snapshot() as tx:  # nobody else makes us decode anything
        await gallery.look(tx, tool_id, viewer)
    form = await request.form(max_files=album.PHOTOS_MOST, max_fields=10)
    sent = [one for one in form.getlist("photo") if isinstance(one, UploadFile) and one.filename]
    alt, named = str(form.get("alt") or ""), _named(str(form.get("client_id") or ""))
    try:
        if not sent:
            raise mistyped("photo", "There is no photo in it.", "Choose one first.")
        for upload in sent:
            photos.check_size(upload.size or 0)
            photo = await hang(
                viewer, tool_id, await upload.read(), alt, named if len(sent) == 1 else None
            )
    except Refusal as refusal:
        if problems.wants_json(request):
            raise
        return await _page(request, viewer, tool_id, Typed.again(refusal))
    if problems.wants_json(request):
        return JSONResponse({"id": photo.id, "name": photo.name}, 201)
    return _back(viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/photos/order")
async def order(
    request: Request, viewer: Member, tool_id: Key, ids: Annotated[str, Form(max_length=400)] = ""
) -> Response:
    """`ids`: all of them with commas, as they were dragged."""
    wanted = [int(one) for one in ids.split(",") if one.isascii() and one.isdecimal()]
    async with db.begin() as tx:
        await gallery.order(tx, tool_id, wanted, viewer, clock.now())
    return _done(request, viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/photos/{photo_id}/place")
async def place(
    viewer: Member,
    tool_id: Key,
    photo_id: Key,
    by: Annotated[int, Form(ge=-album.PHOTOS_MOST, le=album.PHOTOS_MOST)] = 0,
) -> Response:
    async with db.begin() as tx:
        await gallery.move(tx, tool_id, photo_id, by, viewer, clock.now())
    return _back(viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/photos/{photo_id}/words")
async def words(
    request: Request,
    viewer: Member,
    tool_id: Key,
    photo_id: Key,
    alt: Annotated[str, Form()] = "",
) -> Response:
    try:
        async with db.begin() as tx:
            await gallery.describe(tx, tool_id, photo_id, alt, viewer, clock.now())
    except Refusal as refusal:
        return await _page(request, viewer, tool_id, Typed.again(refusal, **{str(photo_id): alt}))
    return _done(request, viewer, tool_id)


@router.post("/c/{slug}/tools/{tool_id}/photos/{photo_id}/removal")
async def remove(viewer: Member, tool_id: Key, photo_id: Key) -> Response:
    async with db.begin() as tx:
        await gallery.remove(tx, tool_id, photo_id, viewer, clock.now())
    return _back(viewer, tool_id)


@router.post("/c/{slug}/photos")
async def lay_by(request: Request, viewer: Member) -> Response:
    """A photo of a tool that is not listed yet, by the script of that form, with a client id."""
    if refusal := rules.why_not_list(viewer):
        raise refusal
    form = await request.form(max_files=1, max_fields=10)
    upload, named = form.get("photo"), _named(str(form.get("client_id") or ""))
    if named is None or not isinstance(upload, UploadFile):
        raise mistyped("photo", "There is no photo in it.", "Choose one first.")
    photos.check_size(upload.size or 0)

    async def lay(tx: db.Tx, stored: photos.Stored) -> Photo:
        return await beforehand.lay_by(tx, stored, viewer, named, clock.now())

    photo = await _kept(viewer, await upload.read(), lay)
    return JSONResponse({"client_id": str(photo.client_id)}, 201)


async def hang(
    viewer: Viewer, tool_id: int, content: bytes, alt: str, named: uuid.UUID | None
) -> Photo:
    async def add(tx: db.Tx, stored: photos.Stored) -> Photo:
        photo = await gallery.add(tx, tool_id, stored, viewer, clock.now(), alt, named)
        if photo.name == stored.name:
            tool, _ = await gallery.look(tx, tool_id, viewer)
            await shelf.tell_parties(tx, tool)
        return photo

    return await _kept(viewer, content, add)


async def _kept(
    viewer: Viewer, content: bytes, act: Callable[[db.Tx, photos.Stored], Awaitable[Photo]]
) -> Photo:
    await throttle.spend(f"photo:{viewer.person_id}", "photo", limit="30/minute")
    stored, kept = await photos.store(content), False
    try:
        async with db.begin() as tx:
            photo = await act(tx, stored)
        kept = photo.name == stored.name
    finally:  # refused, or sent twice: nothing names these files
        if not kept:
            await photos.discard(stored)
    return photo


def _named(client_id: str) -> uuid.UUID | None:
    return next(iter(beforehand.client_ids(client_id)), None)


def _done(request: Request, viewer: Viewer, tool_id: int) -> Response:
    return Response(status_code=204) if problems.wants_json(request) else _back(viewer, tool_id)


def _back(viewer: Viewer, tool_id: int) -> Response:
    return pages.back_to(f"{viewer.here.path}/tools/{tool_id}/photos")


async def _page(request: Request, viewer: Viewer, tool_id: int, form: Typed) -> Response:
    here = viewer.here
    async with db.snapshot() as tx:
        tool, there = await gallery.look(tx, tool_id, viewer)
        return await pages.render(
            request,
            "tools/photos.html",
            tx=tx,
            status=form.status,
            tool={"path": f"{here.path}/tools/{tool.id}", "name": tool.name},
            photos=[
                {
                    "id": photo.id,
                    "alt": form.values.get(str(photo.id), photo.alt),
                    "url": f"{here.path}/photos/{photo.name}-480.webp",
                }
                for photo in there
            ],
            most=album.PHOTOS_MOST,
            why_not=gallery.why_not_add(len(there)),
            form=form,
        )
