"""The instance's part of the JSON API: an account, a token, the communities one is in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import ConfigDict, Field

from app import clock, db
from app.http.schemas import Answered, Asked, Listed, problems
from app.people import queries, sessions
from app.people.doors import Token
from app.people.entrance import Invited, come_in, proven
from app.people.models import Role, Status

api = APIRouter(prefix="/api/v1", tags=["people"])


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
