"""What a change of a loan touches: every region that shows it, or what it means for its tool."""

from __future__ import annotations

from app import topic
from app.db import Tx
from app.loans.models import Loan
from app.realtime import touch


def show(tx: Tx, loan: Loan) -> None:
    community_id = loan.community_id
    touch(
        tx,
        topic.loan(community_id, loan.id),
        topic.handover(community_id, loan.id),
        topic.amends(community_id, loan.id),
        topic.facts(community_id, loan.id),
        topic.tool(community_id, loan.tool_id),
        topic.dates(community_id, loan.tool_id),
        topic.mine(community_id, loan.tool_id),
        topic.waitlist(community_id, loan.tool_id),
        topic.board(community_id),
        topic.recent(community_id),
    )
    if loan.out_at is not None:  # before it went out, nobody needs help with it
        touch(tx, topic.help(community_id))
    for person_id in (*loan.parties, loan.mediator_id):
        if person_id is not None:
            touch(tx, topic.things(person_id), topic.waiting(person_id), topic.rooms(person_id))
