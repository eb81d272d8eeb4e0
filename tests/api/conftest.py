"""The neighbours as programs: a token instead of a browser, JSON instead of pages."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx
import pytest

from app import clock, db
from app.people import sessions
from app.people.sessions import Proof
from tests.neighbours import Neighbour, Street, found_street
from tests.workers import Worker

Json = dict[str, Any]


@dataclass
class Program:
    """Acts for one neighbour, in the community in which they live."""

    client: httpx.AsyncClient
    who: Neighbour
    base: str

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Below the community's own path, if it is not a whole one."""
        whole = path if path.startswith("/api/") else f"{self.base}{path}"
        answer = await self.client.request(method, whole, **options)
        assert answer.status_code < 500, f"{method} {path}: {answer.text}\n{self._trace()}"
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == "application/problem+json", answer.text
            problem = answer.json()
            assert problem["status"] == answer.status_code
            assert problem["type"].startswith("/problems/")
            assert problem["detail"]
            assert problem["title"]
        return answer

    def _trace(self) -> str:
        return self.who.at.last_error()

    async def gets(self, path: str, **params: Any) -> Json:
        answer = await self.call("GET", path, params=params)
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def posts(
        self, path: str, body: Json | None = None, *, expect: int = 200, key: str = ""
    ) -> Json:
        headers = {"Idempotency-Key": key} if key else {}
        answer = await self.call("POST", path, json=body, headers=headers)
        assert answer.status_code == expect, answer.text
        found: Json = answer.json()
        return found

    async def lists(self, name: str = "Cordless drill", **more: Any) -> int:
        new = {"name": name, "category": "drills", **more}
        return int((await self.posts("/tools", new, expect=201))["id"])

    async def asks_for(self, tool_id: int, start: date, end: date | None = None) -> int:
        days = {"start": f"{start}", "end": f"{end or start}"}
        return int((await self.posts(f"/tools/{tool_id}/loans", days, expect=201))["id"])

    async def acts(self, loan_id: int, noun: str, body: Json | None = None, **more: Any) -> Json:
        return await self.posts(f"/loans/{loan_id}/{noun}", body, **more)


@dataclass
class Programs:
    street: Street
    ada: Program
    ben: Program
    cy: Program
    cora: Program


@contextlib.asynccontextmanager
async def programs_of(street: Street) -> AsyncIterator[Programs]:
    async with contextlib.AsyncExitStack() as stack:
        made = {}
        for name in ("ada", "ben", "cy", "cora"):
            who = getattr(street, name)
            client = await stack.enter_async_context(await _client(who))
            made[name] = Program(client, who, f"/api/v1{street.here.path}")
        yield Programs(street, **made)


async def _client(who: Neighbour) -> httpx.AsyncClient:
    async with db.begin() as tx:
        token, _ = await sessions.issue_token(tx, Proof(who.id, "none"), clock.now())
    headers = {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=who.at.url, headers=headers, timeout=30)


@pytest.fixture
async def here(street: Street) -> AsyncIterator[Programs]:
    async with programs_of(street) as programs:
        yield programs


@pytest.fixture
async def elsewhere(workers: tuple[Worker, Worker]) -> AsyncIterator[Programs]:
    """A second community, with other people."""
    async with found_street(workers) as other, programs_of(other) as programs:
        yield programs
