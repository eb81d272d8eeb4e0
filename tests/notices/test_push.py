"""Web push, to a service that takes it and a browser that decrypts it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from secrets import token_hex
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import Select, select

from app import clock, courier, db, outgoing, push
from app.notices import preferences, steps
from app.notices.carrying import Taken
from app.notices.deliveries import Delivery, PushSubscription
from app.notices.kinds import Channel
from app.notices.models import Notice
from app.people import queries
from app.people.models import Session
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
    """The workers send it."""
    async with db.begin() as tx:
        await decided(tx, who)
        for row in await tx.scalars(waiting(who)):
            row.send_at = clock.now() - MINUTE


async def decided(tx: db.Tx, who: Neighbour) -> None:
    """What is unseen has been told some minutes ago, and is handed on."""
    now = clock.now()
    rows = select(Notice).where(Notice.person_id == who.id, Notice.seen_at.is_(None))
    for notice in (await tx.scalars(rows)).all():
        notice.at = min(notice.at, now - 3 * MINUTE)
        await tx.flush()
        await steps.step(tx, steps.key_of(notice.community_id, notice.id), now)


def waiting(who: Neighbour) -> Select[Delivery]:
    return select(Delivery).where(Delivery.person_id == who.id, Delivery.sending == "ready")


async def subscriptions(who: Neighbour) -> set[str]:
    async with db.snapshot() as tx:
        rows = select(PushSubscription.endpoint).where(PushSubscription.person_id == who.id)
        return {urlsplit(one).path for one in await tx.scalars(rows)}


async def rings(who: Neighbour) -> Delivery | None:
    """What is due for this person goes from here, since the workers find it taken already."""
    until = clock.now() + outgoing.LEASE
    async with db.begin() as tx:
        await decided(tx, who)
        rows = (await tx.scalars(waiting(who))).all()
        for row in rows:
            row.send_at = until
    keys = [(row.community_id, row.notice_id, row.channel) for row in rows]
    taken = Taken(who.id, Channel.PUSH, together=False, keys=keys, until=until)
    async with httpx.AsyncClient(trust_env=False) as client:
        await courier.carry(taken, partial(courier.ring, client))
    async with db.snapshot() as tx:
        return await tx.scalar(select(Delivery).where(Delivery.person_id == who.id))


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


@pytest.mark.parametrize(
    ("old", "new", "left", "becomes"),
    [
        (410, 503, {"/new"}, ("ready", 1, "503")),
        (404, 429, {"/new"}, ("ready", 1, "429")),
        (403, 201, {"/new"}, ("sent", 1, "")),
        (400, 201, {"/old", "/new"}, ("sent", 1, "400, 1 of 2 devices")),
        (413, 503, {"/old", "/new"}, ("ready", 1, "503")),
        (401, 413, {"/old", "/new"}, ("failed", 1, "401")),
        (410, 400, {"/new"}, ("failed", 1, "400")),
        (403, 404, set(), None),
        (0, 413, {"/old", "/new"}, ("ready", 1, "TimeoutError")),
    ],
)
async def test_what_two_push_services_say_is_what_becomes_of_it(
    street: Street,
    service: Service,
    old: int,
    new: int,
    left: set[str],
    becomes: tuple[str, int, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ada, ben = street.ada, street.ben
    if old == 0:
        monkeypatch.setattr(push, "ALL_WITHIN", 0.5)
    for name, answer in (("old", old), ("new", new)):
        await switches_on(ada, service.device(name))
        service.answers[f"/{name}"] = answer
    await ben.asks_for(await ada.lists("Cordless drill"), street.day(2))
    row = await rings(ada)
    assert {(await service.next()).path, (await service.next()).path} == {"/old", "/new"}
    assert await subscriptions(ada) == left
    assert (row and (row.sending, row.attempts, row.last_error)) == becomes


async def test_what_a_busy_service_did_not_take_comes_later(
    street: Street, service: Service
) -> None:
    ada, ben = street.ada, street.ben
    phone = service.device("phone")
    await switches_on(ada, phone)
    service.answers["/phone"] = 503
    await ben.asks_for(await ada.lists("Cordless drill"), street.day(2))
    await rings(ada)
    await service.next()
    service.answers.clear()
    row = await rings(ada)
    assert "path" in phone.reads((await service.next()).body)
    assert row is not None
    assert (row.sending, row.attempts) == ("sent", 2)


async def test_a_device_whose_session_has_fallen_asleep_does_not_ring(
    street: Street, service: Service
) -> None:
    ada, ben = street.ada, street.ben
    await switches_on(ada, service.device("phone"))
    await ben.asks_for(await ada.lists("Cordless drill"), street.day(2))
    async with db.begin() as tx:
        for session in await tx.scalars(select(Session).where(Session.person_id == ada.id)):
            session.seen_at = clock.now() - queries.IDLE
    assert await rings(ada) is None
    assert service.came.empty()


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
