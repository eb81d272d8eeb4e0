"""What makes pages an app on a phone: manifest, service worker, and the page for being offline."""

from __future__ import annotations

import json

from fastapi import APIRouter, Request
from starlette.responses import JSONResponse, Response

from app import pages

router = APIRouter(include_in_schema=False)
# What a page needs to look right without a network.
SHELL = (
    *("vendor/pico.classless.min.css", "tokens.css", "base.css", "parts.css"),
    *("theme.js", "shell.js", "offline.js", "icons.svg", "favicon.svg"),
)


@router.get("/manifest.webmanifest")
async def manifest() -> Response:
    described = {
        "id": "/",
        "name": "ToolShare",
        "short_name": "ToolShare",
        "description": "Neighbours lend each other tools",
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "lang": pages.LOCALE,
        "background_color": "#f6f0e7",
        "theme_color": "#f6f0e7",
        "icons": [
            _icon("app-192.png", 192, "any"),
            _icon("app-512.png", 512, "any"),
            _icon("app-maskable-512.png", 512, "maskable"),
        ],
    }
    return JSONResponse(described, media_type="application/manifest+json")


def _icon(name: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": pages.static(f"icons/{name}"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }


@router.get("/sw.js")
async def service_worker() -> Response:
    """From the root, since it speaks for all pages; another one as soon as a file of it changes."""
    shell = json.dumps(["/offline", *map(pages.static, SHELL)])
    script = (pages.WEB / "static" / "sw.js").read_text(encoding="utf-8")
    return Response(
        f"const SHELL = {shell};\n{script}",
        media_type="text/javascript",
        headers={"cache-control": "no-cache"},
    )


@router.get("/offline")
async def offline(request: Request) -> Response:
    """Kept by the service worker; it shows nobody's things."""
    return await pages.render(request, "offline.html")
