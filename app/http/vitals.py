"""`GET /health`: can this worker serve? 503 only without PostgreSQL or its migration."""

import asyncio
from collections.abc import Awaitable
from functools import cache
from pathlib import Path

import asyncpg
from alembic.script import ScriptDirectory
from fastapi import APIRouter
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import JSONResponse

from app import db, storage
from app.settings import settings

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"
DATABASE_WITHIN = 2.0  # seconds
REDIS_WITHIN = 1.0
STORAGE_WITHIN = 2.0

router = APIRouter(include_in_schema=False)
_running: asyncio.Task[dict[str, str]] | None = None


@router.get("/health")
async def health() -> JSONResponse:
    """ok; degraded: Redis or the storage of photos is away, pages and boards go on; down: 503."""
    global _running
    if _running is None or _running.done():  # however many ask, one look at a time
        _running = asyncio.create_task(look())
    found = await asyncio.shield(_running)
    return JSONResponse(
        found,
        503 if found["status"] == "down" else 200,
        headers={"Cache-Control": "no-store"},
    )


async def look() -> dict[str, str]:
    """The state of everything that this worker stands on, in at most two seconds."""
    migration, redis, photos = await asyncio.gather(_migration(), _redis(), _photos())
    expected = await asyncio.to_thread(head)
    database = "away" if migration is None else "ok"
    if migration is None:
        fits = "unknown"
    else:
        fits = "ok" if migration == expected else "missing" if not migration else "other"
    status = "down" if fits != "ok" else "ok" if redis == photos == "ok" else "degraded"
    return {
        "status": status,
        "database": database,
        "redis": redis,
        "photos": photos,
        "migration": fits,
        "version": expected,
    }


@cache
def head() -> str:
    """The newest migration that this code knows: its version, for whom it must fit."""
    return ScriptDirectory(str(MIGRATIONS)).get_current_head() or ""


async def _migration() -> str | None:
    """What the database stands at, "" before the first migration, None if it does not answer."""
    try:
        async with asyncio.timeout(DATABASE_WITHIN), db.engine.connect() as connection:
            table = await connection.scalar(text("SELECT to_regclass('alembic_version')"))
            if table is None:
                return ""
            found = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return str(found or "")
    except (SQLAlchemyError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return None


async def _photos() -> str:
    """ "ok", or in one sentence what is wrong with where they are kept; no names, no keys."""
    try:
        async with asyncio.timeout(STORAGE_WITHIN):
            return await storage.kept().why_not() or "ok"
    except TimeoutError:
        return "Where photos are kept does not answer in time."


async def _redis() -> str:
    client = Redis.from_url(
        settings.redis_url,
        socket_timeout=REDIS_WITHIN,
        socket_connect_timeout=REDIS_WITHIN,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        async with asyncio.timeout(REDIS_WITHIN), client:
            answered: Awaitable[bool] | bool = client.ping()
            if not isinstance(answered, bool):
                await answered
        return "ok"
    except (RedisError, OSError):
        return "away"
