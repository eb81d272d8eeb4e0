"""`GET /live?topic=…&version=…`: the same frame without a socket. 204 not behind, 404 not yours."""

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response

from app.realtime import versions
from app.realtime.topics import draw, drawn_frame, face_for, snapshot

if TYPE_CHECKING:
    from app.realtime.engine import Engine


async def answer(engine: "Engine", request: Request) -> Response:
    topic = request.query_params.get("topic", "")
    has = _number(request.query_params.get("version"))
    async with snapshot(engine.sessions) as tx:
        listener = await engine.listener_of(tx, request)
        kind = engine.topics.open_to(listener, topic) if listener else None
        if listener is None or kind is None:
            return _plain(404)
        reading = await versions.read(tx, [topic])
        version = reading.version(topic)
        since = min(has, _number(request.query_params.get("since"), has))
        # Drawn even if not behind: only the drawing knows whether the topic is theirs.
        face = face_for(await draw(tx, kind, listener, topic, since), listener.person_id)
        if face is None:
            return _plain(404)
        text = drawn_frame(kind, topic, version, since, face)
    if "version" in request.query_params and has >= version:
        return _plain(204)
    return Response(text, media_type="application/json", headers=_headers(reading.epoch))


def _plain(status: int) -> Response:
    return Response(status_code=status, headers=_headers(""))


def _headers(epoch: str) -> dict[str, str]:
    return {"Cache-Control": "no-store", **({"Live-Epoch": epoch} if epoch else {})}


def _number(text: str | None, default: int = 0) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 16 else default
