"""Carries off what has been decided: to mail server and push services, while nobody waits for them.

Every worker runs this. What is to go is taken up in a commit of its own, sent outside of any
transaction, and settled in a second one: who dies in between leaves it to another, so it may come
twice (as the same message), never not at all.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import httpx
import structlog

from app import clock, db, mail, outgoing, post, push
from app.notices import carrying, devices, mailing
from app.notices.carrying import Taken
from app.notices.kinds import Channel
from app.notices.mailing import Parcel
from app.outgoing import Pointless, Undeliverable

TICK = 1.0  # seconds between two looks
HANDS = {"push": 8, "mail": 3, "letters": 2}  # how many of each are under way at once in a worker
_log = structlog.stdlib.get_logger("toolshare.courier")

Errand = Callable[[], Awaitable[None]]
HandOver = Callable[[Parcel], Awaitable[str]]
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
    """An errand settles what comes of it; where even that fails, its lease runs out."""
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
    return await _take(Channel.MAIL, _mail) if mail.is_set_up() else None


async def take_push(client: httpx.AsyncClient) -> Errand | None:
    """One push, to each browser of one person, if one is due."""
    return await _take(Channel.PUSH, lambda parcel: ring(client, parcel))


async def _take(channel: Channel, hand_over: HandOver) -> Errand | None:
    async with db.begin() as tx:
        taken = await carrying.take(tx, channel, clock.now())
    return None if taken is None else lambda: carry(taken, hand_over)


async def carry(taken: Taken, hand_over: HandOver) -> None:
    """Asks once more, hands over what is left, and settles what came of it."""

    async def act() -> str:
        async with db.begin() as tx:
            parcel = await carrying.pack(tx, taken, clock.now())
        return "" if parcel is None else await hand_over(parcel)

    outcome = await outgoing.attempt(taken.channel, act)
    async with db.begin() as tx:
        await carrying.settle(tx, taken, outcome, clock.now())


async def _mail(parcel: Parcel) -> str:
    await mail.send(mailing.message(parcel, clock.now()))
    return ""


async def ring(client: httpx.AsyncClient, parcel: Parcel) -> str:
    """Tells of the devices that it has not come to. Raises Pointless where there is none left,
    what went wrong where it has come to none."""
    person_id, now = parcel.person.id, clock.now()
    async with db.begin() as tx:
        targets = await devices.targets_of(tx, person_id, now)
        own = await devices.own_key(tx, now) if targets else b""
    said = json.dumps(mailing.push_text(parcel), ensure_ascii=False).encode()
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
    wrong = [one for one in outcomes if one is not None and not isinstance(one, push.Gone)]
    wrong.sort(key=lambda one: isinstance(one, Undeliverable))  # first what may still come right
    if len(wrong) + len(gone) == len(targets):
        raise wrong[0] if wrong else Pointless
    return f"{outgoing.words(wrong[0])}, {len(wrong)} of {len(targets)} devices" if wrong else ""
