"""`/docs`: the JSON API described by itself, with everything it needs from our own server."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse

from app import pages
from app.http.schemas import Problem

router = APIRouter(include_in_schema=False)
TEMPLATE = "#/components/schemas/{model}"
ABOUT = """
Everything that the pages can do, for programs: the same commands and the same rules.

**To begin**: `POST /api/v1/tokens` with e-mail and password, then send the token with each call as
`Authorization: Bearer …`. `GET /api/v1/communities` says where you are a member; the rest lives
under `/api/v1/c/{slug}`.

**Times** are instants with an offset, periods half open. Where you give two plain dates, both are
whole days in the community's zone and both belong to it.

**Lists** answer `{items, next}`; send `next` as `cursor` for the following page.

**Say it again without fear**: with an `Idempotency-Key`, a command that is sent twice is done once.

**Problems** are documents of the type `application/problem+json` (RFC 9457): `detail` is a sentence
for people, `way_out` what they can do instead, `type` what a program can branch on. Where dates are
taken, `free` holds the nearest free periods.
"""
TAGS = [
    {
        "name": "people",
        "description": "An account, a token, your communities, whom you blocked",
    },
    {"name": "tools", "description": "What neighbours lend, and when it is free"},
    {"name": "places", "description": "Where tools are: exact for few, in rough words for all"},
    {"name": "loans", "description": "From asking for a tool until it is back"},
    {"name": "amends", "description": "What went wrong with a loan, and how it is settled"},
    {"name": "waitlists", "description": "Waiting for a tool, and what is kept for who waits"},
    {"name": "wanted", "description": "What somebody needs and nobody has listed"},
    {"name": "rooms", "description": "What borrower and lender say to each other"},
    {"name": "notices", "description": "What you should know, and on which way it reaches you"},
    {"name": "jobs", "description": "What runs by itself, for coordinators"},
]


@router.get("/docs")
async def docs() -> HTMLResponse:
    return HTMLResponse(pages.partial("docs.html"))


def operation_id(route: APIRoute) -> str:
    """The bare verb, such as `approve`: what generated clients call their functions."""
    return route.name


def describe(app: FastAPI) -> None:
    """Completes the description that FastAPI makes of the routes; drawn once, when asked for."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    described = get_openapi(
        title=app.title, version="1", description=ABOUT, routes=app.routes, tags=TAGS
    )
    _without_default_422(described)
    problem = Problem.model_json_schema(ref_template=TEMPLATE)
    schemas = described.setdefault("components", {}).setdefault("schemas", {})
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    return described


def _without_default_422(described: dict[str, Any]) -> None:
    """What FastAPI adds by itself: but ours are problems, and a wrong id in a path is a 404."""
    for operations in described["paths"].values():
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        described["components"]["schemas"].pop(name, None)
