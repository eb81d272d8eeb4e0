"""Where the time and the memory of our worker go; told where a goal was not reached."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.live.contest import OursActed

ROWS = 12
Census = Mapping[str, Sequence[int]]  # kind of object → how many, and their bytes


async def of_changes(ours: OursActed, changes: int) -> list[str]:
    """By the standard profiler, which weighs small functions too heavily: look at the order."""
    await ours.server.post("/profile/start")
    for _ in range(changes):
        await ours.change(0)
    told = await ours.server.post("/profile/stop")
    deliveries = changes * ours.sink.count
    lines = [
        f"Where our worker's time goes, one change at a time, {ours.sink.count:,} screens: the "
        "standard profiler,",
        "which weighs small functions too heavily; a delivery's own µs, calls, and the function",
    ]
    for name, calls, seconds in told["functions"][:ROWS]:
        each = 1e6 * seconds / deliveries
        lines.append(f"  {each:7.2f} {calls / deliveries:6.2f}  {name}")
    return lines


def of_memory(before: Census, after: Census, sockets: int, kept: float) -> list[str]:
    """What the garbage collector knows, a socket; plain strings and numbers it does not know."""
    grown = sorted(_grown(before, after), key=lambda one: -one[2])
    known = sum(size for _, _, size in grown) / sockets / 1000
    lines = [
        f"Where our worker's memory goes, {sockets:,} sockets: of {kept:.1f} kB a socket the "
        f"collector knows {known:.1f};",
        "bytes a socket, objects, and their type (texts, bytes and numbers are not among them)",
    ]
    for name, count, size in grown[:ROWS]:
        lines.append(f"  {size / sockets:7.0f} {count / sockets:6.2f}  {name}")
    return lines


def _grown(before: Census, after: Census) -> Iterator[tuple[str, int, int]]:
    for name, (count, size) in after.items():
        had, weighed = before.get(name, (0, 0))
        yield name, count - had, size - weighed
