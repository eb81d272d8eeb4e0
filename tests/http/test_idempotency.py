"""A repeated command is one command, however and whenever it is repeated."""

import asyncio
import itertools
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from app import clock, db
from app.errors import Refusal
from app.http import idempotency
from app.http.models import IdempotencyKey

PEOPLE = itertools.count(10**12)  # each test is another person, nobody else's
LOAN = {"start": "2026-05-03", "end": "2026-05-05"}


def to(path: str, method: str = "POST", key: str = "") -> Request:
    headers = [(b"idempotency-key", key.encode("latin1"))] if key else []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "query_string": b"",
    }
    return Request(scope)


async def ask_for(
    person: int,
    key: str | None,
    done: list[int],
    body: Any = LOAN,
    **other: str,
) -> int:
    """A command with an effect that can be counted; answers the id of what it made."""
    request = to(other.get("path", "/c/elm/tools/7/loans"), other.get("method", "POST"))
    async with db.begin() as tx:
        seen = await idempotency.recall(tx, person, request, key, body)
        if seen is None:
            done.append(len(done) + 1)
            seen = {"loan_id": done[-1]}
            await idempotency.keep(tx, person, request, key, body, seen)
        return int(seen["loan_id"])


async def test_the_second_time_gives_the_first_answer() -> None:
    ada, done = next(PEOPLE), list[int]()
    assert await ask_for(ada, "k", done) == 1
    assert await ask_for(ada, "k", done) == 1
    assert done == [1]


async def test_twenty_at_once_are_one() -> None:
    ada, done = next(PEOPLE), list[int]()
    answers = await asyncio.gather(*(ask_for(ada, "k", done) for _ in range(20)))
    assert set(answers) == {1}
    assert done == [1]


async def fail(person: int, key: str) -> None:
    request = to("/c/elm/tools/7/loans")
    async with db.begin() as tx:
        assert await idempotency.recall(tx, person, request, key, LOAN) is None
        await idempotency.keep(tx, person, request, key, LOAN, {"loan_id": 99})
        raise ZeroDivisionError


async def test_a_command_that_failed_is_done_again() -> None:
    ada, done = next(PEOPLE), list[int]()
    with pytest.raises(ZeroDivisionError):
        await fail(ada, "k")
    assert await ask_for(ada, "k", done) == 1


async def test_the_same_key_with_other_words_is_refused() -> None:
    ada, done = next(PEOPLE), list[int]()
    await ask_for(ada, "k", done)
    with pytest.raises(Refusal) as refusal:
        await ask_for(ada, "k", done, body={**LOAN, "end": "2026-05-06"})
    assert refusal.value.status == 422
    assert done == [1]


async def test_a_key_belongs_to_one_person_method_and_path() -> None:
    ada, ben, done = next(PEOPLE), next(PEOPLE), list[int]()
    await ask_for(ada, "k", done)
    await ask_for(ben, "k", done)
    await ask_for(ada, "k", done, path="/c/elm/tools/8/loans")
    await ask_for(ada, "k", done, method="PATCH")
    await ask_for(ada, "other", done)
    assert len(done) == 5


async def test_without_a_key_each_is_its_own() -> None:
    ada, done = next(PEOPLE), list[int]()
    await ask_for(ada, None, done)
    await ask_for(ada, None, done)
    assert done == [1, 2]


async def test_after_a_day_it_is_forgotten() -> None:
    ada, done = next(PEOPLE), list[int]()
    await ask_for(ada, "old", done)
    async with db.begin() as tx:
        row = (await tx.scalars(select(IdempotencyKey).filter_by(person_id=ada))).one()
        row.created_at = clock.now() - timedelta(hours=24, seconds=1)
    await ask_for(ada, "old", done)  # outdated, though its row is still there
    await ask_for(ada, "new", done)
    async with db.begin() as tx:
        await idempotency.forget_old(tx, clock.now() + timedelta(hours=23))
        assert len((await tx.scalars(select(IdempotencyKey).filter_by(person_id=ada))).all()) == 2
        await idempotency.forget_old(tx, clock.now() + timedelta(hours=25))
        assert not (await tx.scalars(select(IdempotencyKey).filter_by(person_id=ada))).all()
    assert len(done) == 3


async def test_nothing_of_the_body_is_kept() -> None:
    ada, done = next(PEOPLE), list[int]()
    await ask_for(ada, "k", done, body={"text": "the key lies under the mat"})
    async with db.begin() as tx:
        row = (await tx.scalars(select(IdempotencyKey).filter_by(person_id=ada))).one()
        assert row.outcome == {"loan_id": 1}
        assert len(row.body_hash) == 32


def test_the_key_comes_from_the_form_or_the_header() -> None:
    assert idempotency.key_of(to("/x", key="abc")) == "abc"
    assert idempotency.key_of(to("/x", key='"abc"')) == "abc"
    assert idempotency.key_of(to("/x", key="abc"), "from-the-form") == "from-the-form"
    assert idempotency.key_of(to("/x")) is None
    for strange in ("x" * 201, "é", "a\tb"):
        with pytest.raises(Refusal):
            idempotency.key_of(to("/x", key=strange))


class Words(BaseModel):
    text: str


def photo(content: bytes) -> FormData:
    return FormData([("photo", UploadFile(BytesIO(content), filename="drill.webp"))])


def test_a_body_is_its_content_whatever_the_order() -> None:
    digest = idempotency.digest
    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert digest({"a": "1", "idempotency_key": "x"}) == digest({"a": "1"})
    assert digest(FormData([("a", "1"), ("idempotency_key", "x")])) == digest({"a": "1"})
    assert digest(FormData([("a", "1"), ("a", "2")])) != digest(FormData([("a", "1")]))
    assert digest({"a": 1}) != digest({"a": "1"})
    assert digest(Words(text="hello")) == digest({"text": "hello"})
    assert digest(None) == digest({})
    assert digest(b"hello") != digest(b"hallo")
    assert digest(photo(b"one")) == digest(photo(b"one"))
    assert digest(photo(b"one")) != digest(photo(b"two"))
