"""A screen that distrusts the engine: each frame is held against what was true and allowed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from .ground import State
from .screens import Wire, hold
from .town import (
    ROOM,
    SHELVES,
    TOPICS,
    Look,
    Town,
    listener,
    locale_of,
    may_see,
    read_html,
    read_rows,
)

Line = tuple[int, int, str]


@dataclass
class Watched:
    """One topic on the screen, since it was last watched."""

    claim: int
    had: int  # as far as the claim was true
    invented: bool  # no page can have shown that
    words: str | None
    locale: str
    lines: list[Line] = field(default_factory=list)
    version: int = 0  # that the screen shows
    told: int = 0  # that the engine has written, whether it was read or not
    told_gone: bool = False


class Onlooker:
    def __init__(self, town: Town, engine: int, person: int) -> None:
        self.town, self.number, self.person = town, engine, person
        self.engine = town.engines[engine]
        self.wire = Wire(self.read)
        self.wire.on_write = self.written
        self.watched: dict[str, Watched] = {}
        # Also what was claimed before: the answer to that may still come.
        self.claimed: dict[str, set[int]] = {}
        self.asked: dict[int, tuple[State, dict[str, Watched]]] = {}
        self.lives: set[int] = set()
        self.epoch = self.told_epoch = ""
        self.refused = False
        self.opening: asyncio.Task[None] | None = None

    # --- what its person does

    async def open(self) -> None:
        try:
            found = await self.engine.entrance.find(self.person)
        except Exception:
            found = None  # the database is away: the door says 503
        if found is None:
            self.refused = True
            return
        access = f"u{self.person}/access"
        if access not in self.engine.hub.topics:
            self.town.known_rights.pop((self.number, access), None)
        hold(self.engine, self.wire, found)

    @property
    def is_open(self) -> bool:
        return self.wire.owner is not None and self.wire.code is None

    def watch(self, claims: dict[str, int], access: int | None = None) -> None:
        if not self.is_open:
            return
        state, n = self.town.now, len(self.asked) + 1
        asked = {topic: self._shown_at(topic, claim) for topic, claim in claims.items()}
        for topic, claim in claims.items():
            self.claimed.setdefault(topic, set()).add(claim)
        self.watched.update(asked)
        self.asked[n] = state, asked
        wanted = dict(claims)
        if access is not None:
            wanted[f"u{self.person}/access"] = access
        self.wire.say({"watch": wanted, "n": n})

    def _shown_at(self, topic: str, claim: int) -> Watched:
        """What a page of that version shows."""
        state = self.town.now
        past = self.town.history.get((state.epoch, topic, claim))
        mine = may_see(state, self.person, topic)
        words = past.to(self.person) if past and mine else None
        lines = list(past.lines[-5:]) if past and mine and claim else []
        invented = claim > state.version(topic) or (claim > 0 and not mine)
        had = min(claim, state.version(topic))
        locale = self.wire.owner.locale  # a page is as old as its socket
        return Watched(claim, had, invented, words, locale, lines, version=claim)

    def unwatch(self, topics: list[str]) -> None:
        if self.is_open:
            self.wire.say({"unwatch": topics})
            for topic in topics:
                self.watched.pop(topic, None)

    # --- as the engine writes

    def written(self, frame: dict[str, Any]) -> None:
        if "epoch" in frame:
            self.told_epoch = self.told_epoch or frame["epoch"]
            return
        if "live" in frame:
            self._hear_live(frame["live"])
            return
        topic = frame.get("topic")
        if topic is None or topic.endswith("/access"):
            return
        if topic not in TOPICS:
            self._fault("never asked for", frame)
        one = self.watched.get(topic)
        if one is None:  # let go of meanwhile
            return
        one.told_gone = gone = "html" in frame and frame["html"] is None
        if not gone:
            self._check_rights(frame)
            self._check_content(topic, frame)
        if gone and frame["version"] in self.claimed[topic]:
            return  # perhaps not theirs: then not even a version is told
        if frame["version"] < one.told:
            self._fault(f"{one.told} goes back", frame)
        has = max(one.told, one.claim if one.invented else one.had)
        if "since" in frame and frame["since"] > has:
            self._fault("leaves a gap", frame)
        one.told = frame["version"]

    def _check_rights(self, frame: dict[str, Any]) -> None:
        """Nothing from rights that are older than those the engine has been told of."""
        socket: Any = self.wire.owner
        known = self.town.known_rights.get((self.number, f"u{self.person}/access"), 0)
        has = socket.listener.viewer(f"u{self.person}").rights
        if has < known:
            self._fault(f"rights {has} are served, {known} are known", frame)
        kind = self.town.topics.kind_of(frame["topic"])
        if kind is not None and kind.personal:
            read = read_rows if kind.rows else read_html
            used = read(frame["html"])[1]
            if used < known:
                self._fault(f"drawn from rights {used}, {known} are known", frame)
        if not self.engine.topics.open_to(socket.listener, frame["topic"]):
            self._fault("not theirs", frame)
        for (person, number), least in self.town.cuts.items():
            late = frame["version"] < least.get(frame["topic"], 0)
            if late and person == self.person and number <= max(known, has):
                self._fault(f"a face from before the cut of rights {number}", frame)

    def _check_content(self, topic: str, frame: dict[str, Any]) -> None:
        """Content and version belong together."""
        was = self.town.history.get((self.told_epoch, topic, frame["version"]))
        if was is None:
            return
        if topic in SHELVES:
            if frame["items"][0] != was.to(self.person):
                self._fault(f"{was.to(self.person)} is stamped wrongly", frame)
        elif topic == ROOM:
            since = frame.get("since", 0)
            told = [line for line in was.lines if line[1] > since]
            if read_rows(frame["html"])[0] != (told[-5:] if frame.get("reset") else told):
                self._fault(f"{told} is stamped wrongly", frame)
        elif read_html(frame["html"])[0] != was.to(self.person):
            self._fault(f"{was.to(self.person)} is stamped wrongly", frame)

    def _hear_live(self, n: int) -> None:
        self.lives.add(n)
        state, asked = self.asked[n]
        if state.epoch != self.town.now.epoch:
            return
        for topic, one in asked.items():
            if self.watched.get(topic) is not one or one.invented or one.told_gone:
                continue
            has = max(one.claim, one.told)
            allowed = may_see(state, self.person, topic) and may_see(
                self.town.now, self.person, topic
            )
            if allowed and has < state.version(topic):
                self._fault(f"{topic} is called live at {has}", {"live": n})

    # --- as the page reads

    def read(self, frame: dict[str, Any]) -> None:
        self.epoch = frame.get("epoch", self.epoch)
        topic = frame.get("topic")
        one = self.watched.get(topic) if topic else None
        if topic is None or one is None or frame["version"] < one.version:
            return
        if "items" in frame:
            one.words, one.locale = frame["items"]
        elif frame["html"] is None:
            one.words, one.lines = None, []
        elif topic == ROOM:
            if frame.get("since", 0) > one.version:
                return  # was on its way for what the page showed before: live.js asks again
            self._take_rows(one, frame)
        else:
            one.words, _, one.locale = read_html(frame["html"])
        one.version = frame["version"]

    def _take_rows(self, one: Watched, frame: dict[str, Any]) -> None:
        told, _, one.locale = read_rows(frame["html"])
        if frame.get("reset"):
            one.lines = told
        else:
            has = {birth for birth, _, _ in one.lines}
            kept = {birth: (birth, r, w) for birth, r, w in told}
            one.lines = [kept.get(line[0], line) for line in one.lines]
            one.lines += [line for line in told if line[0] not in has and line[0] > one.version]
        one.words = "room"

    # --- in the end

    def wrong(self) -> list[str]:
        """What this screen ought to show and does not, once all has been told."""
        state, socket = self.town.now, self.wire.owner
        found = [f"live {n} never came" for n in self.asked.keys() - self.lives]
        for topic, one in self.watched.items():
            if topic in socket.shown and not one.invented:
                found += self._wrong(state, topic, one)
            elif topic not in socket.shown or one.told_gone:
                continue
            elif one.told not in (0, state.version(topic)):
                found.append(f"{topic} was told only up to {one.told}")
        if listener(state, self.person) is None:
            found.append("still open")
        return [f"person {self.person}: {one}" for one in found]

    def _wrong(self, state: State, topic: str, one: Watched) -> list[str]:
        now: Look = self.town.history[state.epoch, topic, state.version(topic)]
        expected = now.to(self.person) if may_see(state, self.person, topic) else None
        if one.words != expected:
            return [f"{topic} shows {one.words}, not {expected}"]
        if expected is not None and one.version != state.version(topic):
            return [f"{topic} at {one.version}, not {state.version(topic)}"]
        if expected is not None and one.locale != locale_of(state, self.person):
            return [f"{topic} is still in {one.locale}"]
        if topic == ROOM and expected is not None:
            lines = list(now.lines)
            if one.lines != lines[len(lines) - len(one.lines) :] or (
                len(one.lines) < min(len(lines), 5)
            ):
                return [f"{topic} shows {one.lines}, not {lines}"]
        return []

    def _fault(self, what: str, frame: dict[str, Any]) -> None:
        self.town.faults.append(f"person {self.person}, {what}: {frame}")
