"""The instance's part of the JSON API: an account, a token, one's communities and blocks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from pydantic import ConfigDict, Field

from app import clock, db
from app.http import idempotency, throttle
from app.http.schemas import (
    ID_LIMIT,
    Answered,
    Asked,
    Id,
    Key,
    Listed,
    Named,
    Paged,
    cursor_after,
    problems,
)
from app.members import blocks as member_blocks
from app.people import addresses, blocks, mail_links, queries, sessions
from app.people.doors import Token, TokenHolder
from app.people.entrance import Invited, come_in, proven
from app.people.models import PersonId, Role, Status
from app.people.viewer import Viewer

api = APIRouter(prefix="/api/v1", tags=["people"])
PersonKey = Annotated[int, Path(ge=1, lt=ID_LIMIT, examples=[3])]


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Only these: what needs no token can do without 401, 403 and 404."""
    return {status: told for status, told in problems(*statuses).items() if status in statuses}


class NewPerson(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "Ben",
                    "email": "ben@example.org",
                    "password": "seven quiet hammers",
                    "code": "QXJ4-7TNA-M2PC",
                }
            ]
        }
    )

    name: str = Field(max_length=400)
    email: str = Field(max_length=400)
    password: str = Field(max_length=400)
    code: str = Field(max_length=80, description="The code of a link to join")


class PersonOut(Answered):
    id: int = Field(examples=[2])
    name: str = Field(examples=["Ben"])
    communities: list[str] = Field(examples=[["elm"]], description="Slugs")


class Credentials(Asked):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ben@example.org", "password": "seven quiet hammers"}]
        }
    )

    email: str = Field(max_length=400)
    password: str = Field(max_length=400)


class TokenOut(Answered):
    token: str = Field(description="Send it as `Authorization: Bearer …`")
    expires_at: datetime = Field(
        description="Moves on with each use", examples=["2026-06-02T09:30:00Z"]
    )


class CommunityOut(Answered):
    slug: str = Field(examples=["elm"])
    name: str = Field(examples=["Elm Street"])
    zone: str = Field(examples=["Europe/London"])
    role: Role
    currency: str = Field(examples=["EUR"])
    status: Status


@api.post(
    "/people",
    status_code=201,
    summary="Sign up through an invitation",
    responses=refusals(422, 429),
)
async def sign_up(request: Request, new: NewPerson) -> PersonOut:
    """Who has an account already and gives its password just joins."""
    by = Invited(new.code)
    standing = await come_in(request, new.email, new.name, new.password, by, clock.now())
    async with db.snapshot() as tx:
        person = await queries.person(tx, standing.person_id)
        slugs = await queries.slugs_of(tx, person.id)
    return PersonOut(id=person.id, name=person.name, communities=slugs)


@api.post(
    "/tokens",
    status_code=201,
    summary="A token for this API",
    responses=refusals(422, 429),
)
async def issue_token(request: Request, response: Response, who: Credentials) -> TokenOut:
    """It ends after 30 days without use, with a new password, and with a suspension."""
    proof = await proven(request, who.email, who.password)
    async with db.begin() as tx:
        token, expires_at = await sessions.issue_token(tx, proof, clock.now())
    response.headers["Cache-Control"] = "no-store"
    return TokenOut(token=token, expires_at=expires_at)


@api.post(
    "/tokens/end",
    status_code=204,
    summary="End the token that this call carries",
    responses=refusals(401),
)
async def end_token(found: Token) -> None:
    async with db.begin() as tx:
        await sessions.end_token(tx, found.key_hash)


class Forgotten(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"email": "ben@example.org"}]})

    email: str = Field(max_length=400)


@api.post(
    "/passwords/forgotten",
    status_code=202,
    summary="Ask for a link to choose a new password",
    responses=refusals(409, 422, 429),
)
async def forgotten(request: Request, who: Forgotten) -> None:
    """It goes out by mail. Whether anybody has this address, the answer does not say."""
    await addresses.spend_reset(request, who.email)
    async with db.begin() as tx:
        await mail_links.ask_reset(tx, who.email, clock.now())


@api.post(
    "/email/confirmation",
    status_code=202,
    summary="Ask for the link that proves your address",
    responses=refusals(401, 409, 429),
)
async def ask_confirm(viewer: TokenHolder) -> None:
    """It goes out by mail. For an address that is proved it does nothing."""
    await addresses.send_confirmation(viewer)


@api.get(
    "/communities",
    summary="The communities you are in",
    responses=refusals(401),
)
async def communities(found: Token) -> Listed[CommunityOut]:
    """All of them, and where you wait to be let in; there is never a second page."""
    return Listed(
        next=None,
        items=[
            CommunityOut(
                slug=community.slug,
                name=community.name,
                zone=community.zone,
                role=Role(standing.role),
                currency=community.currency,
                status=Status(standing.status),
            )
            for community, standing in found.places
        ],
    )


class NewBlock(Asked):
    model_config = ConfigDict(json_schema_extra={"examples": [{"person": 3}]})

    person: Id = Field(description="The id of somebody with whom you share a community")


class BlockOut(Answered):
    person: Named
    since: datetime = Field(examples=["2026-05-02T09:30:00Z"])


@api.get("/blocks", summary="Whom you blocked", responses=refusals(401, 422))
async def blocked(viewer: TokenHolder, asked: Annotated[Paged, Query()]) -> Listed[BlockOut]:
    """Nobody else sees this list; who has blocked you stands nowhere."""
    async with db.snapshot() as tx:
        found = await blocks.blocks_of(
            tx, viewer.person_id, after=asked.cursor or 0, limit=asked.limit + 1
        )
    page = found[: asked.limit]
    return Listed(
        items=[
            BlockOut(person=Named(id=person.id, name=person.name), since=one.created_at)
            for one, person in page
        ],
        next=cursor_after(page[-1][1].id) if len(found) > len(page) else None,
    )


@api.post(
    "/blocks",
    status_code=201,
    summary="Block somebody",
    responses=refusals(401, 404, 422, 429),
)
async def block(request: Request, viewer: TokenHolder, new: NewBlock, key: Key) -> BlockOut:
    """Neither of you can ask the other for a tool or write any more, in any community.

    Each sees the other's tools as paused. Open requests end, what is promised or lent stands.
    """
    await _spend(viewer)
    async with db.begin() as tx:
        done = await idempotency.recall(tx, viewer.person_id, request, key, new)
        if done is None:
            made = await member_blocks.block(tx, PersonId(new.person), viewer, clock.now())
            done = {"person_id": made.blocked_id, "since": made.created_at.isoformat()}
            await idempotency.keep(tx, viewer.person_id, request, key, new, done)
        person = await queries.person(tx, new.person)
    since = datetime.fromisoformat(done["since"])
    return BlockOut(person=Named(id=person.id, name=person.name), since=since)


@api.post(
    "/blocks/{person_id}/end",
    status_code=204,
    summary="End a block",
    responses=refusals(401, 429),
)
async def unblock(viewer: TokenHolder, person_id: PersonKey) -> None:
    """Ending one that there is not changes nothing. What a block has ended stays ended."""
    await _spend(viewer)
    async with db.begin() as tx:
        await member_blocks.unblock(tx, PersonId(person_id), viewer)


async def _spend(viewer: Viewer) -> None:
    await throttle.spend(f"block:{viewer.person_id}", "block", limit="30/minute")
