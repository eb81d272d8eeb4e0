"""Pages and partials: Jinja over `web/templates`, and the live regions inside them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app import clock, db, topic, words
from app.errors import Span
from app.realtime import topics as drawings
from app.realtime import versions
from app.settings import settings

WEB = Path(__file__).parent.parent / "web"
LOCALE = "en-GB"
EVERYWHERE = ZoneInfo("UTC")

environment = Environment(
    loader=FileSystemLoader(WEB / "templates"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=False,
    lstrip_blocks=False,
    auto_reload=False,
)


def _when(at: datetime, zone: ZoneInfo | None) -> str:
    now = clock.now()
    zone = zone or EVERYWHERE
    if clock.local_day(at, zone) == clock.local_day(now, zone):
        return words.clock_time(at, zone)
    return words.moment(at, zone, LOCALE, now)


def _exact(at: datetime, zone: ZoneInfo | None) -> str:
    return at.astimezone(zone or EVERYWHERE).strftime("%A %-d %B %Y, %H:%M %Z")


def _clock(at: datetime, zone: ZoneInfo | None) -> str:
    return words.clock_time(at, zone or EVERYWHERE)


def _period(span: Span, zone: ZoneInfo | None) -> str:
    return words.period(*span, zone or EVERYWHERE, LOCALE, clock.now())


@cache
def _fingerprint(name: str) -> str:
    file = WEB / "static" / name
    return hashlib.sha256(file.read_bytes()).hexdigest()[:12] if file.is_file() else "0"


def static(name: str) -> str:
    """The address of a static file with its fingerprint, so that it can be kept for ever."""
    return f"/static/{name}?v={_fingerprint(name)}"


environment.filters.update(when=_when, exact=_exact, clock=_clock, period=_period)
environment.globals.update(static=static, demo=settings.demo)


def partial(name: str, **context: object) -> str:
    """One partial, drawn alone. Missing context is an error, so no shared drawing sees a viewer."""
    return environment.get_template(name).render(context)


async def region(request: Request, tx: db.Tx, name: str) -> Markup:
    """A live region as the engine draws it, inside the page's own snapshot; '' if not theirs."""
    drawn = await request.app.state.engine.draw(tx, request.state.listener, name)
    return Markup(drawn.html or "")  # noqa: S704 - autoescaped by its own template


async def stamped(tx: db.Tx, drawn: Mapping[str, str]) -> dict[str, Markup]:
    """Many shared drawings at once, stamped with their versions in this very snapshot."""
    reading = await versions.read(tx, drawn.keys())
    return {
        name: Markup(drawings.stamp(html, name, reading.version(name)))  # noqa: S704
        for name, html in drawn.items()
    }


async def version(tx: db.Tx, name: str) -> int:
    return (await versions.read(tx, [name])).version(name)


async def render(
    request: Request,
    name: str,
    *,
    tx: db.Tx | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> HTMLResponse:
    """A whole page. With a signed-in viewer its navigation is live, drawn in `tx` if given."""
    viewer = getattr(request.state, "viewer", None)
    frame: dict[str, Any] = {
        "viewer": viewer,
        "path": request.url.path,
        "now": clock.now(),
        "theme": request.cookies.get("theme", ""),
        "flash": None,
    }
    if viewer is not None and getattr(request.state, "listener", None) is not None:
        if tx is not None:
            frame |= await _live_frame(request, tx, viewer.person_id)
        else:
            async with db.snapshot() as own:
                frame |= await _live_frame(request, own, viewer.person_id)
    html = environment.get_template(name).render(frame | context)
    return HTMLResponse(html, status, headers)


async def _live_frame(request: Request, tx: db.Tx, person_id: int) -> dict[str, Any]:
    access = topic.access(person_id)
    reading = await versions.read(tx, [access])
    return {
        "nav_waiting": await region(request, tx, topic.waiting(person_id)),
        "nav_unread": await region(request, tx, topic.unread(person_id)),
        "nav_bell": await region(request, tx, topic.bell(person_id)),
        "access": reading.version(access),
        "epoch": reading.epoch,
    }


def back_to(path: str) -> Response:
    """After a command: the page, asked for afresh."""
    return RedirectResponse(path, 303)


def root(request: Request) -> str:
    """How programs and other people's phones reach us; without PUBLIC_URL as this request did."""
    return (settings.public_url or str(request.base_url)).rstrip("/")


def drawn(html: str) -> Markup:
    """What a template of ours has drawn, and so escaped, already."""
    return Markup(html)  # noqa: S704


def fresh_key() -> str:
    """An idempotency key for a form that is drawn now."""
    return secrets.token_hex(16)
