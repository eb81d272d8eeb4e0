"""Who asks: the dependencies by which routes, the API and the live engine learn it."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable
from contextlib import suppress
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Depends, Path, Request
from fastapi.security import HTTPBearer
from sqlalchemy.exc import DBAPIError
from starlette.requests import HTTPConnection
from starlette.responses import RedirectResponse

from app import clock, db
from app.errors import NotFound, NotYet, Refusal, SignInNeeded
from app.http import throttle
from app.people import blocks, commands, keys, queries, sessions
from app.people.models import PersonId, Status
from app.people.queries import Place, Signed
from app.people.viewer import Here, Viewer
from app.realtime import Listener
from app.settings import settings

Slug = Annotated[str, Path(max_length=40, examples=["elm"])]
_bearer = HTTPBearer(auto_error=False, description="A token from `POST /api/v1/tokens`.")


def cookie_name() -> str:
    """Behind TLS the browser itself guards that only this host has set it."""
    return "__Host-toolshare_session" if settings.behind_tls else "toolshare_session"


def session_secret(connection: HTTPConnection) -> str:
    return connection.cookies.get(cookie_name(), "")[:128]


async def signed(request: Request) -> Signed | None:
    """Who the cookie belongs to; read once a request. Leaves viewer and listener for the page."""
    secret = session_secret(request)
    if not secret:
        return None
    async with db.snapshot() as tx:
        found = await queries.signed_by_cookie(tx, secret, clock.now())
    if found is not None:
        request.state.listener = listener(found)
        request.state.viewer = queries.viewer_of(found.person, found.last_used())
        await _keep_awake(found)
    return found


SignedCookie = Annotated[Signed | None, Depends(signed)]


async def anyone(request: Request, found: SignedCookie) -> Viewer | None:
    return request.state.viewer if found else None


async def signed_in(request: Request, found: SignedCookie) -> Viewer:
    if found is None:
        raise SignInNeeded
    viewer: Viewer = request.state.viewer
    return viewer


async def member_even_suspended(request: Request, slug: Slug, found: SignedCookie) -> Viewer:
    """A member of the community in the path; who is suspended comes in, too."""
    if found is None:
        raise SignInNeeded
    place = _place(found, slug)
    request.state.viewer = viewer = queries.viewer_of(found.person, place)
    if request.method == "GET" and found.person.last_community_id != place[0].id:
        await _remember(viewer)
    return viewer


async def member(viewer: Annotated[Viewer, Depends(member_even_suspended)]) -> Viewer:
    if viewer.suspended:
        raise NotYet
    return viewer


async def coordinator(viewer: Annotated[Viewer, Depends(member_even_suspended)]) -> Viewer:
    """For others the page is not there."""
    if not viewer.is_coordinator:
        raise NotFound
    return viewer


async def token(request: Request, given: Annotated[object | None, Depends(_bearer)]) -> Signed:
    """Who the bearer token belongs to. Cookies open nothing here."""
    secret = str(getattr(given, "credentials", ""))[:128]
    now = clock.now()
    found = None
    if secret:
        async with db.snapshot() as tx:
            found = await queries.signed_by_token(tx, secret, now)
    if found is None:
        raise SignInNeeded
    request.state.viewer = queries.viewer_of(found.person)
    if now - found.seen_at > sessions.STAMP_EVERY:
        async with db.begin() as tx:
            await sessions.stamp_token(tx, found.key_hash, now)
    return found


async def token_holder(found: Annotated[Signed, Depends(token)]) -> Viewer:
    return queries.viewer_of(found.person)


async def api_member_even_suspended(
    request: Request, slug: Slug, found: Annotated[Signed, Depends(token)]
) -> Viewer:
    request.state.viewer = viewer = queries.viewer_of(found.person, _place(found, slug))
    return viewer


async def api_member(viewer: Annotated[Viewer, Depends(api_member_even_suspended)]) -> Viewer:
    if viewer.suspended:
        raise Refusal(
            "Your membership is suspended.", "Talk to a coordinator.", status=403, code="suspended"
        )
    return viewer


async def api_coordinator(viewer: Annotated[Viewer, Depends(api_member_even_suspended)]) -> Viewer:
    if not viewer.is_coordinator:
        raise NotFound
    return viewer


Anyone = Annotated[Viewer | None, Depends(anyone)]
SignedIn = Annotated[Viewer, Depends(signed_in)]
Member = Annotated[Viewer, Depends(member)]
MemberEvenSuspended = Annotated[Viewer, Depends(member_even_suspended)]
Coordinator = Annotated[Viewer, Depends(coordinator)]
Token = Annotated[Signed, Depends(token)]
TokenHolder = Annotated[Viewer, Depends(token_holder)]
ApiMember = Annotated[Viewer, Depends(api_member)]
ApiMemberEvenSuspended = Annotated[Viewer, Depends(api_member_even_suspended)]
ApiCoordinator = Annotated[Viewer, Depends(api_coordinator)]


def session_key(connection: HTTPConnection) -> bytes | None:
    """For the live engine: by what the holder of this connection's cookie is looked up."""
    secret = session_secret(connection)
    return keys.digest(secret) if secret else None


async def listeners(tx: db.Tx, session_keys: Collection[Any]) -> dict[Hashable, Listener]:
    """For the live engine: what the holders of these sessions may hear now. Two queries."""
    found = await queries.signed_by_hashes(tx, session_keys, clock.now())
    apart = await blocks.apart_of(tx, {signed.person.id for signed in found.values()})
    return {
        key: listener(signed, apart.get(signed.person.id, frozenset()))
        for key, signed in found.items()
    }


def listener(found: Signed, apart: frozenset[int] = frozenset()) -> Listener:
    """What may be heard, community by community.

    Who is suspended hears nothing shared there, only what is their own: the rooms of their loans.
    """
    person = found.person
    own = f"u{person.id}"
    viewers = {own: queries.viewer_of(person)}
    here: dict[str, Here] = {}
    for community, standing in found.places:
        if standing.status in queries.IN_IT:
            place = Here.of(community)
            viewers[place.scope] = queries.viewer_of(person, (community, standing))
            if standing.status == Status.ACTIVE:
                here[place.scope] = place
    return Listener(
        person_id=person.id,
        scopes=frozenset(viewers),
        locale=person.locale,
        viewer=viewers.get,
        community=here.get,
        session_key=found.key_hash,
        expires_at=found.expires_at,
        name=person.name,
        shows_here=person.shows_here,
        shows_typing=person.shows_typing,
        apart=apart,
    )


def inside(path: str) -> str:
    """The path if it leads to a page of ours, else `/`: nobody is sent elsewhere after sign-in."""
    parts = urlsplit(path)
    plain = path.isprintable() and "\\" not in path and len(path) <= 2000
    ours = path.startswith("/") and not path.startswith("//")
    return path if plain and ours and not parts.netloc and not parts.scheme else "/"


def let_in(request: Request, secret: str, email: str, path: str) -> RedirectResponse:
    """On to the page, with the new session's cookie."""
    response = RedirectResponse(path, 303)
    response.set_cookie(
        cookie_name(),
        secret,
        max_age=int(sessions.ABSOLUTE.total_seconds()),
        path="/",
        secure=settings.behind_tls,
        httponly=True,
        samesite="lax",
    )
    throttle.remember(response, request, email)
    return response


def device_of(connection: HTTPConnection) -> str:
    """'Firefox on Android': enough for a person to know their own devices apart."""
    agent = connection.headers.get("user-agent", "")[:400]
    browser = _first(
        agent, "Edg|Edge", "OPR|Opera", "SamsungBrowser", "Firefox|FxiOS", "Chrome|CriOS", "Safari"
    )
    system = _first(
        agent, "Android", "iPhone", "iPad", "Windows", "Macintosh|Mac OS", "CrOS", "Linux"
    )
    said = {
        "Edg": "Edge",
        "OPR": "Opera",
        "FxiOS": "Firefox",
        "CriOS": "Chrome",
        "Macintosh": "Mac",
    }
    words = [said.get(word, word) for word in (browser, system) if word]
    return " on ".join(words) or "A browser"


def _first(agent: str, *names: str) -> str:
    matches = (re.search(f"({name})", agent) for name in names)
    return next((match[1] for match in matches if match), "")


def _place(found: Signed, slug: str) -> Place:
    """Raises NotFound for strangers, NotYet for who still waits."""
    place = found.place(slug)
    if place is None:
        raise NotFound
    if place[1].status == Status.PENDING:
        raise NotYet
    return place


async def _keep_awake(found: Signed) -> None:
    """Bookkeeping, in a transaction of its own: where it fails, the page still comes."""
    now = clock.now()
    if now - found.seen_at > sessions.STAMP_EVERY:
        with suppress(DBAPIError):
            async with db.begin() as tx:
                await sessions.stamp_session(tx, found.key_hash, now)


async def _remember(viewer: Viewer) -> None:
    with suppress(DBAPIError):
        async with db.begin() as tx:
            await commands.remember(tx, PersonId(viewer.person_id), viewer.community_id)
