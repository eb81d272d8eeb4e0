"""Keeping and ending a watch of a search: from the board, and as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Form, Path, Request, Response
from pydantic import ConfigDict, Field

from app import clock, db, pages
from app.board import watching
from app.board.search import Search
from app.http import idempotency, throttle
from app.http.schemas import ID_LIMIT, Answered, Asked, Key, Listed, problems
from app.people import doors
from app.people.doors import ApiMember, Member
from app.people.viewer import Viewer
from app.tools.watches import Watch

router = APIRouter()
api = APIRouter(prefix="/api/v1/c/{slug}", tags=["tools"])
WatchKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[4])]
Text = Annotated[str, Form(max_length=400)]
Back = Annotated[str, Form(max_length=2000)]  # letters of a search are many more in an address


@router.post("/c/{slug}/watches")
async def keep(viewer: Member, q: Text = "", category: Text = "", back: Back = "") -> Response:
    """Kept twice it is one watch, so the form needs no key."""
    await throttle.spend(f"watch:{viewer.person_id}", "watch", limit="60/hour")
    async with db.begin() as tx:
        await watching.keep(tx, Search.typed(q, category, free=False), viewer, clock.now())
    return pages.back_to(doors.inside(back or f"{viewer.here.path}/things"))


@router.get("/c/{slug}/watches/{watch_id}")
async def see(viewer: Member, watch_id: WatchKey) -> Response:
    """Where its notice leads: the search, with all that fits and is free by now."""
    async with db.snapshot() as tx:
        watch = await watching.one_of(tx, watch_id, viewer)
    return pages.back_to(watching.path_of(watch, viewer.here))


@router.post("/c/{slug}/watches/{watch_id}/end")
async def end(viewer: Member, watch_id: WatchKey, back: Back = "") -> Response:
    async with db.begin() as tx:
        await watching.end(tx, watch_id, viewer)
    return pages.back_to(doors.inside(back or f"{viewer.here.path}/things"))


class NewWatch(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"q": "pressure washer"}]})

    q: str = Field("", max_length=100, description="Words as in a search of the board")
    category: str = Field("", max_length=40, pattern="^[a-z0-9-]*$", description="Its slug")


class WatchOut(Answered):
    id: int = Field(examples=[4])
    q: str = Field(examples=["pressure washer"])
    category: str | None = Field(examples=["cleaning"])
    since: datetime


@api.get("/watches", summary="The searches that you watch", responses=problems())
async def watches(viewer: ApiMember) -> Listed[WatchOut]:
    async with db.snapshot() as tx:
        kept = await watching.kept_by(tx, viewer)
    return Listed(items=[_shape(one, viewer) for one in kept], next=None)


@api.post("/watches", status_code=201, summary="Watch a search", responses=problems(409, 422, 429))
async def watch_search(request: Request, viewer: ApiMember, new: NewWatch, key: Key) -> WatchOut:
    """You are told when a tool that fits is listed or comes free, at most once a day."""
    await throttle.spend(f"watch:{viewer.person_id}", "watch", limit="60/hour")
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            search = Search.typed(new.q, new.category, free=False)
            made = await watching.keep(tx, search, viewer, clock.now())
            done = {"watch_id": made.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        return _shape(await watching.one_of(tx, done["watch_id"], viewer), viewer)


@api.post("/watches/{watch_id}/end", status_code=204, summary="End a watch", responses=problems())
async def end_watch(viewer: ApiMember, watch_id: WatchKey) -> None:
    async with db.begin() as tx:
        await watching.end(tx, watch_id, viewer)


def _shape(watch: Watch, viewer: Viewer) -> WatchOut:
    return WatchOut(
        id=watch.id,
        q=watch.words,
        category=watch.category or None,
        since=watch.created_at.astimezone(viewer.here.zone),
    )
