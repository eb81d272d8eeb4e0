"""A street as the first release wrote it down: rows of each of its tables, in its columns alone.

Plain SQL: the models of today know columns which that release had never heard of.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import asyncpg

HOUR = timedelta(hours=1)
TO = {
    **{"request": "requested", "approve": "approved", "hand_over": "out", "not_here": "out"},
    **{"claim_return": "return_claimed", "take_back": "returned", "close": "closed"},
    **{"decline": "declined", "withdraw": "withdrawn", "expire": "expired"},
    **{"supersede": "superseded", "cancel": "cancelled", "lapse": "lapsed", "no_show": "no_show"},
    "dispute": "disputed",
}
FINAL = frozenset(
    ("closed", "declined", "withdrawn", "expired", "superseded", "cancelled", "lapsed", "no_show")
)
BLOCKING = frozenset(("approved", "out", "return_claimed", "returned", "closed", "disputed"))
INSTANTS = {
    **{"approve": "decided_at", "decline": "decided_at", "hand_over": "out_at"},
    **{"claim_return": "claimed_at", "take_back": "back_at"},
}
PEOPLE = {
    **{"cora": ("admin", "active"), "ivo": ("coordinator", "active"), "ada": ("member", "active")},
    **{"ben": ("member", "active"), "cy": ("member", "active"), "dee": ("member", "suspended")},
    **{"eli": ("member", "left"), "fay": ("member", "pending")},
}
TOOLS = {
    **{"jigsaw": "paused", "strimmer": "maintenance", "chisel": "missing"},
    **{"anvil": "archived", "easel": "draft", "drill": "listed"},
}


@dataclass(frozen=True)
class Story:
    """A loan of a tool of its own; periods and acts in hours from now, acts by ada (or whom)."""

    borrower: str
    first: float
    last: float
    acts: Sequence[tuple[str, float, str]]


def _told(*acts: tuple[str, float]) -> list[tuple[str, float, str]]:
    by_borrower = ("request", "withdraw", "claim_return")
    by_itself = ("expire", "supersede", "lapse", "close")
    who = dict.fromkeys(by_borrower, "borrower") | dict.fromkeys(by_itself, "")
    return [(act, at, who.get(act, "lender")) for act, at in acts]


ASKED, AGREED = ("request", -200), ("approve", -199)
STORIES = {
    "asked": Story("ben", 48, 72, _told(("request", -2))),
    "unanswered": Story("cy", 24, 48, _told(("request", -49))),
    "promised": Story("ben", -1, 23, _told(("request", -30), ("approve", -29))),
    "never fetched": Story("cy", -72, -48, _told(("request", -90), ("approve", -89))),
    "out": Story("ben", -24, 24, _told(("request", -30), ("approve", -29), ("hand_over", -24))),
    "late": Story("cy", -96, -3, _told(ASKED, AGREED, ("hand_over", -96))),
    "claimed": Story("ben", -48, 5, _told(ASKED, AGREED, ("hand_over", -48), ("claim_return", -4))),
    "back": Story("cy", -90, -40, _told(ASKED, AGREED, ("hand_over", -90), ("take_back", -60))),
    "just back": Story("ben", -30, 9, _told(ASKED, AGREED, ("hand_over", -30), ("take_back", -5))),
    # Nothing led there yet, but the table had the word.
    "contested": Story("cy", -90, -40, _told(ASKED, AGREED, ("hand_over", -90), ("dispute", -30))),
    "closed": Story(
        "ben",
        -180,
        -100,
        _told(ASKED, AGREED, ("hand_over", -180), ("take_back", -100), ("close", -52)),
    ),
    "declined": Story("ben", -90, -80, _told(ASKED, ("decline", -190))),
    "withdrawn": Story("cy", -90, -80, _told(ASKED, ("withdraw", -190))),
    "expired": Story("ben", -90, -80, _told(ASKED, ("expire", -152))),
    "superseded": Story("cy", -90, -80, _told(ASKED, ("supersede", -190))),
    "cancelled": Story("ben", -90, -80, _told(ASKED, AGREED, ("cancel", -95))),
    "lapsed": Story("cy", -90, -80, _told(ASKED, AGREED, ("lapse", -56))),
    "no show": Story("ben", -90, -80, _told(ASKED, AGREED, ("no_show", -85))),
}


@dataclass
class OldStreet:
    """What was written; `write` fills it. People, tools and loans by name."""

    connection: Any
    number: int
    now: datetime
    id: int = 0
    people: dict[str, int] = field(default_factory=dict)
    tools: dict[str, int] = field(default_factory=dict)
    loans: dict[str, int] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return f"/c/elm-{self.number}"

    def cookie(self, name: str) -> str:
        return f"the cookie of {name} {self.number}"

    def token(self, name: str) -> str:
        return f"the token of {name} {self.number}"

    async def write(self) -> OldStreet:
        async with self.connection.transaction():
            await self._people()
            await self._tools()
            for name, story in STORIES.items():
                await self._loan(name, story)
            await self._beside()
        return self

    async def _add(self, table: str, returning: str = "", /, **values: Any) -> Any:
        names, places = ", ".join(values), ", ".join(f"${n + 1}" for n in range(len(values)))
        row = f"INSERT INTO {table} ({names}) VALUES ({places})"
        if returning:
            return await self.connection.fetchval(f"{row} RETURNING {returning}", *values.values())
        return await self.connection.execute(row, *values.values())

    async def _people(self) -> None:
        long_ago = self.now - 900 * HOUR
        self.id = await self._add(
            "community",
            "id",
            **{"slug": f"elm-{self.number}", "name": "Elm Street", "zone": "Europe/London"},
            **{"locale": "en-GB", "join_rule": "request", "area": "Elm", "currency": "GBP"},
            created_at=long_ago,
        )
        for name, (role, status) in PEOPLE.items():
            person = self.people[name] = await self._add(
                "person",
                "id",
                **{"email": f"{name}.{self.number}@example.org", "name": f"{name.title()} Elm"},
                **{"password_hash": "none", "locale": "en-GB", "last_community_id": self.id},
                created_at=long_ago,
            )
            await self._add(
                "membership",
                **{"community_id": self.id, "person_id": person, "role": role, "status": status},
                **{"note": "Number 12." if status == "pending" else "", "asked_at": long_ago},
                joined_at=None if status == "pending" else long_ago,
                removed_at=self.now - HOUR if status == "left" else None,
            )
            times = {"created_at": long_ago, "expires_at": self.now + 900 * HOUR}
            await self._add(
                "session",
                key_hash=sha256(self.cookie(name).encode()).digest(),
                **{"person_id": person, "device": "Firefox", "seen_at": self.now - HOUR, **times},
            )
            await self._add(
                "api_token",
                key_hash=sha256(self.token(name).encode()).digest(),
                **{"person_id": person, "used_at": self.now - HOUR, **times},
            )

    async def _tools(self) -> None:
        category = await self._add(
            "category",
            "id",
            **{"community_id": self.id, "slug": "drills", "name": "Drills", "icon": "drill"},
            position=0,
        )
        photo = await self._add(
            "photo",
            "id",
            **{"community_id": self.id, "name": uuid.uuid4().hex, "width": 800, "height": 600},
            **{"uploaded_by": self.people["ada"], "created_at": self.now - 800 * HOUR},
        )
        for name, status in (TOOLS | dict.fromkeys(STORIES, "listed")).items():
            self.tools[name] = await self._add(
                "tool",
                "id",
                **{"community_id": self.id, "owner_id": self.people["ada"], "brand": "Elm"},
                **{"category_id": category, "photo_id": photo if name == "drill" else None},
                **{"name": f"Tool, {name}", "description": "Two bits.", "price_cents": 250},
                **{"doorstep": name != "late", "status": status},
                **{"created_at": self.now - 800 * HOUR, "changed_at": self.now - 300 * HOUR},
            )

    async def _loan(self, name: str, story: Story) -> None:
        here, now, acts = self.id, self.now, story.acts
        start, end = now + story.first * HOUR, now + story.last * HOUR
        at = {INSTANTS[act]: now + hours * HOUR for act, hours, _ in acts if act in INSTANTS}
        state, asked = TO[acts[-1][0]], now + acts[0][1] * HOUR
        room = await self._add("conversation", "id", community_id=here, created_at=asked)
        loan = self.loans[name] = await self._add(
            "loan",
            "id",
            **{"community_id": here, "tool_id": self.tools[name], "conversation_id": room},
            **{"borrower_id": self.people[story.borrower], "lender_id": self.people["ada"]},
            **{"period": asyncpg.Range(start, end), "price_cents": 250, "state": state},
            **{"version": len(acts), "requested_at": asked, "borrower_name": None},
            reason="It broke." if state in ("declined", "cancelled") else "",
            place="Behind the blue door" if state == "return_claimed" else "",
            expires_at=min(asked + 48 * HOUR, start if start > asked else end),
            **{each: at.get(each) for each in INSTANTS.values()},
            ended_at=now + acts[-1][1] * HOUR if state in FINAL else None,
        )
        await self._story(loan, room, story)
        if state in BLOCKING:
            taken = asyncpg.Range(start, min(at.get("back_at", end), end))
            await self._add(
                "occupancy",
                **{"community_id": here, "tool_id": self.tools[name], "kind": "loan"},
                **{"period": taken, "loan_id": loan, "person_id": None, "expires_at": None},
            )
        await self._job(loan, state, end, asked, at)

    async def _story(self, loan: int, room: int, story: Story) -> None:
        """What happened, each with its line in the room, and a word of the borrower's."""
        here, before = self.id, None
        who = {"borrower": self.people[story.borrower], "lender": self.people["ada"]}
        for number, (act, hours, part) in enumerate(story.acts, 1):
            at, by = self.now + hours * HOUR, who.get(part)
            await self._add(
                "loan_event",
                **{"community_id": here, "loan_id": loan, "act": act, "from_state": before},
                **{"to_state": TO[act], "by_id": by, "reason": "", "at": at},
            )
            await self._line(room, number, "note", f"It was {TO[act]}.", by, at)
            before = TO[act]
        last = len(story.acts) + 1
        asked = self.now + story.acts[0][1] * HOUR
        await self._line(room, last, "text", "It is for a shelf.", who["borrower"], asked)
        for person in who.values():
            await self._add(
                "participant",
                **{"community_id": here, "conversation_id": room, "person_id": person},
                seen_up_to=last - (person == who["lender"]),
            )
        for name in (f"c{here}/room/{room}", f"c{here}/loan/{loan}"):
            await self._add("live_topic", name=name, version=last, changed_at=self.now)

    async def _line(
        self, room: int, revision: int, kind: str, body: str, by: int | None, at: datetime
    ) -> None:
        await self._add(
            "message",
            **{"community_id": self.id, "conversation_id": room, "author_id": by, "kind": kind},
            **{"body": body, "client_id": uuid.uuid4() if kind == "text" else None},
            **{"born": revision, "revision": revision, "created_at": at},
        )

    async def _job(
        self, loan: int, state: str, end: datetime, asked: datetime, at: dict[str, datetime]
    ) -> None:
        waits = {"requested": ("loans.expire", asked + 48 * HOUR)}
        waits["approved"] = ("loans.lapse", end + 24 * HOUR)
        if "back_at" in at:
            waits["returned"] = ("loans.close", at["back_at"] + 48 * HOUR)
        if state in waits:
            name, run_at = waits[state]
            await self._add(
                "job",
                **{"name": name, "key": f"{self.id}/{loan}", "run_at": run_at, "attempts": 0},
                **{"last_error": "", "created_at": asked},
            )

    async def _beside(self) -> None:
        """What an instance has besides: links, keys of repeated commands, marks, versions."""
        here, now, cora = self.id, self.now, self.people["cora"]
        await self._add(
            "join_link",
            **{"community_id": here, "nonce": uuid.uuid4().bytes, "made_by": cora},
            **{"code_hash": uuid.uuid4().bytes, "created_at": now, "uses_left": 199},
            expires_at=now + 99 * HOUR,
        )
        await self._add(
            "reset_link",
            **{"key_hash": uuid.uuid4().bytes, "person_id": self.people["cy"]},
            **{"community_id": here, "made_by": cora, "created_at": now, "used_at": None},
            expires_at=now + 24 * HOUR,
        )
        await self._add(
            "idempotency_key",
            **{"person_id": self.people["ben"], "command": f"POST {self.path}/loans", "key": "k"},
            **{"body_hash": b"hash", "outcome": '{"loan_id": 1}', "created_at": now},
        )
        topics = [f"c{here}/board#5", f"c{here}/recent#3", f"c{here}/list", f"c{here}/members"]
        topics += [f"c{here}/tool/{tool}" for tool in self.tools.values()]
        topics += [f"u{person}/access" for person in self.people.values()]
        for name in topics:
            await self._add("live_topic", name=name, version=7, changed_at=now)
        if not await self.connection.fetchval("SELECT count(*) FROM instance"):
            await self._add("instance", id=1, code_hash=None, set_up_at=now - 900 * HOUR)
            await self._add("clock_mark", name="boards", done_until=now - HOUR)
