"""A stretch of fills and closes that leave all else of a grid in place: open sums, frozen into a state at its end.

`step` opens one for a single event; a backtest keeps one open for as long as nothing else happens, so that hundreds of
fills share one new state. What a stretch answers is exactly what the general handlers answer, or None where it cannot;
property tests hold them equal on random histories, and docs/decisions/0008-direct-steps.md says what they are worth.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal, getcontext, setcontext
from operator import is_not

from gridbot.core.arming import freed_rung
from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import FillBooked, Note, OrderEnded, PlaceLimit, RangeChanged, RoundTripClosed
from gridbot.core.events import CandleClosed, OrderFilled, OrderRef
from gridbot.core.ladder import Ladder, spacing_floor
from gridbot.core.ledger import EXACT
from gridbot.core.open_sums import OpenSums
from gridbot.core.orders import RESTING, Order, OrderState
from gridbot.core.plan import INTENDED, NOTHING_FILLED, order_id
from gridbot.core.quiet_close import Bounds, after_close, bounds_of
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import Instrument
from gridbot.core.state import Arming, Grid, Phase, RangeState, Seen, State
from gridbot.core.turns import Course, Half, Turn, armed_after, cells_after, pair_of
from gridbot.core.units import ZERO, GridId, OrderId, Price, Side, TimeMs
from gridbot.errors import LedgerError

# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_BUY, _SELL, _FILLED = Side.BUY, Side.SELL, OrderState.FILLED
_ACTIVE, _FULL, _TRADING = Phase.ACTIVE, RangeState.FULL, RangeState.TRADING

Told = tuple[PlaceLimit, tuple[Note, ...], Turn | None]
"""The order that a fill makes wanted, what it says, and, where that is known, what the fill of that order will do."""


def open_stretch(state: State, id_: GridId) -> Stretch | None:
    """Return a stretch over a grid at rest, None where it is not: the general handlers then answer.

    At rest: every cell's order is what it wants and the ladder is regular. Then a bought rung only adds its own sell,
    and a sold lot only gives its own rung back. The risk gate, marks, dust, parts and exits take the general way,
    and so does a grid that reinvests: each of its buys is held to what it has earned.
    """
    grid = state.grids.get(id_)
    if (
        grid is None
        or grid.rules.reinvest
        or grid.loose
        or state.rules.risk is not None
        or state.kill is not None
        or grid.dropped
    ):
        return None
    ladder, instrument, quotes = grid.ladder, grid.instrument, state.risk.quotes
    if grid.phase is not _ACTIVE or ladder is None or not ladder.regular or instrument is None or grid.tally.dust:
        return None
    return None if quotes and grid.rules.symbol in quotes else Stretch(state, grid, instrument, ladder)


class Stretch:
    """One grid's `sums` and cells, changed in place by `filled` and `closed`; `close` gives the state after them all.

    Where it sees a cell buy and sell the same rung it learns the pair of `turns`, and `repeated` takes more of them.
    """

    __slots__ = (
        "_armed",
        "_base",
        "_fills",
        "_floor",
        "_halves",
        "_instrument",
        "_now",
        "_pairs",
        "_price",
        "_range_since",
        "_sequence",
        "_state",
        "_trades",
        "_trips",
        "_wins",
        "arming",
        "cells",
        "closed_at",
        "ladder",
        "limit",
        "range",
        "signal",
        "signal_at",
        "sums",
        "trend",
        "turns",
    )

    def __init__(self, state: State, grid: Grid, instrument: Instrument, ladder: Ladder) -> None:
        self._state, self._base, self._instrument = state, grid, instrument
        self._trades, self._sequence, self._now = state.trades, state.sequence, state.now
        self._fills = self._trips = self._wins = 0
        self.turns: list[Turn] = []
        self._floor: Decimal | None = None
        self._halves: dict[int, Half] = {}
        self._pairs: dict[int, Turn] = {}
        self.range, self._range_since = grid.range, grid.range_since
        self.cells, self.ladder, self.limit = list(grid.cells), ladder, grid.limit
        self.arming, self._armed = grid.arming, grid.arming.armed
        self._price, self.closed_at, self.signal_at = grid.price, grid.closed_at, grid.signal_at
        self.signal, self.trend = grid.signal, grid.trend
        self.sums = OpenSums(grid.tally, state.accounts, instrument)

    def filled(self, event: OrderFilled) -> Told | None:
        """Take the fill of a whole resting order; None, and nothing is changed, where it needs more than that."""
        number, cells = event.ref.cell, self.cells
        if not 0 < number <= len(cells) or event.fee_asset != self._instrument.quote:
            return None
        cell = cells[number - 1]
        order = cell.order
        if order is None or order.id != event.ref.id or order.filled or event.quantity != order.quantity:
            return None
        if order.taker or order.state not in RESTING:
            return None
        outside = getcontext()
        setcontext(EXACT)
        try:
            return self._bought(event, cell, order) if order.side is _BUY else self._sold(event, cell, order)
        finally:
            setcontext(outside)

    def _bought(self, event: OrderFilled, cell: Cell, order: Order) -> Told | None:
        quantity, target, price, instrument = event.quantity, order.target, event.price, self._instrument
        if target is None or cell.lot is not None or (self._armed <= 1 and not self._fills_up()):
            return None
        if quantity % instrument.lot_size or not instrument.tradable(quantity=quantity, price=target):
            return None
        worth, fee = price * quantity, event.fee
        cost = worth + fee
        if not self._book(event, base=quantity, quote=-worth, profit=ZERO, cost=cost):
            return None
        self._armed -= 1
        lot = Lot(quantity, cost, order.price, target, order.slot, event.time, True, quantity, ZERO)
        want = Want(_SELL, target, quantity, order.slot, None, quantity)
        told = self._next(event, cell.number, order, lot, want, ())
        self._halves[cell.number] = Half(event, order, told[0], self.cells[cell.number - 1])
        return told

    def _fills_up(self) -> bool:
        """Tell whether the last armed slot belongs to the last cell that does not hold: the grid is full then."""
        return self._armed == 1 and sum(not cell.holding for cell in self.cells) == 1

    def _sold(self, event: OrderFilled, cell: Cell, order: Order) -> Told | None:
        lot, quantity, price = cell.lot, event.quantity, event.price
        if lot is None or lot.quantity != quantity:
            return None
        rung = freed_rung(self, lot, price, cell.number)
        if rung is None:
            return None
        worth, cost = price * quantity, lot.cost
        profit = worth - event.fee - cost
        if not self._book(event, base=-quantity, quote=worth, profit=profit, cost=-cost):
            return None
        earned = lot.earned + profit
        self._armed += 1
        self._trips += 1
        self._wins += earned > ZERO
        trip = RoundTripClosed(
            event.time, event.ref.grid, cell.number, lot.slot, lot.since, lot.buy_price, price, lot.bought, earned
        )
        want = Want(_BUY, rung.price, rung.quantity, rung.number, rung.target, rung.quantity)
        place, notes, _ = self._next(event, cell.number, order, None, want, (trip,))
        return place, notes, self._learnt(event, place, want)

    def _book(self, event: OrderFilled, *, base: Decimal, quote: Decimal, profit: Decimal, cost: Decimal) -> bool:
        """Move the sums by one trade; False if it was booked before, LedgerError if they disagree."""
        trades = self._trades.added(f"{event.symbol}|{event.trade_id}")
        if trades is None:
            return False
        self.sums.move(base, quote, event.fee, profit, cost)
        self._trades = trades
        self._fills += 1
        return True

    def _next(
        self, event: OrderFilled, number: int, ended: Order, lot: Lot | None, want: Want, trip: tuple[Note, ...]
    ) -> Told:
        """Send what the cell wants now; `ended` is the order that was filled."""
        symbol, quantity, time, grid = event.symbol, event.quantity, event.time, event.ref.grid
        self._now = max(self._now, time)
        self._price = event.price
        self._sequence = sequence = self._sequence + 1
        id_ = order_id(self._state.prefix, sequence)
        side, price, size = want.side, want.price, want.quantity
        order = Order(
            id_, side, price, size, INTENDED, NOTHING_FILLED, self._now, want.slot, want.target, want.rung_quantity
        )
        self.cells[number - 1] = Cell(number, want, order, lot, None)
        bought_at = price if lot is None else lot.buy_price
        post_only = self._state.rules.post_only
        place = PlaceLimit(OrderRef(grid, number, id_), symbol, side, price, size, post_only, False, bought_at)
        old, of = ended.id, ended.side
        booked = FillBooked(
            time, grid, number, old, event.trade_id, of, event.price, quantity, event.fee, event.fee_asset, False
        )
        end = OrderEnded(time, grid, number, old, of, ended.price, ended.quantity, quantity, _FILLED, "")
        notes: tuple[Note, ...] = (booked, end, *trip)
        if self._armed > 1 or (self._armed and side is _SELL):
            return place, notes, None
        now = _TRADING if self._armed else _FULL
        if now is not self.range:
            self.range, self._range_since = now, self._now
            notes = (*notes, RangeChanged(self._now, grid, now.value))
        return place, notes, None

    def _learnt(self, event: OrderFilled, place: PlaceLimit, want: Want) -> Turn | None:
        """Return the fill of `place`, the buy that a sale made wanted, where this stretch has seen all of it before.

        What held for two fills of a cell holds for all that follow here: each cell keeps to its rung, and in a
        regular ladder no cell that does is in another's way.
        """
        number = event.ref.cell
        half = self._halves.pop(number, None)
        if half is not None and number not in self._pairs:
            pair = pair_of(half, event, place, want, code=len(self.turns))
            if pair is not None:
                self.turns += pair
                self._pairs[number] = pair[0]
        return self._pairs.get(number)

    def repeated(self, codes: Sequence[int], times: Sequence[TimeMs], *, trade: int) -> Course:
        """Take a run of fills that `turns` foretold, as `filled` would one by one; return it, for the records.

        The times do not fall, none is before what the stretch was told until then, and a close at or before a fill's
        time came before it. Trade ids are numbers from `trade` on that were never used. Raises LedgerError as `filled`
        does.
        """
        turns, count = self.turns, len(codes)
        course = Course(
            turns,
            codes,
            Counter(codes),
            times,
            trade,
            self._state.prefix,
            self._sequence,
            tuple(self.cells),
            self.sums.cash,
            self.sums.inventory,
        )
        self._move_often(course.counts)
        symbol = turns[codes[0]].fill.symbol
        trades = self._trades.extended([f"{symbol}|{id_}" for id_ in range(trade, trade + count)[-Seen.LIMIT :]])
        if trades is None:
            raise LedgerError(f"a trade of {symbol} from number {trade} on is in the books already")
        self._trades = trades
        for cell in cells_after(course):
            self.cells[cell.number - 1] = cell
        self._armed, turned = armed_after(course, self._armed)
        if turned is not None:
            # Every cell that does not hold has its slot here: with no slot armed all of them hold.
            self.range, self._range_since = (_TRADING if self._armed else _FULL), turned
        self._sequence += count
        self._fills += count
        self._now = max(self._now, times[-1])
        if times[-1] >= self.closed_at:
            self._price = turns[codes[-1]].fill.price
        return course

    def _move_often(self, counts: Mapping[int, int]) -> None:
        base = quote = fee = profit = cost = ZERO
        outside = getcontext()
        setcontext(EXACT)
        try:
            for code, times in counts.items():
                turn = self.turns[code]
                base += times * turn.base
                quote += times * turn.quote
                fee += times * turn.fill.fee
                profit += times * turn.profit
                cost += times * turn.cost
                if not turn.buys:
                    self._trips += times
                    self._wins += times * (turn.earned > ZERO)
            self.sums.move(base, quote, fee, profit, cost)
        finally:
            setcontext(outside)

    def go_on_from(self, before: Stretch) -> dict[OrderId, int]:
        """Keep what a closed stretch learnt, where nothing that it rests on has changed since; return the turns, by
        their codes, that resting orders wait for."""
        a, b = self._base, before._base
        if a.rules is not b.rules or self.ladder is not before.ladder or self._state.rules is not before._state.rules:
            return {}
        now, then = self.arming, before.arming
        if (now.skipped, now.idle, now.cut, now.last) != (then.skipped, then.idle, then.cut, then.last):
            return {}
        if self.limit.last != before.limit.last or a.instrument is not b.instrument:
            return {}
        if len(self.cells) != len(before.cells) or any(map(is_not, self.cells, before.cells)):
            return {}
        self.turns, self._pairs, self._halves = before.turns, before._pairs, before._halves
        known: dict[OrderId, int] = {}
        for number, turn in self._pairs.items():
            order = self.cells[number - 1].order
            if order is not None:
                known[order.id] = turn.code if order.side is _BUY else turn.code ^ 1
        return known

    def resting(self, code: int) -> PlaceLimit:
        """Return the order that turn `code` waits for, as it rests now."""
        turn = self.turns[code]
        order = self.cells[turn.cell - 1].order
        if order is None:
            raise ValueError(f"cell {turn.cell} rests no order")
        return turn.resting(order.id)

    def closed(self, event: CandleClosed) -> bool:
        """Take a close of this grid's own market that moves indicators only; False where it needs more than that."""
        base = self._base
        moved = after_close(self, base, event, armed=self._armed, floor=self._smallest())
        if moved is None or base.rules.symbol != event.market or base.rules.signal.symbol is not None:
            return False
        signal, trend, signal_at = moved
        self.passed(signal, trend, signal_at=signal_at, closed_at=event.time, close=event.close)
        return True

    def bounds(self) -> Bounds | None:
        """Return between what the closes that come must stay to move indicators only, whatever is filled before them;
        None where each must be told by `closed`."""
        return bounds_of(self, self._base, armed=self._armed, floor=self._smallest())

    def passed(self, signal: Signal, trend: Trend, *, signal_at: TimeMs, closed_at: TimeMs, close: Price) -> None:
        """Take a run of closes that moved indicators only, all after the last fill that was told; these are what the
        last of them, at `closed_at`, left behind."""
        self.signal, self.trend, self.signal_at = signal, trend, signal_at
        self.closed_at, self._price = closed_at, close
        self._now = max(self._now, closed_at)

    def _smallest(self) -> Decimal:
        if self._floor is None:
            self._floor = spacing_floor(self._base.rules, self._instrument, self.ladder.anchor)
        return self._floor

    def close(self) -> State:
        """Return the state after all that was taken; the stretch may go on."""
        state, base, arming, instrument = self._state, self._base, self.arming, self._instrument
        grids = dict(state.grids)
        grids[base.rules.id] = Grid(
            base.rules,
            instrument,
            base.phase,
            self.signal,
            self.trend,
            self.ladder,
            tuple(self.cells),
            self.sums.tally(fills=self._fills, trips=self._trips, wins=self._wins),
            self.limit,
            self._price,
            Arming(arming.skipped, self._armed, arming.idle, arming.cut, arming.last),
            0,
            self.range,
            self._range_since,
            self.closed_at,
            self.signal_at,
            base.halt,
            False,
        )
        return State(
            state.rules,
            self._now,
            state.prefix,
            self._sequence,
            state.opened,
            grids,
            self.sums.accounts(state.accounts, instrument) if self._fills else state.accounts,
            state.instruments,
            self._trades,
            state.transfers,
            state.retired,
            state.risk,
            state.kill,
            state.fills + self._fills,
            state.round_trips + self._trips,
        )
