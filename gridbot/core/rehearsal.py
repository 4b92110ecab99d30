"""What the engine would do with other rules: its own steps on a copy of the state; nothing is sent and nothing kept."""

from __future__ import annotations

from gridbot.core.candles import Bar
from gridbot.core.commands import CancelOrder, Command, Note
from gridbot.core.draft import Draft, Step
from gridbot.core.engine import general_step
from gridbot.core.events import (
    Event,
    HistoryLoaded,
    InstrumentChanged,
    Marked,
    MarketReady,
    OrderReported,
    Quote,
    RulesChanged,
)
from gridbot.core.lifecycle import signal_market
from gridbot.core.orders import TERMINAL, Fact, Order
from gridbot.core.plan import RETRY_MS, settle_all
from gridbot.core.rules import GridRules, Instrument, Policy, PolicyRow, Rules, SignalRules, Wish
from gridbot.core.state import Phase, State
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.values import evolve, value

NO_RATE_LIMIT = 1_000_000_000
"""A rehearsal takes no time, so the limit of orders in ten seconds may not hold here: it delays and refuses nothing."""
MOST_ROUNDS = 8
"""Cancels confirmed and denials asked again, one after another; what then still waits would wait for more."""
_ALL_SLOTS = Policy(PolicyRow(None, None), PolicyRow(None, None), PolicyRow(None, None))


@value
class Ground:
    """What is known of the market that a grid is to trade: its rules, its newest quote, and closed bars (timeframe in
    ms, oldest first) of the market that its signal reads. `bars` may be empty where the grid knows them already."""

    instrument: Instrument
    quote: Quote
    bars: tuple[tuple[int, tuple[Bar, ...]], ...] = ()

    @property
    def mid(self) -> Price:
        """The middle of the quote, in quote per base."""
        return Price((self.quote.bid + self.quote.ask) / 2)


@value
class PlannedOrder:
    """An order that the engine would have resting. `slot` is the slot that it is for."""

    grid: GridId
    symbol: Symbol
    slot: int
    side: Side
    price: Price
    quantity: Quantity


@value
class OrderChange:
    """An order that would be new (`old` None), be cancelled (`new` None), or be cancelled and placed anew elsewhere."""

    old: PlannedOrder | None
    new: PlannedOrder | None


@value
class Rehearsed:
    """The state in which a rehearsal ended, and all that was noted on the way."""

    state: State
    notes: tuple[Note, ...]


def rehearse(state: State, rules: Rules, grid: GridId, ground: Ground) -> Rehearsed:
    """Return where the engine would come to if `rules` held from now on and the exchange took every cancel at once."""
    wanted = next(each for each in rules.grids if each.id == grid)
    now = TimeMs(state.now + 1)
    if rules.risk is not None:
        rules = evolve(rules, risk=evolve(rules.risk, max_creates_per_10s=NO_RATE_LIMIT))
    events: list[Event] = [InstrumentChanged(now, ground.instrument), RulesChanged(now, rules)]
    if ground.bars:
        events.append(HistoryLoaded(now, signal_market(wanted), ground.bars))
    notes: list[Note] = []
    state = _through(evolve(state, kill=None), events, notes)
    state = _priced(state, ground.quote, notes)
    return Rehearsed(_through(state, [MarketReady(TimeMs(state.now), wanted.symbol, ground.mid)], notes), tuple(notes))


def whole_plan(state: State, rules: Rules, grid: GridId, ground: Ground) -> Rehearsed:
    """Return the same where nothing of the moment keeps a slot of `grid` back: trend, spike, breaker, pause, trigger.

    What is refused then would be refused sooner or later.
    """
    grids = tuple(unhindered(each) if each.id == grid else each for each in rules.grids)
    state = evolve(state, risk=evolve(state.risk, tripped={}))
    known = state.grids.get(grid)
    if known is not None:
        calm = evolve(known.signal, spike=False, breaker=None)
        # The same jump on both sides: a signal whose rules differ would begin anew, and lay nothing.
        same = evolve(known.rules, signal=_unmoved(known.rules.signal))
        cells = tuple(evolve(cell, block=None) for cell in known.cells)
        awake = evolve(known, rules=same, phase=Phase.ACTIVE, halt="", dropped=False, signal=calm, cells=cells)
        state = evolve(state, grids={**state.grids, grid: awake})
    return rehearse(state, evolve(rules, grids=grids), grid, ground)


def unhindered(rules: GridRules) -> GridRules:
    """Return a grid's rules with every slot allowed at once."""
    trend = evolve(rules.trend, policy=_ALL_SLOTS)
    return evolve(rules, wish=Wish.RUN, trigger_price=None, trend=trend, signal=_unmoved(rules.signal))


def _unmoved(signal: SignalRules) -> SignalRules:
    return evolve(signal, atr_jump=float("inf"))


def _priced(state: State, quote: Quote, notes: list[Note]) -> State:
    """Let the risk gate know the market's price, and the account's equity where it was never measured."""
    if state.risk.equity is None:
        return _through(state, [Marked(TimeMs(state.now + 1), (*_others(state, quote), quote), 0, 0, 0)], notes)
    return evolve(state, risk=evolve(state.risk, quotes={**state.risk.quotes, quote.symbol: quote}))


def _others(state: State, quote: Quote) -> tuple[Quote, ...]:
    return tuple(each for symbol, each in state.risk.quotes.items() if symbol != quote.symbol)


def _through(state: State, events: list[Event], notes: list[Note]) -> State:
    """Return the state after these events and the end of every cancel that they lead to."""
    waiting: list[Command] = []
    for event in events:
        answer = general_step(state, event)
        state = answer.state
        notes += answer.notes
        waiting += answer.commands
    for _ in range(MOST_ROUNDS):
        cancels = [command for command in waiting if isinstance(command, CancelOrder)]
        waiting = []
        for cancel in cancels:
            answer = general_step(state, OrderReported(TimeMs(state.now), cancel.ref, Fact.CANCELED))
            state = answer.state
            notes += answer.notes
            waiting += answer.commands
        if not any(isinstance(command, CancelOrder) for command in waiting):
            answer = _asked_again(state)
            state = answer.state
            waiting = list(answer.commands)
        if not waiting:
            break
    return state


def _asked_again(state: State) -> Step:
    """Return the step in which what was denied a moment ago is tried once more, as the engine does at its next mark.

    While orders wait for their cancels they count against the limits that their successors are held to.
    """
    draft = Draft(state, TimeMs(state.now + RETRY_MS))
    for id_ in draft.grid_ids():
        if any(cell.block is not None and cell.order is None for cell in draft.peek(id_).cells):
            settle_all(draft, draft.grid(id_))
    return draft.close()


def resting(state: State) -> tuple[PlannedOrder, ...]:
    """Return every order of a state that is live or unresolved."""
    return tuple(
        _planned(id_, grid.rules.symbol, cell.order)
        for id_, grid in state.grids.items()
        for cell in grid.cells
        if cell.order is not None and cell.order.state not in TERMINAL
    )


def _planned(grid: GridId, symbol: Symbol, order: Order) -> PlannedOrder:
    return PlannedOrder(grid, symbol, order.slot, order.side, order.price, Quantity(order.leaves))


def order_changes(before: State, after: State) -> tuple[OrderChange, ...]:
    """Return what differs between the orders of two states, those of one slot and side side by side."""
    stays = {order.id for order in _orders(before).values()} & {order.id for order in _orders(after).values()}
    old, new = _by_slot(before, stays), _by_slot(after, stays)
    # Buys before sells, and from the highest slot down, as a person reads the ladder.
    keys = sorted({*old, *new}, key=lambda key: (key[0], key[1], key[2], key[3]))
    return tuple(OrderChange(old.get(key), new.get(key)) for key in keys)


_Slot = tuple[GridId, Side, int, int]


def _orders(state: State) -> dict[tuple[GridId, int], Order]:
    return {
        (id_, cell.number): cell.order
        for id_, grid in state.grids.items()
        for cell in grid.cells
        if cell.order is not None and cell.order.state not in TERMINAL
    }


def _by_slot(state: State, stays: set[OrderId]) -> dict[_Slot, PlannedOrder]:
    """Return the orders that do not stay; two of one slot and side (after an edit, sells may be) are counted apart."""
    found: dict[_Slot, PlannedOrder] = {}
    for (id_, _), order in _orders(state).items():
        if order.id in stays:
            continue
        number = sum(1 for key in found if key[:3] == (id_, order.side, order.slot))
        found[id_, order.side, order.slot, number] = _planned(id_, state.grids[id_].rules.symbol, order)
    return found
