"""One market, minute by minute, generated or drawn from a real one: the same for the same seed, whoever sees it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from gridbot.core.candles import Candle
from gridbot.core.events import Quote
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, FeeCurrency, Price, Side, Symbol, TimeMs
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.replay_feed import aggregate
from tests.simulation.real_prices import real_walk

BEGIN = TimeMs(1_700_006_400_000)
"""When the first minute of every market's past opens."""
MINUTE_MS = 60_000
BASE_MS = 300_000
PAST_MINUTES = 3_000
"""What there is before the first start: 200 bars of fifteen minutes."""
TURNOVER = 600.0
"""What a minute's trade is worth (quote): less than most orders, so that a venue that counts fills them in parts."""
PRINT_MS = 30_000
"""When in its minute the one trade of a minute happens."""


class Market:
    """Each minute one trade: drawn back to `start` and driven by `swing` (a fraction), or (`real`) as it once was.

    Attributes:
        instrument: the venue's rules
        last: the number of the newest minute that has traded, counted from the beginning of the past
    """

    def __init__(
        self,
        seed: int,
        symbol: Symbol,
        *,
        start: float,
        swing: float,
        minutes: int,
        fee_currency: FeeCurrency,
        real: bool = False,
    ) -> None:
        base, _, quote = symbol.partition("/")
        self.instrument = Instrument(
            symbol=symbol,
            base=Asset(base),
            quote=Asset(quote),
            tick_size=Decimal("0.01"),
            lot_size=Decimal("0.00001"),
            min_qty=Decimal("0.00001"),
            min_notional=Decimal(5),
            maker_fee=Decimal("0.001"),
            taker_fee=Decimal("0.0015"),
            fee_currency=fee_currency,
        )
        self.symbol = symbol
        self._amount = self.instrument.quantity_floor(Decimal(repr(TURNOVER / start)))
        self.last = PAST_MINUTES - 1
        count = PAST_MINUTES + minutes + 1
        drawn = real_walk(seed, start=start, count=count) if real else None
        self._ticks = _walk(seed, start=start, swing=swing, count=count) if drawn is None else drawn
        self._candles = _candles(self._ticks)

    def trade(self, minute: int) -> TradePrint:
        """Return the trade of a minute."""
        ticks = self._ticks
        side = Side.BUY if ticks[minute] >= ticks[minute - 1] else Side.SELL
        time = TimeMs(BEGIN + minute * MINUTE_MS + PRINT_MS)
        return TradePrint(self.symbol, time, _price(ticks[minute]), self._amount, side)

    def quote(self, minute: int) -> Quote:
        """Return the best bid and ask after the trade of a minute."""
        tick = self._ticks[minute]
        return Quote(self.symbol, _price(tick - 1), _price(tick + 1), 0)

    def candle(self, minute: int) -> Candle:
        """Return the base candle that ends with this minute."""
        row = (minute + 1) * MINUTE_MS // BASE_MS - 1
        candles = self._candles
        return Candle(
            TimeMs(int(candles.open_time[row])),
            float(candles.open[row]),
            float(candles.high[row]),
            float(candles.low[row]),
            float(candles.close[row]),
            float(candles.volume[row]),
        )

    def history(self, timeframe: int, count: int, now: TimeMs) -> list[Candle]:
        """Return up to `count` candles of `timeframe` ms that closed by `now`."""
        rows = (now - BEGIN) // BASE_MS
        first = max(0, (now // timeframe * timeframe - count * timeframe - BEGIN) // BASE_MS)
        if first >= rows:
            return []
        return aggregate(self._candles.slice(first, rows), timeframe, base_ms=BASE_MS, now=now)[-count:]


def _price(ticks: int) -> Price:
    return Price(Decimal(ticks).scaleb(-2))


def _walk(seed: int, *, start: float, swing: float, count: int) -> list[int]:
    """Return prices in ticks: a walk that is drawn back to where it began, and that jumps now and then."""
    random = np.random.default_rng(seed)
    steps = random.standard_normal(count) * swing
    jumps = (random.random(count) < 0.0005) * random.standard_normal(count) * swing * 12
    logs, level = [], 0.0
    for step in (steps + jumps).tolist():
        level = level * 0.9995 + step
        logs.append(level)
    ticks = np.rint(start * 100 * np.exp(np.array(logs))).astype(np.int64)
    walked: list[int] = np.maximum(ticks, 100).tolist()
    return walked


def _candles(ticks: list[int]) -> CandleArrays:
    """Return the base candles of a walk."""
    length = BASE_MS // MINUTE_MS
    count = len(ticks) // length
    rows = np.array(ticks[: count * length], dtype=np.float64).reshape(count, length) / 100
    return CandleArrays(
        open_time=BEGIN + np.arange(count, dtype=np.int64) * BASE_MS,
        open=np.ascontiguousarray(rows[:, 0]),
        high=rows.max(axis=1),
        low=rows.min(axis=1),
        close=np.ascontiguousarray(rows[:, -1]),
        volume=np.full(count, 0.25),
    )
