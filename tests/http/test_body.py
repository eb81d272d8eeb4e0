"""A body is counted while it is read, so that no length a client claims can fill us up."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import FastAPI, Form, Request, UploadFile
from pydantic import BaseModel

from tests.http.conftest import Ask, Build

KIB = b"x" * 1024


class Words(BaseModel):
    text: str


def with_forms(app: FastAPI) -> FastAPI:
    @app.post("/say")
    async def say(text: Annotated[str, Form()]) -> int:
        return len(text)

    @app.post("/api/v1/say")
    async def say_in_json(words: Words) -> int:
        return len(words.text)

    @app.post("/photos")
    async def photos(photo: UploadFile) -> int:
        return len(await photo.read())

    @app.post("/stream")
    async def stream(request: Request) -> int:
        return sum([len(part) async for part in request.stream()])

    return app


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield KIB


async def test_what_fits_arrives(build: Build, ask: Ask) -> None:
    async with ask(with_forms(build())) as browser:
        assert (await browser.post("/say", data={"text": "x" * 9000})).json() == 9000
        photo = {"photo": ("drill.webp", KIB * 90)}
        assert (await browser.post("/photos", files=photo)).json() == 90 * 1024


async def test_what_is_too_large_is_refused_with_a_sentence(build: Build, ask: Ask) -> None:
    async with ask(with_forms(build())) as browser:
        form = await browser.post("/say", data={"text": "x" * 20_000})
        photo = await browser.post("/photos", files={"photo": ("drill.webp", KIB * 101)})
        json = await browser.post("/api/v1/say", json={"text": "x" * 20_000})
    for answer in (form, photo, json):
        assert answer.status_code == 413
        assert "too large" in answer.text
        assert answer.headers["connection"] == "close"
    assert json.json()["type"] == "/problems/too-large"


async def test_a_body_without_a_length_is_counted(build: Build, ask: Ask) -> None:
    async with ask(with_forms(build())) as browser:
        for path in ("/stream", "/api/v1/say"):
            answer = await browser.post(
                path, content=endless(), headers={"content-type": "application/json"}
            )
            assert answer.status_code == 413


async def test_a_length_that_lies_gains_nothing(build: Build, ask: Ask) -> None:
    async with ask(with_forms(build())) as browser:
        for claimed in ("10", "-1", "ten"):
            answer = await browser.post(
                "/stream", content=endless(), headers={"content-length": claimed}
            )
            assert answer.status_code == 413
