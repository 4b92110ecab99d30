"""What the chart shows, as values: made from a view, a chart and the fills; the painters only paint it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from gridbot.core.commands import FillBooked
from gridbot.core.explain import SlotReason, SlotView
from gridbot.core.reach import Handle, lines
from gridbot.core.rules import Instrument
from gridbot.core.snapshot import GridView, OrderView, Snapshot
from gridbot.core.units import GridId, OrderId, Side, Symbol
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.chart_math import Floats
from gridbot.gui.numbers import grouped
from gridbot.gui.theme import Colours
from gridbot.shell.facade import ChartData, MarketView


class LevelKind(IntEnum):
    """What a line is; where labels collide the smaller number is shown."""

    LAST = 0
    DRAFT = 1
    STOP_LOSS = 2
    TAKE_PROFIT = 3
    TRIGGER = 4
    AVERAGE = 5
    ANCHOR = 6
    SELL = 7
    BUY = 8
    UNARMED = 9


FITTED = frozenset({LevelKind.SELL, LevelKind.BUY, LevelKind.AVERAGE, LevelKind.TRIGGER})
"""The lines that the prices in view are stretched for."""
LADDER = frozenset({LevelKind.SELL, LevelKind.BUY, LevelKind.UNARMED, LevelKind.DRAFT})
"""The lines whose labels stand at the right, in columns; the others stand at the left."""

_HANDLE_KIND = {
    Handle.TRIGGER: (LevelKind.TRIGGER, "trigger"),
    Handle.STOP_LOSS: (LevelKind.STOP_LOSS, "stop-loss"),
    Handle.TAKE_PROFIT: (LevelKind.TAKE_PROFIT, "take-profit"),
}


@value
class Level:
    """A line across the chart with its label: what it is, its size in base, and what a trip earns, all as texts."""

    price: float
    kind: LevelKind
    text: str
    size: str = ""
    profit: str = ""


@value
class Band:
    """A cell that holds coins: from what they were bought at to where they are sold, since when (seconds UTC)."""

    bought: float
    target: float
    since: float


@value
class Fills:
    """Fills as columns of one length: seconds UTC, price in quote, whether it was a buy, and the fills themselves."""

    seconds: Floats
    prices: Floats
    buying: npt.NDArray[np.bool_]
    notes: Sequence[FillBooked] = ()


@value
class Grip:
    """A line that may be dragged, and where it lies."""

    grid: GridId
    handle: Handle
    price: float


@value
class Scene:
    """All that the chart shows. `times` are the candles' open times and `step` their length, in seconds.

    `empty` stands where there are no candles, `notice` above them, `edge` beside the oldest one. `periods` are those of
    the fast and the slow average and of the ATR. `draft` are the prices of the slots as a drag would lay them.
    """

    colours: Colours
    data: ChartData
    times: Floats
    step: float
    levels: tuple[Level, ...]
    bands: tuple[Band, ...]
    fills: Fills
    last: float | None
    empty: str
    places: int | None = None
    notice: str = ""
    edge: str = ""
    periods: tuple[int, int, int] | None = None
    grips: tuple[Grip, ...] = ()
    draft: tuple[float, ...] = ()


def no_candles() -> ChartData:
    """Return a chart of nothing."""
    none = np.empty(0)
    return ChartData(np.empty(0, np.int64), none, none, none, none, none, none, none)


def no_fills() -> Fills:
    """Return no fills."""
    return Fills(np.empty(0), np.empty(0), np.empty(0, bool))


def staying(levels: Iterable[Level]) -> tuple[Level, ...]:
    """Return the lines that stay while only the newest price moves."""
    return tuple(level for level in levels if level.kind is not LevelKind.LAST)


def levels_of(snapshot: Snapshot, market: MarketView | None, symbol: Symbol | None) -> tuple[Level, ...]:
    """Return every line of the grids on a market: slots, targets, exits, average cost, anchor, and the last price."""
    found: list[Level] = []
    orders = {order.id: order for order in snapshot.orders if order.symbol == symbol}
    instruments = {grid.id: grid.instrument for grid in snapshot.grids}
    for grid in snapshot.grids:
        if grid.symbol == symbol:
            found += _slots(grid, orders)
            found += _marks(grid)
    for order in orders.values():
        if order.side is Side.SELL:
            text = f"sell {order.cell}"
            size = _size(order.quantity, instruments.get(order.grid))
            found.append(Level(float(order.price), LevelKind.SELL, text, size, _earns(order)))
    if market is not None and market.last is not None:
        instrument = next((grid.instrument for grid in snapshot.grids if grid.symbol == symbol), None)
        found.append(Level(float(market.last), LevelKind.LAST, words.price(market.last, instrument)))
    return tuple(found)


def _slots(grid: GridView, orders: dict[OrderId, OrderView]) -> Iterator[Level]:
    for slot in grid.slots:
        if slot.order is not None:
            order = orders.get(slot.order)
            size = _size(slot.quantity, grid.instrument)
            profit = "" if order is None else _earns(order)
            yield Level(float(slot.price), LevelKind.BUY, f"buy {slot.number}", size, profit)
        elif slot.reason is not SlotReason.HELD_NEARBY:
            yield Level(float(slot.price), LevelKind.UNARMED, f"slot {slot.number}")


def _size(quantity: Decimal, instrument: Instrument | None) -> str:
    """Return a quantity with the market's decimals, so that those under each other line up."""
    if instrument is None:
        return words.quantity(quantity)
    return grouped(quantity, words.places_of(instrument.lot_size))


def _earns(order: OrderView) -> str:
    return "" if order.profit is None else words.money(order.profit, signed=True)


def _marks(grid: GridView) -> Iterator[Level]:
    if grid.average_cost is not None:
        text = f"average cost {words.price(grid.average_cost, grid.instrument)}"
        yield Level(float(grid.average_cost), LevelKind.AVERAGE, text)
    if grid.anchor is not None and grid.slots:
        yield Level(float(grid.anchor), LevelKind.ANCHOR, f"anchor {words.price(grid.anchor, grid.instrument)}")
    for handle, price in lines(grid).items():
        if handle in _HANDLE_KIND:
            kind, name = _HANDLE_KIND[handle]
            yield Level(float(price), kind, f"{name} {words.price(price, grid.instrument)}")


def grips_of(snapshot: Snapshot, grid_id: GridId | None) -> tuple[Grip, ...]:
    """Return the lines of the chosen grid that may be dragged."""
    grid = next((each for each in snapshot.grids if each.id == grid_id), None)
    if grid is None or snapshot.kill is not None:
        return ()
    return tuple(Grip(grid.id, handle, float(price)) for handle, price in lines(grid).items())


def bands_of(snapshot: Snapshot, symbol: Symbol | None) -> tuple[Band, ...]:
    """Return the cells that hold coins of a market."""
    return tuple(
        Band(float(cell.buy_price), float(cell.target), cell.since / 1000)
        for grid in snapshot.grids
        if grid.symbol == symbol
        for cell in grid.cells
    )


class FillColumns:
    """The fills of some grids as columns that grow: a fill that comes costs no look at all that came before."""

    def __init__(self) -> None:
        self._grids: frozenset[GridId] = frozenset()
        self._newest: FillBooked | None = None
        self._notes: list[FillBooked] = []
        self._rows: list[tuple[float, float, bool]] = []

    def take(self, fills: Sequence[FillBooked] | Iterable[FillBooked], grids: frozenset[GridId]) -> Fills | None:
        """Take what is new of `fills` (oldest first); return the columns, None where nothing changed."""
        known = list(fills) if not isinstance(fills, Sequence) else fills
        changed = grids != self._grids
        if changed:
            self._grids, self._newest, self._notes, self._rows = grids, None, [], []
        fresh: list[FillBooked] = []
        for fill in reversed(known):
            if fill is self._newest:
                break
            fresh.append(fill)
        if not fresh and not changed:
            return None
        if known:
            self._newest = known[-1]
        chosen = [fill for fill in reversed(fresh) if fill.grid in grids]
        if not chosen and not changed:
            return None
        self._notes += chosen
        self._rows += [(fill.time / 1000, float(fill.price), fill.side is Side.BUY) for fill in chosen]
        table = np.array(self._rows, float).reshape(-1, 3)
        return Fills(table[:, 0].copy(), table[:, 1].copy(), table[:, 2] > 0.5, tuple(self._notes))


def slot_near(snapshot: Snapshot, symbol: Symbol | None, price: Decimal, *, reach: Decimal) -> NearSlot | None:
    """Return the slot nearest to `price` with its grid, if it is within `reach`."""
    near = [
        (abs(slot.price - price), NearSlot(grid, slot))
        for grid in snapshot.grids
        if grid.symbol == symbol
        for slot in grid.slots
        if abs(slot.price - price) <= reach
    ]
    return min(near, key=lambda each: each[0])[1] if near else None


@value
class NearSlot:
    """A slot and the grid that it is of."""

    grid: GridView
    slot: SlotView


def place_words(snapshot: Snapshot, symbol: Symbol | None, price: Decimal, *, reach: Decimal) -> str:
    """Return what is to be said of the slot or the sell nearest to `price`, "" where none is within `reach`."""
    near = slot_near(snapshot, symbol, price, reach=reach)
    sells = [
        order
        for order in snapshot.orders
        if order.symbol == symbol and order.side is Side.SELL and abs(order.price - price) <= reach
    ]
    sell = min(sells, key=lambda order: abs(order.price - price), default=None)
    if sell is not None and (near is None or abs(sell.price - price) <= abs(near.slot.price - price)):
        return _sell_words(snapshot, sell)
    if near is None:
        return ""
    slot, instrument = near.slot, near.grid.instrument
    order = next((each for each in snapshot.orders if each.id == slot.order), None)
    earns = "" if order is None else _earning(order, instrument)
    at = f"{words.price(slot.price, instrument)}, target {words.price(slot.target, instrument)}{earns}"
    return f"Slot {slot.number} at {at}: {slot.sentence}"


def _sell_words(snapshot: Snapshot, order: OrderView) -> str:
    instrument = next((grid.instrument for grid in snapshot.grids if grid.id == order.grid), None)
    base = "" if instrument is None else f" {instrument.base}"
    size = f"{_size(order.quantity, instrument)}{base}"
    at = words.price(order.price, instrument)
    earns = _earning(order, instrument)
    return f"Sell of cell {order.cell} at {at}, {size}{earns}: {words.ORDER_WORDS[order.state]}."


def _earning(order: OrderView, instrument: Instrument | None) -> str:
    quote = "" if instrument is None else instrument.quote
    return "" if order.profit is None else f", earns {words.money(order.profit, quote, signed=True)} after fees"
