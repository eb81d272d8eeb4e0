"""Scripts and line breaks typed into everything: what mails and pushes make of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP, default
from zoneinfo import ZoneInfo

import pytest

from app import clock, courier, db
from app.notices.mailing import Parcel, message, push_text
from app.notices.models import Kind, Notice
from app.notices.telling import SENTENCES
from app.people import mail_links
from app.people.models import JoinRule, Person
from app.people.viewer import Here
from app.settings import settings
from tests import typed
from tests.neighbours import Street
from tests.notices.postbox import Postbox, html_of, text_of

NOW = datetime(2026, 5, 1, 11, tzinfo=UTC)
FIELDS = ("tool", "other", "reason", "place")


def parcel(*kinds: Kind, evil: bool, together: bool = False) -> Parcel:
    """What one person is told, with these words in it."""

    def said(kept: str) -> str:
        return typed.words(kept, evil=evil)

    here = Here(
        7,
        "elm",
        said("community.name"),
        ZoneInfo("Europe/London"),
        "en-GB",
        "GBP",
        JoinRule.REQUEST,
    )
    notices = [
        Notice(
            community_id=7,
            id=n,
            person_id=2,
            kind=kind,
            subject="c7/loan/5",
            by_id=3,
            by=Person(id=3, name=said("person.name"), locale="en-GB"),
            facts={name: said("notice.facts") for name in FIELDS}
            | {name: (NOW + timedelta(days=1)).isoformat() for name in typed.OURS_IN_FACTS},
            at=NOW,
        )
        for n, kind in enumerate(kinds, 1)
    ]
    person = Person(id=2, name=said("person.name"), email="ben@example.org", locale="en-GB")
    return Parcel(person, [(one, here) for one in notices], together)


def headers(sent: Parcel) -> dict[str, str]:
    """As a mail program reads them from what goes over the wire."""
    raw = message(sent, NOW).as_bytes(policy=SMTP)
    whole = message_from_bytes(raw, policy=default)
    assert len(whole.keys()) == len(set(whole.keys())), "no header twice"
    return {name: str(value) for name, value in whole.items()}


@pytest.mark.parametrize("kind", Kind)
def test_a_mail_has_no_element_and_no_header_more_or_less(kind: Kind) -> None:
    harmless, scripts = (parcel(kind, evil=evil) for evil in (False, True))
    pages = [html_of(message(one, NOW)) for one in (harmless, scripts)]
    assert typed.structure(pages[0]) == typed.structure(pages[1])
    assert typed.mark("notice.facts") in pages[1], SENTENCES[kind]
    before, after = headers(harmless), headers(scripts)
    assert before.keys() == after.keys()
    for name, value in after.items():
        assert "\n" not in value, name
        assert "\r" not in value, name
        assert name in ("To", "Subject", "Content-Type") or value == before[name]
    assert after["To"].count("@example.org") == 1 or '"' in after["To"]


def test_a_days_mail_of_every_kind_has_no_element_more_or_less() -> None:
    pages = [
        html_of(message(parcel(*Kind, evil=evil, together=True), NOW)) for evil in (False, True)
    ]
    assert typed.structure(pages[0]) == typed.structure(pages[1])


@pytest.mark.parametrize("kind", Kind)
def test_a_push_leads_to_our_own_page_and_says_nobodys_words(kind: Kind) -> None:
    said = push_text(parcel(kind, evil=True))
    assert set(said) == {"title", "body", "path", "tag"}
    assert (said["path"], said["tag"]) == ("/c/elm/loans/5", "c7/loan/5")
    assert said["title"] == typed.words("community.name", evil=True)
    assert "Q" not in said["body"]


async def test_letters_say_names_and_nothing_more(street: Street, postbox: Postbox) -> None:
    """The three that people ask for, with a name that got in through the door."""
    name, cora = typed.FIRST[:70], street.cora
    await cora.does("/profile", name=name)
    invited = f"eli.{street.here.slug}@example.org"
    async with db.begin() as tx:
        person, now = await tx.get_one(Person, cora.id), clock.now()
        await mail_links.ask_confirm(tx, person, now)
        await mail_links.ask_reset(tx, cora.email, now)
        await mail_links.invite(tx, invited, replace(cora.viewer, name=name), now)
    await courier.carry_all()
    letters = (*postbox.to(invited), *postbox.to(cora.email))
    assert len(letters) == 3
    for letter in letters:
        assert not {"script", "img"} & {one.split()[0] for one in typed.structure(html_of(letter))}
        assert settings.root in text_of(letter)
        assert name.split()[0] in text_of(letter)
        assert "\n" not in f"{letter['Subject']}{letter['To']}"
        assert letter["Bcc"] is None
