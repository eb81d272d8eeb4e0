"""What is changed and shown: a row, and some 300 bytes of HTML, as of a card."""

from __future__ import annotations

import random
import re

import sqlalchemy as sa

WORDS = re.findall(
    r"\w+",
    "a the and with for of in on it is drill ladder saw mower tent bike pump box spare "
    "battery bits blade wheel rope lamp garden garage cellar door ring twice after before "
    "evening weekend return clean dry full charged careful heavy light sharp small large "
    "old new good little please ask me when you come left right hook shelf blue green red "
    "yellow ",
)
LARGE = 60  # the topic whose look is large, and what makes it so
FILLING = "<p>" + "x" * 65_536 + "</p>"

metadata = sa.MetaData()
thing = sa.Table(
    "thing",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("said", sa.Integer, nullable=False),
)


def card(key: str, said: int) -> str:
    """Other words each time, so that compression finds in a frame what it finds in a text."""
    words = " ".join(random.Random(said).choices(WORDS, k=30))
    return f'<article class="card" id="x-{key}"><h2>{said}</h2><p>{words}</p></article>'
