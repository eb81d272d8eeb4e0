"""A repeated command is one command: successes are remembered for a day, as ids to draw again.

Kept in the transaction of the act itself, so there is never an act without its key nor the other
way round. Not for sign-in or tokens: their answers must not be kept.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app import clock
from app.db import Tx
from app.errors import Refusal
from app.http.models import IdempotencyKey

KEPT = timedelta(hours=24)
FIELD = "idempotency_key"
HEADER = "Idempotency-Key"
LONGEST = 200
Body = Mapping[str, Any] | BaseModel | bytes | None


def key_of(request: Request, form_value: str | None = None) -> str | None:
    """The form's hidden field, else the header; None: this request is taken as it comes."""
    key = (form_value or request.headers.get(HEADER, "")).strip().strip('"')
    if not key:
        return None
    if len(key) > LONGEST or not key.isascii() or not key.isprintable():
        raise Refusal(
            f"{HEADER} must be at most {LONGEST} plain characters.",
            status=422,
            code="idempotency_key",
        )
    return key


async def recall(
    tx: Tx, person_id: int, request: Request, key: str | None, body: Body
) -> dict[str, Any] | None:
    """What this very command answered before, or None if it has to be done now.

    Waits while the same command is under way elsewhere. Raises Refusal (422) if the key was used
    with another body.
    """
    if key is None:
        return None
    command = _command(request)
    # Until our commit nobody else passes here with this key; the next statement sees theirs.
    lock = json.dumps([person_id, command, key])
    await tx.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(lock, 0))))
    kept = await tx.scalar(
        select(IdempotencyKey).where(
            IdempotencyKey.person_id == person_id,
            IdempotencyKey.command == command,
            IdempotencyKey.key == key,
            IdempotencyKey.created_at > clock.now() - KEPT,
        )
    )
    if kept is None:
        return None
    if kept.body_hash != digest(body):
        raise Refusal(
            "This was sent before, with other words in it.",
            "Load the page again and send it anew.",
            status=422,
            code="idempotency_key_reused",
        )
    return kept.outcome


async def keep(
    tx: Tx,
    person_id: int,
    request: Request,
    key: str | None,
    body: Body,
    outcome: Mapping[str, Any],
) -> None:
    """Remembers a success; `outcome` holds ids only, its answer is drawn again from them."""
    if key is None:
        return
    row = {
        "body_hash": digest(body),
        "outcome": dict(outcome),
        "created_at": clock.now(),
    }
    named = {"person_id": person_id, "command": _command(request), "key": key}
    await tx.execute(
        insert(IdempotencyKey)
        .values(**named, **row)
        .on_conflict_do_update(index_elements=list(named), set_=row)  # only over an outdated one
    )


async def forget_old(tx: Tx, now: datetime) -> None:
    """For the job loop: keys older than a day."""
    await tx.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at <= now - KEPT))


def digest(body: Body) -> bytes:
    """The same for the same content, in whatever order its fields came; without the key itself."""
    if isinstance(body, BaseModel):
        body = body.model_dump(mode="json")
    if isinstance(body, bytes):
        return hashlib.sha256(body).digest()
    fields = _fields(body or {})
    return hashlib.sha256(json.dumps(sorted(fields), default=str).encode()).digest()


def _fields(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    items: Iterable[tuple[str, Any]] = (
        body.multi_items() if isinstance(body, FormData) else body.items()
    )
    return [(name, _text(value)) for name, value in items if name != FIELD]


def _text(value: Any) -> str:
    if isinstance(value, UploadFile):
        value.file.seek(0)
        content = hashlib.sha256(value.file.read()).hexdigest()  # bounded by BodyLimit
        value.file.seek(0)
        return f"{value.filename}:{content}"
    if isinstance(value, BaseModel):
        return value.model_dump_json()
    if isinstance(value, bytes):
        return hashlib.sha256(value).hexdigest()
    return json.dumps(value, sort_keys=True, default=str)


def _command(request: Request) -> str:
    return f"{request.method} {request.url.path}"
