"""The ladder in nautilus_trader: its backtest engine on bars, one strategy of post-only limit orders.

Chosen in its favour: no logging, no risk engine, no analysis after the run, bars subscribed only until the ladder is
laid, volumes so large that no fill is partial. Chosen for the same rules: a resting order fills only when the price
has gone beyond it (`prob_fill_on_limit=0`), and a command is carried out at once (`use_message_queue=False`).
"""

from decimal import Decimal
from time import perf_counter

import nautilus_trader
import numpy as np
import pyarrow.parquet
from nautilus_trader.backtest.engine import BacktestEngine, BacktestEngineConfig
from nautilus_trader.backtest.models import FillModel
from nautilus_trader.config import LoggingConfig, RiskEngineConfig, StrategyConfig
from nautilus_trader.model.currencies import BTC, USDT
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import AccountType, OmsType, OrderSide
from nautilus_trader.model.events import OrderFilled
from nautilus_trader.model.identifiers import ClientOrderId, InstrumentId, Symbol, TraderId, Venue
from nautilus_trader.model.instruments import CurrencyPair
from nautilus_trader.model.objects import Money, Price, Quantity
from nautilus_trader.trading.strategy import Strategy
from work import Work, tell, work_from_command_line

VENUE = Venue("SIM")
INSTRUMENT_ID = InstrumentId(Symbol("BTC/USDT"), VENUE)
BAR_TYPE = BarType.from_str(f"{INSTRUMENT_ID}-1-MINUTE-LAST-EXTERNAL")
NANOSECONDS_PER_MS = 1_000_000
MINUTE_MS = 60_000
PLENTY = "1000000.00000"


class LadderConfig(StrategyConfig, frozen=True):
    """`laying_ns` is the close time of the bar after which the buys are placed."""

    laying_ns: int


class Ladder(Strategy):
    """Places each rung's buy, its sell one spacing above when it is filled, and the buy again when that is sold."""

    def __init__(self, config: LadderConfig, work: Work, price_precision: int) -> None:
        super().__init__(config)
        self._laying_ns = config.laying_ns
        self._rungs = [
            (
                Price(Decimal(rung.price), price_precision),
                Price(Decimal(rung.target), price_precision),
                Quantity.from_str(rung.quantity),
            )
            for rung in work.rungs
        ]
        self._rung_of: dict[ClientOrderId, int] = {}
        self.fills = 0
        self.rejections = 0

    def on_start(self) -> None:
        self.subscribe_bars(BAR_TYPE)

    def on_bar(self, bar: Bar) -> None:
        if bar.ts_event < self._laying_ns:
            return
        self.unsubscribe_bars(BAR_TYPE)
        for number in range(len(self._rungs)):
            self._place(number, OrderSide.BUY)

    def on_order_filled(self, event: OrderFilled) -> None:
        self.fills += 1
        number = self._rung_of.pop(event.client_order_id)
        self._place(number, OrderSide.SELL if event.order_side == OrderSide.BUY else OrderSide.BUY)

    def on_order_rejected(self, event: object) -> None:
        self.rejections += 1

    def on_order_denied(self, event: object) -> None:
        self.rejections += 1

    def _place(self, number: int, side: OrderSide) -> None:
        price, target, quantity = self._rungs[number]
        order = self.order_factory.limit(
            instrument_id=INSTRUMENT_ID,
            order_side=side,
            quantity=quantity,
            price=price if side == OrderSide.BUY else target,
            post_only=True,
        )
        self._rung_of[order.client_order_id] = number
        self.submit_order(order)


def instrument(work: Work, price_precision: int) -> CurrencyPair:
    """Return the market; its precision is that of the candles in the file."""
    return CurrencyPair(
        instrument_id=INSTRUMENT_ID,
        raw_symbol=Symbol("BTC/USDT"),
        base_currency=BTC,
        quote_currency=USDT,
        price_precision=price_precision,
        size_precision=5,
        price_increment=Price(Decimal(1).scaleb(-price_precision), price_precision),
        size_increment=Quantity.from_str("0.00001"),
        lot_size=None,
        max_quantity=None,
        min_quantity=None,
        max_notional=None,
        min_notional=None,
        max_price=None,
        min_price=None,
        margin_init=Decimal(0),
        margin_maint=Decimal(0),
        maker_fee=Decimal(work.fee),
        taker_fee=Decimal(work.fee),
        ts_event=0,
        ts_init=0,
    )


def read_bars(work: Work) -> tuple[list[Bar], int]:
    """Return the file's candles as bars stamped with their close time, and the number of decimals of their prices."""
    table = pyarrow.parquet.read_table(work.candles_file)
    columns = [table.column(name).to_numpy() for name in ("open", "high", "low", "close")]
    on_cents = all(np.array_equal(column, np.round(column, 2)) for column in columns)
    precision = 2 if on_cents else 8
    times = table.column("open_time").to_numpy()
    volume = Quantity.from_str(PLENTY)
    bars = []
    for open_time, *prices in zip(times.tolist(), *(column.tolist() for column in columns), strict=True):
        closed_ns = (open_time + MINUTE_MS) * NANOSECONDS_PER_MS
        open_, high, low, close = (Price(price, precision) for price in prices)
        bars.append(Bar(BAR_TYPE, open_, high, low, close, volume, closed_ns, closed_ns))
    return bars, precision


def main() -> None:
    """Run once and tell the result; the engine's seconds are those of its run over the bars alone."""
    work = work_from_command_line()
    bars, precision = read_bars(work)
    engine = BacktestEngine(
        BacktestEngineConfig(
            trader_id=TraderId("BENCH-001"),
            logging=LoggingConfig(bypass_logging=True),
            risk_engine=RiskEngineConfig(bypass=True),
            run_analysis=False,
        )
    )
    engine.add_venue(
        venue=VENUE,
        oms_type=OmsType.NETTING,
        account_type=AccountType.CASH,
        starting_balances=[Money(Decimal(work.investment), USDT)],
        fill_model=FillModel(prob_fill_on_limit=0.0, prob_slippage=0.0, random_seed=1),
        use_message_queue=False,
        bar_adaptive_high_low_ordering=True,
    )
    engine.add_instrument(instrument(work, precision))
    engine.add_data(bars)
    ladder = Ladder(
        LadderConfig(laying_ns=(work.laying_open_time_ms + MINUTE_MS) * NANOSECONDS_PER_MS), work, precision
    )
    engine.add_strategy(ladder)
    start = perf_counter()
    engine.run()
    seconds = perf_counter() - start
    if ladder.rejections:
        raise SystemExit(f"{ladder.rejections} orders were refused: the ladder is not the one that was asked for.")
    tell("first", version=nautilus_trader.__version__, engine_seconds=seconds, fills=ladder.fills)
    engine.dispose()


if __name__ == "__main__":
    main()
