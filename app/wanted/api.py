"""What is wanted, for programs: the list, asking, answering, and ending it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from app import clock, db
from app.errors import NotFound
from app.http import idempotency, throttle
from app.http.schemas import ID_LIMIT, Key, Listed, Paged, cursor_after, problems
from app.people.doors import ApiCoordinator, ApiMember
from app.people.viewer import Viewer
from app.wanted import commands, queries
from app.wanted.shapes import Because, NewAnswer, NewWanted, WantedOut, shape

api = APIRouter(prefix="/api/v1/c/{slug}", tags=["wanted"])
WantedKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[12])]
AnswerKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[5])]


@api.get("/wanted", summary="What neighbours look for", responses=problems(422))
async def list_wanted(viewer: ApiMember, asked: Annotated[Paged, Query()]) -> Listed[WantedOut]:
    """The newest first: what is open, and of your own also what a tool was listed for."""
    async with db.snapshot() as tx:
        found = await queries.seen_by(
            tx, viewer, clock.now(), before=asked.cursor, limit=asked.limit + 1
        )
    page = found[: asked.limit]
    return Listed(
        items=[shape(one, viewer) for one in page],
        next=cursor_after(page[-1].id) if len(found) > len(page) else None,
    )


@api.post("/wanted", status_code=201, summary="Ask for a tool", responses=problems(409, 422, 429))
async def ask_all(request: Request, viewer: ApiMember, new: NewWanted, key: Key) -> WantedOut:
    """All neighbours see it for two weeks, or until its days are over."""
    await throttle.spend(f"wanted:{viewer.person_id}", "wanted", limit="30/hour")
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            text = commands.WantedText(new.words, new.category, new.days)
            made = await commands.ask(tx, text, viewer, clock.now())
            done = {"wanted_id": made.id}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        return await _one(tx, viewer, done["wanted_id"])


@api.post(
    "/wanted/{wanted_id}/end",
    status_code=204,
    summary="Take back what you ask for",
    responses=problems(),
)
async def take_wanted_back(viewer: ApiMember, wanted_id: WantedKey) -> None:
    async with db.begin() as tx:
        await commands.take_back(tx, wanted_id, viewer, clock.now())


@api.post(
    "/wanted/{wanted_id}/answers",
    status_code=201,
    summary="Say that you have one",
    responses=problems(409, 422, 429),
)
async def answer_wanted(viewer: ApiMember, wanted_id: WantedKey, new: NewAnswer) -> WantedOut:
    """One of each neighbour: a second time answers with the first. Then list the tool, with
    `answer`."""
    await throttle.spend(f"wanted:{viewer.person_id}", "answers", limit="60/hour")
    async with db.begin() as tx:
        await commands.answer(tx, wanted_id, new.words, viewer, clock.now())
        return await _one(tx, viewer, wanted_id)


@api.post(
    "/wanted/{wanted_id}/answers/{answer_id}/end",
    status_code=204,
    summary="Take an answer back",
    responses=problems(),
)
async def end_wanted_answer(viewer: ApiMember, wanted_id: WantedKey, answer_id: AnswerKey) -> None:
    """Your own one; for coordinators, any."""
    async with db.begin() as tx:
        await commands.end_answer(tx, wanted_id, answer_id, viewer, clock.now())


@api.post(
    "/wanted/{wanted_id}/report",
    status_code=204,
    summary="Show it to the coordinators",
    responses=problems(409, 422, 429),
)
async def report_wanted(viewer: ApiMember, wanted_id: WantedKey, why: Because) -> None:
    await throttle.spend(f"report:{viewer.person_id}", "report", limit="20/hour")
    async with db.begin() as tx:
        await commands.report(tx, wanted_id, why.reason, viewer, clock.now())


@api.post(
    "/wanted/{wanted_id}/removal",
    status_code=204,
    summary="Remove what somebody asks for",
    responses=problems(422),
)
async def remove_wanted(viewer: ApiCoordinator, wanted_id: WantedKey, why: Because) -> None:
    """For coordinators. Whoever asked for it is told, with the reason."""
    async with db.begin() as tx:
        await commands.remove(tx, wanted_id, why.reason, viewer, clock.now())


async def _one(tx: db.Tx, viewer: Viewer, wanted_id: int) -> WantedOut:
    found = await queries.one_for(tx, viewer, wanted_id, clock.now())
    if found is None:  # ended since
        raise NotFound
    return shape(found, viewer)
