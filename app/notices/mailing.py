"""Notices as a mail: text and HTML, in the person's language, in the time of the community."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage

from app import mail
from app.notices import telling, unsubscribe
from app.notices.kinds import Group, group_of, words_of
from app.notices.models import Kind, Notice
from app.notices.telling import Told
from app.pages import partial
from app.people.models import Person
from app.people.viewer import Here
from app.settings import settings


@dataclass(frozen=True)
class Parcel:
    """What goes to one person in one mail, oldest first, each with its community."""

    person: Person
    notices: Sequence[tuple[Notice, Here]]
    together: bool  # a day's, instead of one subject's


def message(parcel: Parcel, now: datetime) -> EmailMessage:
    """Raises Undeliverable where no mail can be made of the address."""
    person = parcel.person
    told = [
        (telling.tell(notice, here, now, person.locale), here) for notice, here in parcel.notices
    ]
    _, here = parcel.notices[0]
    about = {group_of(Kind(notice.kind)) for notice, _ in parcel.notices}
    groups = words_of([group for group in Group if group in about])
    stop = f"{settings.root}/unsubscribe/{unsubscribe.token(person.id, about)}"
    subject = _subject(told[0][0], here, parcel.together)
    return mail.put_together(
        person.email,
        person.name,
        subject,
        _text(person, told, groups, stop),
        partial(
            "mail/notices.html",
            locale=person.locale,
            subject=subject,
            first_name=person.name.split()[0],
            told=told,
            root=settings.root,
            groups=groups,
            stop=stop,
        ),
        now,
        headers=_thread(parcel)
        | {"List-Unsubscribe": f"<{stop}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"},
    )


def _subject(told: Told, here: Here, together: bool) -> str:
    """Alike for all that is about one loan: mail programs go by it, too."""
    return f"News from {here.name}" if together else f"{told.thing} – {here.name}"


def _thread(parcel: Parcel) -> dict[str, str]:
    """What is about one subject stands in one thread. Sent twice, it is the same message."""
    last = parcel.notices[-1][0]
    own = f"<notice-{last.community_id}-{last.id}-{_mark(last)}@{mail.domain()}>"
    if parcel.together:
        return {"Message-ID": own}
    about = last.subject.replace("/", "-")
    root = f"<{about}-{last.person_id}@{mail.domain()}>"
    return {"Message-ID": own, "In-Reply-To": root, "References": root}


def _mark(notice: Notice) -> str:
    """Another instance with the same sender has the same numbers."""
    return hashlib.sha256(f"{settings.root}{notice.at}".encode()).hexdigest()[:8]


def _text(person: Person, told: Sequence[tuple[Told, Here]], groups: str, stop: str) -> str:
    lines = [f"Hello {person.name.split()[0]},", ""]
    for one, here in told:
        lines += [one.sentence, f"{settings.root}{one.path} ({here.name})", ""]
    lines += [
        "-- ",
        "You have not seen this on your page of notices yet, so it comes by mail.",
        f"What reaches you where: {settings.root}/profile/notices",
        f"No more mail about {groups}: {stop}",
    ]
    return "\n".join(lines)


def push_text(parcel: Parcel) -> dict[str, str]:
    """What a phone shows, on a locked screen, too: that there is something, never what."""
    last, here = parcel.notices[-1]
    group = group_of(Kind(last.kind))
    return {
        "title": here.name,
        "body": PUSH_WORDS[group],
        "path": telling.path_of(last.subject, here.path),
        "tag": last.subject,
    }


PUSH_WORDS = {
    Group.REQUESTS: "There is news about a request.",
    Group.HANDOVERS: "There is news about a hand-over.",
    Group.REMINDERS: "A reminder for you.",
    Group.MESSAGES: "A neighbour wrote to you.",
    Group.WAITLISTS: "There is news about a tool that you wait for.",
    Group.TROUBLE: "Something needs a look.",
}
