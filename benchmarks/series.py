"""Makes what every peer reads: the candles of a workload, its ladder in exact figures, gridbot's own configuration.

`bench_backtest.py` runs it in a process of its own, so that the harness stays small:
`python series.py NAME FOLDER [--real FILE]` writes `NAME.parquet`, `NAME.ladder.json` and `NAME.grid.json`.

The generated price is an Ornstein-Uhlenbeck process in the logarithm with a slowly changing volatility, reflected just
under the level above which gridbot would lay its ladder anew. Its highs and lows are drawn from the law of the
extremes of a Brownian bridge between open and close. Such a process looks the same backwards, so the history before
the ladder is laid is drawn backwards from the anchor: the ladder is laid at the top of its own range.
"""

import argparse
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gridbot.adapters.market_files.candle_files import load_candles, save_candles
from gridbot.sim.candle_arrays import CandleArrays

Floats = NDArray[np.float64]

MINUTE_MS = 60_000
SIGNAL_BAR_MS = 4 * 60 * MINUTE_MS
YEAR_OF_MINUTES = 525_600
FIRST_OPEN_MS = 1_735_689_600_000
"""2025-01-01T00:00:00Z."""

BARS_BEFORE_LAYING = 50
"""Signal bars that must have closed: the slow EMA needs 50, the 30 ATR(14) values are there after 44."""

TICK = Decimal("0.01")
LOT = Decimal("0.00001")
FEE = Decimal("0.001")
LEVELS = 20
INVESTMENT = Decimal("100000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """How a series moves and how its ladder is spaced.

    `sigma` is the standard deviation of one minute's logarithmic return; `spacing` a fraction of the anchor;
    `reversion` the pull per minute towards `centre`, a logarithmic distance under the anchor.
    """

    sigma: float
    spacing: Decimal
    reversion: float
    centre: float
    seed: int


GENERATED: dict[str, Shape] = {
    "ladder": Shape(sigma=0.00048, spacing=Decimal("0.004"), reversion=2.5e-4, centre=-0.041, seed=20_251),
    "dense": Shape(sigma=0.00107, spacing=Decimal("0.004"), reversion=1.25e-3, centre=-0.041, seed=20_252),
}
REAL_SPACING: dict[str, Decimal] = {"bitfinex": Decimal("0.004")}
ANCHOR = Decimal("60000.00")


def _volatility(rng: np.random.Generator, count: int, sigma: float) -> Floats:
    """Return each minute's standard deviation: `sigma` times a log-AR(1) factor of about a day's memory."""
    memory = 1.0 - 1.0 / 1440
    shocks = rng.normal(0.0, 0.3 * math.sqrt(1.0 - memory**2), count).tolist()
    factor = 0.0
    logs = []
    for shock in shocks:
        factor = memory * factor + shock
        logs.append(factor)
    return sigma * np.exp(np.asarray(logs) - 0.09)


def _reflected_walk(rng: np.random.Generator, sigmas: Floats, shape: Shape, ceiling: float) -> Floats:
    """Return logarithmic closes over the anchor's, after each minute, never above `ceiling`; the walk starts at 0."""
    steps = (sigmas * rng.standard_normal(len(sigmas))).tolist()
    level = 0.0
    levels = []
    for step in steps:
        level += shape.reversion * (shape.centre - level) + step
        if level > ceiling:
            level = 2.0 * ceiling - level
        levels.append(level)
    return np.asarray(levels)


def _bridge_extreme(rng: np.random.Generator, start: Floats, end: Floats, sigmas: Floats) -> Floats:
    """Return how far a Brownian bridge goes beyond `start` upwards, with the law of its maximum."""
    gap = end - start
    uniform = 1.0 - rng.random(len(start))
    return (gap + np.sqrt(gap * gap - 2.0 * sigmas * sigmas * np.log(uniform))) / 2.0


def generate(shape: Shape) -> CandleArrays:
    """Return one year of one-minute candles whose ladder is laid at `ANCHOR`, the close of minute 12,000."""
    rng = np.random.default_rng(shape.seed)
    before = BARS_BEFORE_LAYING * SIGNAL_BAR_MS // MINUTE_MS - 1
    after = YEAR_OF_MINUTES - before - 1
    ceiling = math.log1p(float(shape.spacing) * 0.95)
    past_sigmas = _volatility(rng, before, shape.sigma)
    sigmas = _volatility(rng, after, shape.sigma)
    past = _reflected_walk(rng, past_sigmas, shape, ceiling)
    future = _reflected_walk(rng, sigmas, shape, ceiling)
    closes = np.concatenate([past[::-1], [0.0], future])
    all_sigmas = np.concatenate([past_sigmas[::-1], [shape.sigma], sigmas])
    opens = np.concatenate([closes[:1], closes[:-1]]) + 0.02 * all_sigmas * rng.standard_normal(YEAR_OF_MINUTES)
    highs = opens + _bridge_extreme(rng, opens, closes, all_sigmas)
    lows = opens - _bridge_extreme(rng, -opens, -closes, all_sigmas)
    prices = [np.round(float(ANCHOR) * np.exp(column), 2) for column in (opens, highs, lows, closes)]
    open_, high, low, close = prices
    turnover = rng.lognormal(3.0, 0.8, YEAR_OF_MINUTES) * all_sigmas / shape.sigma
    return CandleArrays(
        open_time=FIRST_OPEN_MS + MINUTE_MS * np.arange(YEAR_OF_MINUTES, dtype=np.int64),
        open=open_,
        high=np.maximum(high, np.maximum(open_, close)),
        low=np.minimum(low, np.minimum(open_, close)),
        close=close,
        volume=np.round(turnover, 5),
    )


def laying_index(open_time: NDArray[np.int64]) -> int:
    """Return the candle at whose close the ladder is laid: where the 50th bar of 4 hours closes.

    A bar closes with the candle that ends it, or, where that candle is missing, with the next one that comes.
    """
    buckets = open_time // SIGNAL_BAR_MS
    starts = np.flatnonzero(np.diff(buckets)) + 1
    next_start = int(starts[BARS_BEFORE_LAYING - 1])
    last = next_start - 1
    ends_the_bar = (int(open_time[last]) + MINUTE_MS) % SIGNAL_BAR_MS == 0
    return last if ends_the_bar else next_start


def ladder(candles: CandleArrays, spacing_fraction: Decimal) -> dict[str, Any]:
    """Return the ladder in exact figures: 20 buys under the close of the laying candle, each with its target."""
    index = laying_index(candles.open_time)
    anchor = Decimal(repr(float(candles.close[index])))
    spacing = (anchor * spacing_fraction).quantize(TICK)
    budget = INVESTMENT / LEVELS
    rungs = []
    for number in range(1, LEVELS + 1):
        price = (anchor - number * spacing) // TICK * TICK
        target = -(-(price + spacing) // TICK) * TICK
        quantity = budget / (price * (1 + FEE)) // LOT * LOT
        rungs.append({"price": str(price), "target": str(target), "quantity": str(quantity)})
    return {
        "laying_index": index,
        "laying_open_time_ms": int(candles.open_time[index]),
        "candles": len(candles.open_time),
        "anchor": str(anchor),
        "spacing": str(spacing),
        "fee": str(FEE),
        "investment": str(INVESTMENT),
        "rungs": rungs,
        "closes_above_range": int(np.count_nonzero(candles.close[index:] > float(anchor + spacing))),
    }


def grid_configuration(plan: dict[str, Any]) -> dict[str, Any]:
    """Return gridbot's grid for the ladder: absolute spacing, every slot always allowed, no breaker."""
    everything = {"calm": None, "spike": None}
    return {
        "symbol": "BTC/USDT",
        "levels": LEVELS,
        "investment": plan["investment"],
        "take_profit": "1",
        "spacing": {"mode": "absolute", "absolute": plan["spacing"]},
        "signal": {"timeframe": "4h", "atr_jump": 1_000_000.0},
        "trend": {
            "timeframe": "4h",
            "policy": {"neutral": everything, "up": everything, "down": everything},
        },
        "instrument": instrument(),
    }


def default_configuration() -> dict[str, Any]:
    """Return gridbot's default strategy on the same market."""
    return {"symbol": "BTC/USDT", "investment": str(INVESTMENT), "instrument": instrument()}


def instrument() -> dict[str, str]:
    """Return the market's rules."""
    return {
        "tick_size": str(TICK),
        "lot_size": str(LOT),
        "min_qty": str(LOT),
        "min_notional": "5",
        "maker_fee": str(FEE),
        "taker_fee": str(FEE),
        "fee_currency": "quote",
    }


def main() -> None:
    """Write the files of one workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=[*GENERATED, *REAL_SPACING])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--real", type=Path, help="the Parquet file of a real market, for a workload that needs one")
    arguments = parser.parse_args()
    name: str = arguments.name
    folder: Path = arguments.folder
    folder.mkdir(parents=True, exist_ok=True)
    if name in GENERATED:
        shape = GENERATED[name]
        candles = generate(shape)
        spacing = shape.spacing
    else:
        candles = load_candles(arguments.real)
        spacing = REAL_SPACING[name]
    save_candles(folder / f"{name}.parquet", candles)
    plan = ladder(candles, spacing)
    for kind, content in (
        ("ladder", plan),
        ("grid", grid_configuration(plan)),
        ("default", default_configuration()),
    ):
        (folder / f"{name}.{kind}.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
