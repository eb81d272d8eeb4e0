"""The photos of a tool as JSON."""

from __future__ import annotations

import uuid
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse
from pydantic import Base64Bytes, ConfigDict, Field

from app import clock, db
from app.http.schemas import ID_LIMIT, Answered, Asked, Id, Listed, ToolKey, problems
from app.people.doors import ApiMember, ApiMemberEvenSuspended
from app.people.viewer import Viewer
from app.tools import album, gallery, gallery_page, photos, queries, showing
from app.tools.photo import Photo

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
PhotoKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[3])]
Name = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
TINY = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="  # noqa: E501


class PhotoOut(Answered):
    id: int = Field(examples=[3])
    name: str = Field(examples=["0" * 32], description="By which it is fetched")
    width: int
    height: int
    alt: str = Field(examples=["The case, open"])
    client_id: uuid.UUID | None


class NewToolPhoto(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"photo": TINY, "alt": "The case"}]})

    photo: Base64Bytes = Field(description="JPEG, PNG or WebP, in base64")
    alt: str = Field("", max_length=album.ALT_LONGEST, description="What is seen on it")
    client_id: uuid.UUID | None = Field(None, description="Sent again, it is the same photo")


class PhotoOrder(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"ids": [12, 9]}]})

    ids: list[Id] = Field(max_length=album.PHOTOS_MOST, description="All, the cover first")


class PhotoWords(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"alt": "The case, open"}]})

    alt: str = Field(max_length=album.ALT_LONGEST)


@api.get("/tools/{tool_id}/photos", summary="A tool's photos", responses=problems())
async def photos_of(viewer: ApiMemberEvenSuspended, tool_id: ToolKey) -> Listed[PhotoOut]:
    """The cover first."""
    return await _listed(viewer, tool_id)


@api.get(
    "/photos/{name}",
    summary="A photo of a tool",
    response_class=FileResponse,
    responses=problems(),
)
async def photo(request: Request, viewer: ApiMemberEvenSuspended, name: Name) -> Response:
    """A JPEG of at most 1,200 pixels in width, for who may see its tool."""
    async with db.snapshot() as tx:
        kept = await queries.photo_for(tx, viewer, name)
    return await showing.shown(request, kept.name, *photos.FULL)


@api.post(
    "/tools/{tool_id}/photos",
    status_code=201,
    summary="Add a photo to your tool",
    responses=problems(409, 422, 429),
)
async def add_photo(viewer: ApiMember, tool_id: ToolKey, new: NewToolPhoto) -> PhotoOut:
    """Checked, made smaller, without what the camera has noted; at most eight a tool."""
    async with db.snapshot() as tx:
        await gallery.look(tx, tool_id, viewer)
    photos.check_size(len(new.photo))
    return shape(await gallery_page.hang(viewer, tool_id, new.photo, new.alt, new.client_id))


@api.post(
    "/tools/{tool_id}/photos/order",
    summary="Order your tool's photos",
    responses=problems(409, 422),
)
async def order_photos(viewer: ApiMember, tool_id: ToolKey, wanted: PhotoOrder) -> Listed[PhotoOut]:
    async with db.begin() as tx:
        await gallery.order(tx, tool_id, wanted.ids, viewer, clock.now())
    return await _listed(viewer, tool_id)


@api.patch(
    "/tools/{tool_id}/photos/{photo_id}",
    summary="Say what is seen on a photo",
    responses=problems(409, 422),
)
async def describe_photo(
    viewer: ApiMember, tool_id: ToolKey, photo_id: PhotoKey, said: PhotoWords
) -> PhotoOut:
    async with db.begin() as tx:
        return shape(await gallery.describe(tx, tool_id, photo_id, said.alt, viewer, clock.now()))


@api.post(
    "/tools/{tool_id}/photos/{photo_id}/removal",
    summary="Take a photo away",
    responses=problems(409),
)
async def remove_photo(viewer: ApiMember, tool_id: ToolKey, photo_id: PhotoKey) -> Listed[PhotoOut]:
    async with db.begin() as tx:
        await gallery.remove(tx, tool_id, photo_id, viewer, clock.now())
    return await _listed(viewer, tool_id)


async def _listed(viewer: Viewer, tool_id: int) -> Listed[PhotoOut]:
    async with db.snapshot() as tx:
        tool = await queries.tool_for(tx, viewer, tool_id)
        found = await album.photos_of(tx, tool)
    return Listed(items=[shape(one) for one in found], next=None)


def shape(one: Photo) -> PhotoOut:
    return PhotoOut(
        id=one.id,
        name=one.name,
        width=one.width,
        height=one.height,
        alt=one.alt,
        client_id=one.client_id,
    )
