"""Other dates as a card among the lines of a room: what was proposed, and the buttons to answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import and_, select
from sqlalchemy.orm import joinedload

from app import pages, words
from app.chat.models import Message
from app.db import Tx
from app.loans import proposal_words
from app.loans.models import Loan
from app.loans.proposal import ChangeState, LoanChange
from app.people.viewer import Viewer

ENDED = {
    ChangeState.AGREED: "Agreed",
    ChangeState.REFUSED: "The dates stay",
    ChangeState.WITHDRAWN: "Withdrawn",
    ChangeState.ENDED: "Nobody answered in time",
}
ACTS = (("acceptance", "Agree", ""), ("refusal", "Keep the dates", "quiet"))
TAKE_BACK = (("withdrawal", "Withdraw it", "quiet"),)


async def cards(tx: Tx, viewer: Viewer, messages: Sequence[Message]) -> Mapping[int, str]:
    """Message → what is drawn in the place of its words. Only what changes with the proposal.

    So a card is drawn anew when that is answered, and at no other time; whoever presses a button
    that has become wrong meanwhile hears why.
    """
    about = {one.change_id: one.id for one in messages if one.change_id is not None}
    if not about:
        return {}
    rows = await tx.execute(
        select(LoanChange, Loan)
        .join(
            Loan,
            and_(Loan.community_id == LoanChange.community_id, Loan.id == LoanChange.loan_id),
        )
        .options(joinedload(LoanChange.by))
        .where(LoanChange.community_id == viewer.community_id, LoanChange.id.in_(about))
    )
    return {about[change.id]: _draw(change, loan, viewer) for change, loan in rows}


def _draw(change: LoanChange, loan: Loan, viewer: Viewer) -> str:
    here, locale = viewer.here, viewer.locale
    state = ChangeState(change.state)
    mine = loan.same_side(change.by_id, viewer.person_id)
    two = viewer.person_id == loan.borrower_id or loan.lent_by(viewer.person_id)
    acts = (TAKE_BACK if mine else ACTS) if two and state is ChangeState.OPEN else ()
    path = f"{here.path}/loans/{loan.id}/changes/{change.id}"
    return pages.partial(
        "loans/_card.html",
        id=change.id,
        loan_id=loan.id,
        who="You" if change.by_id == viewer.person_id else change.by.name,
        was=words.period(*change.was_span, here.zone, locale),
        wanted=words.period(change.start, change.end, here.zone, locale),
        price=proposal_words.price_words(change.was_price_cents, change.price_cents, here, locale),
        note=change.note,
        outcome=ENDED.get(state, ""),
        agreed=state is ChangeState.AGREED,
        acts=[
            {
                "label": label,
                "post": f"{path}/{noun}",
                "kind": kind or "primary",
                "key": f"{noun}-{change.community_id}-{change.id}",
            }
            for noun, label, kind in acts
        ],
    )
