"""Keeping somebody away and ending that: a block, what it ends, and its button.

A block is between two people, in all communities. The other one is not told: they see the tools
as paused, and a room in which nobody can write.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from app import topic
from app.db import Tx
from app.errors import NotFound
from app.http.log import security
from app.loans import asked, keeping, offers, questions
from app.loans import commands as loans
from app.loans.off import PAUSED
from app.loans.rules import why_not
from app.loans.states import Act
from app.loans.telling import Action
from app.members import queries
from app.people import blocks, rules
from app.people import queries as people
from app.people.models import Block, PersonId
from app.people.viewer import Apart, Viewer
from app.realtime import touch
from app.tools import queries as tool_queries


async def block(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Block:
    """Neither of the two asks the other or writes any more; open requests end, loans stand.

    A second time it changes nothing. Raises NotFound for somebody with whom one shares nothing.
    """
    if refusal := rules.why_not_block(person_id, by):
        raise refusal
    pair = (by.person_id, person_id)
    if not await blocks.share_a_community(tx, *pair):
        if found := await tx.get(Block, pair):
            return found
        raise NotFound
    await blocks.hold_both(tx, *pair)
    row = insert(Block).values(blocker_id=by.person_id, blocked_id=person_id, created_at=now)
    if await tx.scalar(row.on_conflict_do_nothing().returning(Block.blocked_id)) is not None:
        await _end_requests(tx, by, person_id, now)
        await asked.part(tx, *pair, now)
        await offers.reconsider(tx, pair, now)  # what is kept for one of them passes on
        await _show(tx, *pair)
        security("blocked", person=by.person_id, whose=person_id)
    return await tx.get_one(Block, pair)


async def unblock(tx: Tx, person_id: PersonId, by: Viewer) -> None:
    """Both can ask and write again, unless the other has a block, too. Revives no request."""
    await blocks.hold_both(tx, by.person_id, person_id)
    gone = await tx.scalar(
        delete(Block)
        .where(Block.blocker_id == by.person_id, Block.blocked_id == person_id)
        .returning(Block.blocked_id)
    )
    if gone is not None:
        await _show(tx, by.person_id, person_id)
        security("unblocked", person=by.person_id, whose=person_id)


async def button(
    tx: Tx, viewer: Viewer, other: int | None, name: str, apart: Apart | None, key: str, back: str
) -> Action | None:
    """What stands beside somebody's name on the page `back`; None: there is nobody to keep away.

    `key` is a new one with each page: who ends a block and then thinks again must not hear that
    it has been made already.
    """
    if other is None or other == viewer.person_id:
        return None
    if apart and apart.mine:
        return end_button(other, key, back)
    if not await blocks.share_a_community(tx, viewer.person_id, other):
        return None
    first = name.split()[0]
    return Action(
        f"Block {first}",
        f"{viewer.here.path}/people/{other}/block",
        "danger",
        confirm=f"If you block {first}, neither of you can ask the other for a tool or write any "
        f"more. Open requests end; what is promised or lent stands. {first} is not told.",
        key=key,
        fields={"back": back},
    )


def end_button(other: int, key: str, back: str) -> Action:
    return Action(
        "End the block",
        f"/profile/blocks/{other}/end",
        "quiet",
        confirm="You see each other's tools as paused, and neither of you can ask or write. If you "
        "end that, both can again; requests that ended stay ended.",
        key=key,
        fields={"back": back},
    )


async def _end_requests(tx: Tx, by: Viewer, person_id: int, now: datetime) -> None:
    """What the two had asked each other for ends as a pause ends it, in the order of all locks."""
    places = await people.places_of(tx, by.person_id)
    open_ones = await queries.requests_between(tx, by.person_id, person_id)
    for community_id, tool_id in sorted({(loan.community_id, loan.tool_id) for loan in open_ones}):
        await tool_queries.locked(tx, community_id, tool_id)
    for loan in await queries.requests_between(tx, by.person_id, person_id):
        if loan.keepers:  # of a community's tool: the other keepers go on
            keeper = person_id if loan.borrower_id == by.person_id else by.person_id
            await keeping.step_aside(tx, loan, keeper, keeping.ANOTHER, now)
            continue
        here, standing = places[loan.community_id]
        # Who is suspended may keep somebody away, too.
        there = replace(by, community=here, role=standing.role, suspended=False)
        if why_not(Act.WITHDRAW, loan, there, now) is None:
            await loans.withdraw(tx, loan.id, there, now)
        else:
            await loans.decline(tx, loan.id, there, now, PAUSED)


async def _show(tx: Tx, one: int, other: int) -> None:
    """Every screen on which the two see each other's tools, or could write to each other.

    All their tools, wherever they hang: the veil of each is drawn for whoever may come to see it.
    """
    touch(tx, topic.access(one), topic.access(other))
    for community_id in await queries.communities_of(tx, one):
        touch(tx, topic.wanted(community_id))
    for owner in (one, other):
        for tool in await queries.lent_by(tx, owner):
            here = tool.community_id
            touch(tx, topic.tool(here, tool.id), topic.dates(here, tool.id))
            touch(tx, topic.waitlist(here, tool.id), topic.mine(here, tool.id))
            touch(tx, topic.board(here), topic.recent(here), topic.listing(here))
    for community_id, loan_id in await queries.loans_between(tx, one, other):
        touch(tx, topic.writing(community_id, loan_id), topic.loan(community_id, loan_id))
    for community_id, room in await questions.between(tx, one, other):
        touch(tx, topic.question(community_id, room))
