"""Web push, to a service that takes it and a browser that decrypts it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from secrets import token_hex
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select

from app import clock, db, push
from app.notices import preferences, steps
from app.notices.deliveries import Delivery, PushSubscription
from app.notices.models import Notice
from app.settings import Settings
from tests.neighbours import Neighbour, Street, browser
from tests.notices.pushservice import Device, Service, claims_of, open_service

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def service() -> AsyncIterator[Service]:
    async with open_service() as opened:
        yield opened


async def switches_on(who: Neighbour, device: Device) -> None:
    answer = await who.posts("/push/subscription", **device.described)
    assert answer.status_code == 204, answer.text
    async with db.begin() as tx:
        await preferences.keep_quiet(tx, who.id, "00:00", "00:00", "")


async def comes_due(who: Neighbour) -> None:
    """What is unseen is decided on as if some minutes had gone by; the workers send it."""
    async with db.begin() as tx:
        rows = select(Notice).where(Notice.person_id == who.id, Notice.seen_at.is_(None))
        for notice in (await tx.scalars(rows)).all():
            key = steps.key_of(notice.community_id, notice.id)
            await steps.step(tx, key, notice.at + 3 * MINUTE)
        sent = select(Delivery).where(Delivery.person_id == who.id, Delivery.sending == "ready")
        for row in await tx.scalars(sent):
            row.send_at = clock.now() - MINUTE


async def subscriptions(who: Neighbour) -> set[str]:
    async with db.snapshot() as tx:
        rows = select(PushSubscription.endpoint).where(PushSubscription.person_id == who.id)
        return {urlsplit(one).path for one in await tx.scalars(rows)}


async def until_subscribed(who: Neighbour, *paths: str) -> None:
    async with asyncio.timeout(20):
        while await subscriptions(who) != set(paths):
            pass  # each look asks the database, and lets the workers go on


async def test_a_push_says_that_there_is_something_and_where_but_not_what(
    street: Street, service: Service
) -> None:
    ada, ben = street.ada, street.ben
    phone = service.device(secret := token_hex(8))
    await switches_on(ada, phone)
    drill = await ada.lists("Very private drill")
    loan = await ben.asks_for(drill, street.day(2))
    await comes_due(ada)
    came = await service.next()
    assert came.headers["content-encoding"] == "aes128gcm"
    assert int(came.headers["ttl"]) > 0
    assert b"request" not in came.body
    said = phone.reads(came.body)
    assert said["path"] == f"{ada.home}/loans/{loan}"
    assert said["body"] == "There is news about a request."
    for word in ("private", "Ben", "Okafor", "drill"):
        assert word not in str({**said, "path": ""})
    claims, key = claims_of(came.headers["authorization"])
    assert claims["aud"] == service.url
    assert claims["sub"].startswith("mailto:")
    assert key == (await ada.client.get("/push/key")).json()["key"]
    assert key == (await street.ben.client.get("/push/key")).json()["key"], "one key for all"
    for worker in street.workers:
        assert secret not in worker.log.read_text(), "whoever reads it may ring this phone"


async def test_a_device_that_is_gone_is_forgotten_and_a_busy_service_is_asked_again(
    street: Street, service: Service
) -> None:
    ada, ben = street.ada, street.ben
    old, new = service.device("old"), service.device("new")
    await switches_on(ada, old)
    await switches_on(ada, new)
    service.answers["/old"] = 410
    service.answers["/new"] = 503
    await ben.asks_for(await ada.lists("Cordless drill"), street.day(2))
    await comes_due(ada)
    assert {(await service.next()).path, (await service.next()).path} == {"/old", "/new"}
    await until_subscribed(ada, "/new")
    async with asyncio.timeout(20):
        row = None
        while row is None or not row.attempts:
            async with db.snapshot() as tx:
                rows = select(Delivery).where(Delivery.person_id == ada.id)
                row = (await tx.scalars(rows)).one()
    assert (row.sending, row.last_error) == ("ready", "503")
    del service.answers["/new"]
    await comes_due(ada)
    assert "path" in new.reads((await service.next()).body)


async def test_signing_out_silences_the_device(street: Street, service: Service) -> None:
    ada = street.ada
    await switches_on(ada, service.device("phone"))
    assert await subscriptions(ada) == {"/phone"}
    answer = await ada.posts("/sign-out")
    assert "storage" in answer.headers["clear-site-data"]
    assert await subscriptions(ada) == set()


async def test_a_browser_rings_for_whoever_signed_in_last(street: Street, service: Service) -> None:
    shared = service.device("tablet")
    await switches_on(street.ada, shared)
    await switches_on(street.ben, shared)
    assert await subscriptions(street.ada) == set()
    assert await subscriptions(street.ben) == {"/tablet"}
    await street.ada.posts("/push/subscription/end", endpoint=shared.endpoint)
    assert await subscriptions(street.ben) == {"/tablet"}, "it is not ada's to end"
    await street.ben.posts("/push/subscription/end", endpoint=shared.endpoint)
    assert await subscriptions(street.ben) == set()


async def test_only_services_that_the_settings_name_are_sent_to(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = Device("https://evil.example/x").described
    answer = await street.ada.posts("/push/subscription", **described)
    assert answer.status_code == 422
    assert "PUSH_SERVICES" in answer.text
    real = Settings(push_services="fcm.googleapis.com, .push.apple.com")
    monkeypatch.setattr(push, "settings", real)
    for endpoint in ("https://fcm.googleapis.com/fcm/send/x", "https://web.push.apple.com/x"):
        assert push.is_believed(endpoint)
    for endpoint in (
        "http://fcm.googleapis.com/x",
        "https://fcm.googleapis.com:8080/x",
        "https://fcm.googleapis.com@evil.example/x",
        "https://fcm.googleapis.com.evil.example/x",
        "https://push.apple.com.evil.example/x",
        "https://evilpush.apple.com.example/x",
        "http://127.0.0.1/x",
        "https://169.254.169.254/x",
        "https:///x",
        "file:///etc/passwd",
        "not an address",
        "https://[",
    ):
        assert not push.is_believed(endpoint), endpoint


async def test_a_stranger_subscribes_to_nothing(street: Street, service: Service) -> None:
    async with browser(street.workers[0]) as visitor:
        answer = await visitor.post("/push/subscription", data=service.device("x").described)
        assert answer.headers["location"].startswith("/sign-in")
        assert (await visitor.get("/push/key")).status_code == 303
    broken = service.device("x").described | {"public_key": "AAAA"}
    assert (await street.ada.posts("/push/subscription", **broken)).status_code == 422
