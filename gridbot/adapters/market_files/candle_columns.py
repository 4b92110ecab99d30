"""Candles as one file of columns that several processes map into memory: written once, read by all, copied by none."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gridbot.errors import EnvironmentProblem
from gridbot.sim.candle_arrays import CandleArrays

COLUMNS, LOCK = "search.columns", "search.lock"
"""What the file is called, and what whoever wrote it holds for as long as others read it."""


def save_columns(candles: CandleArrays, path: Path) -> None:
    """Write the candles, over what was there; EnvironmentProblem where the disk refuses.

    Nothing is promised about a crash meanwhile: the file lives as long as the work that it was written for.
    """
    rows = np.empty((6, len(candles)), np.float64)
    rows[0] = candles.open_time.view(np.float64)
    for place, column in enumerate((candles.open, candles.high, candles.low, candles.close, candles.volume), 1):
        rows[place] = column
    try:
        with path.open("wb") as file:
            np.save(file, rows, allow_pickle=False)
    except OSError as error:
        raise EnvironmentProblem(
            f"The candles of a search cannot be laid down in {path.parent}: {error.strerror or error}.",
            hint="Make room on the disk, or move gridbot's folder (GRIDBOT_HOME).",
        ) from error


def open_columns(path: Path) -> CandleArrays:
    """Return the candles of `save_columns`, mapped; OSError and ValueError for a file that is none."""
    rows = np.load(path, mmap_mode="r", allow_pickle=False)
    return CandleArrays(
        open_time=np.asarray(rows[0]).view(np.int64),
        open=np.asarray(rows[1]),
        high=np.asarray(rows[2]),
        low=np.asarray(rows[3]),
        close=np.asarray(rows[4]),
        volume=np.asarray(rows[5]),
    )
