"""A clock that this process and all workers share, and that tests may move."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app import clock


@dataclass
class Clock:
    file: Path
    base: float

    def move(self, by: timedelta) -> datetime:
        """Everybody's clock goes so much further; answers the new present."""
        self._write(float(self.file.read_text()) + by.total_seconds())
        return clock.now()

    def move_to(self, at: datetime) -> datetime:
        return self.move(at - clock.now())

    def back(self) -> None:
        self._write(self.base)

    def _write(self, seconds: float) -> None:
        # Replaced as a whole: no reader ever sees half a number.
        fresh = self.file.with_suffix(".new")
        fresh.write_text(str(seconds))
        fresh.replace(self.file)
