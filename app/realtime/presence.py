"""Who is where, and who types, as Redis keeps it: it expires by itself, and nothing waits for it.

Knows topics and persons; who may be noted and who may hear is `company.py`'s.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from app.realtime import versions
from app.realtime.bus import ANSWERS_WITHIN, FAILURES, WHISPER, client, heed_cancellation

log = logging.getLogger(__name__)

GAP = 1.0  # seconds between two hints about one person and topic, whatever they have open
PACE = 1.05  # and between two words of this worker: a little more, or they would find the gate shut
ROUND = 0.1  # seconds between two rounds of reading: what is hinted meanwhile is one question
TOGETHER = 500  # questions or words of one round trip
AGAIN = 0.5  # seconds until Redis is tried again

# Each key runs out by Redis' own clock, so no two clocks have to agree. A worker writes keys of its
# own and never takes away another's: somebody may have two pages open, on two workers. The gate
# is what makes one hint a second of them all.
_SAY = """
local key = KEYS[1] .. ':' .. ARGV[1]
if ARGV[2] == '' then
  redis.call('DEL', key)
  redis.call('SREM', KEYS[1], ARGV[1])
else
  redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
  redis.call('SADD', KEYS[1], ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
if redis.call('SET', KEYS[2], '', 'NX', 'PX', ARGV[5]) then
  redis.call('PUBLISH', ARGV[6], ARGV[7])
  return 0
end
return math.max(1, redis.call('PTTL', KEYS[2]))
"""
_WHO = """
local found = {}
for _, member in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local key = KEYS[1] .. ':' .. member
  local doing = redis.call('GET', key)
  if doing then
    found[#found + 1] = {member, doing, redis.call('PTTL', key)}
  else
    redis.call('SREM', KEYS[1], member)
  end
end
return found
"""

Waiting = TypeVar("Waiting")
Key = tuple[str, int]  # topic and person


class Present(NamedTuple):
    """Somebody who is where a viewer is, and lets it be seen."""

    person_id: int
    name: str
    typing: bool


class Doing(NamedTuple):
    """What somebody is noted for. The name goes with it, and is gone when it is."""

    name: str
    typing: bool


@dataclass(slots=True, eq=False)
class Word:
    """The newest that is to be told about one person and topic. None: not there any more."""

    doing: Doing | None = None
    said_at: float = 0.0  # what runs out does so from here on, however late it is written
    written_at: float = 0.0
    timer: asyncio.TimerHandle | None = None


class Presence:
    def __init__(
        self,
        url: str,
        channel: Callable[[str], str],
        lasting: tuple[float, float],
        counters: Counter[str],
    ) -> None:
        """`lasting`: seconds for which one word holds, of being here and of typing."""
        self._redis, self._channel = client(url), channel
        self._here_for, self._typing_for = lasting
        self._counters = counters
        self._me = secrets.token_hex(4)  # this worker
        self._words: dict[Key, Word] = {}
        self._unsaid: dict[Key, None] = {}
        self._something_unsaid = asyncio.Event()
        self._asked: dict[str, None] = {}
        self._something_asked = asyncio.Event()
        self.on_answer: Callable[[str, Sequence[Present], float], None] = lambda *_: None

    @property
    def noted(self) -> int:
        """How many persons this worker speaks of, each on each topic."""
        return len(self._words)

    # --- telling

    def say(self, key: Key, doing: Doing, said_at: float) -> None:
        """Never waits. Written at once, or a second after the last word: the newest counts.

        `said_at` is when the page said so, on the monotonic clock: it runs out from then on.
        """
        word = self._words.get(key)
        if word is None:
            word = self._words[key] = Word()
        word.doing, word.said_at = doing, said_at
        self._write_in(key, word, _due_in(word))

    def leave(self, key: Key, after: float = 0.0) -> None:
        """They are gone, after so many seconds in which they have not come back."""
        if word := self._words.get(key):
            word.doing = None
            self._write_in(key, word, max(after, _due_in(word)))

    def forget(self, key: Key) -> None:
        """This worker will not speak of them any more; what Redis holds runs out by itself."""
        if word := self._words.pop(key, None):
            _still(word)

    def _write_in(self, key: Key, word: Word, seconds: float) -> None:
        _still(word)
        if seconds > 0:
            word.timer = asyncio.get_running_loop().call_later(seconds, self._write, key)
        else:
            self._write(key)

    def _write(self, key: Key) -> None:
        if word := self._words.get(key):
            word.timer = None
            self._unsaid[key] = None
            self._something_unsaid.set()

    async def say_forever(self) -> None:
        """What cannot be written is lost: whoever is there says so again in a moment."""
        while True:
            heed_cancellation()
            await self._something_unsaid.wait()
            told = [
                (key, word, word.doing)
                for key in _some(self._unsaid, self._something_unsaid)
                if (word := self._words.get(key))
            ]
            pipeline = self._redis.pipeline(transaction=False)
            for key, word, _ in told:
                self._put(pipeline, key, word)
            try:
                async with asyncio.timeout(ANSWERS_WITHIN):
                    held_back = await pipeline.execute() if told else []
                self._counters["company_written"] += len(told)
            except FAILURES:
                self._counters["company_lost"] += len(told)
                held_back = [0] * len(told)
                await asyncio.sleep(AGAIN)
            self._told(told, held_back)

    def _told(
        self, told: Sequence[tuple[Key, Word, Doing | None]], held_back: Sequence[int]
    ) -> None:
        """`held_back`: milliseconds until another hint about this person may go out; 0: it has."""
        for (key, word, doing), wait in zip(told, held_back, strict=True):
            if self._words.get(key) is not word or word.timer is not None or key in self._unsaid:
                continue  # something newer is to be told of them, and will be
            if wait:
                self._write_in(key, word, wait / 1000)
            elif doing is None:
                del self._words[key]

    def _put(self, pipeline: Any, key: Key, word: Word) -> None:
        word.written_at = now = time.monotonic()
        (topic, person_id), doing = key, word.doing
        lasts = self._typing_for if doing and doing.typing else self._here_for
        left = int((lasts - (now - word.said_at)) * 1000)
        place = self._place(topic)
        pipeline.eval(
            _SAY,
            2,
            place,
            f"{place}:gate:{person_id}",
            f"{person_id}:{self._me}",
            f"{'typing' if doing.typing else 'here'} {doing.name}" if doing and left > 0 else "",
            left,
            int(max(self._here_for, self._typing_for) * 1000),
            int(GAP * 1000),
            self._channel(versions.split(topic)[0]),
            WHISPER + topic,
        )

    # --- asking

    def ask(self, topic: str) -> None:
        """Never waits; `on_answer(topic, who, seconds that this holds)` is called, if Redis can."""
        self._asked[topic] = None
        self._something_asked.set()

    async def answer_forever(self) -> None:
        while True:
            heed_cancellation()
            await self._something_asked.wait()
            topics = _some(self._asked, self._something_asked)
            pipeline = self._redis.pipeline(transaction=False)
            for topic in topics:
                pipeline.eval(_WHO, 1, self._place(topic))
            try:
                async with asyncio.timeout(ANSWERS_WITHIN):
                    answers = await pipeline.execute()
            except FAILURES:
                await asyncio.sleep(AGAIN)
                continue
            self._counters["company_read"] += len(topics)
            for topic, answer in zip(topics, answers, strict=True):
                try:
                    self.on_answer(topic, *_read(answer))
                except Exception:  # the other rooms must not wait for this one
                    log.exception("company of a topic could not be shown")
            await asyncio.sleep(ROUND)

    def _place(self, topic: str) -> str:
        # In braces: all keys of a topic belong on one node of a cluster.
        return f"{self._channel('company')}:{{{topic}}}"

    async def close(self) -> None:
        for word in self._words.values():
            _still(word)
        self._words.clear()
        self._unsaid.clear()
        self._asked.clear()
        await self._redis.aclose()


def _some(waiting: dict[Waiting, None], filled: asyncio.Event) -> list[Waiting]:
    """As many of those that wait as go into one round trip, the oldest first."""
    some = list(waiting)[:TOGETHER]
    for one in some:
        del waiting[one]
    if not waiting:
        filled.clear()
    return some


def _due_in(word: Word) -> float:
    return word.written_at + PACE - time.monotonic()


def _still(word: Word) -> None:
    if word.timer is not None:
        word.timer.cancel()
        word.timer = None


def _read(answer: Sequence[tuple[str, str, int]]) -> tuple[list[Present], float]:
    """Each person once, whatever they have open, and the seconds until the first of it runs out."""
    found: dict[int, Present] = {}
    for member, doing, _ in answer:
        person_id = int(member.partition(":")[0])
        what, _, name = doing.partition(" ")
        before = found.get(person_id)
        typing = what == "typing" or (before is not None and before.typing)
        found[person_id] = Present(person_id, name, typing)
    runs_out = min((left for *_, left in answer), default=0)
    return [found[one] for one in sorted(found)], max(0, runs_out) / 1000
