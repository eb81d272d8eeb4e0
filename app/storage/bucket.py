"""A bucket behind the S3 protocol, asked in a few threads, since its library blocks.

Nothing in it is public: whoever may see a photo gets it from the app.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from urllib3.exceptions import HTTPError

from app.storage import StorageError

THREADS = 8  # of each worker; what does not get one in time is told so
WITHIN = 10.0  # seconds, for a request that waits for it
SPARED = 3.0  # seconds in which nobody waits for one that did not answer
BELOW = "photos/"
PLAIN = "us-east-1"  # what services without regions call theirs

AWAY = "The bucket for photos does not answer at S3_ENDPOINT."
MISSING = "There is no bucket for photos of the name in S3_BUCKET."
NOT_LET_IN = (
    "The bucket for photos does not let us in: S3_ACCESS_KEY and S3_SECRET_KEY must fit, "
    "and be allowed to list it, and to read, write and delete in it."
)
ELSEWHERE = "The bucket for photos is in another region than S3_REGION names."
FULL = "The bucket for photos is full."
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "507"}
_ELSEWHERE = {"301", "307", "PermanentRedirect", "AuthorizationHeaderMalformed"}
_GONE = {"NoSuchKey", "404"}


class Bucket:
    """`endpoint`: empty for Amazon's own."""

    def __init__(
        self, name: str, *, endpoint: str, region: str, access_key: str, secret_key: str
    ) -> None:
        self.name = name
        self._spared_until = 0.0
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="bucket")
        self._client = botocore.session.Session().create_client(
            "s3",
            region_name=region or PLAIN,
            endpoint_url=endpoint or None,
            aws_access_key_id=access_key,
            aws_secret_access_key=secret_key,
            config=Config(
                signature_version="s3v4",
                connect_timeout=3,
                read_timeout=6,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=THREADS,
                # A name of one's own for each bucket is what few services beside Amazon's give.
                s3={"addressing_style": "path" if endpoint else "auto"},
                # Checksums that came with 2025 are unknown to many of them.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    async def put(self, name: str, content: bytes, kind: str) -> None:
        await self._ask("put_object", name, Body=content, ContentType=kind)

    async def read(self, name: str) -> bytes | None:
        def whole(answer: Any) -> bytes:
            body: bytes = answer["Body"].read()
            return body

        try:
            content: bytes = await self._ask("get_object", name, then=whole)
            return content
        except NothingThere:
            return None

    async def delete(self, name: str) -> None:
        await self._ask("delete_object", name)

    async def why_not(self, *, thoroughly: bool = False) -> str | None:
        try:
            if thoroughly:
                name = f"check-{secrets.token_hex(8)}"
                await self.put(name, b"1", "text/plain")
                await self.read(name)
                await self.delete(name)
                await self.read(name)  # without the right to list, what is not there is forbidden
            else:
                await self._ask("head_bucket")
        except NothingThere:
            return MISSING
        except StorageError as error:
            return error.sentence
        return None

    async def _ask(
        self, what: str, name: str = "", then: Callable[[Any], Any] | None = None, **more: object
    ) -> Any:
        """What it answered, or what `then` made of that in the same thread."""
        asked = {"Bucket": self.name, **({"Key": BELOW + name} if name else {}), **more}

        def blocking() -> Any:
            answer = getattr(self._client, what)(**asked)
            return then(answer) if then else answer

        loop = asyncio.get_running_loop()
        if loop.time() < self._spared_until:
            raise StorageError(AWAY)
        try:
            async with asyncio.timeout(WITHIN):
                # Given up while it waits for a thread, it never gets one.
                return await loop.run_in_executor(self._threads, blocking)
        except ClientError as error:
            raise _refused(error) from error
        except (BotoCoreError, HTTPClientError, HTTPError, OSError) as error:
            self._spared_until = loop.time() + SPARED
            raise StorageError(AWAY) from error


class NothingThere(StorageError):  # noqa: N818 - an answer, not an accident
    """No such name in it. Asked of the bucket itself: no such bucket."""


def _refused(error: ClientError) -> StorageError:
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return StorageError(MISSING)
    if code in _GONE:
        return NothingThere(MISSING)
    if code in _FULL or status == 507:
        return StorageError(FULL, full=True)
    if code in _ELSEWHERE:
        return StorageError(ELSEWHERE)
    if status in (401, 403):
        return StorageError(NOT_LET_IN)
    if status >= 500:
        return StorageError(AWAY)
    return StorageError(f"The bucket for photos refuses what it is asked: {code or status}.")
