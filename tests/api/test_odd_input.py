"""Whatever is sent: an answer or a problem document, never a broken server."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.conftest import Program, Programs

IDS = (
    "0",
    "-1",
    "1.5",
    "abc",
    "",
    "%00",
    "٣",
    "1e3",
    f"{2**62}",
    f"{2**63}",
    "9" * 5000,
    "1%20",
    "..%2f..",
    "%F0%9F%94%A8",
    "%ff%fe",
    "9999999",
)
TEXTS = (
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\U0001f528" * 80,
    "e\u0301" * 40,
    "\u202e\u200b\ufeff",
    "<script>alert(1)</script>",
    "'; DROP TABLE tool; --",
    "%s%n{{7*7}}\\",
    "x" * 100_000,
    "\uffff\U0010ffff",
    "ﷺ" * 80,
)
NUMBERS = (0, -1, 2**31, 2**62, 2**63, 2**64, 10**400, 1e308, -0.0, float("nan"), float("inf"))
ANYTHING: tuple[Any, ...] = (*TEXTS, *NUMBERS, None, True, [], {}, [[]], {"a": {}}, ["x"])


@pytest.mark.parametrize("number", IDS)
async def test_an_id_that_cannot_be_is_not_found(here: Programs, number: str) -> None:
    for path in (f"/tools/{number}", f"/tools/{number}/availability", f"/loans/{number}"):
        if number == "":  # then it is another path
            continue
        assert (await here.ben.call("GET", path)).status_code == 404
    for path in (f"/loans/{number}/approval", f"/tools/{number}/pause"):
        assert (await here.ben.call("POST", path)).status_code == 404
    odd = await here.ben.call("GET", f"/api/v1/c/{number or '%20'}/tools")
    assert odd.status_code == 404


async def test_odd_texts_and_numbers_are_taken_or_refused(here: Programs) -> None:
    drill = await here.ada.lists()
    loan = await here.ben.asks_for(drill, here.street.day(1))
    await here.ada.acts(loan, "approval")
    day = f"{here.street.day(5)}"
    for odd in ANYTHING:
        for field in ("name", "category", "description", "brand", "price_cents"):
            new = {"name": "Drill", "category": "drills", field: odd}
            assert await _answered(here.ada, "POST", "/tools", new) in (201, 400, 422)
            assert await _answered(here.ada, "PATCH", f"/tools/{drill}", {field: odd}) in (
                (200, 400, 422)
            )
        for field in ("start", "end", "message"):
            ask = {"start": day, "end": day, field: odd}
            path = f"/tools/{drill}/loans"
            assert await _answered(here.ben, "POST", path, ask) in (201, 400, 409, 422)
        for noun in ("cancellation", "return-claim", "approval"):
            for field in ("reason", "place", "version"):
                act = {field: odd}
                status = await _answered(here.cy, "POST", f"/loans/{loan}/{noun}", act)
                assert status in (400, 404, 422)


async def test_odd_reasons_and_places_are_kept_or_refused(here: Programs) -> None:
    drill = await here.ada.lists()
    for text in TEXTS:
        asked = await here.ben.asks_for(drill, here.street.day(2))
        declined = await _answered(here.ada, "POST", f"/loans/{asked}/refusal", {"reason": text})
        assert declined in (200, 422)
        if declined == 200:
            assert (await here.ben.gets(f"/loans/{asked}"))["state"] == "declined"
        else:  # so that the next does not ask for the same dates twice
            await here.ben.acts(asked, "withdrawal")
    loan = await here.ben.asks_for(drill, here.street.today)
    await here.ada.acts(loan, "approval")
    await here.ada.acts(loan, "handover")
    for text in TEXTS:
        path = f"/loans/{loan}/return-claim"
        claimed = await _answered(here.ben, "POST", path, {"place": text})
        assert claimed in (200, 422)
        if claimed == 200:
            await here.ada.acts(loan, "return-claim/end")


async def test_odd_messages_are_said_or_refused(here: Programs) -> None:
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    path = f"/loans/{loan}/messages"
    strange: tuple[Any, ...] = (*TEXTS, 5, None, [])
    for odd in strange:
        assert await _answered(here.ben, "POST", path, {"body": odd}) in (201, 422)
    await here.ada.gets(path)


async def test_odd_queries_are_answered_or_refused(here: Programs) -> None:
    await here.ada.lists()
    loan = await here.ben.asks_for(await here.ada.lists(), here.street.day(1))
    odd: list[str] = [
        f"{text}".encode("utf-8", "replace").decode()[:300] for text in (*TEXTS, *NUMBERS[:6])
    ]
    for path, fields in (
        ("/tools", ("q", "category", "free", "limit", "cursor", "surprise")),
        ("/loans", ("state", "tool", "limit", "cursor")),
        (f"/loans/{loan}/messages", ("since", "limit", "cursor")),
    ):
        for field in fields:
            for value in odd:
                answer = await here.ben.call("GET", path, params={field: value})
                assert answer.status_code in (200, 422), (path, field, value)
    refused = await here.ben.call("GET", "/tools", params={"surprise": "1"})
    assert refused.status_code == 422
    for cursor in ("", "abc", "====", "MQ", "LTE=", "٣", "OTk5OTk5OTk5OTk5OTk5OTk5OTk5OTk5"):
        answer = await here.ben.call("GET", "/tools", params={"cursor": cursor})
        assert answer.status_code == 422, cursor


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"x"',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b'{"name": ' + b"9" * 5000 + b"}",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b", "category": "drills", "name": 5}',
    ],
    ids=range(12),
)
async def test_a_broken_body_is_a_problem_document(here: Programs, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await here.ada.call("POST", "/tools", content=body, headers=headers)
    assert answer.status_code in (400, 422)
    assert "Traceback" not in answer.text
    for wrong in ("text/plain", "application/x-www-form-urlencoded", "a/b/c;;="):
        headers = {"Content-Type": wrong}
        answer = await here.ada.call("POST", "/tools", content=body, headers=headers)
        assert answer.status_code in (400, 415, 422)


async def test_a_body_beyond_its_limit_is_413(here: Programs) -> None:
    new = {"name": "Drill", "category": "drills", "description": "x" * 2_000_000}
    assert (await here.ada.call("POST", "/tools", json=new)).status_code == 413


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from(
    ["name", "category", "price_cents", "start", "end", "message", "body", "client_id", "version"]
)


async def test_no_json_whatsoever_breaks_the_server(here: Programs) -> None:
    drill = await here.ada.lists()
    sent: list[bytes] = []

    @settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.dictionaries(FIELDS, JSON, max_size=5) | JSON)
    def collect(body: Any) -> None:
        sent.append(json.dumps(body).encode())

    collect()
    headers = {"Content-Type": "application/json"}
    for body in sent:
        for path in ("/tools", f"/tools/{drill}/loans", "/loans/1/approval"):
            await here.ada.call("POST", path, content=body, headers=headers)


async def _answered(program: Program, method: str, path: str, body: Any) -> int:
    headers = {"Content-Type": "application/json"}
    content = json.dumps(body).encode()
    return (await program.call(method, path, content=content, headers=headers)).status_code
