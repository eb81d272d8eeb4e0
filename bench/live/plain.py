"""What one would write first: FastAPI, a set of sockets, `await send_text` in a loop."""

from __future__ import annotations

import gc
import socket
import sys

import uvicorn
from fastapi import FastAPI, Request, WebSocket, WebSocketDisconnect

app = FastAPI()
sockets: set[WebSocket] = set()


@app.websocket("/live")
async def live(websocket: WebSocket) -> None:
    await websocket.accept()
    await websocket.send_text('{"epoch":""}')
    try:
        await websocket.receive_text()
        sockets.add(websocket)
        await websocket.send_text('{"live":1}')
        while True:
            await websocket.receive_text()
    except WebSocketDisconnect:
        pass
    finally:
        sockets.discard(websocket)


@app.post("/write/{times}")
async def write(request: Request, times: int) -> dict[str, int]:
    text = (await request.body()).decode()
    for _ in range(times):
        for websocket in list(sockets):
            await websocket.send_text(text)
    return {}


@app.post("/settle")
async def settle() -> dict[str, int]:
    gc.collect()
    return {}


if __name__ == "__main__":
    config = uvicorn.Config(
        app, loop="uvloop", ws="websockets-sansio", access_log=False, log_level="warning"
    )
    uvicorn.Server(config).run([socket.socket(fileno=int(sys.argv[1]))])
