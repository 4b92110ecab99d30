"""Where the shared market data lies beside the project, and the mark for tests that need it."""

from __future__ import annotations

from pathlib import Path

import pytest

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

needs_data = pytest.mark.skipif(
    not (DATA / "expected").is_dir(), reason="the shared market data is not beside the project (../shared/data)"
)
