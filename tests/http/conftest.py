"""A tiny real app with all layers around it, and clients that ask it over ASGI."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.middleware import Middleware

from app.http import problems
from app.http.body import BodyLimit
from app.http.csrf import SameOrigin
from app.http.headers import SecurityHeaders
from app.http.log import AccessLog
from app.http.metrics import Metrics
from app.http.problems import LastResort
from app.http.proxies import Proxies
from app.settings import settings

Build = Callable[..., FastAPI]
Ask = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]
Set = Callable[..., None]


@pytest.fixture
def build() -> Build:
    """An app behind the layers, in the order of app/main.py."""

    def made(*, public_url: str = "", trusted: str = "", behind_tls: bool = False) -> FastAPI:
        app = FastAPI(
            docs_url=None,
            redoc_url=None,
            middleware=[
                Middleware(Proxies, trusted=trusted),
                Middleware(AccessLog),
                Middleware(Metrics),
                Middleware(SecurityHeaders, behind_tls=behind_tls),
                Middleware(LastResort),
                Middleware(SameOrigin, public_url=public_url),
                Middleware(BodyLimit, usual=10_000, roomy={r"/photos": 100_000}),
            ],
        )
        problems.install(app)
        return app

    return made


@pytest.fixture
def ask() -> Ask:
    """A client of an app; `address` is the other end of its connection."""

    @asynccontextmanager
    async def client(
        app: FastAPI, address: str = "127.0.0.1", **options: Any
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=app, client=(address, 50_000))
        options.setdefault("base_url", "http://127.0.0.1:8000")
        async with httpx.AsyncClient(transport=transport, **options) as asking:
            yield asking

    return client


@pytest.fixture
def with_settings(monkeypatch: pytest.MonkeyPatch) -> Set:
    """Changes settings for one test; they are frozen for everybody else."""

    def change(**values: object) -> None:
        for name, value in values.items():
            assert name in type(settings).model_fields
            monkeypatch.setitem(settings.__dict__, name, value)

    return change
