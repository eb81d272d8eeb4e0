"""What every answer says to the browser: what it may load, frame, keep and tell others."""

import re

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import settings

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "connect-src 'self'",
        "font-src 'self'",
        "manifest-src 'self'",
        "worker-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# Not `no-referrer`: that turns the Origin of our own forms into "null".
ALWAYS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": (
        "camera=(), display-capture=(), geolocation=(), hid=(), microphone=(), "
        "midi=(), payment=(), serial=(), usb=()"
    ),
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}
ONE_YEAR = 31_536_000
VERSIONED = re.compile(rb"(^|&)v=[^&]")


class SecurityHeaders:
    """ASGI: adds the headers that a route did not set itself."""

    def __init__(self, app: ASGIApp, *, behind_tls: bool | None = None) -> None:
        self.app = app
        self.always = dict(ALWAYS)
        if settings.behind_tls if behind_tls is None else behind_tls:
            self.always["strict-transport-security"] = f"max-age={ONE_YEAR}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.always.items():
                    headers.setdefault(name, value)
                headers.setdefault("cache-control", caching(scope, message["status"]))
            await send(message)

        return await self.app(scope, receive, send_with_headers)


def caching(scope: Scope, status: int) -> str:
    """A file with its version in the address may be kept; a page with a person on it, never."""
    if scope["path"].startswith("/static/") and status in (200, 206, 304):
        if VERSIONED.search(scope.get("query_string", b"")):
            return f"public, max-age={ONE_YEAR}, immutable"
        return "public, max-age=0, must-revalidate"
    viewer = scope.get("state", {}).get("viewer")
    return (
        "private, no-store" if viewer or scope["path"].startswith("/api/") else "private, no-cache"
    )
