"""Photos in the talk: sending one, and seeing it, for those whose room it is."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from pydantic import Base64Bytes, ConfigDict, Field
from starlette.datastructures import FormData, UploadFile

from app import clock, db, pages
from app.chat import commands, queries, reports, rules, stretch, timeline
from app.chat.models import ConversationId, Message
from app.chat.shapes import MessageOut, message_out
from app.errors import NotFound, mistyped
from app.http import problems as answers
from app.http import throttle
from app.http.schemas import ID_LIMIT, Asked, problems
from app.loans import saying, talk
from app.people.doors import ApiMemberEvenSuspended, Coordinator, MemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import photos, showing

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["rooms"])
TINY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # noqa: E501
Key = Annotated[int, Path(ge=1, lt=ID_LIMIT)]
Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]


@router.post("/c/{slug}/rooms/{room_id}/photos")
async def send(request: Request, viewer: MemberEvenSuspended, room_id: Key) -> Response:
    """A photo, with words if there are any. The client id makes a retry the same message."""
    await _look(viewer, room_id)
    form = await request.form(max_files=1, max_fields=10)
    upload = form.get("photo")
    if not isinstance(upload, UploadFile) or not upload.filename:
        raise mistyped("photo", "There is no photo in it.", "Choose one first.")
    photos.check_size(upload.size or 0)
    said = await _send(viewer, room_id, await upload.read(), _text(form, "body"), _named(form))
    if answers.wants_json(request):
        return JSONResponse({"id": said.id, "revision": said.revision}, 201)
    return pages.back_to(timeline.path_of(viewer, room_id))


def _text(form: FormData, name: str) -> str:
    return str(form.get(name) or "")


def _named(form: FormData) -> uuid.UUID:
    try:
        return uuid.UUID(_text(form, "client_id")) if form.get("client_id") else uuid.uuid4()
    except ValueError:
        raise mistyped("client_id", "This form is broken.", "Reload the page.") from None


async def _look(viewer: Viewer, room_id: int) -> None:
    """Nobody else makes us decode anything."""
    async with db.snapshot() as tx:
        await commands.check_seat(
            tx, viewer.community_id, ConversationId(room_id), viewer.person_id
        )


async def _said(viewer: Viewer, room_id: int, body: str, named: uuid.UUID) -> Message | None:
    """The message there is already, if this is a retry; a refusal costs no decoding, either."""
    here, me, room = viewer.community_id, viewer.person_id, ConversationId(room_id)
    async with db.snapshot() as tx:
        if said := await commands.said_before(tx, here, room, me, body, named):
            return said
        if refusal := await talk.why_not_write_in(tx, room_id, viewer, clock.now()):
            raise refusal
    return None


async def _send(
    viewer: Viewer, room_id: int, content: bytes, body: str, named: uuid.UUID
) -> Message:
    await throttle.spend(f"photo:{viewer.person_id}", "photo", limit="30/minute")
    if said := await _said(viewer, room_id, body, named):
        return said
    stored, kept = await photos.store(content), False
    try:
        async with db.begin() as tx:
            now = clock.now()
            said = await saying.say(tx, room_id, body, viewer, now, named, picture=stored)
            kept = said.photo_name == stored.name
    finally:  # refused, or sent twice: nothing names these files
        if not kept:
            await photos.discard(stored)
    return said


@router.get("/c/{slug}/rooms/{room_id}/photos/{name}-{width}.{ending}", include_in_schema=False)
async def photo(
    request: Request,
    viewer: MemberEvenSuspended,
    room_id: Key,
    name: Name,
    width: int,
    ending: str,
) -> Response:
    async with db.snapshot() as tx:
        await _seen(tx, viewer, room_id, name)
    return await showing.shown(request, name, width, ending)


async def _seen(tx: db.Tx, viewer: Viewer, room_id: int, name: str) -> None:
    here = viewer.community_id
    seat = await queries.participant(tx, here, room_id, viewer.person_id)
    if seat is None or not await stretch.has_photo(tx, here, room_id, name):
        raise NotFound


@router.get("/c/{slug}/reports/{report_id}/{name}-{width}.{ending}", include_in_schema=False)
async def evidence(
    request: Request, viewer: Coordinator, report_id: Key, name: Name, width: int, ending: str
) -> Response:
    """For coordinators who have no part in it."""
    async with db.snapshot() as tx:
        found = await reports.reports_for(tx, viewer, only=report_id)
    if not found or found[0].photo_name != name:
        raise NotFound
    return await showing.shown(request, name, width, ending)


class NewPhoto(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"photo": TINY}]})

    photo: Base64Bytes = Field(description="JPEG, PNG or WebP, in base64")
    body: str = Field("", max_length=rules.LONGEST)
    client_id: uuid.UUID | None = Field(None, description="Sent again, it is the same message")


@api.post(
    "/rooms/{room_id}/photos",
    status_code=201,
    summary="Show a photo in a room",
    responses=problems(409, 422, 429),
)
async def send_photo(viewer: ApiMemberEvenSuspended, room_id: Key, new: NewPhoto) -> MessageOut:
    """Checked, made smaller, without what the camera has noted. Only for those whose room it is."""
    await _look(viewer, room_id)
    photos.check_size(len(new.photo))
    said = await _send(viewer, room_id, new.photo, new.body, new.client_id or uuid.uuid4())
    async with db.snapshot() as tx:
        found = await queries.message(tx, viewer.community_id, room_id, said.id)
        assert found is not None, "it was just said"
        return message_out(found, viewer.here)


@api.get(
    "/rooms/{room_id}/photos/{name}",
    summary="A photo of a room",
    response_class=FileResponse,
    responses=problems(),
)
async def room_photo(
    request: Request, viewer: ApiMemberEvenSuspended, room_id: Key, name: Name
) -> Response:
    """A JPEG of at most 1,200 pixels in width."""
    async with db.snapshot() as tx:
        await _seen(tx, viewer, room_id, name)
    return await showing.shown(request, name, *photos.FULL)
