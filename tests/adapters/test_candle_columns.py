"""Candles as a mapped file: the same candles, read-only, and a full disk is a sentence."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from gridbot.adapters.market_files.candle_columns import open_columns, save_columns
from gridbot.errors import EnvironmentProblem
from gridbot.sim.generated_market import GeneratedMarket


def test_the_same_candles_come_back(tmp_path: Path) -> None:
    candles = GeneratedMarket(3).candles(0, 500)
    save_columns(GeneratedMarket(4).candles(0, 900), tmp_path / "a.columns")
    save_columns(candles, tmp_path / "a.columns")
    mapped = open_columns(tmp_path / "a.columns")
    for field in fields(candles):
        mine, theirs = getattr(mapped, field.name), getattr(candles, field.name)
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs), field.name
        assert not mine.flags.writeable
    part = mapped.slice(100, 200)
    assert part.timeframe_ms == candles.timeframe_ms and len(part) == 100


def test_a_folder_that_is_not_there_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem):
        save_columns(GeneratedMarket(3).candles(0, 5), tmp_path / "nowhere" / "a.columns")


def test_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.columns").write_bytes(b"no columns at all")
    with pytest.raises(ValueError, match=r"."):
        open_columns(tmp_path / "a.columns")
