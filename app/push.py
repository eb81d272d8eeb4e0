"""Web push (RFC 8030): one message to one browser, which alone can read it.

The encryption (RFC 8291) is http-ece's, the signature (RFC 8292) py-vapid's. Browsers name the
address to send to, so only the services that the settings name are believed: else anybody could
have this server post to any machine it reaches.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import ipaddress
import time
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import urlsplit

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from app import mail
from app.errors import mistyped
from app.outgoing import NotNow, Undeliverable
from app.settings import settings

WITHIN, ALL_WITHIN = 10.0, 30.0  # seconds: for each step, and in all
KEPT_FOR = 24 * 3600  # seconds for which the service tries to reach the browser
SIGNED_FOR = 12 * 3600
GONE = (403, 404, 410)  # 403: it was made for another key of ours; the browser makes a new one
LATER = (408, 425, 429)
KEY, POINT, SECRET = 32, 65, 16  # bytes: our private key, a browser's public key, its secret
ENDPOINT_LENGTH = 1000


class Gone(Exception):  # noqa: N818 - says what became of a message
    """This browser will not be reached any more, or not with the key that it was told."""


@dataclass(frozen=True)
class Target:
    """A browser, as it has described itself."""

    endpoint: str
    public_key: bytes
    auth: bytes


def check(endpoint: str, public_key: str, auth: str) -> Target:
    """Raises Refusal. Both keys come in base64url, as browsers give them."""
    target = Target(endpoint, _bytes(public_key), _bytes(auth))
    if not is_believed(endpoint):
        raise mistyped(
            "endpoint",
            "This browser's push service is not one that ToolShare sends to.",
            "Whoever runs this server can name it in PUSH_SERVICES.",
        )
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), target.public_key)
    except ValueError:
        raise mistyped("public_key", "This is not a key for push.") from None
    if len(target.auth) != SECRET:
        raise mistyped("auth", "This is not a secret for push.")
    return target


def is_believed(endpoint: str) -> bool:
    """Whether it belongs to a service that the settings name; plain http to this machine only."""
    try:
        parts = urlsplit(endpoint)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if len(endpoint) > ENDPOINT_LENGTH or not endpoint.isascii() or parts.username is not None:
        return False
    services = [one.strip().lower() for one in settings.push_services.split(",")]
    named = any(host == one or (one.startswith(".") and host.endswith(one)) for one in services)
    if not named or not host:
        return False
    return (parts.scheme == "https" and port in (None, 443)) or _is_loopback(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def fresh_key() -> bytes:
    """A private key of our own."""
    return ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(KEY)


def given_key() -> bytes | None:
    """The key of the settings, if there is one."""
    return _bytes(settings.push_private_key) if settings.push_private_key else None


def public_text(private_key: bytes) -> str:
    """What a browser is told when it subscribes."""
    public = _own(private_key).public_key()
    return _text(public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))


async def send(client: httpx.AsyncClient, private_key: bytes, to: Target, said: bytes) -> None:
    """Raises Gone, Undeliverable or NotNow; their text names no person and no address."""
    if not is_believed(to.endpoint):  # it was, when it came
        raise Gone("no service of ours")
    sealed = http_ece.encrypt(
        said,
        private_key=ec.generate_private_key(ec.SECP256R1()),
        dh=to.public_key,
        auth_secret=to.auth,
        version="aes128gcm",
    )
    headers = {
        **_signature(private_key, to.endpoint),
        "Content-Encoding": "aes128gcm",
        "Content-Type": "application/octet-stream",
        "TTL": str(KEPT_FOR),
        "Urgency": "normal",
    }
    try:
        async with asyncio.timeout(ALL_WITHIN):
            answer = await client.post(to.endpoint, content=sealed, headers=headers, timeout=WITHIN)
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
        raise NotNow(type(error).__name__) from error
    status = answer.status_code
    if status in GONE:
        raise Gone(str(status))
    if status in LATER or status >= 500:
        raise NotNow(str(status))
    if not answer.is_success:
        raise Undeliverable(str(status))


def _signature(private_key: bytes, endpoint: str) -> dict[str, str]:
    parts = urlsplit(endpoint)
    claims = {
        "aud": f"{parts.scheme}://{parts.netloc}",
        "exp": int(time.time()) + SIGNED_FOR,  # their clock, not ours to move
        "sub": _contact(),
    }
    signed: dict[str, str] = Vapid02(_own(private_key)).sign(claims)
    return signed


def _contact() -> str:
    """Whom a push service may ask about us."""
    if settings.behind_tls:
        return settings.root
    return f"mailto:{parseaddr(mail.sender())[1]}"


def _own(private_key: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(private_key), ec.SECP256R1())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    """Empty where it is none."""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
