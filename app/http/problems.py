"""Errors as people and programs see them: a sentence with a way out, never a trace.

Pages get `problem.html`, htmx the same as a fragment for the flash line, `/api` a problem document
(RFC 9457) whose type is `/problems/<code>`.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC
from typing import Any
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
)
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import pages
from app.errors import NotFound, NotYet, Refusal, SignInNeeded, Span
from app.http import outages
from app.http.log import request_id

TITLES = {
    400: "Not understood",
    401: "Sign in first",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Not possible now",
    413: "Too large",
    415: "Not understood",
    421: "Wrong address",
    422: "Please check",
    429: "Too many tries",
    500: "Something broke",
    503: "One moment",
}
SENTENCES = {
    400: "This could not be understood.",
    401: "Please sign in first.",
    404: "There is nothing here, or nothing that you may see.",
    405: "This page cannot be used in that way.",
    500: "Something broke on our side. It has been noted.",
}
CODES = {401: "sign-in", 404: "not-found", 413: "too-large", 422: "mistyped", 500: "broken"}
MOST = 20  # fields that one answer finds fault with
NO_NAME = re.compile(r"[^\w.\-\[\]]")
AGAIN_IN = 3  # seconds, when the database is away
_log = structlog.stdlib.get_logger("toolshare.problems")


def install(app: FastAPI) -> None:
    """Adds the handlers; `LastResort` catches whatever they do not know."""
    for kind, handler in (
        (Refusal, _refused),
        (NotFound, _not_found),
        (SignInNeeded, _sign_in_needed),
        (NotYet, _not_yet),
        (RequestValidationError, _mistyped),
        (HTTPException, _plain),
        *((kind, _broken) for kind in outages.KINDS),
    ):
        app.add_exception_handler(kind, handler)


class LastResort:
    """ASGI, innermost: an unknown error becomes a 500 that still passes all other layers."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        started = False

        async def send_noting(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            return await self.app(scope, receive, send_noting)
        except Exception as error:
            if started:
                raise  # half an answer is out: the server has to cut the connection
            response = await _broken(Request(scope), error)
        return await response(scope, receive, send)


def wants_json(connection: HTTPConnection) -> bool:
    accept = connection.headers.get("accept", "")
    return connection.scope["path"].startswith("/api/") or (
        "json" in accept and "text/html" not in accept
    )


def is_htmx(connection: HTTPConnection) -> bool:
    return connection.headers.get("hx-request") == "true"


async def answer(
    connection: HTTPConnection,
    status: int,
    sentence: str,
    *,
    code: str | None = None,
    way_out: str | None = None,
    free: Sequence[Span] = (),
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """The problem in the form that this request can use: page, fragment or document."""
    title = TITLES.get(status, "Not possible")
    if connection.scope["type"] == "websocket":
        return PlainTextResponse(sentence, status)
    if wants_json(connection):
        document = {
            "type": f"/problems/{code or CODES.get(status, str(status))}",
            "title": title,
            "status": status,
            "detail": sentence,
            "way_out": way_out,
            "free": [_span(each) for each in free] or None,
            "request_id": request_id(connection.scope),
            **more,
        }
        given = {name: value for name, value in document.items() if value is not None}
        return JSONResponse(given, status, dict(headers or {}), "application/problem+json")
    response = await _drawn(
        connection,
        status,
        {
            "title": title,
            "sentence": sentence,
            "way_out": _with_id(way_out, connection) if status >= 500 else way_out,
            "free": free,
            "zone": _zone(connection),
            "back": _back(connection),
        },
    )
    response.headers.update(headers or {})
    return response


async def _drawn(connection: HTTPConnection, status: int, context: dict[str, Any]) -> Response:
    if is_htmx(connection):  # wherever the form pointed: a problem belongs in the flash line
        there = {"HX-Retarget": "#flash", "HX-Reswap": "innerHTML", "HX-Reselect": "#problem"}
        return HTMLResponse(pages.partial("_problem.html", **context), status, there)
    try:
        if status < 500:
            return await pages.render(
                Request(connection.scope), "problem.html", status=status, **context
            )
    except Exception as error:
        _log.warning("problem_page_without_frame", exc_info=error)
    # Without the live parts of the frame, for which the database is needed.
    state = {**connection.scope.get("state", {}), "listener": None}
    still = Request({**connection.scope, "state": state})
    return await pages.render(still, "problem.html", status=status, **context)


def _with_id(way_out: str | None, connection: HTTPConnection) -> str:
    known = request_id(connection.scope)
    return " ".join(part for part in (way_out, known and f"Noted as {known}.") if part)


def _zone(connection: HTTPConnection) -> ZoneInfo | None:
    viewer = connection.scope.get("state", {}).get("viewer")
    return getattr(getattr(viewer, "community", None), "zone", None)


def _span(span: Span) -> dict[str, str]:
    start, end = (each.astimezone(UTC).isoformat().replace("+00:00", "Z") for each in span)
    return {"start": start, "end": end}


def _back(connection: HTTPConnection) -> str | None:
    """The page they came from, if it is one of ours."""
    parts = urlsplit(connection.headers.get("referer", ""))
    ours = parts.netloc == connection.headers.get("host") and parts.path.startswith("/")
    if not ours or parts.path.startswith("//"):
        return None
    return parts.path + (f"?{parts.query}" if parts.query else "")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    seconds = getattr(error, "retry_after", None)
    return await answer(
        request,
        error.status,
        error.sentence,
        code=error.code.replace("_", "-"),
        way_out=error.way_out,
        free=error.free,
        headers={"Retry-After": str(seconds)} if seconds else None,
        lifted_by=error.lifted_by,
        see=f"/api/v1{error.see}" if error.see else None,
        errors=[{"field": error.field_name, "detail": error.sentence}]
        if error.field_name
        else None,
    )


async def _not_found(request: Request, _: Exception) -> Response:
    return await answer(request, 404, SENTENCES[404])


async def _sign_in_needed(request: Request, _: Exception) -> Response:
    if wants_json(request):
        return await answer(
            request,
            401,
            SENTENCES[401],
            way_out="Send a token from POST /api/v1/tokens as `Authorization: Bearer`.",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return redirected(request, f"/sign-in?next={quote(_wanted(request), safe='')}")


def _wanted(request: Request) -> str:
    """Where to go on after signing in: a form's own address cannot be opened, its page can."""
    if request.method in ("GET", "HEAD") and not is_htmx(request):
        return request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return _back(request) or "/"


def redirected(request: Request, to: str) -> Response:
    """Away from here, also for htmx, which would otherwise swap the other page in."""
    if is_htmx(request):
        return Response(headers={"HX-Redirect": to})
    return RedirectResponse(to, 303)


async def _not_yet(request: Request, _: Exception) -> Response:
    slug = request.path_params.get("slug")
    if wants_json(request) or not slug:
        sentence = "A coordinator has not let you in yet."
        return await answer(request, 403, sentence, code="not-yet")
    return redirected(request, f"/c/{quote(str(slug), safe='')}/waiting")


async def _mistyped(request: Request, error: Exception) -> Response:
    """What the validation found, without what was typed: that may be a password."""
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(each["loc"][:1] == ("path",) for each in found):
        return await _not_found(request, error)
    errors = [{"field": _name(each["loc"][1:]), "detail": each["msg"]} for each in found[:MOST]]
    fields = ", ".join(each["field"] for each in errors if each["field"])
    sentence = f"Please check: {fields}." if fields else SENTENCES[400]
    return await answer(request, 422, sentence, errors=errors)


def _name(loc: Sequence[object]) -> str:
    """Of a field; where there is none of that name, it is a text that somebody has sent."""
    return NO_NAME.sub("?", ".".join(str(part) for part in loc)[:80])


async def _recognise(request: Request) -> None:
    """A wrong address has passed no door, yet who is signed in gets their own frame around it."""
    recognise = getattr(request.app.state, "recognise", None)
    if recognise is not None and not wants_json(request) and not hasattr(request.state, "viewer"):
        with suppress(Exception):  # the database may be what is away: then it is a stranger's page
            await recognise(request)


async def _plain(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code in (204, 304):
        return Response(status_code=error.status_code, headers=error.headers)
    if error.status_code == 404:
        await _recognise(request)
    sentence = SENTENCES.get(error.status_code) or str(error.detail)
    return await answer(request, error.status_code, sentence, headers=error.headers)


async def _broken(request: Request, error: Exception) -> Response:
    if outages.is_outage(error):
        _log.warning("database_away", error=type(error).__name__, reason=outages.reason(error))
        return await answer(
            request,
            503,
            "The database is not answering, so nothing was changed.",
            code="unavailable",
            way_out="Try again in a moment.",
            headers={"Retry-After": str(AGAIN_IN)},
        )
    _log.error("unexpected", exc_info=error)
    return await answer(request, 500, SENTENCES[500])
