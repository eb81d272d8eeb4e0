"""`python -m app.people.setup_code` prints a new one-time set-up code, or nothing if set up."""

from __future__ import annotations

import asyncio

from app import db
from app.people import commands


async def print_code() -> None:
    async with db.begin() as tx:
        code = await commands.make_set_up_code(tx)
    if code is not None:
        print(code)  # the only place that ever shows it
    await db.engine.dispose()


if __name__ == "__main__":
    asyncio.run(print_code())
