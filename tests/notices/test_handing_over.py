"""What a mail server may say, and what it means for the letter: without a community around it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from app import mail, outgoing
from app.notices import unsubscribe
from app.notices.kinds import Group
from app.outgoing import NotNow, Undeliverable
from tests.notices.postbox import Postbox

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
LONG = f"https://{'neighbours-of-elm-street.' * 4}example.org"


def letter(**headers: str) -> EmailMessage:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    words = ("Your drill – Elm Street", "Hello", "<p>Hello</p>")
    return mail.put_together("ada@example.org", "Ada Moreno", *words, NOW, headers=named)


@pytest.mark.parametrize(
    ("word", "answer"),
    [
        ("EHLO", "554 You again"),
        ("MAIL", "550 We do not know you"),
        ("MAIL", "451 Later"),
        ("RCPT", "450 Greylisted"),
        ("RCPT", "530 Sign in first"),
        ("DATA", "451 Later"),
    ],
)
async def test_what_it_says_about_us_is_tried_again(
    postbox: Postbox, word: str, answer: str
) -> None:
    postbox.says[word] = answer
    if word == "EHLO":
        postbox.says["HELO"] = answer
    with pytest.raises(NotNow, match=answer[:3]):
        await mail.send(letter())
    assert postbox.taken == []


@pytest.mark.parametrize(("word", "answer"), [("RCPT", "550 Nobody"), ("DATA", "554 Spam")])
async def test_what_it_says_about_the_letter_is_for_ever(
    postbox: Postbox, word: str, answer: str
) -> None:
    postbox.says[word] = answer
    with pytest.raises(Undeliverable, match=answer[:3]):
        await mail.send(letter())


async def test_one_that_says_nothing_is_not_waited_for(
    postbox: Postbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "WITHIN", 0.1)
    postbox.says["DATA"] = ""
    with pytest.raises(NotNow, match="TimeoutError"):
        await mail.send(letter())


async def test_headers_for_machines_stay_as_they_are(postbox: Postbox) -> None:
    link = f"<{LONG}/unsubscribe/{unsubscribe.token(1, [Group.REQUESTS])}>"
    thread = f"<c1-loan-42-7@{'a' * 60}.{'b' * 60}.example.org>"
    await mail.send(letter(List_Unsubscribe=link, Message_ID=thread, References=thread))
    lines = postbox.raw[0].split("\r\n")
    for name, value in (("List-Unsubscribe", link), ("Message-ID", thread), ("References", thread)):
        assert f"{name}: {value}" in lines
    assert postbox.taken[0]["Subject"] == "Your drill – Elm Street"
