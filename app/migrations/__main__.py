"""`python -m app.migrations` upgrades the database that DATABASE_URL names."""

import asyncio
import sys

from app.migrations import NewerDatabase, upgrade
from app.settings import settings


def main() -> int:
    try:
        before, after = asyncio.run(upgrade(settings.database_url))
    except NewerDatabase as error:
        print(error, file=sys.stderr)
        return 1
    print(f"Database at revision {after}." if before == after else f"Database migrated to {after}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
