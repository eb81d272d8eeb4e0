"""JSON lines to stdout and, if set, to LOG_FILE: one line a request, never its content."""

import fcntl
import logging
import re
import secrets
import sys
import time
from collections.abc import Mapping, MutableMapping
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import Any

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.http.proxies import client_address, from_proxy
from app.realtime import Life
from app.settings import settings

ROTATE_AT = 20 * 1024 * 1024
KEPT_FILES = 5
QUIET = frozenset({"/health", "/metrics"})
SECRET = re.compile(r"pass|secret|token|cookie|authorization|e_?mail|body|idempotency", re.I)
MAIL_ADDRESS = re.compile(r"[^\s@<>(){}\[\]\"'=,;:]+@[^\s@<>(){}\[\]\"'=,;:]+\.[A-Za-z]{2,}")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")

_access = structlog.stdlib.get_logger("toolshare.access")
_security = structlog.stdlib.get_logger("toolshare.security")


class SharedFile(WatchedFileHandler):
    """A log file that several workers append to; whoever finds it full turns it over for all."""

    def __init__(self, path: Path, *, rotate_at: int = ROTATE_AT, kept: int = KEPT_FILES) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(path, encoding="utf-8")
        self.path, self.rotate_at, self.kept = path, rotate_at, kept

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if self.path.exists() and self.path.stat().st_size >= self.rotate_at:
                self._turn_over()
        except OSError:
            self.handleError(record)
        super().emit(record)  # reopens by itself when the file has been renamed

    def _turn_over(self) -> None:
        with self.path.with_suffix(self.path.suffix + ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if self.path.stat().st_size < self.rotate_at:
                return  # another worker was first
            names = [self.path, *(Path(f"{self.path}.{n}") for n in range(1, self.kept + 1))]
            for older, newer in reversed(list(zip(names[1:], names[:-1], strict=True))):
                if newer.exists():
                    newer.replace(older)


def configure() -> None:
    """Call once in each process, after uvicorn has set up its own: theirs flows through ours."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            without_secrets,
            structlog.processors.JSONRenderer(default=str),
        ],
    )
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stdout)]
    if settings.log_file is not None:
        handlers.append(SharedFile(settings.log_file))
    for handler in handlers:
        handler.setFormatter(formatter)
    root = logging.getLogger()
    for former in root.handlers[:]:
        if isinstance(former.formatter, structlog.stdlib.ProcessorFormatter):
            root.removeHandler(former)
            former.close()
    for handler in handlers:
        root.addHandler(handler)
    root.setLevel(settings.log_level.upper())
    logging.getLogger("uvicorn.access").disabled = True  # it writes whole paths; ours does not
    for name in ("uvicorn", "uvicorn.error"):
        theirs = logging.getLogger(name)
        theirs.handlers.clear()
        theirs.propagate = True
    logging.getLogger("uvicorn.error").addFilter(_not_of_a_socket)
    for name in ("httpx", "httpcore"):  # whoever reads a push address may ring that phone
        logging.getLogger(name).setLevel(logging.WARNING)


def _not_of_a_socket(record: logging.LogRecord) -> bool:
    """uvicorn says three things about each websocket, one with its address; we say one."""
    said = str(record.msg)
    return '"WebSocket %s"' not in said and said not in ("connection open", "connection closed")


def without_secrets(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """The last sieve: PostgreSQL's own messages quote the value of a duplicate key."""
    for name, value in event.items():
        if SECRET.search(name):
            event[name] = "***"
        elif isinstance(value, str) and "@" in value:
            event[name] = MAIL_ADDRESS.sub("***", value)
    return event


def security(event: str, connection: HTTPConnection | None = None, **facts: object) -> None:
    """A security event (sign_in_failed, rights_refused, role_changed, exported, …)."""
    seen: dict[str, object] = {}
    if connection is not None:
        seen = {"client": client_address(connection), "person": person_id(connection.scope)}
    _security.warning(event, **{**seen, **facts})


def socket_ended(life: Life) -> None:
    """One line for a websocket's whole life, once it is over."""
    _access.info(
        "socket",
        person=life.person_id,
        code=life.code,
        seconds=round(life.seconds, 1),
        writes=life.writes,
        bytes=life.bytes,
        behind=life.behind,
    )


def person_id(scope: Scope) -> int | None:
    viewer = scope.get("state", {}).get("viewer")
    return getattr(viewer, "person_id", None)


def request_id(scope: Scope) -> str:
    """The id that this request's log lines, its answer and its error page carry."""
    return str(scope.get("state", {}).get("request_id", ""))


def route_of(scope: Scope) -> str:
    """The template (`/c/{slug}/loans/{loan_id}`), since a path may hold what nobody should read."""
    included: Mapping[str, Any] = scope.get("fastapi") or {}
    for route in (included.get("effective_route_context"), scope.get("route")):
        if path := getattr(route, "path_format", None) or getattr(route, "path", None):
            return str(path)
    mounted = str(scope.get("root_path", ""))
    return mounted if mounted != scope.get("app_root_path", mounted) else "unmatched"


class AccessLog:
    """ASGI: gives each request an id and writes one line when it is answered."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return await self.app(scope, receive, send)
        known = _given_id(scope) or secrets.token_hex(8)
        scope["state"] = {**scope.get("state", {}), "request_id": known}
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=known)
        started, status = time.perf_counter(), 0

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message)["x-request-id"] = known
            elif message["type"] == "websocket.accept":
                status = 101
            elif message["type"] == "websocket.close" and not status:
                status = 403
            await send(message)

        try:
            return await self.app(scope, receive, send_with_id)
        finally:
            _write(scope, status or 500, time.perf_counter() - started)


def _given_id(scope: Scope) -> str | None:
    given = Headers(scope=scope).get("x-request-id", "") if from_proxy(scope) else ""
    return given if REQUEST_ID.fullmatch(given) else None


def _write(scope: Scope, status: int, seconds: float) -> None:
    level = logging.DEBUG if scope["path"] in QUIET and status < 500 else logging.INFO
    _access.log(
        level,
        "request",
        method=scope.get("method", "WEBSOCKET"),
        route=route_of(scope),
        status=status,
        ms=round(seconds * 1000, 1),
        person=person_id(scope),
    )
