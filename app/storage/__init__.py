"""Where photos are kept: in a folder, or in a bucket that speaks S3. Nothing else knows which.

A name is a flat file name of ours. What is kept under one never changes: it is whole or not there.
"""

from __future__ import annotations

from typing import Protocol

from app.settings import settings


class StorageError(Exception):
    """It cannot be asked now, or takes no more. `sentence` is for whoever runs the server."""

    def __init__(self, sentence: str, *, full: bool = False) -> None:
        super().__init__(sentence)
        self.sentence, self.full = sentence, full


class Storage(Protocol):
    """Each raises StorageError, and none waits for longer than some seconds."""

    async def put(self, name: str, content: bytes, kind: str) -> None:
        """Whole or not at all; `kind` is its media type. The same name again replaces it."""

    async def read(self, name: str) -> bytes | None:
        """None if there is no such thing."""

    async def delete(self, name: str) -> None:
        """What is gone already is gone."""

    async def why_not(self, *, thoroughly: bool = False) -> str | None:
        """One sentence if photos could not be kept; `thoroughly`: by keeping something."""


_chosen: Storage | None = None


def kept() -> Storage:
    """The one that the settings name."""
    global _chosen
    if _chosen is None:
        _chosen = made()
    return _chosen


def made() -> Storage:
    """Imports what it needs and no more: the library for buckets is large."""
    if settings.s3_bucket:
        from app.storage.bucket import Bucket

        return Bucket(
            settings.s3_bucket,
            endpoint=settings.s3_endpoint,
            region=settings.s3_region,
            access_key=settings.s3_access_key,
            secret_key=settings.s3_secret_key,
        )
    from app.storage.folder import Folder

    return Folder(settings.data_dir / "photos")
