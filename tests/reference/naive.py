"""Walks every candle and keeps plain lists: the strategy's sections 3 to 9, read literally and computed anew each time.

Where strategy.md leaves a choice, this is what is done here:

* A base-currency fee leaves ``received = qty - qty * fee``. The cell's sell takes the whole lots of it, the rest is
  dust. At that moment the grid's whole dust, this buy's included, is looked at: the whole lots in it grow the sell that
  is just being placed, so the dust is always less than one lot. The dust carries its share of the cost, by quantity,
  rounded down at 18 decimals, and takes it along into the sell that it grows. So `grid_profit + unrealised`, with dust
  inside the inventory, is the account's change, unrounded.
* While the grid waits for its trigger price it neither lays nor arms; the trigger counts from the first candle on.
* With a latency, an order that becomes active on the wrong side of the price fills at its own price in the first leg
  that walks its way and ends beyond it. Cancels take effect at once.
* `first_laying` is the open time of the candle at whose close the slots were first laid, as the time of a fill is.
* `layings` counts every laying, also one that changes no order; `cancelled_orders` counts every order taken back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, localcontext
from itertools import pairwise
from typing import Any

from .ladder import Ladder, Slot, first_ladder, floor_to, next_ladder
from .report import Book, Fill, summary
from .rules import Rules, read_rules
from .signals import Signals

Row = Sequence[Any]


@dataclass
class Buy:
    """A resting buy; it may fill in candles that open at `active_from` (ms) or later."""

    cell: int
    price: Decimal
    target: Decimal
    quantity: Decimal
    active_from: int


@dataclass
class Holding:
    """A holding cell and its resting sell of `quantity` at `target`; `bought` is its candle's open time (ms)."""

    cell: int
    price: Decimal
    target: Decimal
    quantity: Decimal
    cost: Decimal
    bought: int
    active_from: int


@dataclass
class Candle:
    """A base candle; the prices are the exact decimals that the floats print as."""

    opened: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal


def share(cost: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    """Return the part's share of a cost, rounded down at 18 decimals; the whole takes all of it."""
    if part == whole or not whole:
        return cost if part else Decimal(0)
    wide = Context(prec=60, rounding=ROUND_DOWN)
    return wide.quantize(wide.divide(wide.multiply(cost, part), whole), Decimal("1E-18"))


@dataclass
class Grid:
    """One grid in a backtest."""

    rules: Rules
    signals: Signals
    touch: bool
    latency_ms: int
    base_ms: int
    book: Book
    buys: list[Buy] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    ladder: Ladder | None = None
    last_slot: int = 0
    triggered: bool = False
    stopped: bool = False
    now: int = 0
    dust: Decimal = Decimal(0)
    dust_cost: Decimal = Decimal(0)
    armed_under: tuple[int, int] | None = None

    # Section 8: the path of one candle.

    def live_through(self, candle: Candle, previous_close: Decimal | None) -> None:
        """Walk one candle's path and then do everything that its close asks for."""
        self.now = candle.opened
        start = candle.open if previous_close is None else previous_close
        highest, lowest = max(start, candle.high), min(start, candle.low)
        if self.rules.trigger_price is None or lowest <= self.rules.trigger_price <= highest:
            self.triggered = True
        # A buy above the path's lowest point and a sell under its highest are the only ones that could fill.
        if any(buy.price >= lowest for buy in self.buys) or any(held.target <= highest for held in self.holdings):
            turns = [candle.low, candle.high] if candle.close >= candle.open else [candle.high, candle.low]
            points = [start, candle.open, *turns, candle.close]
            for a, b in pairwise(points):
                self._walk(a, b)
        self._at_close(candle)

    def _walk(self, a: Decimal, b: Decimal) -> None:
        while b < a:
            reached = [o for o in self.buys if o.active_from <= self.now and self._beyond(o.price, b)]
            if not reached:
                return
            self._buy(max(reached, key=lambda o: o.price))
        while b > a:
            due = [h for h in self.holdings if h.active_from <= self.now and self._beyond(b, h.target)]
            if not due:
                return
            held = min(due, key=lambda h: (h.target, h.price, h.cell))
            self._sell(held, price=held.target, fee_rate=self.rules.maker_fee)
            self._arm(held.target)

    def _beyond(self, higher: Decimal, lower: Decimal) -> bool:
        return higher >= lower if self.touch else higher > lower

    # Section 5: what a fill does.

    def _buy(self, order: Buy) -> None:
        rules = self.rules
        self.buys.remove(order)
        value = order.quantity * order.price
        sell_quantity, cost, fee = order.quantity, value, order.quantity * rules.maker_fee
        if rules.fee_in_base:
            received = order.quantity - fee
            sell_quantity = floor_to(rules.lot, received)
            cost = share(value, sell_quantity, received)
            self.dust += received - sell_quantity
            self.dust_cost += value - cost
            grown = floor_to(rules.lot, self.dust)
            grown_cost = share(self.dust_cost, grown, self.dust)
            self.dust -= grown
            self.dust_cost -= grown_cost
            sell_quantity += grown
            cost += grown_cost
        else:
            fee = value * rules.maker_fee
            cost = value + fee
        currency = rules.base if rules.fee_in_base else rules.quote
        self.holdings.append(
            Holding(order.cell, order.price, order.target, sell_quantity, cost, self.now, self._active_from())
        )
        fill = Fill(self.now, order.cell, "buy", order.price, order.quantity, fee, currency)
        self.book.book_fill(fill, fee_in_quote=value * rules.maker_fee, held=len(self.holdings))
        self._arm(order.price)

    def _sell(self, held: Holding, *, price: Decimal, fee_rate: Decimal) -> None:
        self.holdings.remove(held)
        fee = held.quantity * price * fee_rate
        fill = Fill(self.now, held.cell, "sell", price, held.quantity, fee, self.rules.quote)
        self.book.book_fill(fill, fee_in_quote=fee, held=len(self.holdings))
        self.book.book_round_trip(held.quantity * price - fee - held.cost, within_one_candle=held.bought == self.now)

    def _active_from(self) -> int:
        return self.now + self.base_ms + self.latency_ms if self.latency_ms else self.now

    # Sections 2 to 4 and 6: what a close does.

    def _at_close(self, candle: Candle) -> None:
        close = candle.close
        self.signals.close_candle(candle.opened, float(candle.high), float(candle.low), float(close))
        if not self.stopped and self.signals.ready and self.triggered:
            last_slot, self.last_slot = self.last_slot, self.signals.last_slot
            laid = self.signals.signal_closed and self._lay(close)
            # Arming is idempotent, so it is left out when neither the slots, the limit, nor what lies under the price,
            # nor (by a fill, which forgets `armed_under`) the cells have changed since it was last done.
            if laid or last_slot != self.last_slot or self.armed_under != self._slots_under(close):
                self._arm(close)
        gain = self.book.total_profit(self.holdings_cost(), self.inventory(), close)
        if not self.stopped:
            gain = self._leave_if_asked(close, gain)
        full = len(self.holdings) == self.rules.levels
        self.book.mark(candle.opened, gain, laid=self.ladder is not None, full=full)

    def _lay(self, close: Decimal) -> bool:
        atr = self.signals.volatility.atrs[-1]
        if self.ladder is None:
            ladder: Ladder | None = first_ladder(self.rules, close, atr)
            self.book.first_laying = self.now
            self.book.first_price = close
        else:
            free = len(self.holdings) < self.rules.levels
            earned = self.book.grid_profit
            ladder = next_ladder(self.rules, self.ladder, close, atr, a_cell_is_free=free, earned=earned)
        if ladder is None:
            return False
        self.ladder = ladder
        self.book.layings += 1
        return True

    def _leave_if_asked(self, close: Decimal, gain: Decimal) -> Decimal:
        rules = self.rules
        lost = rules.stop_loss is not None and gain <= -rules.stop_loss * rules.investment
        won = rules.take_profit_total is not None and gain >= rules.take_profit_total * rules.investment
        if not (lost or won):
            return gain
        self.book.cancelled += len(self.buys) + len(self.holdings)
        self.buys = []
        for held in sorted(self.holdings, key=lambda h: h.cell):
            self._sell(held, price=close, fee_rate=rules.taker_fee)
        self.stopped = True
        return self.book.total_profit(self.holdings_cost(), self.inventory(), close)

    # Section 4: arming.

    def _slots_under(self, price: Decimal) -> tuple[int, int]:
        slots = self.ladder.slots if self.ladder else []
        return len(self.book.fills), sum(slot.price < price for slot in slots)

    def wanted_slots(self, price: Decimal, last_slot: int) -> list[Slot]:
        """Return the slots to arm at this price, highest first, as section 4 walks them."""
        resting = {(buy.price, buy.target, buy.quantity) for buy in self.buys}
        free = self.rules.levels - len(self.holdings)
        armed: list[Slot] = []
        for slot in self.ladder.slots if self.ladder else []:
            if len(armed) == free or slot.number > last_slot:
                break
            if any(2 * abs(slot.price - held.price) < slot.gap for held in self.holdings):
                continue
            if slot.too_small:
                continue
            if slot.price >= price and (slot.price, slot.target, slot.quantity) not in resting:
                continue
            armed.append(slot)
        return armed

    def _arm(self, price: Decimal) -> None:
        wanted = self.wanted_slots(price, self.last_slot)
        keys = {(slot.price, slot.target, slot.quantity) for slot in wanted}
        kept = [buy for buy in self.buys if (buy.price, buy.target, buy.quantity) in keys]
        self.book.cancelled += len(self.buys) - len(kept)
        kept_keys = {(buy.price, buy.target, buy.quantity) for buy in kept}
        taken = {buy.cell for buy in kept} | {held.cell for held in self.holdings}
        free = [cell for cell in range(1, self.rules.levels + 1) if cell not in taken]
        for slot in wanted:
            if (slot.price, slot.target, slot.quantity) not in kept_keys:
                kept.append(Buy(free.pop(0), slot.price, slot.target, slot.quantity, self._active_from()))
        self.buys = kept
        self.armed_under = self._slots_under(price)

    # What the report asks.

    def inventory(self) -> Decimal:
        """Return every coin that the grid owns, dust included, in base currency."""
        return sum((held.quantity for held in self.holdings), self.dust)

    def holdings_cost(self) -> Decimal:
        """Return what the unsold coins cost, in quote currency."""
        return sum((held.cost for held in self.holdings), self.dust_cost)

    def state(self, price: Decimal) -> str:
        """Return the grid's state, and if no buy rests the reason (section 4, Range)."""
        if self.stopped:
            return "STOPPED"
        if not self.signals.ready:
            return "WARMING_UP"
        if not self.triggered:
            return "WAITING"
        if self.buys or self.ladder is None:
            return "RUNNING"
        if len(self.holdings) == self.rules.levels:
            return "FULL"
        if self.wanted_slots(price, self.rules.levels):
            return "LIMITED"
        if all(slot.price >= price for slot in self.ladder.slots):
            return "BELOW_RANGE"
        return "RUNNING"


def run(
    candles: Iterable[Row] | tuple[Any, ...],
    config: Mapping[str, Any],
    fills_rule: str = "through",
    latency_ms: int = 0,
) -> dict[str, Any]:
    """Backtest one grid configuration on base candles and return the result with the names of section 10.

    `candles` is a list of rows (open time in ms, open, high, low, close, volume), or a tuple of those six columns.
    Raises ValueError for fewer than two candles, a base timeframe that does not divide the others, or an unknown rule,
    and InvestmentTooSmallError if the first laying is under the exchange's minimum.
    """
    if fills_rule not in ("through", "touch"):
        raise ValueError(f"unknown fills rule {fills_rule!r}")
    rows = [tuple(row) for row in (zip(*candles, strict=True) if isinstance(candles, tuple) else candles)]
    if len(rows) < 2:
        raise ValueError("at least two candles are needed")
    times = [int(row[0]) for row in rows]
    steps = [after - before for before, after in pairwise(times)]
    base_ms = min(steps)
    rules = read_rules(config)
    with localcontext(Context(prec=28, rounding=ROUND_HALF_EVEN)):
        book = Book(rules.investment)
        grid = Grid(rules, Signals(rules, base_ms), fills_rule == "touch", latency_ms, base_ms, book)
        previous_close = None
        for opened, row in zip(times, rows, strict=True):
            candle = Candle(opened, *(Decimal(repr(float(x))) for x in row[1:5]))
            grid.live_through(candle, previous_close)
            previous_close = candle.close
        assert previous_close is not None
        result = summary(
            book, cost=grid.holdings_cost(), inventory=grid.inventory(), price=previous_close, end=times[-1]
        )
        result |= {
            "candles": len(rows),
            "start": times[0],
            "end": times[-1],
            "gaps": sum(step > base_ms for step in steps),
            "dust": grid.dust,
            "holding_cells": len(grid.holdings),
            "state": grid.state(previous_close),
        }
        return result
