"""The backtest: the live engine, woken only by the candles that matter; a plain loop, no thread, no clock, no disk.

The same `step` and the same rules as live; the venue is the synchronous book of `gridbot.sim.book`, reached without
asyncio because nothing ever waits (docs/decisions/0002-backtest-drives-the-book.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import cast

from gridbot.core.commands import Command, GridStopped, PlaceLimit
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    Event,
    Marked,
    OrderFilled,
    OrderReported,
    PriceCrossed,
    Quote,
    RulesChanged,
)
from gridbot.core.orders import Fact
from gridbot.core.rules import GridRules, Instrument, RiskRules, Rules
from gridbot.core.state import Grid, Phase, State, new_state
from gridbot.core.stretch import Stretch, open_stretch
from gridbot.core.units import FeeCurrency, FillRule, Mode, Price, Side, TimeMs, TradeId
from gridbot.errors import ConfigError
from gridbot.research.bar_schedule import BarSchedule
from gridbot.research.recorder import Recorder
from gridbot.research.result import BacktestResult, build_result
from gridbot.research.wakes import exit_prices, trigger_index
from gridbot.sim.book import EXACT_DIGITS, Book, Leg, rest
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.candle_search import CandleSearch

_INFINITY = float("inf")
Progress = Callable[[int, int], None]
"""Called now and then with (candles done, candles in all)."""


def run_backtest(
    candles: CandleArrays,
    rules: GridRules,
    *,
    fills: FillRule = FillRule.THROUGH,
    latency_ms: int = 0,
    risk: RiskRules | None = None,
    equity: Decimal | None = None,
    every_candle: bool = False,
    progress: Progress | None = None,
    stopwatch: Callable[[], float] | None = None,
) -> BacktestResult:
    """Trade `rules` on `candles` and report (strategy section 9).

    `risk` turns the account's limits on; the account then opens with `equity` (quote), or the grid's investment.
    `every_candle` walks each candle instead of skipping ahead: the same result, for tests. `stopwatch` tells seconds,
    for `engine_seconds`. Raises ConfigError where
    the candles' timeframe does not divide the grid's, the instrument is missing, or the grid refuses to start.
    """
    started = None if stopwatch is None else stopwatch()
    run = Backtest(candles, rules, fills=fills, latency_ms=latency_ms, risk=risk, equity=equity)
    run.run(every_candle=every_candle or risk is not None, progress=progress)
    result = build_result(candles, run.recorder, run.grid, run.instrument)
    if stopwatch is not None and started is not None:
        result.engine_seconds = stopwatch() - started
    return result


class Backtest:
    """One grid on one series of candles. `recorder` keeps what happened, `state` and its `grid` are the engine's."""

    def __init__(
        self,
        candles: CandleArrays,
        rules: GridRules,
        *,
        fills: FillRule,
        latency_ms: int,
        risk: RiskRules | None,
        equity: Decimal | None,
    ) -> None:
        if rules.instrument is None:
            raise ConfigError(
                f"grid {rules.id}: a backtest needs to know the instrument",
                hint="Add an `instrument` block (tick_size, lot_size, fees …) to the grid's configuration.",
            )
        self.instrument: Instrument = rules.instrument
        self.candles = candles
        self.rules = rules
        self.base = candles.timeframe_ms
        self.recorder = Recorder(rules)
        self._latency = latency_ms
        self._book = Book(fills)
        self._count = len(candles)
        self._skipped_price: Price | None = None
        self._skipped = _INFINITY
        self._id = rules.id
        self._fee_asset, self._fee_in_base = rules.instrument.quote, rules.instrument.fee_currency is FeeCurrency.BASE
        self.grid: Grid
        self._stretch: Stretch | None = None
        self._before: Stretch | None = None
        self._codes: list[int] = []
        self._filled_at: list[int] = []
        self._pending: deque[tuple[int, PlaceLimit]] = deque()
        self._trade = 0
        self._index = 0
        self._report_at = self._count
        self._time = TimeMs(int(candles.open_time[0]))
        self._risk = risk
        self._exits = rules.stop_loss is not None or rules.take_profit_total is not None
        self._stretches = risk is None and not self._exits
        self._trails = rules.spacing.trail_down
        self._views()
        self._bars = BarSchedule(candles, rules, self.base)
        self.state: State = new_state(Rules(Mode.DEMO, (rules,), risk, post_only=False))
        self._check_digits()
        self._tell(RulesChanged(self._time, self.state.rules))
        if risk is not None:
            opening = rules.investment if equity is None else equity
            self._tell(AccountOpened(self._time, ((self.instrument.quote, opening),)))

    def _views(self) -> None:
        candles = self.candles
        self._times = cast(Sequence[TimeMs], candles.open_time.data)
        self._open, self._close = candles.open.data, candles.close.data
        self._low, self._high = candles.low.data, candles.high.data
        self._search = CandleSearch(low=candles.low, high=candles.high)

    def _check_digits(self) -> None:
        """Refuse prices that float64 cannot tell apart: the candles' own figures could not be compared exactly."""
        highest = Decimal(repr(float(self.candles.high.max())))
        exponent = self.instrument.tick_size.normalize().as_tuple().exponent
        digits = highest.adjusted() - (exponent if isinstance(exponent, int) else 0) + 1
        if digits > EXACT_DIGITS:
            raise ConfigError(
                f"instrument.tick_size {self.instrument.tick_size:f} gives prices of {digits} digits at {highest:f}",
                hint=f"Candles hold {EXACT_DIGITS} digits; use a coarser tick_size.",
            )

    def run(self, *, every_candle: bool, progress: Progress | None) -> None:
        """Process all candles; `every_candle` visits each one."""
        count = self._count
        trigger_at = trigger_index(self.candles, self.rules.trigger_price)
        self._report_at = 0 if progress is not None else count
        index = 0
        while index < count:
            if not (self._pending or every_candle):
                index = self._next_wake(index, trigger_at)
            if index >= count:
                break
            if index >= self._report_at and progress is not None:
                progress(index, count)
                self._report_at = min(index + count // 100 + 1, count)
            self._candle(index, every=every_candle, triggered=index == trigger_at)
            index += 1
        self.settle()
        if progress is not None:
            progress(count, count)

    def _next_wake(self, start: int, trigger_at: int) -> int:
        """Return the next candle that matters to the engine, after the stretch has gone as far as it alone can."""
        stop = self._bars.at
        if start <= trigger_at < stop:
            stop = trigger_at
        elif self._stretch is not None and not self._latency and start > trigger_at:
            start = self._stride(self._stretch, start)
            stop = self._bars.at
        buys, sells = self._book.buys, self._book.sells
        below = buys[-1][0] if buys else -_INFINITY
        above = min(self._skipped, -sells[-1][0] if sells else _INFINITY)
        if self._exits and self.grid.phase is Phase.ACTIVE:
            exit_below, exit_above = exit_prices(self.grid)
            below, above = max(below, exit_below), min(above, exit_above)
        return self._search.first(start, stop, below, above)

    def _stride(self, stretch: Stretch, start: int) -> int:
        """Go from wake to wake while legs are all that is filled and closes leave all in place; return where it ends.

        A bar that closes between two fills is taken when the later one is found: on its way the price reaches nothing.
        Closes known to be quiet are passed over until something else needs what they left.
        """
        buys, sells, first = self._book.buys, self._book.sells, self._search.first
        index, until, skipped = start, self._report_at, self._skipped
        loud = self._bars.first_loud(stretch.bounds())
        while index < until:
            above = -sells[-1][0] if sells else _INFINITY
            if skipped < above:  # noqa: PLR1730  min() costs a call, once a wake.
                above = skipped
            index = first(index, until, buys[-1][0] if buys else -_INFINITY, above)
            while loud < index:
                self._index, self._time = loud, self._times[loud]
                self._take_close(loud)
                if self._stretch is not stretch:
                    self._keep_balance()
                    return loud + 1
                loud = self._bars.first_loud(stretch.bounds())
            if index == until:
                break
            self._index, self._time, trades = index, self._times[index], self._trade
            self._walk(index)
            if self._stretch is not stretch:
                loud = self._bars.at
            if index == loud or self._close[index] > self._skipped:
                self._take_close(index)
                loud = self._bars.first_loud(stretch.bounds())
            ended = self._stretch is not stretch
            if ended or self._trade != trades:
                self._keep_balance()
            index += 1
            if ended:
                return index
        self._pass_closes(index)
        return index

    def _pass_closes(self, index: int) -> None:
        """Let the stretch have what the closes before candle `index`, all of them quiet, left behind."""
        at = self._stretch
        passed = None if at is None else self._bars.pass_before(index)
        if at is None or passed is None:
            return
        moved, candle = passed.signal_candle, passed.candle
        at.passed(
            passed.signal,
            passed.trend,
            signal_at=at.signal_at if moved is None else self._closed_at(moved),
            closed_at=self._closed_at(candle),
            close=self._price_at(candle),
        )

    def _closed_at(self, index: int) -> TimeMs:
        return TimeMs(self._times[index] + self.base)

    def _price_at(self, index: int) -> Price:
        return Price(Decimal(repr(self._close[index])))

    def _candle(self, index: int, *, every: bool, triggered: bool) -> None:
        """Walk one candle's path, then take its close where something about it matters."""
        self._index = index
        self._time = self._times[index]
        before, trades = self.grid.tally, self._trade
        if self._pending:
            self._activate()
        if triggered and self.rules.trigger_price is not None:
            price = self.rules.trigger_price
            self._tell(PriceCrossed(self._time, self.instrument.symbol, price, price))
        self._walk(index)
        if index == self._bars.at or every or self._exits or self._close[index] > self._skipped:
            self._take_close(index)
        if self._trade != trades or self.grid.tally is not before:
            self._keep_balance()

    def _keep_balance(self) -> None:
        at = self._stretch
        if at is None:
            tally = self.grid.tally
            self.recorder.candle_done(self._index, cash=tally.cash - tally.contributed, inventory=tally.inventory)
        else:
            self.recorder.candle_done(self._index, cash=at.sums.cash, inventory=at.sums.inventory)

    def _walk(self, index: int) -> None:
        """Fill what the candle's path reaches; a leg is only noted, and its counterpart rests in its stead."""
        opened, low, high, close = self._open[index], self._low[index], self._high[index], self._close[index]
        at = self._close[index - 1] if index else opened
        buys, sells, places, fee = self._book.buys, self._book.sells, self._book.places, self.instrument.maker_fee
        codes, filled_at = self._codes, self._filled_at
        for point in (opened, low, high, close) if close >= opened else (opened, high, low, close):
            if point < at:
                while buys and buys[-1][0] > point:
                    order = buys.pop()[3]
                    if isinstance(order, Leg):
                        codes.append(order.code)
                        filled_at.append(index)
                        back = order.back
                        rest(sells, (back.reach, back.tie, next(places), back))
                    else:
                        self._fill(order, order.price, fee)
            elif point > at:
                while sells and sells[-1][0] > -point:
                    order = sells.pop()[3]
                    if isinstance(order, Leg):
                        codes.append(order.code)
                        filled_at.append(index)
                        back = order.back
                        rest(buys, (back.reach, back.tie, next(places), back))
                    else:
                        self._fill(order, order.price, fee)
            at = point

    def _take_close(self, index: int) -> None:
        self._pass_closes(index)
        close, closed_at = self._price_at(index), self._closed_at(index)
        bars = self._bars.take() if self._bars.at == index else ()
        if self._risk is not None:
            quote = Quote(self.instrument.symbol, close, close, 0)
            self._tell(Marked(closed_at, (quote,), 0, 0, 0))
        self._tell(CandleClosed(closed_at, self.instrument.symbol, close, bars))

    def _fill(self, order: PlaceLimit, price: Price, fee_rate: Decimal) -> None:
        self._book_legs()
        quantity, fee_asset = order.quantity, self._fee_asset
        if self._fee_in_base and order.side is Side.BUY:
            fee, fee_asset = quantity * fee_rate, self.instrument.base
        else:
            fee = quantity * price * fee_rate
        self._trade = trade = self._trade + 1
        trade_id: TradeId = str(trade)  # type: ignore[assignment]  # a NewType's call costs more than the text
        self._tell(OrderFilled(self._time, order.ref, order.symbol, trade_id, price, quantity, fee, fee_asset))

    def _tell(self, event: Event) -> None:
        """Step the engine and carry out what it wants, with all that follows from it, at this point of the path.

        Fills and closes that leave all else as it is go into one stretch for as long as nothing else happens; it is
        the same code that `step` answers each of them with.
        """
        stretch = self._stretch
        if stretch is not None:
            if type(event) is OrderFilled:
                told = stretch.filled(event)
                if told is not None:
                    place, notes, turn = told
                    self.recorder.take(self._index, notes, self.grid)
                    if turn is None or self._latency:
                        self._carry_out(place)
                    else:
                        self._book.add_leg(turn, stretch.turns[turn.code ^ 1])
                    return
            elif type(event) is CandleClosed:
                if self._trails:
                    self._book_legs()
                if stretch.closed(event):
                    return
            self.settle()
        answer = step(self.state, event)
        self.state = state = answer.state
        self.grid = grid = state.grids[self._id]
        skipped = grid.arming.skipped
        if skipped is not self._skipped_price:
            self._skipped_price = skipped
            self._skipped = _INFINITY if skipped is None else float(skipped)
        if answer.notes:
            self.recorder.take(self._index, answer.notes, grid)
            stopped = self.recorder.stopped
            if stopped is not None and stopped.code == "investment_too_small":
                raise self._refused(stopped)
        for command in answer.commands:
            self._carry_out(command)
        if self._stretches and self._stretch is None:
            self._stretch = stretch = open_stretch(self.state, self._id)
            if stretch is not None and self._before is not None and not self._latency:
                self._book.read_in(stretch.go_on_from(self._before))

    def settle(self) -> None:
        """Take what a stretch did over into `state` and `grid`."""
        stretch = self._stretch
        if stretch is not None:
            self._book_legs()
            self.state = stretch.close()
            self.grid = self.state.grids[self._id]
            self._book.write_out(stretch.resting)
            self._stretch, self._before = None, stretch

    def _book_legs(self) -> None:
        """Tell the stretch and the recorder of the fills that were only noted until now, and the closes before them."""
        self._pass_closes(self._index)
        stretch = self._stretch
        if self._codes and stretch is not None:
            codes, at = self._codes.copy(), self._filled_at.copy()
            self._codes.clear()
            self._filled_at.clear()
            course = stretch.repeated(codes, [self._times[index] for index in at], trade=self._trade + 1)
            self._trade += len(codes)
            self.recorder.run(course, at)

    def _refused(self, note: GridStopped) -> ConfigError:
        hint = "" if note.needed is None else f"Set investment to {note.needed:f} or more, or use fewer levels."
        return ConfigError(f"grid {note.grid} cannot start: {note.sentence}", hint=hint)

    def _carry_out(self, command: Command) -> None:
        if type(command) is PlaceLimit and not command.taker:
            if not self._latency:
                self._book.add(command)
            else:
                self._pending.append((self._time + self.base + self._latency, command))
        elif isinstance(command, PlaceLimit):
            self._fill(command, self._price_at(self._index), self.instrument.taker_fee)
        else:
            self._book.remove(command.ref.id)
            if self._pending:
                self._pending = deque(entry for entry in self._pending if entry[1].ref.id != command.ref.id)
            self._tell(OrderReported(self._time, command.ref, Fact.CANCELED))

    def _activate(self) -> None:
        while self._pending and self._pending[0][0] <= self._time:
            self._book.add(self._pending.popleft()[1])
