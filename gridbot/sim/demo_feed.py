"""The demo's exchange: which generated markets it lists, under which rules, and where in each market a demo begins."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, FeeCurrency, Symbol, TimeMs
from gridbot.errors import ConfigError
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.generated_market import DEMO_SEED, DEMO_START, MARKET_EPOCH, MINUTE_MS, GeneratedMarket

DEFAULT_SEED = 7
"""The seed of the default configuration."""
DEFAULT_SEED_START = 154_800
"""Where a demo of the default seed begins: noon of day 107. The first candle, in four-hour steps from `DEMO_START` on,
at which a default grid closes two round trips within 500 minutes of the market (tests/shell/test_demo.py
holds it to that). The market itself is not bent."""

_START_PRICES = {"BTC": Decimal(60_000), "ETH": Decimal(3_000), "SOL": Decimal(150), "BNB": Decimal(600)}
_OTHER_PRICE = Decimal(100)
_MINUTE_TURNOVER = Decimal(360_000)
"""Quote currency that a minute turns over, about; BTC/USDT: 6 coins."""


def demo_start(seed: int) -> TimeMs:
    """Return the market time at which a new demo begins, ms UTC."""
    starts = {DEFAULT_SEED: DEFAULT_SEED_START, DEMO_SEED: DEMO_START}
    return GeneratedMarket.open_time(starts.get(seed, DEMO_START))


def demo_instrument(symbol: Symbol) -> Instrument:
    """Return the demo exchange's rules for any market that is written BASE/QUOTE; ConfigError for another word."""
    name = symbol.rpartition(":")[2]
    base, slash, quote = name.partition("/")
    if not (base and slash and quote):
        raise ConfigError(f"{symbol!r} is no market.", hint="Write it as BASE/QUOTE, such as BTC/USDT.")
    return Instrument(
        symbol=symbol,
        base=Asset(base),
        quote=Asset(quote),
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_qty=Decimal("0.00001"),
        min_notional=Decimal(5),
        maker_fee=Decimal("0.001"),
        taker_fee=Decimal("0.001"),
        fee_currency=FeeCurrency.QUOTE,
    )


class GeneratedSource:
    """A MarketSource over a generated market."""

    base_ms: int = MINUTE_MS

    def __init__(self, seed: int, symbol: Symbol) -> None:
        instrument = demo_instrument(symbol)
        price = _START_PRICES.get(instrument.base, _OTHER_PRICE)
        self.symbol = symbol
        self.tick_size = instrument.tick_size
        self._market = GeneratedMarket(
            seed,
            symbol=symbol,
            start_price=price,
            tick_size=instrument.tick_size,
            lot_size=instrument.lot_size,
            minute_volume=_MINUTE_TURNOVER / price,
        )

    def size(self) -> int | None:
        """Return None: the market has no end."""
        return None

    def first_from(self, time: TimeMs) -> int:
        """Return the number of the first candle that opens at `time` or later."""
        return max(0, -(-(time - MARKET_EPOCH) // MINUTE_MS))

    def candles(self, first: int, count: int) -> CandleArrays:
        """Return `count` candles from number `first` on."""
        return self._market.candles(first, count)

    def prints(self, index: int) -> Sequence[TradePrint]:
        """Return the trades of one minute."""
        return [
            TradePrint(self.symbol, trade.time, trade.price, trade.amount, trade.side)
            for trade in self._market.prints(index)
        ]
