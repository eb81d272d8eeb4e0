"""`python -m app.http.health`: asks this container's own /health; exits with 0 or 1.

Imports nothing but the standard library, since it runs every few seconds.
"""

import http.client
import os
import sys

PATIENCE = 5  # seconds


def is_well(port: int) -> bool:
    """True if the worker that answered can serve pages; without Redis it still can."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if is_well(int(os.environ.get("PORT") or "8000")) else 1)
