"""What the chart shows, as values: made from a view, a chart and the fills; the layers only paint it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from gridbot.core.commands import FillBooked
from gridbot.core.explain import SlotReason
from gridbot.core.snapshot import GridView, Snapshot
from gridbot.core.units import GridId, Side, Symbol
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.chart_math import Floats
from gridbot.gui.theme import Colours
from gridbot.shell.facade import ChartData, MarketView


class LevelKind(IntEnum):
    """What a line is; where labels collide the smaller number is shown."""

    LAST = 0
    AVERAGE = 1
    SELL = 2
    BUY = 3
    UNARMED = 4


@value
class Level:
    """A line across the chart with its label."""

    price: float
    kind: LevelKind
    text: str


@value
class Band:
    """A cell that holds coins: from what they were bought at to where they are sold, since when (seconds UTC)."""

    bought: float
    target: float
    since: float


@value
class Fills:
    """Fills as columns of one length: seconds UTC, price in quote, whether it was a buy."""

    seconds: Floats
    prices: Floats
    buying: npt.NDArray[np.bool_]


@value
class Scene:
    """All that the chart shows. `times` are the candles' open times and `step` their length, in seconds."""

    colours: Colours
    data: ChartData
    times: Floats
    step: float
    levels: tuple[Level, ...]
    bands: tuple[Band, ...]
    fills: Fills
    last: float | None
    empty: str


def no_candles() -> ChartData:
    """Return a chart of nothing."""
    none = np.empty(0)
    return ChartData(np.empty(0, np.int64), none, none, none, none, none, none, none)


def levels_of(snapshot: Snapshot, market: MarketView | None, symbol: Symbol | None) -> tuple[Level, ...]:
    """Return every line of the grids on a market: slots, targets, average cost, and the last price."""
    lines: list[Level] = []
    for grid in snapshot.grids:
        if grid.symbol == symbol:
            lines += _slots(grid)
            if grid.average_cost is not None:
                text = f"average cost {words.price(grid.average_cost, grid.instrument)}"
                lines.append(Level(float(grid.average_cost), LevelKind.AVERAGE, text))
    for order in snapshot.orders:
        if order.symbol == symbol and order.side is Side.SELL:
            text = f"sell {order.cell}: {words.quantity(order.quantity)}"
            lines.append(Level(float(order.price), LevelKind.SELL, text))
    if market is not None and market.last is not None:
        instrument = next((grid.instrument for grid in snapshot.grids if grid.symbol == symbol), None)
        lines.append(Level(float(market.last), LevelKind.LAST, words.price(market.last, instrument)))
    return tuple(lines)


def _slots(grid: GridView) -> Iterable[Level]:
    for slot in grid.slots:
        armed = slot.order is not None
        if armed:
            yield Level(float(slot.price), LevelKind.BUY, f"buy {slot.number}: {words.quantity(slot.quantity)}")
        elif slot.reason is not SlotReason.HELD_NEARBY:
            yield Level(float(slot.price), LevelKind.UNARMED, f"slot {slot.number}")


def bands_of(snapshot: Snapshot, symbol: Symbol | None) -> tuple[Band, ...]:
    """Return the cells that hold coins of a market."""
    return tuple(
        Band(float(cell.buy_price), float(cell.target), cell.since / 1000)
        for grid in snapshot.grids
        if grid.symbol == symbol
        for cell in grid.cells
    )


def fills_of(fills: Iterable[FillBooked], grids: frozenset[GridId]) -> Fills:
    """Return the fills of these grids as columns."""
    chosen = [fill for fill in fills if fill.grid in grids]
    return Fills(
        np.array([fill.time / 1000 for fill in chosen], float),
        np.array([float(fill.price) for fill in chosen], float),
        np.array([fill.side is Side.BUY for fill in chosen], bool),
    )


def slot_at(snapshot: Snapshot, symbol: Symbol | None, price: Decimal, *, reach: Decimal) -> str:
    """Return what is to be said of the slot nearest to `price`, if it is within `reach`, else an empty text."""
    near = [
        (abs(slot.price - price), grid, slot)
        for grid in snapshot.grids
        if grid.symbol == symbol
        for slot in grid.slots
        if abs(slot.price - price) <= reach
    ]
    if not near:
        return ""
    _, grid, slot = min(near, key=lambda each: each[0])
    return f"Slot {slot.number} at {words.price(slot.price, grid.instrument)}: {slot.sentence}"
