"""The description of the API, and the page that draws it under our own policy."""

from __future__ import annotations

import os
import shutil
from typing import Any

import httpx
import pytest
from playwright.async_api import async_playwright, expect

from app.main import app
from tests.api.conftest import Programs

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
DESCRIBED: dict[str, Any] = app.openapi()
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, operations in DESCRIBED["paths"].items()
    for method, operation in operations.items()
]


def test_only_the_api_is_described() -> None:
    assert all(path.startswith("/api/v1/") for path in DESCRIBED["paths"])
    assert DESCRIBED["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"


def test_each_section_says_what_it_is_and_none_is_empty() -> None:
    described = {one["name"] for one in DESCRIBED["tags"] if one["description"]}
    assert described == {tag for _, operation in OPERATIONS for tag in operation["tags"]}


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_each_operation_says_what_it_does_and_how_it_may_fail(
    name: str, operation: dict[str, Any]
) -> None:
    assert operation["summary"]
    assert operation["tags"]
    assert "_" not in operation["operationId"] or len(operation["operationId"]) < 20
    failures = {status: said for status, said in operation["responses"].items() if status >= "4"}
    assert failures
    for status, said in failures.items():
        content = said["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}, status
        assert content["example"]["status"] == int(status)
    if "{slug}" in name:
        assert operation["security"] == [{"HTTPBearer": []}]
        assert {"401", "403", "404"} <= failures.keys()


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    wanted: set[str] = set()

    def walk(part: Any) -> None:
        if isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                wanted.add(part["$ref"].removeprefix("#/components/schemas/"))
            for inner in part.values():
                walk(inner)
        elif isinstance(part, list):
            for inner in part:
                walk(inner)

    walk(DESCRIBED)
    assert wanted == DESCRIBED["components"]["schemas"].keys()


def test_what_is_sent_has_an_example_and_no_unknown_fields() -> None:
    for name, operation in OPERATIONS:
        for content in operation.get("requestBody", {}).get("content", {}).values():
            schema = content["schema"]
            (ref,) = [each["$ref"] for each in schema.get("anyOf", [schema]) if "$ref" in each]
            model = DESCRIBED["components"]["schemas"][ref.rsplit("/", 1)[1]]
            assert model["additionalProperties"] is False, name
            assert "examples" in model or "version" in model["properties"], name


async def test_the_page_loads_nothing_from_elsewhere(here: Programs) -> None:
    async with httpx.AsyncClient(base_url=here.ada.who.at.url) as visitor:
        page = await visitor.get("/docs")
        described = await visitor.get("/api/v1/openapi.json")
    assert page.status_code == 200
    assert "unsafe" not in page.headers["content-security-policy"]
    assert "//" not in page.text.replace("<!doctype html>", "").replace("//#", "")
    assert described.json()["info"]["title"] == "ToolShare"


@pytest.mark.skipif(
    CHROMIUM is None and not os.environ.get("CI"),
    reason="needs Chromium: install the system's package `chromium`",
)
async def test_a_call_is_tried_in_the_page(here: Programs) -> None:
    assert CHROMIUM, "CI needs Chromium"
    drill = await here.ada.lists("Rotary hammer")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"], headless=True
        )
        page = await browser.new_page()
        faults: list[str] = []
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        await page.goto(f"{here.ada.who.at.url}/docs")
        sections = {tag for _, operation in OPERATIONS for tag in operation["tags"]}
        await expect(page.locator(".opblock-tag")).to_have_count(len(sections))

        await page.locator(".btn.authorize").click()
        token = here.ada.client.headers["authorization"].removeprefix("Bearer ")
        await page.locator(".modal-ux input").fill(token)
        await page.locator(".modal-ux .authorize").click()
        await page.locator(".modal-ux .btn-done").click()
        await page.locator("#operations-tag-tools").click()
        tool = page.locator("#operations-tools-tool")
        await tool.locator(".opblock-summary-control").click()
        for name, value in (("tool_id", f"{drill}"), ("slug", here.street.here.slug)):
            await tool.locator(f'tr[data-param-name="{name}"] input').fill(value)
        await tool.locator("button.execute").click()
        await expect(tool.locator(".live-responses-table")).to_contain_text("Rotary hammer")
        await page.set_viewport_size({"width": 1280, "height": 900})
        if folder := os.environ.get("PICTURES"):
            await page.screenshot(path=f"{folder}/docs.png")
        await browser.close()
    assert faults == []
