"""A command once per key, and the pictures that came with it: for pages and programs alike."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request
from starlette.datastructures import UploadFile

from app.db import Tx
from app.http import idempotency, throttle
from app.people.viewer import Viewer
from app.tools import photos
from app.tools.photos import Stored


@dataclass
class Pictures:
    """On disk; `hung` once a row names them for good."""

    stored: list[Stored] = field(default_factory=list)
    hung: bool = False

    @property
    def first(self) -> Stored | None:
        return self.stored[0] if self.stored else None


async def once(
    tx: Tx,
    request: Request,
    viewer: Viewer,
    key: str | None,
    body: idempotency.Body,
    act: Callable[[], Awaitable[object]],
) -> bool:
    """False: this very command was done before."""
    if await idempotency.recall(tx, viewer.person_id, request, key, body) is not None:
        return False
    await act()
    await idempotency.keep(tx, viewer.person_id, request, key, body, {"done": True})
    return True


@asynccontextmanager
async def pictures(by: Viewer, sent: AsyncIterator[bytes]) -> AsyncIterator[Pictures]:
    """Kept while the command runs; what it does not hang in the end is removed from the disk.

    Whoever asks has proved before that the loan is theirs: a stranger's picture is not decoded.
    """
    kept = Pictures()
    try:
        async for one in sent:
            await throttle.spend(f"photo:{by.person_id}", "photo", limit="30/minute")
            kept.stored.append(await photos.store(one))
        yield kept
    finally:
        if not kept.hung:
            for stored in kept.stored:
                await photos.discard(stored)


async def of_body(sent: Iterable[bytes]) -> AsyncIterator[bytes]:
    for one in sent:
        yield one


async def of_form(uploads: Sequence[UploadFile]) -> AsyncIterator[bytes]:
    """Raises Refusal for what is too large, before any of it is read."""
    for one in uploads:
        photos.check_size(one.size or 0)
    for one in uploads:
        yield await one.read()
