"""The members of a community as its coordinators see them."""

from __future__ import annotations

from app.db import Tx
from app.loans.telling import Action
from app.members import queries, rules
from app.pages import partial
from app.people.models import Membership, Role, Status
from app.people.queries import STATUS_WORDS
from app.people.rules import why_not_coordinate
from app.people.viewer import Viewer
from app.realtime import Topics

topics = Topics()

ROLE_WORDS = {Role.MEMBER: "Member", Role.COORDINATOR: "Coordinator", Role.ADMIN: "Admin"}


@topics.personal("members")
async def members(tx: Tx, viewer: Viewer, key: str, since: int) -> str | None:
    if key or why_not_coordinate(viewer):
        return None
    found = await queries.members_of(tx, viewer.community_id)
    return partial(
        "members/_members.html",
        pending=[_asking(one, viewer) for one in found if one.status == Status.PENDING],
        members=[_member(one, viewer) for one in found if one.status != Status.PENDING],
        zone=viewer.here.zone,
    )


def _asking(standing: Membership, viewer: Viewer) -> dict[str, object]:
    path = _path(standing, viewer)
    name = standing.person.name
    return {
        "id": standing.person_id,
        "name": name,
        "note": standing.note,
        "since": standing.asked_at,
        "actions": [
            Action("Let in", f"{path}/admission"),
            Action("Turn away", f"{path}/refusal", "danger", confirm=f"{name} is not let in."),
        ],
    }


def _member(standing: Membership, viewer: Viewer) -> dict[str, object]:
    me = standing.person_id == viewer.person_id
    return {
        "id": standing.person_id,
        "name": standing.person.name,
        "role": standing.role,
        "role_words": ROLE_WORDS[Role(standing.role)],
        "status": standing.status,
        "status_words": STATUS_WORDS[Status(standing.status)],
        "since": standing.joined_at or standing.asked_at,
        "me": me,
        "actions": [] if me else _actions(standing, viewer),
        "reset": None if me else _reset(standing, viewer),
    }


def _actions(standing: Membership, viewer: Viewer) -> list[Action]:
    path, name = _path(standing, viewer), standing.person.name
    why_not = rules.why_not_act(standing, viewer)
    if standing.status == Status.SUSPENDED:
        pause = Action("End the suspension", f"{path}/suspension/end", "quiet", why_not)
    else:
        pause = Action(
            "Suspend",
            f"{path}/suspension",
            "danger",
            why_not,
            confirm=f"{name} can bring back what they have, and no more until you end it.",
        )
    if why_not:
        return [pause]
    remove = Action(
        "Remove",
        f"{path}/removal",
        "danger",
        confirm=f"{name} is no longer a member: their requests end, their tools go.",
    )
    return [*_roles(standing, viewer), pause, remove]


def _roles(standing: Membership, viewer: Viewer) -> list[Action]:
    if viewer.role != Role.ADMIN or standing.status != Status.ACTIVE:
        return []
    return [
        Action(
            f"Make {words.lower()}",
            f"{_path(standing, viewer)}/role",
            "quiet",
            fields={"role": role.value},
        )
        for role, words in ROLE_WORDS.items()
        if role != standing.role
    ]


def _reset(standing: Membership, viewer: Viewer) -> Action | None:
    """Only offered where it may work; the command looks at their other communities, too."""
    if rules.why_not_act(standing, viewer) or standing.role == Role.ADMIN:
        return None
    return Action(
        "New password link",
        f"{_path(standing, viewer)}/reset-link",
        "quiet",
        confirm="It is shown once; give it to them in person.",
    )


def _path(standing: Membership, viewer: Viewer) -> str:
    return f"{viewer.here.path}/members/{standing.person_id}"
