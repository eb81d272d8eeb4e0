"""The link at the end of each mail: a page that asks, one POST that does it, and no signing in.

Mail programs that know RFC 8058 post to it by themselves.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Path, Request
from starlette.responses import Response

from app import db, pages
from app.errors import NotFound
from app.http import throttle
from app.notices import preferences, unsubscribe
from app.notices.kinds import Group, words_of

router = APIRouter()
Token = Annotated[str, Path(max_length=200)]


@router.get("/unsubscribe/{token}")
async def ask(request: Request, token: Token) -> Response:
    """Changes nothing: link checkers and previews open this, too."""
    return await _page(request, token, done="")


@router.post("/unsubscribe/{token}")
async def stop(request: Request, token: Token, what: Annotated[str, Form()] = "") -> Response:
    await throttle.spend(request, "unsubscribe")
    person_id, named = _who(token)
    groups = list(Group) if what == "all" else named
    async with db.begin() as tx:
        await preferences.stop_mail(tx, person_id, groups)
    return await _page(request, token, done="all" if what == "all" else "named")


def _who(token: str) -> tuple[int, list[Group]]:
    found = unsubscribe.read(token)
    if found is None:
        raise NotFound
    return found


async def _page(request: Request, token: str, done: str) -> Response:
    _, named = _who(token)
    return await pages.render(
        request,
        "notices/unsubscribe.html",
        words=words_of(named),
        post=f"/unsubscribe/{token}",
        done=done,
    )
