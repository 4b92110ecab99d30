"""A clock that a test moves, a log of small files, and what stands in them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

from gridbot.adapters.logbook.log_export import log_paths
from gridbot.adapters.logbook.log_files import LogFiles
from gridbot.adapters.logbook.masking import Mask
from gridbot.core.units import TimeMs

START = 1_790_000_000_123


class HandClock:
    """A clock that a test moves; satisfies the Clock port."""

    def __init__(self) -> None:
        self.now = START

    def now_ms(self) -> TimeMs:
        return TimeMs(self.now)

    def machine_ms(self) -> TimeMs:
        return self.now_ms()

    def monotonic(self) -> float:
        return self.now / 1000

    async def sleep(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


def log_files(
    folder: Path, *, clock: HandClock | None = None, mask: Mask | None = None, level: str = "INFO"
) -> LogFiles:
    return LogFiles(
        folder, clock or HandClock(), mask or Mask(), level=level, rotate_mb=1, keep_days=30, service="gridbot"
    )


def lines(folder: Path) -> list[dict[str, object]]:
    text = b""
    for path in log_paths(folder):
        text += gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in text.splitlines()]
