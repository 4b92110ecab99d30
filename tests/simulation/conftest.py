"""What a killed process leaves in memory is gone before another test begins: its coroutines that never began."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _nothing_of_the_dead_is_left() -> Iterator[None]:
    yield
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="coroutine .* was never awaited")
        gc.collect()
