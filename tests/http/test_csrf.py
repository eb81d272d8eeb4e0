"""Only our own pages make a browser change anything, and only under our own name."""

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from starlette.types import Message

from tests.http.conftest import Ask, Build

HERE = "http://127.0.0.1:8000"
REBOUND = "http://evil.example:8000"


def with_act(app: FastAPI) -> FastAPI:
    @app.api_route("/act", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    @app.post("/api/v1/act")
    @app.get("/health")
    async def act() -> dict[str, bool]:
        return {"done": True}

    @app.websocket("/live")
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.close()

    return app


OURS = [
    {"sec-fetch-site": "same-origin", "cookie": "session=x"},
    {"sec-fetch-site": "none", "cookie": "session=x"},
    {"origin": HERE, "cookie": "session=x"},
    {"origin": HERE},
    {},  # no browser, no cookie: nothing that could be abused
]
FOREIGN = [
    {"sec-fetch-site": "cross-site", "cookie": "session=x"},
    {"sec-fetch-site": "cross-site", "origin": HERE},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "nonsense"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9000"},
    {"origin": "http://127.0.0.1"},
    {"origin": "http://127.0.0.1:8000.evil.example"},
    {"origin": "http://user@127.0.0.1:8000"},
    {"origin": "http://127.0.0.1:nonsense"},
    {"cookie": "session=x"},
]


@pytest.mark.parametrize("headers", OURS)
async def test_our_own_pages_may_write(build: Build, ask: Ask, headers: dict[str, str]) -> None:
    async with ask(with_act(build())) as browser:
        assert (await browser.post("/act", headers=headers)).status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_what_another_site_sends_is_refused_with_a_sentence(
    build: Build, ask: Ask, headers: dict[str, str], method: str
) -> None:
    async with ask(with_act(build())) as browser:
        answer = await browser.request(method, "/act", headers=headers)
    assert answer.status_code == 403
    assert "nothing was done" in answer.text
    assert "content-security-policy" in answer.headers


@pytest.mark.parametrize("headers", FOREIGN)
async def test_reading_needs_no_proof(build: Build, ask: Ask, headers: dict[str, str]) -> None:
    async with ask(with_act(build())) as browser:
        assert (await browser.get("/act", headers=headers)).status_code == 200


async def test_a_token_in_the_header_opens_the_api_from_anywhere(build: Build, ask: Ask) -> None:
    foreign = {"sec-fetch-site": "cross-site", "origin": "https://evil.example"}
    bearer = {"authorization": "Bearer abc", **foreign}
    async with ask(with_act(build())) as program:
        assert (await program.post("/api/v1/act", headers=bearer)).status_code == 200
        assert (await program.post("/act", headers=bearer)).status_code == 403
        refused = await program.post("/api/v1/act", headers=foreign)
    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "/problems/cross-site"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8000", "localhost:8000", "[::1]:8000", "toolshare.localhost"]
)
async def test_without_public_url_this_machines_names_are_ours(
    build: Build, ask: Ask, host: str
) -> None:
    headers = {"host": host, "origin": f"http://{host}", "cookie": "session=x"}
    async with ask(with_act(build())) as browser:
        assert (await browser.post("/act", headers=headers)).status_code == 200


async def test_a_strangers_name_for_our_address_is_not_served(build: Build, ask: Ask) -> None:
    """DNS rebinding: host and origin agree, and both are the stranger's."""
    headers = {"host": "evil.example:8000", "origin": REBOUND}
    async with ask(with_act(build())) as browser:
        for path in ("/act", "/api/v1/act", "/static/x.css"):
            assert (await browser.get(path, headers=headers)).status_code == 421
        assert (await browser.post("/act", headers=headers)).status_code == 421


async def test_health_answers_under_any_name(build: Build, ask: Ask) -> None:
    async with ask(with_act(build(public_url="https://tools.example"))) as probe:
        assert (await probe.get("/health")).status_code == 200


async def test_public_url_fixes_host_and_origin(build: Build, ask: Ask) -> None:
    app = with_act(build(public_url="https://tools.example"))
    async with ask(app, base_url="http://tools.example") as browser:
        for origin, status in (
            ("https://tools.example", 200),
            ("https://tools.example:443", 200),
            ("http://tools.example", 403),
            ("https://tools.example:8443", 403),
            ("https://tools.example.evil.example", 403),
        ):
            answer = await browser.post("/act", headers={"origin": origin})
            assert answer.status_code == status, origin
        shouted = {"host": "TOOLS.example:443", "origin": "https://tools.example"}
        assert (await browser.post("/act", headers=shouted)).status_code == 200
        assert (await browser.get("/act", headers={"host": "127.0.0.1"})).status_code == 421


async def test_two_host_headers_are_nobodys(build: Build, ask: Ask) -> None:
    twice = httpx.Headers([("host", "127.0.0.1:8000"), ("host", "evil.example")])
    async with ask(with_act(build())) as browser:
        assert (await browser.get("/act", headers=twice)).status_code == 421


async def handshake(app: FastAPI, **headers: str) -> str:
    """The kind of the first answer to a websocket handshake."""
    answers: list[Message] = []
    asked: list[Message] = [{"type": "websocket.disconnect"}, {"type": "websocket.connect"}]

    async def receive() -> Message:
        return asked.pop()

    async def send(message: Message) -> None:
        answers.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "websocket",
        "scheme": "ws",
        "path": "/live",
        "raw_path": b"/live",
        "query_string": b"",
        "root_path": "",
        "headers": given,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "subprotocols": [],
    }
    await app(scope, receive, send)
    return str(answers[0]["type"])


async def test_a_socket_opens_from_our_pages_only(build: Build) -> None:
    app = with_act(build())
    accepted, closed = "websocket.accept", "websocket.close"
    assert await handshake(app, host="127.0.0.1:8000", origin=HERE) == accepted
    assert await handshake(app, host="127.0.0.1:8000", origin="http://localhost:8000") == closed
    assert await handshake(app, host="127.0.0.1:8000", origin="https://evil.example") == closed
    assert await handshake(app, host="127.0.0.1:8000", origin="null") == closed
    assert await handshake(app, host="127.0.0.1:8000") == closed
    assert await handshake(app, host="evil.example:8000", origin=REBOUND) == closed


async def test_behind_tls_a_socket_opens_from_the_public_address_only(build: Build) -> None:
    app = with_act(build(public_url="https://tools.example"))
    host, origin = "tools.example", "https://tools.example"
    assert await handshake(app, host=host, origin=origin) == "websocket.accept"
    assert await handshake(app, host=host, origin="http://tools.example") == "websocket.close"
