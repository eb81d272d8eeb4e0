"""Carries off what has been decided: to mail server and push services, while nobody waits for them.

Every worker runs this. What is to go is taken up in a commit of its own, sent outside of any
transaction, and settled in a second one: who dies in between leaves it to another, so it may come
twice (as the same message), never not at all.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Sequence

import httpx
import structlog

from app import clock, db, mail, post, push
from app.notices import carrying, devices, mailing
from app.notices.carrying import Carried
from app.notices.kinds import Channel
from app.push import Target

TICK = 1.0  # seconds between two looks
HANDS = {"push": 8, "mail": 3, "letters": 2}  # how many of each are under way at once in a worker
_log = structlog.stdlib.get_logger("toolshare.courier")

Errand = Callable[[], Awaitable[None]]
Take = Callable[[], Awaitable[Errand | None]]


async def run_forever() -> None:
    """Until cancelled. A slow service holds up its own hands only."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        ways: dict[str, Take] = {
            "push": lambda: take_push(client),
            "mail": take_mail,
            "letters": post.take_letter,
        }
        await asyncio.gather(*(_go_on(way, take) for way, take in ways.items()))


async def _go_on(way: str, take: Take) -> None:
    under_way: set[asyncio.Task[None]] = set()
    try:
        while True:
            try:
                while len(under_way) < HANDS[way] and (errand := await take()):
                    task = asyncio.create_task(_run(way, errand))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
            except Exception:
                _log.exception("courier_round_failed", way=way)
            await asyncio.sleep(TICK * random.uniform(0.8, 1.2))
    finally:
        for task in under_way:
            task.cancel()


async def _run(way: str, errand: Errand) -> None:
    """What fails here in a way that nobody thought of is taken up again when its lease is over."""
    try:
        await errand()
    except Exception:
        _log.exception("errand_failed", way=way)


async def carry_all() -> None:
    """Everything that is due by now, one after the other."""
    async with httpx.AsyncClient(trust_env=False, follow_redirects=False) as client:
        ways: tuple[Take, ...] = (lambda: take_push(client), take_mail, post.take_letter)
        for take in ways:
            while errand := await take():
                await errand()


async def take_mail() -> Errand | None:
    """One mail, if one is due. Without a mail server they wait for one."""
    if not mail.is_set_up():
        return None
    now = clock.now()
    async with db.begin() as tx:
        carried = await carrying.take(tx, Channel.MAIL, now)
    return None if carried is None else lambda: _carry_mail(carried)


async def _carry_mail(carried: Carried) -> None:
    if not carried.rows:  # all of it has been seen
        return
    try:
        await mail.send(mailing.message(carried.parcel, clock.now()))
    except (mail.Undeliverable, mail.NotNow) as error:
        _log.warning("mail_failed", why=str(error), deliveries=len(carried.rows))
        await _failed(carried, str(error), for_good=isinstance(error, mail.Undeliverable))
    else:
        await _sent(carried)


async def take_push(client: httpx.AsyncClient) -> Errand | None:
    """One push, to each browser of one person, if one is due."""
    now = clock.now()
    async with db.begin() as tx:
        carried = await carrying.take(tx, Channel.PUSH, now)
        if carried is None:
            return None
        targets = await devices.targets_of(tx, carried.parcel.person.id) if carried.rows else []
        own = await devices.own_key(tx, now) if targets else b""
    return lambda: _carry_push(client, carried, targets, own)


async def _carry_push(
    client: httpx.AsyncClient, carried: Carried, targets: Sequence[Target], own: bytes
) -> None:
    if not carried.rows:
        return
    said = json.dumps(mailing.push_text(carried.parcel), ensure_ascii=False).encode()
    outcomes = await asyncio.gather(
        *(push.send(client, own, target, said) for target in targets), return_exceptions=True
    )
    gone = [
        target.endpoint
        for target, outcome in zip(targets, outcomes, strict=True)
        if isinstance(outcome, push.Gone)
    ]
    if gone:
        async with db.begin() as tx:
            await devices.forget(tx, gone)
    failures = [one for one in outcomes if isinstance(one, Exception)]
    if len(failures) < len(targets):
        await _sent(carried)
    elif len(gone) == len(targets):
        async with db.begin() as tx:
            await carrying.pointless(tx, carried)
    else:
        why = next(str(one) for one in failures if not isinstance(one, push.Gone))
        _log.warning("push_failed", why=why, deliveries=len(carried.rows))
        await _failed(carried, why)


async def _sent(carried: Carried) -> None:
    async with db.begin() as tx:
        await carrying.sent(tx, carried, clock.now())


async def _failed(carried: Carried, why: str, *, for_good: bool = False) -> None:
    async with db.begin() as tx:
        await carrying.failed(tx, carried, why, clock.now(), for_good=for_good)
