"""JSON that a program gets, looked through for what must not be in it."""

from __future__ import annotations

import json
import re

import httpx

HTML = re.compile("[<>]")


def is_json_and_nothing_else(answer: httpx.Response) -> None:
    """No browser takes it for a page; and a problem repeats nothing that was typed."""
    where = f"{answer.request.method} {answer.url} {answer.request.content[:200]!r}"
    assert answer.status_code < 500, where
    assert answer.headers["x-content-type-options"] == "nosniff", where
    assert answer.headers["content-security-policy"].startswith("default-src 'none'"), where
    if answer.status_code == 204 or not answer.content:
        return
    refused = answer.status_code >= 400
    kind = answer.headers["content-type"]
    if kind.startswith("text/csv"):
        return
    assert kind == f"application/{'problem+' if refused else ''}json", where
    json.loads(answer.text)
    if refused:
        assert not HTML.search(answer.text), f"{where}: {answer.text[:400]}"
        assert len(answer.text) < 4_000, where
