"""The installable app: what phones ask of it before they offer to install it."""

from __future__ import annotations

from io import BytesIO

import httpx
from PIL import Image

from app.http.app_shell import SHELL
from app.pages import WEB
from tests.workers import Worker


async def test_the_manifest_names_icons_of_the_sizes_it_says(
    workers: tuple[Worker, Worker],
) -> None:
    async with httpx.AsyncClient(base_url=workers[0].url) as phone:
        page = (await phone.get("/sign-in")).text
        assert '<link rel="manifest" href="/manifest.webmanifest">' in page
        answer = await phone.get("/manifest.webmanifest")
        assert answer.headers["content-type"] == "application/manifest+json"
        described = answer.json()
        assert described["display"] == "standalone"
        assert {icon["purpose"] for icon in described["icons"]} == {"any", "maskable"}
        for icon in described["icons"]:
            picture = Image.open(BytesIO((await phone.get(icon["src"])).content))
            assert "x".join(map(str, picture.size)) == icon["sizes"]


async def test_the_service_worker_speaks_for_all_pages_and_keeps_files_that_are_there(
    workers: tuple[Worker, Worker],
) -> None:
    async with httpx.AsyncClient(base_url=workers[0].url) as phone:
        answer = await phone.get("/sw.js")
        assert answer.headers["content-type"].startswith("text/javascript")
        assert answer.headers["cache-control"] == "no-cache"
        assert answer.text.startswith("const SHELL = [")
        offline = await phone.get("/offline")
        assert offline.status_code == 200
        assert "No network" in offline.text
    for name in SHELL:
        assert (WEB / "static" / name).is_file(), name
