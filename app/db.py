"""The database: engine, `Base`, and the two ways in: `begin()` writes, `snapshot()` reads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, DateTime, MetaData
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase

from app.realtime import versions
from app.settings import settings

Tx = AsyncSession

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True), int: BigInteger}  # noqa: RUF012


def make_engine(url: str, **options: Any) -> AsyncEngine:
    """An engine with bounded waits: a request gives up before its client does."""
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=5,
        hide_parameters=True,
        connect_args={
            "timeout": 5,
            "command_timeout": 15,
            "server_settings": {
                "application_name": "toolshare",
                "timezone": "UTC",
                "lock_timeout": "5000",
                "idle_in_transaction_session_timeout": "30000",
            },
        },
        **options,
    )


engine = make_engine(
    settings.database_url, pool_size=settings.database_pool, max_overflow=settings.database_pool
)
sessions = async_sessionmaker(engine, expire_on_commit=False)


@asynccontextmanager
async def begin() -> AsyncIterator[Tx]:
    """One transaction: commits at the end of the block, then announces what it touched.

    Commands never commit; whoever opens the door closes it.
    """
    async with sessions() as tx:
        async with tx.begin():
            yield tx
            await tx.flush()
            await versions.flush(tx)
        versions.announce(tx)


@asynccontextmanager
async def snapshot() -> AsyncIterator[Tx]:
    """One REPEATABLE READ, READ ONLY view: all that is read in it belongs together."""
    async with sessions() as tx:
        await tx.connection(
            execution_options={
                "isolation_level": "REPEATABLE READ",
                "postgresql_readonly": True,
            }
        )
        yield tx  # closing the session ends it, and leaves what was loaded usable
