"""The clock's door: runs what was enqueued, and tells the boards when time alone changed them.

Every worker runs this loop; each job and each tick is done by one of them, under a row lock.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert

from app import clock, db, queue, topic
from app.board import watching
from app.db import Tx
from app.http import idempotency
from app.inventory import bringing_in, running
from app.loans import (
    asked,
    changes,
    clockwork,
    codes,
    dates,
    holds,
    offers,
    passing,
    proposals,
    ripple,
    screens,
    talk,
)
from app.notices import carrying, devices, steps
from app.people import letters
from app.people.models import Community, Membership
from app.queue import ClockMark, Job
from app.realtime import touch
from app.tools import album, handing_over, photos, watches
from app.tools.models import Tool
from app.wanted import commands as wanted

TICK = 1.0  # seconds between two looks
AT_ONCE = 50
RETRY_AT_MOST = timedelta(hours=1)
CLAIMED_FOR = timedelta(seconds=30)
CLOCKS_DIFFER = timedelta(seconds=10)  # as much as the workers of one instance may disagree
_log = structlog.stdlib.get_logger("toolshare.jobs")

Command = Callable[[Tx, str, datetime], Awaitable[None]]


def _loan(act: Callable[[Tx, int, int, datetime], Awaitable[None]]) -> Command:
    """A loan's job, or of what is wanted: its key is `community/loan`."""

    async def run(tx: Tx, key: str, now: datetime) -> None:
        community_id, loan_id = key.split("/")
        await act(tx, int(community_id), int(loan_id), now)

    return run


async def _offer(tx: Tx, key: str, now: datetime) -> None:
    """A tool's job: its key is `community/tool/` and something that makes it one of its own."""
    community_id, tool_id, _ = key.split("/")
    await offers.offer(tx, int(community_id), int(tool_id), now)


def _every(
    name: str, interval: timedelta, act: Callable[[Tx, datetime], Awaitable[None]]
) -> Command:
    """What runs on a schedule enqueues itself anew; what was missed is not caught up on."""

    async def run(tx: Tx, key: str, now: datetime) -> None:
        await act(tx, now)
        await queue.enqueue(tx, name, key, now + interval, now)

    return run


FORGET_KEYS = "keys.forget"
FORGET_LETTERS = "letters.forget"
FORGET_DELIVERIES = "deliveries.forget"
FORGET_IMPORTS = bringing_in.FORGET
LOOK = "waitlist.look"
COMMANDS: dict[str, Command] = {
    "loans.expire": _loan(clockwork.expire),
    "loans.lapse": _loan(clockwork.lapse),
    "loans.close": _loan(clockwork.close),
    "loans.remind": _loan(clockwork.remind),
    holds.JOB: holds.expire,
    proposals.END: _loan(changes.run_out),
    dates.PASSED: dates.passed,
    "waitlist.offer": _offer,
    watches.LOOK: watching.look,
    wanted.END: _loan(wanted.run_out),
    asked.SLEEP: asked.sleep,
    LOOK: _every(LOOK, timedelta(minutes=10), offers.look),
    steps.JOB: steps.step,
    FORGET_KEYS: _every(FORGET_KEYS, timedelta(hours=1), idempotency.forget_old),
    FORGET_LETTERS: _every(FORGET_LETTERS, timedelta(hours=6), letters.forget_old),
    FORGET_DELIVERIES: _every(FORGET_DELIVERIES, timedelta(days=1), carrying.forget_old),
    bringing_in.JOB: running.run,
    bringing_in.GONE: bringing_in.discard,
    FORGET_IMPORTS: _every(FORGET_IMPORTS, timedelta(hours=6), bringing_in.forget_old),
    album.GONE: album.discard,
    photos.FINISH: photos.finish,
    photos.ABANDON: photos.abandon,
}
SCHEDULED = (FORGET_KEYS, FORGET_LETTERS, FORGET_DELIVERIES, FORGET_IMPORTS, LOOK)


async def run_forever() -> None:
    """Until cancelled. A failing round is logged and tried again; nothing else waits for it."""
    scheduled = False
    while True:
        try:
            if not scheduled:
                await schedule()
                scheduled = True
            while await run_due():
                pass
            await tick()
        except Exception:
            _log.exception("jobs_round_failed")
        await asyncio.sleep(TICK * random.uniform(0.8, 1.2))


async def schedule() -> None:
    """What runs again and again has a row from the first start on, and push its key."""
    async with db.begin() as tx:
        now = clock.now()
        await devices.own_key(tx, now)
        for name in SCHEDULED:
            await queue.ensure(tx, name, now, now)


async def run_due() -> bool:
    """Runs what is due, each job in a transaction of its own; False when nothing was left."""
    ran = 0
    while ran < AT_ONCE and await _run_one():
        ran += 1
    return ran == AT_ONCE


async def _run_one() -> bool:
    """One due job: its effect and its deletion are one commit. A failure is kept and retried.

    It is claimed in a commit of its own, so that nothing of it is locked while it waits for its
    tool: whoever holds that tool may enqueue or drop it meanwhile, and neither waits for the other.
    """
    now = clock.now()
    claimed = await _claim(now)
    if claimed is None:
        return False
    job_id, name, key, until = claimed
    try:
        async with db.begin() as tx:
            await COMMANDS[name](tx, key, now)
            await queue.done(tx, job_id, until)
            await queue.record(tx, name, now)
    except Exception as error:
        await _put_off(job_id, name, until, error, now)
    return True


async def _claim(now: datetime) -> tuple[int, str, str, datetime] | None:
    """(id, name, key, until when it is ours); who dies over it leaves it to the next."""
    async with db.begin() as tx:
        job = await tx.scalar(
            select(Job)
            .where(Job.run_at <= now)
            .order_by(Job.run_at, Job.id)
            .limit(1)
            .with_for_update(skip_locked=True)
        )
        if job is None:
            return None
        job.run_at = now + CLAIMED_FOR
        return job.id, job.name, job.key, job.run_at


async def _put_off(
    job_id: int, name: str, until: datetime, error: Exception, now: datetime
) -> None:
    _log.error("job_failed", job=job_id, name=name, exc_info=error)
    why = type(error).__name__
    async with db.begin() as tx:
        job = await tx.get(Job, job_id, with_for_update={"skip_locked": True})
        if job is not None and job.run_at == until:
            job.attempts += 1
            job.last_error = why
            job.run_at = now + min(timedelta(seconds=2**job.attempts), RETRY_AT_MOST)
        await tx.flush()
        await queue.record(tx, name, now, why)


async def tick() -> None:
    """Touches what changed only because time has passed since the last tick, wherever that ran."""
    async with db.begin() as tx:
        now = clock.now()
        mark = await tx.scalar(
            select(ClockMark).where(ClockMark.name == "boards").with_for_update(skip_locked=True)
        )
        if mark is None:
            row = insert(ClockMark).values(name="boards", done_until=now)
            await tx.execute(row.on_conflict_do_nothing())
            return
        if now <= mark.done_until:
            if mark.done_until - now > CLOCKS_DIFFER:  # the wall clock was put back
                mark.done_until = now
                for community in await tx.scalars(select(Community)):
                    await _touch_everything(tx, community, now)
            return
        since, mark.done_until = mark.done_until, now
        await time_passed(tx, since, now)


async def time_passed(tx: Tx, since: datetime, now: datetime) -> None:
    """Touches whatever looks different only because it is later."""
    passed = await passing.of_loans(tx, since, now)
    for loan in (*passed, *await ripple.next_after(tx, passed, now)):
        screens.show(tx, loan)
    for holder in (await ripple.holders(tx, passed)).values():  # who keeps the next one waiting
        touch(tx, topic.loan(holder.community_id, holder.id))
    for community_id, loan_id in await codes.running_out(tx, since, now):
        touch(tx, topic.loan(community_id, loan_id))
    for here, loan_id in await passing.not_undone(tx, since, now):
        touch(tx, topic.amends(here, loan_id), topic.facts(here, loan_id))
    await handing_over.pass_by(tx, now)
    for here, loan_id in await talk.shut(tx, since, now):
        touch(tx, topic.writing(here, loan_id))
    for community in await tx.scalars(select(Community)):
        if _passed_midnight(since, now, community.tz):
            await _touch_everything(tx, community, since)


def _passed_midnight(since: datetime, until: datetime, zone: ZoneInfo) -> bool:
    return clock.local_day(since, zone) != clock.local_day(until, zone)


async def _touch_everything(tx: Tx, community: Community, since: datetime) -> None:
    """A new day: "today", "tomorrow" and "overdue by 2 days" say something else than they did."""
    here = community.id
    touch(tx, topic.board(here), topic.recent(here), topic.members(here), topic.help(here))
    touch(tx, topic.wanted(here))
    for tool_id in await tx.scalars(select(Tool.id).where(Tool.community_id == here)):
        touch(tx, topic.tool(here, tool_id), topic.dates(here, tool_id))
        touch(tx, topic.mine(here, tool_id), topic.waitlist(here, tool_id))
    for loan in await passing.told_by_days(tx, here, since):
        touch(tx, topic.loan(here, loan.id), topic.facts(here, loan.id))
        touch(tx, topic.delivered(here, loan.id))
    members = select(Membership.person_id).where(Membership.community_id == here)
    for person_id in await tx.scalars(members):
        touch(tx, topic.things(person_id), topic.rooms(person_id), topic.waiting(person_id))
        touch(tx, topic.notices(person_id))
