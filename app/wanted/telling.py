"""What is wanted, in words and with its buttons, as one person sees it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from app import clock, words
from app.db import Tx
from app.people.viewer import Viewer
from app.tools.models import Tool
from app.tools.rules import ON_THE_BOARD
from app.wanted import queries, rules
from app.wanted.models import Wanted, WantedAnswer


async def listing(tx: Tx, viewer: Viewer, now: datetime) -> Mapping[str, object]:
    """For `wanted/_wanted.html`."""
    found = await queries.seen_by(tx, viewer, now)
    return {
        "wanted": [_told(one, viewer, now) for one in found],
        "coordinates": viewer.is_coordinator,
        "zone": viewer.here.zone,
    }


def _told(wanted: Wanted, viewer: Viewer, now: datetime) -> Mapping[str, object]:
    here, me = viewer.here, viewer.person_id
    mine = wanted.person_id == me
    return {
        "id": wanted.id,
        "path": f"{here.path}/wanted/{wanted.id}",
        "words": wanted.words,
        "name": wanted.person.name,
        "mine": mine,
        "category": wanted.category.name if wanted.category else "",
        "when": when(wanted, viewer, now),
        "at": wanted.created_at,
        "answers": [_answer(one, wanted, viewer, now) for one in wanted.answers],
        "can_answer": not any(one.person_id == me for one in wanted.answers)
        and rules.why_not_answer(wanted, viewer, len(wanted.answers)) is None,
    }


def _answer(
    answer: WantedAnswer, wanted: Wanted, viewer: Viewer, now: datetime
) -> Mapping[str, object]:
    here, mine = viewer.here, answer.person_id == viewer.person_id
    tool = answer.tool if answer.tool and answer.tool.status in ON_THE_BOARD else None
    may_ask = tool and wanted.person_id == viewer.person_id
    plain = f"{here.path}/tools/{tool.id}" if tool else ""
    return {
        "id": answer.id,
        "name": answer.person.name,
        "words": answer.words,
        "mine": mine,
        "end_path": f"{here.path}/wanted/{wanted.id}/answers/{answer.id}/end"
        if mine or viewer.is_coordinator
        else "",
        "list_path": f"{here.path}/tools/new?answer={answer.id}" if mine and not tool else "",
        "tool_name": tool.name if tool else "",
        "tool_path": request_path(tool, wanted, viewer, now) if tool and may_ask else plain,
    }


def request_path(tool: Tool, wanted: Wanted, viewer: Viewer, now: datetime) -> str:
    """The tool's page with the days that were asked for in its form, as far as they are to come."""
    path = f"{viewer.here.path}/tools/{tool.id}"
    today = clock.local_day(now, viewer.here.zone)
    if wanted.first_day is None or wanted.last_day is None or wanted.last_day < today:
        return f"{path}#request"
    days = {"start": max(wanted.first_day, today), "end": wanted.last_day}
    return f"{path}?{urlencode(days)}#request"


def when(wanted: Wanted, viewer: Viewer, now: datetime) -> str:
    """“Sat 3 – Sun 4 May”; "" for any days."""
    if wanted.first_day is None or wanted.last_day is None:
        return ""
    zone = viewer.here.zone
    return words.period(
        *clock.days(wanted.first_day, wanted.last_day, zone), zone, viewer.locale, now
    )


async def form_of_answer(tx: Tx, viewer: Viewer, answer_id: int) -> dict[str, str]:
    """What stands in the form of a new tool, for an answer of the viewer's own."""
    found = await queries.answered_by(tx, viewer, answer_id)
    if found is None:
        return {}
    _, wanted = found
    return {
        "answer": str(answer_id),
        "name": rules.name_for(wanted.words),
        "category": wanted.category.slug if wanted.category else "",
    }
