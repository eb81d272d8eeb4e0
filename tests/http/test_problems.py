"""Every error is a sentence with a way out: as a page, as a fragment, as a document."""

from datetime import datetime, timedelta, timezone
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Form, Response
from pydantic import BaseModel, Field
from starlette.responses import StreamingResponse

from app.errors import Conflict, NotFound, NotYet, Refusal, SignInNeeded, mistyped
from app.http.throttle import TooMany
from tests.http.conftest import Ask, Build

NOON = datetime(2026, 5, 3, 12, tzinfo=timezone(timedelta(hours=2)))
ERRORS: dict[str, Exception] = {
    "refused": Refusal("The drill is out.", "Ask cy when it returns", lifted_by="cy"),
    "taken": Conflict("Just taken.", free=[(NOON, NOON + timedelta(days=1))]),
    "mistyped": mistyped("start", "This day is over."),
    "gone": NotFound(),
    "signed-out": SignInNeeded(),
    "throttled": TooMany("Too often.", retry_after=7),
    "broken": RuntimeError("secret of the house"),
}
HTML = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HTMX = {**HTML, "hx-request": "true"}


class NewPerson(BaseModel):
    email: str
    password: Annotated[str, Field(min_length=8)]


def with_errors(app: FastAPI) -> FastAPI:
    @app.api_route("/page/{name}", methods=["GET", "POST"])
    @app.api_route("/api/v1/{name}", methods=["GET", "POST"])
    async def fail(name: str) -> None:
        raise ERRORS[name]

    @app.get("/c/{slug}/board")
    @app.get("/api/v1/c/{slug}/tools")
    async def not_yet(slug: str) -> None:
        raise NotYet

    @app.get("/c/{slug}/loans/{loan_id}")
    async def loan(loan_id: int) -> int:
        return loan_id

    @app.post("/sign-up")
    async def sign_up(email: Annotated[str, Form()], age: Annotated[int, Form()]) -> None: ...

    @app.post("/api/v1/c/people")
    async def people(person: NewPerson) -> None: ...

    @app.get("/half")
    async def half() -> Response:
        async def parts() -> Any:
            yield b"half"
            raise RuntimeError("the other half is missing")

        return StreamingResponse(parts())

    return app


async def document(build: Build, ask: Ask, name: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    async with ask(with_errors(build())) as program:
        answer = await program.get(f"/api/v1/{name}")
    assert answer.headers["content-type"] == "application/problem+json"
    found = answer.json()
    assert found["status"] == answer.status_code
    assert found["request_id"] == answer.headers["x-request-id"]
    assert found["title"]
    return answer.status_code, found, dict(answer.headers)


async def test_a_refusal_is_a_document_with_a_way_out(build: Build, ask: Ask) -> None:
    status, found, _ = await document(build, ask, "refused")
    assert (status, found["type"], found["detail"]) == (
        409,
        "/problems/refused",
        "The drill is out.",
    )
    assert (found["way_out"], found["lifted_by"]) == ("Ask cy when it returns", "cy")
    assert "free" not in found


async def test_a_lost_race_names_the_free_periods(build: Build, ask: Ask) -> None:
    status, found, _ = await document(build, ask, "taken")
    assert (status, found["type"]) == (409, "/problems/conflict")
    assert found["free"] == [{"start": "2026-05-03T10:00:00Z", "end": "2026-05-04T10:00:00Z"}]


async def test_each_kind_has_its_status(build: Build, ask: Ask) -> None:
    status, found, _ = await document(build, ask, "mistyped")
    assert status == 422
    assert found["errors"] == [{"field": "start", "detail": "This day is over."}]
    assert (await document(build, ask, "gone"))[0] == 404
    status, found, headers = await document(build, ask, "signed-out")
    assert (status, headers["www-authenticate"]) == (401, "Bearer")
    status, found, headers = await document(build, ask, "throttled")
    assert (status, found["type"], headers["retry-after"]) == (429, "/problems/too-many", "7")
    assert (await document(build, ask, "no/such/path"))[0] == 404


async def test_an_unknown_error_says_nothing_of_itself(build: Build, ask: Ask) -> None:
    status, found, headers = await document(build, ask, "broken")
    assert status == 500
    assert "secret of the house" not in str(found)
    async with ask(with_errors(build())) as browser:
        page = await browser.get("/page/broken", headers=HTML)
    assert page.status_code == 500
    assert "secret of the house" not in page.text
    assert page.headers["x-request-id"] in page.text
    for layered in (headers, page.headers):
        assert "content-security-policy" in layered


async def test_a_broken_answer_is_cut_off(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        with pytest.raises(RuntimeError, match="other half"):
            await browser.get("/half")


async def test_a_browser_gets_a_page(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        for name, status in (("refused", 409), ("taken", 409), ("gone", 404), ("throttled", 429)):
            page = await browser.get(f"/page/{name}", headers=HTML)
            assert page.status_code == status
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert page.text.startswith("<!doctype html>")
            assert 'id="problem"' in page.text
        page = await browser.get("/page/refused", headers=HTML)
        assert "The drill is out." in page.text
        assert "Ask cy when it returns" in page.text
        assert (await browser.get("/nowhere", headers=HTML)).status_code == 404
        assert (await browser.put("/page/x", headers=HTML)).status_code == 405


async def test_a_stranger_and_a_missing_thing_look_the_same(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        hidden = await browser.get("/page/gone", headers=HTML)
        for path in ("/nowhere", "/c/elm/loans/x"):
            missing = await browser.get(path, headers=HTML)
            assert missing.status_code == 404
            assert missing.text.replace(path, "") == hidden.text.replace("/page/gone", "")


async def test_htmx_gets_the_sentence_for_the_flash_line(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        for name, status in (("refused", 409), ("gone", 404), ("broken", 500)):
            answer = await browser.post(f"/page/{name}", headers=HTMX)
            assert answer.status_code == status
            assert answer.text.strip().startswith('<div id="problem">')
            assert "<title>" not in answer.text  # it would rename the page
            assert answer.headers["hx-retarget"] == "#flash"


async def test_the_way_back_leads_to_one_of_our_pages(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:

        async def page_after(referer: str) -> str:
            return (await browser.get("/page/refused", headers={**HTML, "referer": referer})).text

        assert 'href="/c/elm/things?all=1"' in await page_after(
            "http://127.0.0.1:8000/c/elm/things?all=1"
        )
        for foreign in ("https://evil.example/x", "http://127.0.0.1:8000//evil.example", "%%%"):
            text = await page_after(foreign)
            assert "evil" not in text


async def test_who_is_signed_out_is_led_to_the_door_and_back(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        reading = await browser.get("/page/signed-out?q=drill&free=1", headers=HTML)
        assert reading.status_code == 303
        assert reading.headers["location"] == (
            "/sign-in?next=%2Fpage%2Fsigned-out%3Fq%3Ddrill%26free%3D1"
        )
        here = {"referer": "http://127.0.0.1:8000/c/elm"}
        writing = await browser.post("/page/signed-out", headers={**HTML, **here})
        assert writing.headers["location"] == "/sign-in?next=%2Fc%2Felm"
        smooth = await browser.post("/page/signed-out", headers={**HTMX, **here})
        assert smooth.status_code == 200
        assert smooth.headers["hx-redirect"] == "/sign-in?next=%2Fc%2Felm"


async def test_who_is_not_let_in_yet_is_told_so(build: Build, ask: Ask) -> None:
    async with ask(with_errors(build())) as browser:
        page = await browser.get("/c/elm/board", headers=HTML)
        assert (page.status_code, page.headers["location"]) == (303, "/c/elm/waiting")
        answer = await browser.get("/api/v1/c/elm/tools")
        assert (answer.status_code, answer.json()["type"]) == (403, "/problems/not-yet")


async def test_what_was_typed_is_never_sent_back(build: Build, ask: Ask) -> None:
    secret = "hunter2"
    async with ask(with_errors(build())) as browser:
        api = await browser.post("/api/v1/c/people", json={"password": secret})
        page = await browser.post(
            "/sign-up", data={"password": secret, "age": secret}, headers=HTML
        )
        broken = await browser.post(
            "/api/v1/c/people",
            content=b'{"password": "hunter2',
            headers={"content-type": "application/json"},
        )
    assert (api.status_code, page.status_code, broken.status_code) == (422, 422, 422)
    assert {each["field"] for each in api.json()["errors"]} == {"email", "password"}
    assert "email" in page.text
    for answer in (api, page, broken):
        assert secret not in answer.text
