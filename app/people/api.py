"""The instance's part of the JSON API: an account, a token, the communities one is in."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from app import clock, db
from app.db import Tx
from app.http import throttle
from app.people import commands, queries, sessions
from app.people.doors import Token
from app.people.entrance import come_in, proven
from app.people.models import Membership, PersonId, Role, Status

api = APIRouter(prefix="/api/v1")


class Problem(BaseModel):
    """RFC 9457, as `application/problem+json`."""

    type: str = Field(examples=["/problems/mistyped"])
    title: str = Field(examples=["Please check"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["A password has at least 8 characters."])
    way_out: str | None = None
    errors: list[dict[str, str]] | None = Field(
        None, examples=[[{"field": "password", "detail": "A password has at least 8 characters."}]]
    )


def problems(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """Documents refusals: `problems(_422="…")`."""
    schema = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {
        int(status.strip("_")): {"description": words, "content": schema}
        for status, words in statuses.items()
    }


class NewPerson(BaseModel):
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


class PersonOut(BaseModel):
    id: int = Field(examples=[2])
    name: str = Field(examples=["Ben"])
    communities: list[str] = Field(examples=[["elm"]], description="Slugs")


class Credentials(BaseModel):
    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"email": "ben@example.org", "password": "seven quiet hammers"}]
        }
    )

    email: str = Field(max_length=400)
    password: str = Field(max_length=400)


class TokenOut(BaseModel):
    token: str = Field(description="Send it as `Authorization: Bearer …`")
    expires_at: datetime = Field(
        description="Moves on with each use", examples=["2026-06-02T09:30:00Z"]
    )


class CommunityOut(BaseModel):
    slug: str = Field(examples=["elm"])
    name: str = Field(examples=["Elm Street"])
    zone: str = Field(examples=["Europe/London"])
    role: Role
    currency: str = Field(examples=["EUR"])
    status: Status


class Communities(BaseModel):
    items: list[CommunityOut]
    next: str | None = Field(None, description="Always null: nobody is in so many")


@api.post(
    "/people",
    status_code=201,
    tags=["people"],
    summary="Sign up through an invitation",
    responses=problems(
        _422="A field cannot be taken, the invitation is not valid, or the e-mail and password "
        "do not belong together.",
        _429="Too many tries; see Retry-After.",
    ),
)
async def sign_up(request: Request, new: NewPerson) -> PersonOut:
    """Who has an account already and gives its password just joins."""

    async def enter(tx: Tx, person_id: PersonId) -> Membership:
        return await commands.join(tx, person_id, new.code, clock.now())

    await throttle.spend(request, "sign_up", "100/hour")
    standing = await come_in(request, new.email, new.name, new.password, enter, clock.now())
    async with db.snapshot() as tx:
        person = await queries.person(tx, standing.person_id)
        slugs = await queries.slugs_of(tx, person.id)
    return PersonOut(id=person.id, name=person.name, communities=slugs)


@api.post(
    "/tokens",
    status_code=201,
    tags=["people"],
    summary="A token for this API",
    responses=problems(
        _422="E-mail and password do not belong together.",
        _429="Too many tries; see Retry-After.",
    ),
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
    tags=["people"],
    summary="End the token that this call carries",
    responses=problems(_401="No valid token."),
)
async def end_token(found: Token) -> None:
    async with db.begin() as tx:
        await sessions.end_token(tx, found.key_hash)


@api.get(
    "/communities",
    tags=["people"],
    summary="The communities you are in",
    responses=problems(_401="No valid token."),
)
async def communities(found: Token) -> Communities:
    return Communities(
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
        ]
    )
