"""Screens that look at a room, and what Redis keeps of those who do."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from redis.asyncio import Redis

from tests.realtime.world import DEADLINE, Screen, Worker, World

ROOM, OTHER_ROOM = "t1/room/1", "t1/room/2"


@asynccontextmanager
async def looking(worker: Worker, person: int, *topics: str) -> AsyncIterator[Screen]:
    async with worker.screen(person) as screen:
        await screen.watch(dict.fromkeys(topics or (ROOM,), 0))
        yield screen


async def sees(screen: Screen, words: str, topic: str = ROOM) -> None:
    await screen.until(lambda: screen.company.get(topic, "") == words)


async def kept(world: World, *, gates: bool = False) -> list[str]:
    """What Redis holds of persons; or the gates that pace the hints, which hold nothing."""
    async with Redis.from_url(world.redis_url, decode_responses=True) as redis:
        keys = [key async for key in redis.scan_iter(f"{world.prefix}:live:company:*")]
    return [key for key in keys if gates == (":gate:" in key)]


async def a_second_passes(world: World) -> None:
    """After which the next word of anybody is told at once."""
    async with asyncio.timeout(DEADLINE):
        while await kept(world, gates=True):
            await asyncio.sleep(0.02)


async def nothing_is_kept(world: World) -> None:
    async with asyncio.timeout(DEADLINE):
        while await kept(world):
            await asyncio.sleep(0.02)
