"""Files that are the same for all come compressed; what is somebody's own does not."""

from __future__ import annotations

import pytest

from tests.neighbours import Street


@pytest.mark.parametrize(
    ("path", "how"),
    [
        ("/static/parts.css", "gzip"),
        ("/static/live.js", "gzip"),
        ("/c/{slug}", None),
        ("/api/v1/c/{slug}/tools", None),
    ],
)
async def test_only_what_all_may_read_is_compressed(
    street: Street, path: str, how: str | None
) -> None:
    asked = {"accept-encoding": "gzip"}
    answer = await street.ada.client.get(path.format(slug=street.here.slug), headers=asked)
    assert answer.headers.get("content-encoding") == how
    if how:
        assert "Accept-Encoding" in answer.headers["vary"]
        part = await street.ada.client.get(path, headers=asked | {"range": "bytes=0-99"})
        assert (part.status_code, "content-encoding" in part.headers) == (206, False)
        assert len(part.content) == 100
