"""Redis is asked only for what somebody here watches, and nobody waits for more."""

import asyncio
from collections import Counter

from app.realtime.bus import Bus
from tests.realtime.world import DEADLINE


async def test_nobody_waits_for_a_scope_that_all_have_left() -> None:
    bus = Bus("redis://nowhere", "scopes", lambda *hint: None, lambda: None, Counter())
    bus.connected = True
    bus.want("t9")
    waiting = asyncio.create_task(bus.confirmed(["t9"], within=3600))
    await asyncio.sleep(0)
    bus.unwant("t9")
    async with asyncio.timeout(DEADLINE):
        assert not await waiting
