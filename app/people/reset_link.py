"""`python -m app.people.reset_link EMAIL` prints a one-use link for who is locked out of it all."""

from __future__ import annotations

import asyncio
import sys

import structlog

from app import clock, db
from app.people import links
from app.settings import settings


async def print_link(email: str) -> int:
    """For whoever runs the machine: the only way to help an admin."""
    async with db.begin() as tx:
        secret = await links.make_reset_link_here(tx, email, clock.now())
    await db.engine.dispose()
    if secret is None:
        print("Nobody with this e-mail is in a community here.", file=sys.stderr)
        return 1
    root = settings.public_url.rstrip("/") or f"http://127.0.0.1:{settings.port}"
    print(f"{root}/reset/{secret}")  # works once, for 24 hours
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m app.people.reset_link EMAIL")
    # Standard output is for the link alone.
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    sys.exit(asyncio.run(print_link(sys.argv[1])))
