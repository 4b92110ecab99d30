"""Which slots are to be armed, and why a grid rests a buy or none (strategy section 4): questions, no changes."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol

from gridbot.core.cells import Cell, Lot
from gridbot.core.commands import RangeChanged
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.ladder import Ladder, Rung
from gridbot.core.orders import RESTING, Order, OrderState
from gridbot.core.state import Arming, Limit, Phase, RangeState
from gridbot.core.units import Price, Side

KEEPABLE = RESTING | {OrderState.UNKNOWN}
"""States of a buy that keeps its slot: it stands there, is on its way, or may be."""
_NOTHING = Price(Decimal("-Infinity"))


class Ground(Protocol):
    """What tells which rung a sale frees: a grid, a draft or a stretch of one."""

    @property
    def arming(self) -> Arming: ...

    @property
    def ladder(self) -> Ladder | None: ...

    @property
    def limit(self) -> Limit: ...

    @property
    def cells(self) -> Sequence[Cell]: ...


def tell_range(draft: Draft, g: GridDraft, *, armed: bool) -> None:
    """Note the grid's range state when it changes."""
    now = range_state(g, armed=armed)
    if now is not g.range:
        g.range, g.range_since = now, draft.now
        draft.notes.append(RangeChanged(draft.now, g.rules.id, now.value))


def range_state(g: GridDraft, *, armed: bool) -> RangeState:
    """Return why the grid rests a buy, or none."""
    if g.phase is Phase.STOPPED or g.phase is Phase.EXITING:
        return RangeState.STOPPED
    if g.phase is Phase.WAITING:
        return RangeState.WAITING
    if g.ladder is None:
        return RangeState.WARMING_UP
    if armed:
        return RangeState.TRADING
    if all(cell.holding for cell in g.cells):
        return RangeState.FULL
    if g.limit.last == 0:
        return RangeState.LIMITED
    if g.price is not None and g.ladder.rungs and g.price <= g.ladder.rungs[-1].price:
        return RangeState.BELOW_RANGE
    return RangeState.LIMITED if g.limit.last is not None else RangeState.CROWDED


class Walk:
    """The result of one walk down the ladder at a price.

    `armed` are the rungs to rest, highest first; `keeps` the cells (by number) whose resting buy is one of them, with
    its rung; `free` the cells that do not hold; `skipped` the lowest rung that only the price kept out; `cut` that free
    cells ran out before the rungs did.
    """

    __slots__ = ("armed", "cut", "free", "keeps", "skipped")

    def __init__(self) -> None:
        self.armed: list[Rung] = []
        self.keeps: dict[int, Rung] = {}
        self.free: list[Cell] = []
        self.skipped: Price | None = None
        self.cut = False


def walk(g: GridDraft, price: Decimal) -> Walk:
    """Walk the slots from slot 1 down and choose those to arm at `price` (quote per base).

    One merge pass: `held` and the rungs' upper reaches both fall, so each holding is passed once.
    """
    found = Walk()
    free, armed, keeps = found.free, found.armed, found.keeps
    held: list[Price] = []
    resting: dict[Price, Cell] = {}
    for cell in g.cells:
        lot = cell.lot
        if lot is not None and lot.complete:
            held.append(lot.buy_price)
            continue
        free.append(cell)
        order = cell.order
        if order is not None and order.side is Side.BUY and order.state in KEEPABLE:
            resting[order.price] = cell
    if g.ladder is None:
        return found
    # A grid that was made smaller still has the cells that hold: no more than `levels` may ever buy.
    place, room = 0, max(0, min(len(free), g.rules.levels - len(held)))
    held.sort(reverse=True)
    held.append(_NOTHING)
    last = g.rules.levels if g.limit.last is None else g.limit.last
    for rung in g.ladder.rungs:
        if rung.number > last:
            break
        if not room:
            found.cut = True
            break
        while held[place] >= rung.high:
            place += 1
        if held[place] > rung.low or not rung.fits:
            continue
        slot = rung.price
        keeper = resting.get(slot)
        if keeper is not None and is_for(keeper.order, rung):
            keeps[keeper.number] = rung
        elif slot >= price:
            found.skipped = slot
            continue
        armed.append(rung)
        room -= 1
    return found


def is_for(order: Order | None, rung: Rung) -> bool:
    """Tell whether a resting buy is the one that `rung` would be armed with."""
    return order is not None and order.target == rung.target and order.rung_quantity == rung.quantity


def freed_rung(g: Ground, sold: Lot, price: Decimal, number: int) -> Rung | None:
    """Return the rung that selling `sold` out of cell `number` frees, if it alone becomes armed and no other cell could
    take it; None where that takes a walk to tell."""
    arming, ladder = g.arming, g.ladder
    if arming.idle or arming.cut or ladder is None or (arming.skipped is not None and arming.skipped < price):
        return None
    place = sold.slot - 1
    if place >= len(ladder.rungs):
        return None
    rung = ladder.rungs[place]
    bought = sold.buy_price
    if rung.price != bought or not rung.fits or bought >= price or g.limit.last != arming.last:
        return None
    if arming.last is not None and rung.number > arming.last:
        return None
    low, high = rung.low, rung.high
    for other in g.cells:
        lot = other.lot
        if lot is not None and low < lot.buy_price < high and other.number != number:
            return None
    return rung
