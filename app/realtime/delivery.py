"""When what is due is written: at once while all is quiet, else together with what else comes."""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.realtime.socket import Socket

log = logging.getLogger(__name__)

TRY_LATER = 1013
SLICE = 0.004  # seconds of writing after which the loop gets a turn for everything else
SLICE_COUNT = 32  # sockets between two looks at the clock
PATIENCE = (0.002, 0.1)  # seconds, least and most, that something due waits for company


class Delivery:
    """Empties the list of sockets that something is due to.

    While drawings are under way it waits for them, at most as long as its last round took: the
    more there is to write, the more goes into one write, and half of the time stays for drawing.
    """

    def __init__(self, quiet: asyncio.Event) -> None:
        self._quiet = quiet
        self._dirty: list[Socket] = []
        self._wake = asyncio.Event()
        self.took = 0.0

    @property
    def empty(self) -> bool:
        return not self._dirty

    def add(self, socket: Socket) -> None:
        self._dirty.append(socket)
        self._wake.set()

    async def run_forever(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            if not self._quiet.is_set():
                least, most = PATIENCE
                with suppress(TimeoutError):
                    async with asyncio.timeout(min(most, max(least, self.took))):
                        await self._quiet.wait()
            await self._round()

    async def _round(self) -> None:
        dirty, self._dirty = self._dirty, []
        began = turn = time.monotonic()
        for n, socket in enumerate(dirty, 1):
            try:
                socket.flush()
            except Exception:  # the others must not wait for it
                log.exception("a socket could not be written to")
                socket.close(TRY_LATER)
            if n % SLICE_COUNT == 0 and time.monotonic() - turn > SLICE:
                await asyncio.sleep(0)
                turn = time.monotonic()
        self.took = time.monotonic() - began
