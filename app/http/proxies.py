"""Who really asks: address and scheme from forwarded headers, of the configured proxies only.

The server's own reading of these headers trusts everybody on loopback, so it is switched off
(`--no-proxy-headers`) and this is the only place that believes them.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import settings

SECURE = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
FROM_PROXY = "toolshare.from_proxy"


class Proxies:
    """ASGI: sets `client` and `scheme` to what a trusted proxy saw; others are taken as they come.

    `trusted` is a comma list of addresses and networks; a mistyped one stops the start.
    """

    def __init__(self, app: ASGIApp, trusted: str | None = None) -> None:
        self.app = app
        listed = settings.trusted_proxies if trusted is None else trusted
        self._networks = [
            ip_network(each.strip(), strict=False) for each in listed.split(",") if each.strip()
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and self._trusts(peer(scope)):
            scope[FROM_PROXY] = True
            self._believe(scope, Headers(scope=scope))
        await self.app(scope, receive, send)

    def _believe(self, scope: Scope, headers: Headers) -> None:
        protocols = [
            each.strip() for each in ",".join(headers.getlist("x-forwarded-proto")).split(",")
        ]
        if secure := SECURE.get(protocols[-1].lower()):
            scope["scheme"] = (
                secure.replace("http", "ws") if scope["type"] == "websocket" else secure
            )
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops):  # each proxy appends, so the last stranger is the client
            address = parsed(hop.strip())
            if address is None:
                return
            scope["client"] = (str(address), 0)
            if not self._trusts(str(address)):
                return

    def _trusts(self, address: str) -> bool:
        known = parsed(address)
        return known is not None and any(known in network for network in self._networks)


@lru_cache(maxsize=4096)
def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address; IPv4 written as IPv6 is the same address, a port is dropped."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text[:64])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def peer(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def from_proxy(scope: Scope) -> bool:
    return bool(scope.get(FROM_PROXY))


def client_address(connection: HTTPConnection) -> str:
    """The client's address as a text, or "unknown" (a unix socket has none)."""
    address = parsed(peer(connection.scope))
    return str(address) if address else "unknown"


def client_network(connection: HTTPConnection) -> str:
    """What one household shares: an IPv4 address, or the /64 of an IPv6 one."""
    address = parsed(peer(connection.scope))
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address) if address else "unknown"
