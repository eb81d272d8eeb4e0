"""A mail server that this process's app sends to; the workers beside it have none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from app import mail
from app.settings import Settings
from tests.notices.postbox import Postbox, open_postbox


@pytest.fixture
async def postbox(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Postbox]:
    async with open_postbox() as opened:
        given = Settings(smtp_url=opened.url, mail_from="ToolShare <tools@elm.example.org>")
        monkeypatch.setattr(mail, "settings", given)
        yield opened
