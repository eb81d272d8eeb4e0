"""The first start of an empty instance."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.neighbours import browser
from tests.people.living import PASSWORD
from tests.workers import ROOT, Worker, start_worker

FORM = {
    "community": "Elm Street",
    "zone": "Europe/Berlin",
    "name": "Cora",
    "email": "cora@example.org",
    "password": PASSWORD,
}


@pytest.fixture
async def empty(database: str) -> AsyncIterator[Worker]:
    """A worker on a database where nobody lives yet."""
    worker = await start_worker("empty", DATABASE_URL=database)
    yield worker
    await worker.stop()


async def program(name: str, database: str, *arguments: str) -> tuple[int, str]:
    env = {**os.environ, "DATABASE_URL": database}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        name,
        *arguments,
        cwd=ROOT,
        env=env,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    told, _ = await process.communicate()
    return process.returncode or 0, told.decode().strip()


async def test_an_empty_instance_is_set_up_once_with_the_printed_code(
    empty: Worker, database: str
) -> None:
    _, first = await program("app.people.setup_code", database)
    _, code = await program("app.people.setup_code", database)
    assert first != code
    async with browser(empty) as client, browser(empty) as other:
        assert (await client.get("/")).headers["location"] == "/set-up"
        assert "Set-up code" in (await client.get("/set-up")).text
        for wrong in ("", first, "AAAA-BBBB-CCCC"):
            page = await client.post("/set-up", data=FORM | {"code": wrong})
            assert (page.status_code, "not the code" in page.text) == (422, True)
            assert PASSWORD not in page.text
        page = await client.post("/set-up", data=FORM | {"code": code, "zone": "Mars"})
        assert (page.status_code, 'value="Elm Street"' in page.text) == (422, True)
        answers = await asyncio.gather(
            client.post("/set-up", data=FORM | {"code": code.lower()}),
            other.post("/set-up", data=FORM | {"code": code, "email": "eve@example.org"}),
        )
        assert sorted(answer.status_code for answer in answers) == [303, 404]
        (winner,) = [
            one for one, said in zip((client, other), answers, strict=True) if said.is_redirect
        ]
        await _lives_in_elm_street(winner)
        assert (await other.get("/set-up")).status_code == 404
        assert (await other.post("/set-up", data=FORM | {"code": code})).status_code == 404
    assert await program("app.people.setup_code", database) == (0, "")


async def _lives_in_elm_street(client: httpx.AsyncClient) -> None:
    assert (await client.get("/")).headers["location"] == "/c/elm-street"
    board = await client.get("/c/elm-street")
    assert "Drills" in board.text
    assert (await client.get("/c/elm-street/members")).status_code == 200


async def test_who_is_locked_out_of_everything_gets_in_from_the_machine(
    empty: Worker, database: str
) -> None:
    failed, _ = await program("app.people.reset_link", database, "cora@example.org")
    assert failed == 1
    _, code = await program("app.people.setup_code", database)
    async with browser(empty) as client:
        assert (await client.post("/set-up", data=FORM | {"code": code})).status_code == 303
    _, link = await program("app.people.reset_link", database, "CORA@example.org")
    async with browser(empty) as client:
        path = "/reset/" + link.rsplit("/", 1)[1]
        answer = await client.post(path, data={"password": "another good one"})
        assert answer.status_code == 303
        assert (await client.get("/c/elm-street/members")).status_code == 200
