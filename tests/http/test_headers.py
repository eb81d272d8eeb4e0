"""What each answer tells the browser, whoever made the answer."""

import re

from fastapi import FastAPI, Request
from starlette.responses import HTMLResponse, Response

from tests.http.conftest import Ask, Build


class Ada:
    person_id = 1


def with_pages(app: FastAPI) -> FastAPI:
    @app.get("/static/app.css")
    @app.get("/door")
    @app.get("/api/v1/things")
    async def open_to_all() -> str:
        return "x"

    @app.get("/mine")
    async def mine(request: Request) -> Response:
        request.state.viewer = Ada()
        return HTMLResponse("hello ada")

    @app.get("/photo")
    async def photo(request: Request) -> Response:
        request.state.viewer = Ada()
        return Response(b"", headers={"cache-control": "private, max-age=60"})

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("on purpose")

    return app


async def test_every_answer_is_framed_in_rules(build: Build, ask: Ask) -> None:
    async with ask(with_pages(build())) as browser:
        for path in ("/door", "/static/app.css", "/api/v1/things", "/nowhere", "/broken"):
            headers = (await browser.get(path)).headers
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy, path
            assert not re.search(r"unsafe|\*|http", policy)
            for rule in ("base-uri 'none'", "form-action 'self'", "frame-ancestors 'none'"):
                assert rule in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"
            assert headers["cross-origin-opener-policy"] == "same-origin"
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert "camera=()" in headers["permissions-policy"]
            assert "strict-transport-security" not in headers


async def test_behind_tls_the_browser_is_told_to_stay_there(build: Build, ask: Ask) -> None:
    async with ask(with_pages(build(behind_tls=True))) as browser:
        answer = await browser.get("/door")
    assert answer.headers["strict-transport-security"].startswith("max-age=")


async def test_a_page_with_a_person_is_kept_nowhere(build: Build, ask: Ask) -> None:
    async with ask(with_pages(build())) as browser:

        async def kept(path: str) -> str:
            return (await browser.get(path)).headers["cache-control"]

        assert await kept("/mine") == "private, no-store"
        assert await kept("/api/v1/things") == "private, no-store"
        assert await kept("/door") == "private, no-cache"
        assert await kept("/photo") == "private, max-age=60"  # what a route says stands
        assert await kept("/static/app.css?v=12ab") == "public, max-age=31536000, immutable"
        assert await kept("/static/app.css") == "public, max-age=0, must-revalidate"
        assert await kept("/static/gone.css?v=12ab") == "private, no-cache"
