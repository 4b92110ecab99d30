"""What every measured process of the window's benchmark tells: one line of JSON on standard output, nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from statistics import median

PAGES = Path("/proc/self/statm")


def tell(stage: str, **figures: object) -> None:
    """Write one line for the harness, at once."""
    print(json.dumps({"stage": stage, **figures}), flush=True)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Return the count, and p50, p95 (nearest rank) and the largest in milliseconds."""
    ordered = sorted(seconds)
    rank = max(0, -(-95 * len(ordered) // 100) - 1)
    return {
        "count": len(ordered),
        "p50": 1000 * median(ordered),
        "p95": 1000 * ordered[rank],
        "max": 1000 * ordered[-1],
    }


def resident_bytes() -> int | None:
    """Return what this process holds in memory now; None where the system does not tell it in a file."""
    if not PAGES.exists():
        return None
    return int(PAGES.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
