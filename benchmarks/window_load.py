"""Runs backtests one after the other until it is ended: what keeps a core busy while the window is measured."""

from __future__ import annotations

import numpy as np
from series import default_configuration
from window_figures import tell

from gridbot.config.grid import GridConfig
from gridbot.research.backtest import run_backtest
from gridbot.sim.candle_arrays import CandleArrays

MINUTES = 200_000
FIRST_MS = 1_735_689_600_000


def walk() -> CandleArrays:
    """Return a random walk of minutes."""
    rng = np.random.default_rng(23)
    close = 60_000 * np.exp(np.cumsum(rng.normal(0, 0.0006, MINUTES)))
    opened = np.concatenate(([60_000.0], close[:-1]))
    return CandleArrays(
        open_time=FIRST_MS + 60_000 * np.arange(MINUTES, dtype=np.int64),
        open=opened,
        high=np.maximum(opened, close) * 1.0003,
        low=np.minimum(opened, close) * 0.9997,
        close=close,
        volume=np.full(MINUTES, 1.0),
    )


def main() -> None:
    """Tell once that the first backtest is done, and go on."""
    candles, rules = walk(), GridConfig.model_validate(default_configuration()).to_rules()
    first = True
    while True:
        result = run_backtest(candles, rules, every_candle=True)
        if first:
            tell("busy", fills=len(result.to_plain()["fills"]))
            first = False


if __name__ == "__main__":
    main()
