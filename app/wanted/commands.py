"""Asking for what nobody has listed, answering, listing a tool for it, and every way it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, or_, select, update

from app import clock, queue, topic
from app.db import Tx
from app.errors import NotFound, mistyped
from app.http.log import security
from app.notices import commands as notices
from app.notices.models import Kind
from app.people import blocks
from app.people import queries as people
from app.people.models import Role, Status
from app.people.rules import why_not_coordinate
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import categories
from app.tools import queries as tools
from app.tools.models import Tool
from app.tools.saved import Saved
from app.tools.watches import Watch
from app.wanted import queries, rules
from app.wanted.models import Wanted, WantedAnswer, WantedState

END = "wanted.end"


@dataclass(frozen=True)
class WantedText:
    """What somebody needs, not yet checked."""

    words: str
    category: str = ""  # its slug
    days: tuple[date, date] | None = None


async def ask(tx: Tx, text: WantedText, by: Viewer, now: datetime) -> Wanted:
    """Raises Refusal with the field that cannot be taken, or for one too many."""
    # Held alone, not shared: two at once would both count four.
    standing = await people.locked_standing(tx, by.community_id, by.person_id)
    if standing is None or standing.status != Status.ACTIVE:
        raise NotFound
    words = rules.check_words(text.words)
    rules.check_days(text.days, clock.local_day(now, by.here.zone))
    category = await _category(tx, by.community_id, text.category)
    if refusal := rules.why_not_ask(await queries.open_of(tx, by.community_id, by.person_id)):
        raise refusal
    wanted = Wanted(
        community_id=by.community_id,
        person_id=by.person_id,
        words=words,
        category_id=category,
        first_day=text.days[0] if text.days else None,
        last_day=text.days[1] if text.days else None,
        state=WantedState.OPEN,
        created_at=now,
        ends_at=rules.ends_at(text.days, by.here.zone, now),
    )
    tx.add(wanted)
    await tx.flush()
    await queue.enqueue(tx, END, f"{wanted.community_id}/{wanted.id}", wanted.ends_at, now)
    touch(tx, topic.wanted(by.community_id))
    return wanted


async def take_back(tx: Tx, wanted_id: int, by: Viewer, now: datetime) -> Wanted:
    """A second time it changes nothing."""
    await people.still_in(tx, by)
    wanted = await queries.locked(tx, by, wanted_id)
    if refusal := rules.why_not_end(wanted, by):
        raise refusal
    await _end(tx, wanted, WantedState.TAKEN_BACK, now)
    return wanted


async def answer(tx: Tx, wanted_id: int, words: str, by: Viewer, now: datetime) -> WantedAnswer:
    """One of each neighbour: a second time answers with the first. Its asker is told."""
    await people.still_in(tx, by)
    wanted = await queries.locked(tx, by, wanted_id)
    given = await queries.answers_to(tx, wanted)
    if mine := next((one for one in given if one.person_id == by.person_id), None):
        return mine
    if refusal := rules.why_not_answer(wanted, by, len(given)):
        raise refusal
    made = WantedAnswer(
        community_id=by.community_id,
        wanted_id=wanted.id,
        person_id=by.person_id,
        words=rules.check_answer(words),
        created_at=now,
    )
    tx.add(made)
    await tx.flush()
    touch(tx, topic.wanted(by.community_id))
    facts = {"words": wanted.words, "tool": wanted.words, "reason": made.words}
    await _tell(tx, [wanted.person_id], Kind.WANTED_ANSWERED, wanted, facts, by, now)
    return made


async def end_answer(tx: Tx, wanted_id: int, answer_id: int, by: Viewer, now: datetime) -> None:
    """By whom it is, or a coordinator. What was listed for it stays on the board."""
    await people.still_in(tx, by)
    wanted = await queries.locked(tx, by, wanted_id)
    found = {one.id: one for one in await queries.answers_to(tx, wanted)}.get(answer_id)
    if found is None or not (found.person_id == by.person_id or by.is_coordinator):
        raise NotFound
    await tx.delete(found)
    await tx.flush()
    touch(tx, topic.wanted(by.community_id))


async def listed(tx: Tx, answer_id: int, tool: Tool, by: Viewer, now: datetime) -> None:
    """The tool was listed for this answer of theirs: whoever asked is told, and may ask for it.

    Where that has ended meanwhile, the tool hangs on the board like any other.
    """
    found = await queries.answered_by(tx, by, answer_id)
    if found is None:
        return
    try:
        wanted = await queries.locked(tx, by, found[1].id)
    except NotFound:  # a block came between the two
        return
    mine = next((o for o in await queries.answers_to(tx, wanted) if o.id == answer_id), None)
    if mine is None or wanted.ended_at is not None:
        return
    mine.tool_id, wanted.state = tool.id, WantedState.ANSWERED
    await tx.flush()
    touch(tx, topic.wanted(by.community_id))
    facts = {"words": wanted.words, "tool": tool.name}
    await _tell(tx, [wanted.person_id], Kind.WANTED_LISTED, wanted, facts, by, now)


async def report(tx: Tx, wanted_id: int, reason: str, by: Viewer, now: datetime) -> None:
    """Coordinators are told once of each, whoever reports it; they can remove it."""
    await people.still_in(tx, by)
    wanted = await queries.locked(tx, by, wanted_id)
    why = rules.check_reason(reason)
    if refusal := rules.why_not_report(wanted, by):
        raise refusal
    author = await people.person(tx, wanted.person_id)
    found = await people.with_roles(tx, by.community_id, (Role.COORDINATOR, Role.ADMIN))
    facts = {"words": wanted.words, "tool": wanted.words, "other": author.name, "reason": why}
    helpers = set(found) - {wanted.person_id}
    await _tell(tx, helpers, Kind.WANTED_REPORTED, wanted, facts, by, now, once=True)
    here, whose = by.community_id, wanted.person_id
    security("reported", person=by.person_id, whose=whose, community=here)


async def remove(tx: Tx, wanted_id: int, reason: str, by: Viewer, now: datetime) -> Wanted:
    """By a coordinator, with the reason: whoever asked for it is told."""
    if refusal := why_not_coordinate(by):
        raise refusal
    await people.still_in(tx, by)
    wanted = await queries.locked(tx, by, wanted_id)
    why = rules.check_reason(reason)
    if await _end(tx, wanted, WantedState.REMOVED, now):
        facts = {"words": wanted.words, "tool": wanted.words, "reason": why}
        await _tell(tx, [wanted.person_id], Kind.WANTED_REMOVED, wanted, facts, by, now)
    return wanted


async def run_out(tx: Tx, community_id: int, wanted_id: int, now: datetime) -> None:
    """A job: it ends when its time is over, and is forgotten a while after it has ended."""
    wanted = await tx.scalar(
        select(Wanted)
        .where(Wanted.community_id == community_id, Wanted.id == wanted_id)
        .with_for_update()
    )
    if wanted is None:
        return
    if wanted.ended_at is None and wanted.ends_at <= now:
        await _end(tx, wanted, WantedState.OVER, now)
    elif wanted.ended_at is not None and wanted.ended_at + rules.KEPT <= now:
        await _forget(tx, community_id, [wanted_id])
    else:
        due = wanted.ends_at if wanted.ended_at is None else wanted.ended_at + rules.KEPT
        await queue.enqueue(tx, END, f"{community_id}/{wanted_id}", due, now)


async def remove_category(tx: Tx, category_id: int, into_id: int | None, by: Viewer) -> None:
    """A coordinator's: what is wanted there goes along with its tools, or may hang anywhere."""
    shelf, into = await categories.to_remove(tx, category_id, into_id, by)
    await tx.execute(
        update(Wanted)
        .where(Wanted.community_id == by.community_id, Wanted.category_id == shelf.id)
        .values(category_id=into.id if into else None)
    )
    await categories.remove(tx, category_id, into_id, by)
    touch(tx, topic.wanted(by.community_id))


async def person_left(tx: Tx, community_id: int, person_id: int) -> None:
    """What they asked for goes, with its answers; what they answered others; what is for their own
    eyes: watches, and tools kept in mind.
    """
    mine = await tx.scalars(
        select(Wanted.id)
        .where(Wanted.community_id == community_id, Wanted.person_id == person_id)
        .order_by(Wanted.id)
        .with_for_update()
    )
    await _forget(tx, community_id, mine.all(), by=person_id)
    for own in (Watch, Saved):
        gone = delete(own).where(own.community_id == community_id, own.person_id == person_id)
        await tx.execute(gone.execution_options(synchronize_session=False))
    touch(tx, topic.wanted(community_id))


async def _forget(
    tx: Tx, community_id: int, wanted_ids: Iterable[int], *, by: int | None = None
) -> None:
    """`by`: also all answers of this person."""
    ids = list(wanted_ids)
    which = or_(WantedAnswer.wanted_id.in_(ids), WantedAnswer.person_id == by)
    for rows in (
        delete(WantedAnswer).where(WantedAnswer.community_id == community_id, which),
        delete(Wanted).where(Wanted.community_id == community_id, Wanted.id.in_(ids)),
    ):
        await tx.execute(rows.execution_options(synchronize_session=False))
    for one in ids:
        await queue.drop(tx, END, f"{community_id}/{one}")


async def _end(tx: Tx, wanted: Wanted, state: WantedState, now: datetime) -> bool:
    """False: it had ended already."""
    if wanted.ended_at is not None:
        return False
    wanted.state, wanted.ended_at = state, now
    await tx.flush()
    key = f"{wanted.community_id}/{wanted.id}"
    await queue.enqueue(tx, END, key, now + rules.KEPT, now)
    touch(tx, topic.wanted(wanted.community_id))
    return True


async def _tell(
    tx: Tx,
    whom: Iterable[int],
    kind: Kind,
    wanted: Wanted,
    facts: dict[str, str],
    by: Viewer,
    now: datetime,
    *,
    once: bool = False,
) -> None:
    """Nobody hears of somebody whom a block keeps from them."""
    apart = await blocks.apart_from(tx, by.person_id)
    await notices.tell(
        tx,
        set(whom) - apart,
        kind,
        wanted.community_id,
        topic.one_wanted(wanted.community_id, wanted.id),
        facts,
        now,
        by_id=by.person_id,
        due_at=wanted.created_at if once else None,
    )


async def _category(tx: Tx, community_id: int, slug: str) -> int | None:
    if not slug:
        return None
    found = await tools.held_category(tx, community_id, slug)
    if found is None:
        raise mistyped("category", "Choose one of the categories, or none.")
    return found.id
