"""One web worker, on the socket that all workers share."""

import os
import socket
import sys
from contextlib import suppress

import uvicorn

from app.crew import END_WITHIN


class Server(uvicorn.Server):
    """Says on a pipe when it serves."""

    def __init__(self, config: uvicorn.Config, started: int) -> None:
        super().__init__(config)
        self.pipe = started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        with suppress(BrokenPipeError):  # nobody waits for a worker that took another's place
            os.write(self.pipe, b"!")
        os.close(self.pipe)


def config(app: str) -> uvicorn.Config:
    """As in the Dockerfile, where uvicorn starts workers of its own."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="app.http.wire:BoundedHttp",
        ws="app.realtime.frames:FrameProtocol",
        ws_max_size=16384,
        lifespan="on",  # a failure there ends the start
        access_log=False,
        log_level="warning",
        proxy_headers=False,  # app/http/proxies.py believes the configured ones only
        timeout_graceful_shutdown=END_WITHIN,
    )


def work(app: str, listener: int, hold: int, started: int) -> None:
    """Loads the app, and serves it once `hold` is let go. All three are descriptors."""
    served = config(app)
    served.load()
    os.read(hold, 1)
    Server(served, started).run([socket.socket(fileno=listener)])


if __name__ == "__main__":
    work(sys.argv[1], *map(int, sys.argv[2:5]))
