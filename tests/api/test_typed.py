"""Scripts in all that a program may send: JSON comes back, and a problem repeats nothing of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx

from app.main import app
from tests import typed
from tests.api.conftest import Json, Programs
from tests.api.test_walls import body_for, filled
from tests.typed_json import is_json_and_nothing_else

SAID: Json = app.openapi()
SURPRISE = "no such <script>alert(1)</script> \ud800\u202e"
JSON = {"Content-Type": "application/json"}
LONGEST = typed.EVIL * 9
WHOLE = {"/people": {"name": "Eva", "email": "eva@example.org", "password": "long enough, this"}}


def resolved(schema: Json) -> Json:
    if "$ref" in schema:
        return resolved(SAID["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    return schema


def bodies(schema: Json, words: str) -> Iterator[Any]:
    """Each field in turn, also inner ones, with these words in it; and one that there is not."""
    schema = resolved(schema)
    for one in schema.get("anyOf", ()):
        yield from bodies(one, words)
    if schema.get("type") == "string":
        yield words
    elif schema.get("type") == "array":
        yield from ([one] for one in bodies(schema["items"], words))
    elif schema.get("type") == "object":
        for name, one in schema.get("properties", {}).items():
            yield from ({name: inner} for inner in bodies(one, words))
        yield {SURPRISE: words}


def operations() -> Iterator[tuple[str, str, Json]]:
    for path, of_it in SAID["paths"].items():
        for method, operation in of_it.items():
            yield method.upper(), path, operation


async def test_what_a_program_types_is_taken_or_refused_without_a_word_of_it(
    here: Programs,
) -> None:
    tool = await here.ada.lists()
    loan = await here.ben.asks_for(tool, here.street.day(1))
    tried = 0
    for method, path, operation in operations():
        address = filled(path, here.street.here.slug, tool, loan)
        asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
        plain = WHOLE.get(path.removeprefix("/api/v1")) or body_for(method, path, here) or {}
        for who, words in ((here.ada, typed.FIRST), (here.ben, LONGEST)):
            for body in bodies(asked["schema"], words) if asked else ():
                sent = json.dumps(plain | body)
                answer = await who.call(method, address, content=sent, headers=JSON)
                is_json_and_nothing_else(answer)
                tried += 1
        for one in operation.get("parameters", ()):
            if one["in"] == "query":
                answer = await here.ben.call(method, address, params={one["name"]: typed.FIRST})
                is_json_and_nothing_else(answer)
        is_json_and_nothing_else(await here.ben.call(method, address, params={typed.FIRST: "1"}))
    assert tried > 300, "the walk has lost its way"


async def test_where_there_is_nothing_no_address_comes_back(here: Programs) -> None:
    ben, home, at = here.ben.who, here.street.here.path, quote(typed.FIRST, safe="")
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    wants = {"Accept": "application/json", "Referer": f"{ben.at.url}/{at}"}
    said = f"{home}/loans/{loan}/messages"
    key = {"Idempotency-Key": f"{typed.FIRST}{'x' * 200}"}
    answers: list[httpx.Response] = [
        *[await ben.client.get(path, headers=wants) for path in (f"/{at}", f"/c/{at}")],
        await ben.client.get(f"{home}/tools/{at}", headers=wants),
        await ben.client.get("/live", params={"topic": typed.FIRST}, headers=wants),
        await ben.client.get("/live", params={"topic": at, "version": at}, headers=wants),
        await ben.client.post(said, data={"body": typed.EVIL * 9}, headers=wants),
        await ben.client.post(said, data={"body": "x", "quotes": typed.FIRST}, headers=wants),
        await ben.client.post(said, data={"body": "Hi", "client_id": typed.FIRST}, headers=wants),
        await ben.client.post(f"{home}/loans/{at}/approval", headers=wants),
        await here.ben.call("GET", f"/api/v1/c/{at}/tools"),
        await here.ben.call("GET", f"/photos/{at}"),
        await here.ben.call("POST", f"/loans/{loan}/withdrawal", headers=key),
    ]
    for answer in answers:
        assert answer.status_code in (400, 404, 409, 422), answer.url
        is_json_and_nothing_else(answer)
