"""Naming and releasing the keepers of a community's tool, with the loans that they lend."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import or_

from app import topic
from app.chat import commands as chat
from app.chat.models import ConversationId
from app.db import Tx
from app.errors import Conflict, NotFound, Refusal, mistyped
from app.loans import asked, kept, offers, queries, screens
from app.loans.models import Loan
from app.loans.states import FINAL
from app.notices.models import Kind
from app.people import blocks, held
from app.people import queries as people
from app.people.models import Role, Status
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import queries as tool_queries
from app.tools import rules as tool_rules
from app.tools.commands import touch_tool
from app.tools.models import Tool

MOST = 12  # of one tool: each of them reads its rooms
ANOTHER = "Another keeper goes on with this."


NOT_OF_ALL = Refusal("This tool belongs to a neighbour, who lends it.")
NOT_YOURS = Refusal(
    "Only a coordinator says who looks after it.", lifted_by="a coordinator", status=403
)


def why_not_name(tool: Tool, by: Viewer) -> Refusal | None:
    if tool.owner_id is not None:
        return NOT_OF_ALL
    if not by.is_coordinator:
        return NOT_YOURS
    if len(tool.keepers) >= MOST:
        return Refusal(f"A tool may have {MOST} keepers.", "Release one of them first.")
    return None


def why_not_release(tool: Tool, person_id: int, by: Viewer) -> Refusal | None:
    if tool.owner_id is not None:
        return NOT_OF_ALL
    if person_id != by.person_id and not by.is_coordinator:
        return NOT_YOURS
    if person_id not in tool.keepers:
        return Conflict("They do not look after it.", "Look at it as it is now.", code="state")
    if len(tool.keepers) == 1:
        return Conflict(
            "Somebody has to look after it.", "Name another keeper first.", "a coordinator"
        )
    return None


async def name(tx: Tx, tool_id: int, person_id: int, by: Viewer, now: datetime) -> Tool:
    """One more keeper: lends the tool from now on, and reads the rooms of its open loans.

    Of somebody who keeps it already it asks nothing. Raises NotFound, or Refusal.
    """
    standing = await held.both(tx, person_id, by)
    tool = await _locked(tx, tool_id, by)
    if refusal := why_not_name(tool, by):
        raise refusal
    if standing is None or standing.status != Status.ACTIVE:
        raise mistyped("keeper", "They are no active member.", "Choose one of the list.")
    if person_id in tool.keepers:
        return tool
    tool.keepers = [*tool.keepers, person_id]
    apart = await blocks.apart_from(tx, person_id)
    said = f"{(await people.person(tx, person_id)).name} looks after the tool, too."
    for loan in await _open_loans(tx, tool, now):
        if person_id not in (loan.borrower_id, loan.mediator_id) and loan.borrower_id not in apart:
            loan.keepers = [*loan.keepers, person_id]
            await _seat(tx, loan, person_id, said, by, now)
    await asked.seat_keeper(tx, tool, person_id, said, by.person_id, now)
    await _changed(tx, tool, now)
    await offers.tell(tx, tool, (person_id,), Kind.KEEPER_NAMED, {}, now, by)
    return tool


async def release(tx: Tx, tool_id: int, person_id: int, by: Viewer, now: datetime) -> Tool:
    """One keeper less; what is open goes on with the others."""
    await people.still_in(tx, by)
    tool = await _locked(tx, tool_id, by)
    if refusal := why_not_release(tool, person_id, by):
        raise refusal
    await _let_go(tx, tool, person_id, now)
    await offers.tell(tx, tool, (person_id,), Kind.KEEPER_RELEASED, {}, now, by)
    return tool


async def left(tx: Tx, tool: Tool, person_id: int, now: datetime) -> None:
    """A keeper leaves the community; after the last one a coordinator looks after it.

    The tool is under its lock, and the community's roll under its own.
    """
    if tool.keepers == [person_id]:
        next_one = await _helpers(tx, tool.community_id, person_id)
        if not next_one:
            raise Conflict(
                f"Nobody else could look after {tool.name}.", "Name a coordinator first."
            )
        tool.keepers = [person_id, next_one[0]]
        await offers.tell(tx, tool, next_one[:1], Kind.KEEPER_NAMED, {}, now)
    await _let_go(tx, tool, person_id, now)


async def step_aside(tx: Tx, loan: Loan, person_id: int, said: str, now: datetime) -> None:
    """One keeper has no part in this loan any more; the others go on. The tool is locked.

    Raises Conflict where nobody else could.
    """
    others = [keeper for keeper in loan.keepers if keeper != person_id]
    if loan.lender_id != person_id:
        loan.keepers = others
    else:
        first, *rest = others or await _instead(tx, loan)
        loan.lender_id, loan.keepers = first, rest
    room = ConversationId(loan.conversation_id)
    await chat.leave(tx, loan.community_id, room, person_id)
    await _seat(tx, loan, loan.lender_id, said, None, now)
    touch(tx, topic.access(person_id), topic.things(person_id), topic.waiting(person_id))


async def renew(tx: Tx, loan: Loan, now: datetime) -> Loan:
    """A loan that was over and comes to life again is lent by who keeps its tool by now.

    The tool is locked. Of a member's own tool, and where nobody could, it stays as it is.
    """
    if loan.tool.owner_id is not None:
        return loan
    found = await kept.able(tx, loan.tool, loan.borrower_id)
    able = [keeper for keeper in found if keeper != loan.mediator_id]
    gone, new = set(loan.lenders) - set(able), set(able) - set(loan.lenders)
    if not able or not (gone or new):
        return loan
    first = loan.lender_id if loan.lender_id in able else able[0]
    loan.lender_id, loan.keepers = first, [keeper for keeper in able if keeper != first]
    room = ConversationId(loan.conversation_id)
    for person_id in gone:
        await chat.leave(tx, loan.community_id, room, person_id)
        touch(tx, topic.access(person_id), topic.things(person_id), topic.waiting(person_id))
    for person_id in new:
        await chat.join(tx, loan.community_id, room, person_id)
    await _seat(tx, loan, first, "Who looks after the tool now goes on with this.", None, now)
    return await queries.locked(tx, loan.community_id, loan.id)  # with the names of all


async def _locked(tx: Tx, tool_id: int, by: Viewer) -> Tool:
    tool = await tool_queries.locked(tx, by.community_id, tool_id)
    if not tool_rules.sees(tool, by):
        raise NotFound
    return tool


async def _let_go(tx: Tx, tool: Tool, person_id: int, now: datetime) -> None:
    tool.keepers = [keeper for keeper in tool.keepers if keeper != person_id]
    said = f"{(await people.person(tx, person_id)).name} does not look after the tool any more."
    for loan in await _open_loans(tx, tool, now):
        if loan.lent_by(person_id):
            await step_aside(tx, loan, person_id, said, now)
    await asked.unseat_keeper(tx, tool, person_id, said, now)
    touch(tx, topic.things(person_id))  # the tool goes from there, whether it has loans or not
    await _changed(tx, tool, now)


async def _instead(tx: Tx, loan: Loan) -> list[int]:
    """Who lends it when its only lender goes: another keeper, or whoever coordinates."""
    found = await kept.beside(tx, loan.tool, loan.lender_id, loan.borrower_id)
    found = [one for one in found if one != loan.mediator_id]
    if not found:
        people_in_it = (loan.lender_id, loan.borrower_id, loan.mediator_id)
        found = (await _helpers(tx, loan.community_id, *people_in_it))[:1]
    if not found:
        raise Conflict(
            "Nobody else could go on with an open loan of it.",
            "Name another keeper first.",
            "a coordinator",
        )
    return found


async def _helpers(tx: Tx, community_id: int, *but: int | None) -> list[int]:
    """Who coordinates here, and is none of these."""
    found = await people.with_roles(tx, community_id, (Role.ADMIN, Role.COORDINATOR))
    return sorted(set(found) - set(but))


async def _open_loans(tx: Tx, tool: Tool, now: datetime) -> Sequence[Loan]:
    """With those whose end can still be undone; by room, the order in which rooms are bumped."""
    rows = await tx.scalars(
        queries.with_all()
        .where(
            Loan.community_id == tool.community_id,
            Loan.tool_id == tool.id,
            or_(Loan.state.not_in(FINAL), Loan.undo_until > now),
        )
        .order_by(Loan.conversation_id)
        .with_for_update(of=Loan)
        .execution_options(populate_existing=True)
    )
    return rows.all()


async def _seat(
    tx: Tx, loan: Loan, person_id: int, said: str, by: Viewer | None, now: datetime
) -> None:
    room = ConversationId(loan.conversation_id)
    await tx.flush()
    await chat.join(tx, loan.community_id, room, person_id)
    await chat.note(tx, loan.community_id, room, said, by.person_id if by else None, now)
    screens.show(tx, loan)
    touch(tx, topic.writing(loan.community_id, loan.id))


async def _changed(tx: Tx, tool: Tool, now: datetime) -> None:
    tool.changed_at = now
    await tx.flush()
    touch_tool(tx, tool, listing=True)  # who lends it is filtered by
