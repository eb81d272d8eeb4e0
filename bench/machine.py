"""On what it was measured."""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Iterator
from pathlib import Path

from redis.asyncio import Redis
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine


async def facts(database: str, redis_url: str, folder: Path) -> Iterator[str]:
    """Lines for the head of the page."""
    engine = create_async_engine(database)
    async with engine.connect() as connection:
        show = {
            name: await connection.scalar(text(f"SHOW {name}"))
            for name in ("server_version", "fsync", "synchronous_commit")
        }
    await engine.dispose()
    async with Redis.from_url(redis_url, decode_responses=True) as redis:
        about = await redis.info("server")
    valkey = about.get("valkey_version") or about["redis_version"]
    cores = os.cpu_count()
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return iter(
        (
            f"{cores} cores ({_processor()}), {platform.system()} {platform.release()}, "
            f"load at the start {load}",
            f"Python {platform.python_version()}, PostgreSQL {show['server_version']} "
            f"(fsync {show['fsync']}, synchronous_commit {show['synchronous_commit']}, "
            f"on {_file_system(folder)}), Valkey {valkey}",
        )
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    found = cpuinfo.is_file() and re.search(r"model name\s*: (.*)", cpuinfo.read_text())
    return found[1] if found else platform.processor() or platform.machine()


def _file_system(folder: Path) -> str:
    """The kind of file system under a folder: on tmpfs a commit waits for nothing."""
    mounts = Path("/proc/mounts")
    lines = mounts.read_text().splitlines() if mounts.is_file() else []
    kinds = {Path(line.split()[1]): line.split()[2] for line in lines}
    return next((kinds[place] for place in (folder, *folder.parents) if place in kinds), "?")
