"""Topic versions: counted in the transaction that changes the topic, announced after its commit."""

import random
from collections.abc import Callable, Collection, Iterable
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession

metadata = sa.MetaData()

live_topic = sa.Table(
    "live_topic",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
)

# One row. After a restore or a reset it holds another value, and every open page reloads itself.
live_epoch = sa.Table(
    "live_epoch",
    metadata,
    sa.Column("only", sa.Boolean, primary_key=True, server_default=sa.true()),
    sa.Column("epoch", sa.Uuid, nullable=False, server_default=sa.text("gen_random_uuid()")),
    sa.CheckConstraint('"only"', name="live_epoch_one_row"),
)

Hint = tuple[str, int]  # a row's name and its version: ("c7/tool/42", 8), ("c7/board#5", 812)

_NAMES = postgresql.ARRAY(sa.Text)
# Sorted, so that two acts on the same topics lock them in one order and cannot deadlock.
_ADD = sa.text(
    """
    INSERT INTO live_topic (name, version, changed_at)
    SELECT name, 1, coalesce(:at, statement_timestamp())
    FROM unnest(:names) AS name ORDER BY name COLLATE "C"
    ON CONFLICT (name) DO UPDATE
    SET version = live_topic.version + 1, changed_at = excluded.changed_at
    RETURNING name, version
    """
).bindparams(sa.bindparam("names", type_=_NAMES), sa.bindparam("at", type_=sa.DateTime(True)))
_READ = sa.text(
    """
    SELECT name, version FROM live_topic WHERE name = ANY(:names)
    UNION ALL SELECT epoch::text, NULL FROM live_epoch
    """
).bindparams(sa.bindparam("names", type_=_NAMES))

_stripes: dict[str, int] = {}
_views: dict[str, Callable[[str], tuple[str, ...]]] = {}
_announcer: Callable[[Iterable[Hint]], None] | None = None


class Reading:
    """The versions of some topics, and the epoch, as one snapshot held them."""

    def __init__(self, epoch: str, rows: dict[str, int]) -> None:
        self.epoch = epoch
        self._rows = rows

    def rows(self, topic: str) -> dict[str, int]:
        """The version of each row that counts for the topic; 0 for a row never touched."""
        return {row: self._rows.get(row, 0) for row in rows_of(topic)}

    def version(self, topic: str) -> int:
        return sum(self.rows(topic).values())

    def found(self) -> Iterable[Hint]:
        """Only the rows that exist."""
        return self._rows.items()


def split(topic: str) -> tuple[str, str, str]:
    """Scope, kind and key of a name: ("c7", "tool", "42"); the key may be empty."""
    scope, _, rest = topic.partition("/")
    kind, _, key = rest.partition("/")
    return scope, kind, key


def stripe(kind: str, rows: int) -> None:
    """Spread each topic of this kind over so many rows: one hot row serialises all its writers."""
    _stripes[kind] = rows


def view(kind: str, counts: Callable[[str], tuple[str, ...]]) -> None:
    """A topic of this kind has no rows of its own: key → the kinds of its scope that count."""
    _views[kind] = counts


def bases_of(topic: str) -> tuple[str, ...]:
    """The topics whose rows count for this one: itself, unless it is a view of others."""
    scope, kind, key = split(topic)
    counts = _views.get(kind)
    return (topic,) if counts is None else tuple(f"{scope}/{one}" for one in counts(key))


def rows_of(topic: str) -> tuple[str, ...]:
    if split(topic)[1] in _views:
        return tuple(row for base in bases_of(topic) for row in _own_rows(base))
    return _own_rows(topic)


def _own_rows(topic: str) -> tuple[str, ...]:
    # The bare name counts too: a process that never heard of the stripes touches that one.
    stripes = _stripes.get(split(topic)[1], 1)
    return (topic, *(f"{topic}#{i}" for i in range(stripes))) if stripes > 1 else (topic,)


def topic_of(row: str) -> str:
    return row.partition("#")[0]


def touch(tx: AsyncSession, *topics: str) -> None:
    """Each topic's version goes up with this transaction, in one sorted statement before commit."""
    tx.info.setdefault("touched", set()).update(topics)


async def bump(tx: AsyncSession, topic: str) -> int:
    """The topic's next version, at once: its row stays locked until the transaction ends.

    For topics whose rows carry that version (a room's messages). Several: always in one order.
    """
    ((_, version),) = (await tx.execute(_ADD, {"names": [topic], "at": None})).all()
    tx.info.setdefault("bumped", {})[topic] = version
    return int(version)


async def flush(tx: AsyncSession, at: datetime | None = None) -> list[Hint]:
    """Write what was touched. The last statement before commit, so that rows are locked briefly.

    Returns what to announce once the commit has succeeded, and keeps it for `announce(tx)`.
    Raises ValueError if a topic was both touched and bumped: the two lock in different orders.
    """
    touched: set[str] = tx.info.pop("touched", set())
    bumped: dict[str, int] = tx.info.pop("bumped", {})
    if both := touched & bumped.keys():
        raise ValueError(f"touched and bumped: {', '.join(sorted(both))}")
    await tx.flush()
    hints: list[Hint] = list(bumped.items())
    if touched:
        rows = [_one_row_of(topic) for topic in touched]
        added = (await tx.execute(_ADD, {"names": rows, "at": at})).all()
        hints += [(name, version) for name, version in added]
    tx.info["hints"] = hints
    return hints


def _one_row_of(topic: str) -> str:
    stripes = _stripes.get(split(topic)[1], 1)
    return f"{topic}#{random.randrange(stripes)}" if stripes > 1 else topic


async def read(tx: AsyncSession, topics: Collection[str]) -> Reading:
    """Versions and epoch in one statement, hence of one snapshot at any isolation."""
    names = list({row: None for topic in topics for row in rows_of(topic)})
    epoch, rows = "", {}
    for name, version in await tx.execute(_READ, {"names": names}):
        if version is None:
            epoch = name
        else:
            rows[name] = version
    return Reading(epoch, rows)


async def ensure_epoch(tx: AsyncSession) -> None:
    await tx.execute(postgresql.insert(live_epoch).values(only=True).on_conflict_do_nothing())


async def renew_epoch(tx: AsyncSession) -> None:
    """After a restore or a reset: versions may have gone back, so every page starts afresh."""
    renewed = postgresql.insert(live_epoch).values(only=True, epoch=sa.func.gen_random_uuid())
    await tx.execute(
        renewed.on_conflict_do_update(
            index_elements=["only"], set_={"epoch": sa.func.gen_random_uuid()}
        )
    )


def announce_by(announcer: Callable[[Iterable[Hint]], None] | None) -> None:
    """The process' engine says here how it announces; None once it has stopped."""
    global _announcer
    _announcer = announcer


def announce(tx: AsyncSession) -> None:
    """After the commit: tell all workers what `flush` wrote."""
    announce_after_commit(tx.info.pop("hints", ()))


def announce_after_commit(hints: Iterable[Hint]) -> None:
    """Tell all workers, without waiting. In a process without an engine their compare finds out."""
    if _announcer is not None:
        _announcer(hints)
