"""Letting in, sending away, suspending, roles and leaving: what touches a person's loans too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import update

from app import topic
from app.db import Tx
from app.errors import mistyped
from app.http.log import security
from app.loans import commands as loans
from app.loans import feeds, keeping, mediation, offers, screens, waits
from app.loans.models import Loan
from app.loans.rules import why_not
from app.loans.states import Act, State
from app.members import queries, rules
from app.people import rules as people_rules
from app.people.models import Membership, Person, PersonId, Role, Status
from app.people.sessions import end_tokens_of
from app.people.viewer import Viewer
from app.realtime import touch
from app.tools import handing_over, places
from app.tools import queries as tool_queries
from app.tools.commands import touch_tool
from app.tools.models import ToolStatus
from app.wanted import commands as wanted


async def admit(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Membership:
    """Who asked to join is in."""
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if refusal := rules.why_not_act(standing, by):
        raise refusal
    if rules.expects(standing, Status.PENDING, done=Status.ACTIVE):
        standing.status, standing.joined_at, standing.removed_at = Status.ACTIVE, now, None
        await _written(tx, standing, "member_admitted", by)
    return standing


async def turn_away(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Membership:
    """Who asked to join is not let in; they can ask again a week later."""
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if standing.status == Status.LEFT and standing.removed_at is not None:
        return standing
    if refusal := rules.why_not_act(standing, by):
        raise refusal
    if rules.expects(standing, Status.PENDING, done=Status.LEFT):
        standing.status, standing.removed_at = Status.LEFT, now
        await _written(tx, standing, "member_turned_away", by)
    return standing


async def suspend(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Membership:
    """A break: they can bring back and take back, and write in open rooms; no more."""
    await queries.locked_roll(tx, by.community_id)
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if refusal := rules.why_not_act(standing, by):
        raise refusal
    if rules.expects(standing, Status.ACTIVE, done=Status.SUSPENDED):
        standing.status = Status.SUSPENDED
        await offers.reconsider(tx, [person_id], now)
        await end_tokens_of(tx, person_id)
        await feeds.person_left(tx, by.community_id, person_id)
        await handing_over.end(tx, person_id)
        await _written(tx, standing, "member_suspended", by)
    return standing


async def restore(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Membership:
    """The break is over."""
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if refusal := rules.why_not_act(standing, by):
        raise refusal
    if rules.expects(standing, Status.SUSPENDED, done=Status.ACTIVE):
        standing.status = Status.ACTIVE
        await _written(tx, standing, "member_restored", by)
    return standing


async def set_role(tx: Tx, person_id: PersonId, role: str, by: Viewer, now: datetime) -> Membership:
    """Member, coordinator or admin. The admins here do not change while we look."""
    if role not in tuple(Role):
        raise mistyped("role", "Choose member, coordinator or admin.")
    admins = await queries.locked_roll(tx, by.community_id)
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if refusal := rules.why_not_role(standing, by, role, admins):
        raise refusal
    if standing.role != role:
        standing.role = Role(role)
        await _written(tx, standing, "role_changed", by, role=role)
    return standing


async def remove(tx: Tx, person_id: PersonId, by: Viewer, now: datetime) -> Membership:
    """Sends somebody away: requests end, promised loans are cancelled, their tools archived.

    Refused while they have a neighbour's tool, or a neighbour has one of theirs.
    """
    admins = await queries.locked_roll(tx, by.community_id)
    standing = await queries.locked_member(tx, by.community_id, person_id)
    if standing.status == Status.LEFT and standing.removed_at is not None:
        return standing
    if refusal := rules.why_not_act(standing, by):
        raise refusal
    await _settle(tx, standing, admins, by, now, f"{standing.person.name} is no longer a member.")
    standing.status, standing.role, standing.removed_at = Status.LEFT, Role.MEMBER, now
    await _written(tx, standing, "member_removed", by)
    return standing


async def leave(tx: Tx, by: Viewer, now: datetime) -> Membership:
    """Goes by themselves, on the same terms; the door stays open."""
    admins = await queries.locked_roll(tx, by.community_id)
    standing = await queries.locked_member(tx, by.community_id, by.person_id)
    if standing.status in rules.IN_IT:
        # Who is suspended may still go, and that ends what they had promised.
        await _settle(
            tx, standing, admins, replace(by, suspended=False), now, f"{by.name} has left."
        )
        if standing.status == Status.SUSPENDED:
            standing.removed_at = now
        standing.status, standing.role = Status.LEFT, Role.MEMBER
        await _written(tx, standing, "member_left", by)
    return standing


async def rename(tx: Tx, name: str, by: Viewer) -> None:
    """The name that neighbours see, on every screen that shows it."""
    name = people_rules.check_name(name)
    if name == by.name:
        return
    await tx.execute(update(Person).where(Person.id == by.person_id).values(name=name))
    for tool in await queries.lent_by(tx, by.person_id):
        touch_tool(tx, tool)
    for loan in await queries.loans_ever(tx, by.person_id):
        screens.show(tx, loan)
        touch(tx, topic.writing(loan.community_id, loan.id))  # "You blocked Ben."
    communities = await queries.communities_of(tx, by.person_id)
    for community_id in communities:
        touch(tx, topic.members(community_id), topic.wanted(community_id))
        await mediation.show_choices(tx, community_id)
    for wish in await waits.wishes_of(tx, by.person_id, communities):
        touch(tx, topic.waitlist(wish.community_id, wish.tool_id))
    touch(tx, topic.access(by.person_id))


async def _settle(
    tx: Tx,
    standing: Membership,
    admins: Sequence[int],
    by: Viewer,
    now: datetime,
    reason: str,
) -> None:
    """Ends what can be ended without a hand-over, in the order in which locks are taken."""
    community_id, person_id = standing.community_id, standing.person_id
    open_loans = await queries.open_loans_of(tx, community_id, person_id)
    tools = await queries.lent_by(tx, person_id, community_id)
    for tool_id in sorted({loan.tool_id for loan in open_loans} | {tool.id for tool in tools}):
        await tool_queries.locked(tx, community_id, tool_id)
    if rules.is_last_admin(standing, admins):
        raise rules.LAST_ADMIN
    for tool in tools:
        if tool.owner_id is None:
            await keeping.left(tx, tool, person_id, now)
    tools = [tool for tool in tools if tool.owner_id == person_id]
    open_loans = await queries.open_loans_of(tx, community_id, person_id)
    if refusal := rules.why_not_go(standing, open_loans, admins):
        raise refusal
    for loan in open_loans:
        await _end(tx, loan, by, now, reason)
    for tool in tools:
        await offers.archived(tx, tool, now)
    await offers.person_left(tx, community_id, person_id, now)
    await feeds.person_left(tx, community_id, person_id)
    await wanted.person_left(tx, community_id, person_id)
    await places.person_left(tx, community_id, person_id)
    for tool in tools:
        if tool.status != ToolStatus.ARCHIVED:
            tool.status, tool.changed_at = ToolStatus.ARCHIVED, now
            touch_tool(tx, tool, listing=True)


async def _end(tx: Tx, loan: Loan, by: Viewer, now: datetime, reason: str) -> None:
    """A request is withdrawn or declined, whichever is theirs to do; a promise is cancelled."""
    if loan.state == State.APPROVED:
        await loans.cancel(tx, loan.id, by, now, reason)
    elif loan.state == State.REQUESTED:
        if why_not(Act.WITHDRAW, loan, by, now) is None:
            await loans.withdraw(tx, loan.id, by, now)
        else:
            await loans.decline(tx, loan.id, by, now, reason)


async def _written(
    tx: Tx, standing: Membership, event: str, by: Viewer, role: str | None = None
) -> None:
    """What belongs to every change of a membership: open sockets and pages, and the log."""
    await tx.flush()
    touch(tx, topic.access(standing.person_id), topic.members(standing.community_id))
    touch(tx, topic.wanted(standing.community_id))
    await mediation.show_choices(tx, standing.community_id)
    where, whose = standing.community_id, standing.person_id
    security(event, person=by.person_id, whose=whose, community=where, role=role)
