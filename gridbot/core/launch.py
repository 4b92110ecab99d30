"""What a grid will do before it does it: each level to the last digit, what would be refused, the worst case.

Slots, quantities and orders are the engine's own, from a rehearsal of its steps (`rehearsal`); here they are only read.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.arming import walk
from gridbot.core.cells import Cell
from gridbot.core.draft import GridDraft
from gridbot.core.explain import SlotReason, explain_grid
from gridbot.core.ladder import Ladder, Rung
from gridbot.core.launch_troubles import Trouble, notices_of, troubles_of
from gridbot.core.ledger import split
from gridbot.core.lifecycle import first_ladder
from gridbot.core.rehearsal import (
    Ground,
    OrderChange,
    PlannedOrder,
    Rehearsed,
    order_changes,
    rehearse,
    resting,
    whole_plan,
)
from gridbot.core.rules import GridRules, Instrument, Rules
from gridbot.core.state import Grid, Limit, Phase, State
from gridbot.core.units import ONE, ZERO, FeeCurrency, GridId, Price, Quantity, Symbol
from gridbot.core.values import value

_ABOVE_ALL = Decimal("Infinity")


@value
class RoundTrip:
    """A slot bought and sold again: what the buy costs with its fee (quote), what comes of it net of both (quote), and
    the coins that were received (base)."""

    cost: Decimal
    profit: Decimal
    received: Decimal

    @property
    def share(self) -> Decimal:
        """The net profit as a fraction of the cost."""
        return self.profit / self.cost if self.cost else ZERO


@value
class Level:
    """One slot, rounded as the exchange wants it. `sends` says that its buy would go out at once; `code` and
    `sentence` say what stands there then, or why nothing does."""

    number: int
    price: Price
    quantity: Quantity
    target: Price
    trip: RoundTrip
    sends: bool
    code: str
    sentence: str


@value
class HeldLevel:
    """A cell that begins, or goes on, holding coins: what they cost in all (quote), and what selling them earns."""

    slot: int
    quantity: Quantity
    cost: Decimal
    target: Price
    profit: Decimal


@value
class WorstCase:
    """The price fell to the lowest slot and every cell bought on the way: coins (base), their worth and the loss."""

    price: Price
    coins: Decimal
    worth: Decimal
    loss: Decimal


@value
class LaunchReport:
    """A grid before its start, or as it would be after an edit. Money in the quote currency.

    `capital` is what all levels cost with their fees, `orders` what the engine would have resting at once for this
    grid; `break_even_fee` is the fee (a fraction, each way) at which the poorest level earns nothing any more. A
    trouble keeps the grid from starting, a notice does not.
    """

    grid: GridId
    symbol: Symbol
    instrument: Instrument
    price: Price
    anchor: Price | None
    spacing: Decimal | None
    levels: tuple[Level, ...]
    held: tuple[HeldLevel, ...]
    capital: Decimal
    worst: WorstCase | None
    break_even_fee: Decimal | None
    orders: tuple[PlannedOrder, ...]
    troubles: tuple[Trouble, ...]
    notices: tuple[Trouble, ...]

    @property
    def clean(self) -> bool:
        """Whether nothing stands against a start."""
        return not self.troubles


def preview(state: State, rules: Rules, grid: GridId, ground: Ground) -> tuple[LaunchReport, tuple[OrderChange, ...]]:
    """Return the report of one grid of `rules`, and which orders of the account would move if they held from now on."""
    wanted = next(each for each in rules.grids if each.id == grid)
    now = rehearse(state, rules, grid, ground)
    whole = whole_plan(state, rules, grid, ground)
    return _report(state, wanted, ground, now, whole), order_changes(state, now.state)


def _report(state: State, rules: GridRules, ground: Ground, now: Rehearsed, whole: Rehearsed) -> LaunchReport:
    instrument, grid = ground.instrument, whole.state.grids[rules.id]
    ladder = _ladder(grid, ground)
    now_grid = now.state.grids[rules.id]
    standing = {slot.number: slot for slot in explain_grid(now_grid)}
    orders = tuple(order for order in resting(now.state) if order.grid == rules.id)
    buys = {(order.price, order.quantity) for order in orders}
    levels: list[Level] = []
    for rung in () if ladder is None else ladder.rungs:
        slot = standing.get(rung.number)
        code, sentence = _unlaid(now_grid, rung) if slot is None else (slot.reason, slot.sentence)
        trip = round_trip(instrument, quantity=rung.quantity, price=rung.price, target=rung.target)
        sends = slot is not None and slot.order is not None and (rung.price, rung.quantity) in buys
        levels.append(Level(rung.number, rung.price, rung.quantity, rung.target, trip, sends, code.value, sentence))
    return LaunchReport(
        rules.id,
        rules.symbol,
        instrument,
        ground.mid,
        None if ladder is None else ladder.anchor,
        None if ladder is None else ladder.spacing,
        tuple(levels),
        tuple(_held(instrument, cell) for cell in grid.cells if cell.holding),
        sum((level.trip.cost for level in levels), ZERO),
        None if ladder is None else worst_case(grid, instrument, ladder),
        break_even_fee(instrument, ladder),
        orders,
        troubles_of(state, rules, ground, whole, ladder),
        notices_of(state, rules, ground, now, whole),
    )


def _unlaid(grid: Grid, rung: Rung) -> tuple[SlotReason, str]:
    """Return why a slot that is not laid yet has no order."""
    if not rung.fits:
        return SlotReason.UNDER_MINIMUM, "Its order would be under the exchange's minimum; raise the investment."
    if grid.phase is Phase.WAITING:
        return SlotReason.GRID_WAITING, f"The grid waits for its trigger price {grid.rules.trigger_price:f}."
    return SlotReason.GRID_STOPPED, grid.halt or "The grid has not begun."


def _ladder(grid: Grid, ground: Ground) -> Ladder | None:
    """Return the slots of a rehearsed grid; of one that refused to start, those that it refused."""
    atr, close = grid.signal.atr.current, grid.signal.atr.close
    if grid.ladder is not None or not grid.ready or atr is None or close is None:
        return grid.ladder
    return first_ladder(
        grid.rules, ground.instrument, ground.mid, atr=atr, atr_close=close, realised=grid.tally.realised
    )[0]


def round_trip(instrument: Instrument, *, quantity: Quantity, price: Price, target: Price) -> RoundTrip:
    """Return what buying `quantity` (base) at `price` and selling it at `target` earns after both maker's fees.

    Where the exchange takes a buy's fee in base, whole lots of the rest are sold, and what is left over keeps its cost.
    """
    fee = instrument.maker_fee
    if instrument.fee_currency is FeeCurrency.BASE:
        received, cost = quantity * (1 - fee), quantity * price
    else:
        received, cost = quantity, quantity * price * (1 + fee)
    sold = instrument.quantity_floor(received)
    paid = split(cost, part=sold, whole=received) if received else ZERO
    return RoundTrip(cost, sold * target * (1 - fee) - paid, received)


def _held(instrument: Instrument, cell: Cell) -> HeldLevel:
    assert cell.lot is not None
    lot = cell.lot
    profit = lot.quantity * lot.target * (1 - instrument.maker_fee) - lot.cost
    return HeldLevel(lot.slot, lot.quantity, lot.cost, lot.target, profit)


def worst_case(grid: Grid, instrument: Instrument, ladder: Ladder) -> WorstCase | None:
    """Return what is held if the price falls to the lowest slot and all that may buy on the way has bought."""
    draft = GridDraft(grid)
    draft.ladder, draft.limit = ladder, Limit()
    bought: list[Rung] = walk(draft, _ABOVE_ALL).armed
    trips = [round_trip(instrument, quantity=r.quantity, price=r.price, target=r.target) for r in bought]
    prices = [*(rung.price for rung in bought), *(c.lot.buy_price for c in grid.cells if c.lot is not None)]
    if not prices:
        return None
    lowest = min(prices)
    coins = sum((trip.received for trip in trips), grid.tally.inventory)
    cost = sum((trip.cost for trip in trips), grid.tally.open_cost)
    return WorstCase(lowest, coins, coins * lowest, cost - coins * lowest)


def break_even_fee(instrument: Instrument, ladder: Ladder | None) -> Decimal | None:
    """Return the fee (a fraction, of the buy and of the sell alike) at which the poorest level earns nothing.

    In quote p(1 + f) = t(1 - f); where the buy's fee is taken in base p = t(1 - f)^2.
    """
    ratios = [] if ladder is None else [rung.price / rung.target for rung in ladder.rungs]
    if not ratios:
        return None
    worst = max(ratios)
    if instrument.fee_currency is FeeCurrency.BASE:
        return ONE - worst.sqrt()
    return (ONE - worst) / (ONE + worst)
