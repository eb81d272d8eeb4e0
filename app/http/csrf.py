"""Refuses what other sites make a browser send, and hosts that are not ours.

Browsers say where a request comes from: Sec-Fetch-Site on trustworthy origins, Origin elsewhere.
The host check is against DNS rebinding, where a stranger's name points to our address and so
Origin and Host agree.
"""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http import log, problems
from app.settings import settings

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443}
Place = tuple[str, int]  # host in lower case, port


class SameOrigin:
    """ASGI: 421 for other hosts, 403 for cross-site writes and foreign websocket handshakes.

    `/health` answers on any host (the container asks on loopback); so does `/metrics` where a
    token guards it.
    """

    def __init__(self, app: ASGIApp, public_url: str | None = None) -> None:
        self.app = app
        self.public_url = settings.public_url if public_url is None else public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        connection = HTTPConnection(scope)
        if refusal := await self._refusal(connection):
            if scope["type"] == "websocket":
                await send({"type": "websocket.close", "code": 1008})
                return None
            return await refusal(scope, receive, send)
        return await self.app(scope, receive, send)

    async def _refusal(self, connection: HTTPConnection) -> Response | None:
        scope = connection.scope
        if not _any_host(scope["path"]) and not our_host(connection, self.public_url):
            log.security("foreign_host", connection)
            return PlainTextResponse(
                "ToolShare does not answer under this address. "
                "Whoever runs it can set PUBLIC_URL to the address that neighbours use.\n",
                status_code=421,
            )
        if scope["type"] == "websocket":
            if allowed_origin(connection, self.public_url):
                return None
        elif scope["method"] in SAFE or from_our_pages(connection, self.public_url):
            return None
        log.security("cross_site", connection)
        return await problems.answer(
            connection,
            403,
            "This came from another site, so nothing was done.",
            code="cross-site",
            way_out="Open the page here and try again.",
        )


def _any_host(path: str) -> bool:
    return path == "/health" or (path == "/metrics" and bool(settings.metrics_token))


def from_our_pages(connection: HTTPConnection, public_url: str | None = None) -> bool:
    """May this unsafe request act? With a token it may: no browser adds that by itself."""
    headers = connection.headers
    in_api = connection.scope["path"].startswith("/api/")
    if in_api and headers.get("authorization", "").lower().startswith("bearer "):
        return True
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    if "origin" in headers:
        return allowed_origin(connection, public_url)
    return in_api or "cookie" not in headers


def allowed_origin(connection: HTTPConnection, public_url: str | None = None) -> bool:
    """Is the Origin header there, and ours? Every websocket handshake must pass this."""
    given = settings.public_url if public_url is None else public_url
    origins = connection.headers.getlist("origin")
    if len(origins) != 1 or not (place := _place_of(origins[0])):
        return False
    if given:
        return (urlsplit(origins[0]).scheme, place) == (urlsplit(given).scheme, _place_of(given))
    scheme = urlsplit(origins[0]).scheme
    return our_host(connection, "") and place == _host_of(connection.headers, scheme)


def our_host(connection: HTTPConnection, public_url: str | None = None) -> bool:
    """PUBLIC_URL's host; without one, only names of this machine."""
    given = settings.public_url if public_url is None else public_url
    scheme = urlsplit(given).scheme or "http"
    host = _host_of(connection.headers, scheme)
    if host is None:
        return False
    return host == _place_of(given) if given else _is_loopback(host[0])


def _is_loopback(name: str) -> bool:
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _host_of(headers: Headers, scheme: str) -> Place | None:
    hosts = headers.getlist("host")  # two of them is a smuggler's trick
    return _place_of(f"{scheme}://{hosts[0]}") if len(hosts) == 1 else None


def _place_of(url: str) -> Place | None:
    """Host and port of an http address without a path, or None ("null" is an Origin, too)."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or parts.username is not None:
        return None
    return parts.hostname, port or PORTS[parts.scheme]
