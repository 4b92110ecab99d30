"""A stretch of fills and closes that leave all else of a grid in place: open sums, frozen into a state at its end.

`step` opens one for a single event; a backtest keeps one open for as long as nothing else happens, so that hundreds of
fills share one new state. What a stretch answers is exactly what the general handlers answer, or None where it cannot;
property tests hold them equal on random histories, and docs/decisions/0008-direct-steps.md says what they are worth.
"""

from __future__ import annotations

from decimal import Decimal, getcontext, setcontext

from gridbot.core.arming import freed_rung
from gridbot.core.cells import Cell, Lot, Want
from gridbot.core.commands import FillBooked, Note, OrderEnded, PlaceLimit, RoundTripClosed
from gridbot.core.events import CandleClosed, OrderFilled, OrderRef
from gridbot.core.ladder import Ladder, relaid
from gridbot.core.ledger import EXACT, Account, Accounts, Tally, add, subtract
from gridbot.core.orders import RESTING, Order, OrderState
from gridbot.core.plan import INTENDED, NOTHING_FILLED, order_id
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import Instrument, Wish
from gridbot.core.state import Arming, Grid, Phase, RangeState, State
from gridbot.core.units import ZERO, GridId, Side, TimeMs
from gridbot.errors import LedgerError

# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_BUY, _SELL, _FILLED = Side.BUY, Side.SELL, OrderState.FILLED
_ACTIVE, _FULL, _SELL_ONLY = Phase.ACTIVE, RangeState.FULL, Wish.SELL_ONLY
_NEW_ACCOUNT = Account()

Told = tuple[PlaceLimit, tuple[Note, ...]]
"""The order that a fill makes wanted, and what it says."""


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
    """One grid's sums and cells, changed in place by `filled` and `closed`; `close` gives the state after them all.

    `cash` (less what the user contributed) and `inventory` are the grid's now, in quote and base.
    """

    __slots__ = (
        "_armed",
        "_base",
        "_fees",
        "_fills",
        "_instrument",
        "_now",
        "_open_cost",
        "_paid",
        "_paid_fees",
        "_paid_from",
        "_paid_total",
        "_price",
        "_realised",
        "_sequence",
        "_state",
        "_traded",
        "_traded_from",
        "_traded_total",
        "_trades",
        "_trips",
        "_wins",
        "arming",
        "cash",
        "cells",
        "closed_at",
        "inventory",
        "ladder",
        "limit",
        "signal",
        "signal_at",
        "trend",
    )

    def __init__(self, state: State, grid: Grid, instrument: Instrument, ladder: Ladder) -> None:
        self._state, self._base, self._instrument = state, grid, instrument
        self._trades, self._sequence, self._now = state.trades, state.sequence, state.now
        self._fills = self._trips = self._wins = 0
        self.cells, self.ladder, self.limit = list(grid.cells), ladder, grid.limit
        self.arming, self._armed = grid.arming, grid.arming.armed
        self._price, self.closed_at, self.signal_at = grid.price, grid.closed_at, grid.signal_at
        self.signal, self.trend = grid.signal, grid.trend
        tally = grid.tally
        self.cash, self.inventory = subtract(tally.cash, tally.contributed), tally.inventory
        self._realised, self._open_cost, self._fees = tally.realised, tally.open_cost, tally.quote_fees
        base = state.accounts.get(instrument.base, _NEW_ACCOUNT)
        self._traded, self._traded_total = base.traded, base.total
        self._traded_from = subtract(add(base.opening, base.transferred), base.fees)
        quote = state.accounts.get(instrument.quote, _NEW_ACCOUNT)
        self._paid, self._paid_fees, self._paid_total = quote.traded, quote.fees, quote.total
        self._paid_from = add(quote.opening, quote.transferred)

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
        if target is None or cell.lot is not None or self._armed <= 1:
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
        return self._next(event, cell.number, order, lot, want, ())

    def _sold(self, event: OrderFilled, cell: Cell, order: Order) -> Told | None:
        lot, quantity, price = cell.lot, event.quantity, event.price
        if lot is None or lot.quantity != quantity or not self._armed:
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
        return self._next(event, cell.number, order, None, want, (trip,))

    def _book(self, event: OrderFilled, *, base: Decimal, quote: Decimal, profit: Decimal, cost: Decimal) -> bool:
        """Move the sums of grid and account by one trade; False if it was booked before, LedgerError if they disagree.

        `base` and `quote` are what was traded, `cost` is what the grid's inventory costs more.
        """
        fee = event.fee
        cash, realised, open_cost = self.cash + quote - fee, self._realised + profit, self._open_cost + cost
        traded, traded_total = self._traded + base, self._traded_total + base
        paid, paid_fees, paid_total = self._paid + quote, self._paid_fees + fee, self._paid_total + quote - fee
        if cash != realised - open_cost:
            raise LedgerError(f"the grid's cash {cash} differs from profit {realised} less open cost {open_cost}")
        for booked, total in (
            (self._traded_from + traded, traded_total),
            (self._paid_from + paid - paid_fees, paid_total),
        ):
            if booked != total:
                raise LedgerError(f"the account's movements sum to {booked} but its total is {total}")
        trades = self._trades.added(f"{event.symbol}|{event.trade_id}")
        if trades is None:
            return False
        self._trades, self.cash, self._realised, self._open_cost = trades, cash, realised, open_cost
        self._traded, self._traded_total = traded, traded_total
        self._paid, self._paid_fees, self._paid_total = paid, paid_fees, paid_total
        self.inventory += base
        self._fees += fee
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
        return place, (booked, end, *trip)

    def closed(self, event: CandleClosed) -> bool:
        """Take a close of this grid's own market that moves indicators only; False where it needs more than that."""
        base = self._base
        moved = after_close(self, base, event, armed=self._armed)
        if moved is None or base.rules.symbol != event.market or base.rules.signal.symbol is not None:
            return False
        self.signal, self.trend, self.signal_at = moved
        self.closed_at, self._price = event.time, event.close
        self._now = max(self._now, event.time)
        return True

    def close(self) -> State:
        """Return the state after all that was taken; the stretch may go on."""
        state, base, arming, instrument = self._state, self._base, self.arming, self._instrument
        tally, sold = base.tally, self._trips
        grids = dict(state.grids)
        grids[base.rules.id] = Grid(
            base.rules,
            instrument,
            base.phase,
            self.signal,
            self.trend,
            self.ladder,
            tuple(self.cells),
            Tally(
                add(self.cash, tally.contributed),
                tally.contributed,
                self._realised,
                self._open_cost,
                self.inventory,
                tally.dust,
                tally.dust_cost,
                self._fees,
                tally.base_fees,
                tally.fills + self._fills,
                tally.round_trips + sold,
                tally.wins + self._wins,
                tally.layings,
                tally.cancels,
            ),
            self.limit,
            self._price,
            Arming(arming.skipped, self._armed, arming.idle, arming.cut, arming.last),
            0,
            base.range,
            base.range_since,
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
            self._accounts() if self._fills else state.accounts,
            state.instruments,
            self._trades,
            state.transfers,
            state.retired,
            state.risk,
            state.kill,
            state.fills + self._fills,
            state.round_trips + sold,
        )

    def _accounts(self) -> Accounts:
        accounts, instrument = self._state.accounts, self._instrument
        base = accounts.get(instrument.base, _NEW_ACCOUNT)
        quote = accounts.get(instrument.quote, _NEW_ACCOUNT)
        return {
            **accounts,
            instrument.base: Account(base.opening, self._traded, base.fees, base.transferred, self._traded_total),
            instrument.quote: Account(quote.opening, self._paid, self._paid_fees, quote.transferred, self._paid_total),
        }


def after_close(
    now: Grid | Stretch, base: Grid, event: CandleClosed, *, armed: int
) -> tuple[Signal, Trend, TimeMs] | None:
    """Return the indicators after a close that moves nothing else, `signal_at` with them; None where more may change.

    `now` is the grid as it is, `base` the same or what its stretch began with, `armed` its count of armed slots.
    """
    rules, ladder, instrument, close = base.rules, now.ladder, base.instrument, event.close
    if ladder is None or instrument is None or base.phase is not _ACTIVE or base.loose or base.dropped:
        return None
    if rules.wish is _SELL_ONLY or len(now.cells) > rules.levels:
        return None
    if not armed and base.range is not _FULL:
        return None  # Why nothing is armed may depend on the price.
    if event.time <= now.closed_at or rules.stop_loss is not None or rules.take_profit_total is not None:
        return None
    skipped = now.arming.skipped
    if now.limit.last != now.arming.last or (skipped is not None and skipped < close):
        return None
    before, trend, signal_at = now.signal, now.trend, now.signal_at
    signal = before
    for timeframe, bar in event.bars:
        if timeframe == rules.signal.timeframe:
            signal = signal.add(bar, rules.signal)
        if timeframe == rules.trend.timeframe:
            trend = trend.add(bar, rules.trend)
    if signal.spike is not before.spike or (signal.breaker is None) is not (before.breaker is None):
        return None
    if trend.direction is not now.trend.direction:
        return None
    if signal is not before:
        signal_at, atr = event.time, signal.atr
        if atr.current is None or atr.close is None or not (signal.ready and trend.ready):
            return None
        free = not rules.spacing.trail_down or any(not cell.holding for cell in now.cells)
        if relaid(ladder, rules, instrument, close=close, atr=atr.current, atr_close=atr.close, cell_is_free=free):
            return None
    return signal, trend, signal_at
