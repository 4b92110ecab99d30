"""Replay by facts alone: what another core did is booked as it was, nothing is decided, and then wished anew.

`step` answers an event by deciding; here the same event only enters the books, and what was decided then is taken from
the facts beside it. So an order that was sent is never forgotten, and one that was not is never thought of as sent.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gridbot.core import breakers
from gridbot.core.arming import KEEPABLE
from gridbot.core.booking import book, ended, find, retire
from gridbot.core.cells import Cell, Want
from gridbot.core.draft import Draft, GridDraft, Step
from gridbot.core.engine import general_step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    EpochStarted,
    Event,
    GridRemoved,
    GridWished,
    HistoryLoaded,
    InstrumentChanged,
    KillReleased,
    KillRequested,
    Marked,
    MarketReady,
    OrderFilled,
    OrderRef,
    OrderReported,
    PriceCrossed,
    Removal,
    RulesChanged,
    Transferred,
)
from gridbot.core.facts import (
    Counted,
    Gone,
    Intended,
    JournalFact,
    Judged,
    Kept,
    Laid,
    Standing,
    Stopped,
    Withdrawn,
)
from gridbot.core.lifecycle import new_grid, shed_cells, signal_market, take_bars, take_history, take_rules
from gridbot.core.orders import TERMINAL, Fact, Order, after
from gridbot.core.plan import INTENDED, NOTHING_FILLED, limit_for
from gridbot.core.risk import RATE_WINDOW_MS
from gridbot.core.rules import Wish
from gridbot.core.state import Arming, Phase, RangeState, State
from gridbot.core.units import GridId, Quantity, Side
from gridbot.core.values import evolve
from gridbot.errors import IllegalTransition

_DECIDES_NOTHING = (EpochStarted, AccountOpened, Transferred)
_NEVER_WALKED = -1
"""No walk was ever made under this limit, so the next one cannot be spared."""


def apply_facts(state: State, event: Event, facts: tuple[JournalFact, ...]) -> Step:
    """Book one event and what a core, maybe another one, did about it; nothing is commanded.

    Raises IllegalTransition and LedgerError for what cannot be true together. After the last event, `wish_anew`.
    """
    if isinstance(event, _DECIDES_NOTHING):
        return general_step(state, event)
    draft = Draft(state, event.time)
    _TAKES[type(event)](draft, event)
    for fact in facts:
        _DOES[type(fact)](draft, fact)
    return draft.close()


def wish_anew(state: State) -> State:
    """Return the state with every wish derived from the facts: what rests is wanted until the next walk says otherwise.

    So the new core neither cancels nor doubles an order before it has judged it by itself.
    """
    draft = Draft(state, state.now)
    for id_ in draft.grid_ids():
        g = draft.grid(id_)
        for cell in tuple(g.cells):
            g.put(Cell(cell.number, _want_of(cell.order), cell.order, cell.lot, None))
        g.limit = limit_for(draft, g)
        g.arming = Arming(last=_NEVER_WALKED)
    return draft.close().state


def _want_of(order: Order | None) -> Want | None:
    if order is None or order.state not in KEEPABLE:
        return None
    quantity = order.quantity if order.side is Side.BUY else Quantity(order.leaves)
    return Want(order.side, order.price, quantity, order.slot, order.target, order.rung_quantity, order.taker)


# ------------------------------------------------------------------------------------- events


def _take_instrument(draft: Draft, event: InstrumentChanged) -> None:
    instrument = event.instrument
    if draft.instruments.get(instrument.symbol) == instrument:
        return
    draft.instruments = {**draft.instruments, instrument.symbol: instrument}
    for id_ in draft.grid_ids():
        if draft.peek(id_).rules.symbol != instrument.symbol:
            continue
        g = draft.grid(id_)
        g.instrument = instrument
        if g.ladder is not None:
            take_rules(g, evolve(g.rules, instrument=instrument))


def _take_all_rules(draft: Draft, event: RulesChanged) -> None:
    draft.rules = event.rules
    wanted = {rules.id: rules for rules in event.rules.grids}
    for id_ in draft.grid_ids():
        if id_ not in wanted:
            _only_sells(draft, id_)
    for id_, rules in wanted.items():
        if draft.has(id_):
            take_rules(draft.grid(id_), rules)
            continue
        instrument = draft.instruments.get(rules.symbol, rules.instrument)
        if instrument is not None:
            draft.instruments = {**draft.instruments, rules.symbol: instrument}
        draft.insert(id_, new_grid(rules, instrument, draft.now))


def _only_sells(draft: Draft, id_: GridId) -> None:
    g = draft.grid(id_)
    g.rules = evolve(g.rules, wish=Wish.SELL_ONLY)


def _take_wish(draft: Draft, event: GridWished) -> None:
    if not draft.has(event.grid):
        return
    g = draft.grid(event.grid)
    take_rules(g, evolve(g.rules, wish=event.wish))
    draft.rules = evolve(
        draft.rules,
        grids=tuple(evolve(rules, wish=event.wish) if rules.id == event.grid else rules for rules in draft.rules.grids),
    )


def _take_removal(draft: Draft, event: GridRemoved) -> None:
    draft.rules = evolve(draft.rules, grids=tuple(rules for rules in draft.rules.grids if rules.id != event.grid))
    if not draft.has(event.grid) or event.how is Removal.UNTRACK:
        return
    holds = any(cell.lot is not None for cell in draft.peek(event.grid).cells)
    if event.how is Removal.SELL_ONLY or not holds:
        _only_sells(draft, event.grid)


def _take_history(draft: Draft, event: HistoryLoaded) -> None:
    for id_ in draft.grid_ids():
        if signal_market(draft.peek(id_).rules) == event.market:
            take_history(draft.grid(id_), event)


def _take_first_price(draft: Draft, event: MarketReady) -> None:
    for id_ in draft.grid_ids():
        if draft.peek(id_).rules.symbol == event.symbol and draft.peek(id_).ladder is None:
            draft.grid(id_).price = event.mid


def _take_candle(draft: Draft, event: CandleClosed) -> None:
    for id_ in draft.grid_ids():
        rules = draft.peek(id_).rules
        if signal_market(rules) == event.market:
            take_bars(draft.grid(id_), event)
        if rules.symbol == event.market and event.time > draft.peek(id_).closed_at:
            g = draft.grid(id_)
            g.closed_at = event.time
            if g.phase is Phase.ACTIVE or g.phase is Phase.EXITING:
                g.price = event.close


def _take_price(draft: Draft, event: PriceCrossed) -> None:
    for id_ in draft.grid_ids():
        if draft.peek(id_).rules.symbol == event.symbol and draft.peek(id_).ladder is not None:
            draft.grid(id_).price = event.price


def _take_mark(draft: Draft, event: Marked) -> None:
    """Measure, as any core would; what a breaker made of it then is among the facts."""
    if event.time <= draft.risk.marked_at:
        return
    told, kill, tripped, level = len(draft.notes), draft.kill, draft.risk.tripped, draft.risk.level
    breakers.on_marked(draft, event)
    del draft.notes[told:]
    draft.kill = kill
    draft.risk = evolve(draft.risk, tripped=tripped, level=level)
    for id_ in draft.grid_ids():
        if len(draft.peek(id_).cells) > draft.peek(id_).rules.levels:
            shed_cells(draft.grid(id_))
    if draft.rules.risk is not None:
        breakers.set_level(draft)


def _take_report(draft: Draft, event: OrderReported) -> None:
    found = find(draft, event.ref)
    if found is None or not found.live:
        return
    state = after(found.order.state, event.fact)
    venue_id = found.order.venue_id if event.venue_id is None else event.venue_id
    order = evolve(found.order, state=state, venue_id=venue_id)
    g = draft.grid(found.ref.grid)
    cell = g.cells[found.ref.cell - 1]
    if state not in TERMINAL:
        g.put(Cell(cell.number, cell.want, order, cell.lot, None))
        return
    retire(draft, found.ref, order)
    draft.notes.append(ended(draft, g, cell.number, order, event.message or event.code))
    g.put(Cell(cell.number, None, None, cell.lot, None))


def _take_fill(draft: Draft, event: OrderFilled) -> None:
    booked = book(draft, event)
    if booked is not None:
        booked.grid.price = event.price


def _take_kill(draft: Draft, event: KillRequested) -> None:
    if draft.kill is None:
        breakers.kill(draft, event.kind, event.reason, liquidate=event.liquidate)
    elif event.liquidate:
        draft.kill = evolve(draft.kill, liquidate=True)
    breakers.set_level(draft)


def _take_release(draft: Draft, _: KillReleased) -> None:
    if draft.kill is not None:
        draft.kill = None
        breakers.release(draft)


_TAKES: dict[type[Any], Callable[[Draft, Any], None]] = {
    InstrumentChanged: _take_instrument,
    RulesChanged: _take_all_rules,
    GridWished: _take_wish,
    GridRemoved: _take_removal,
    HistoryLoaded: _take_history,
    MarketReady: _take_first_price,
    CandleClosed: _take_candle,
    PriceCrossed: _take_price,
    Marked: _take_mark,
    OrderReported: _take_report,
    OrderFilled: _take_fill,
    KillRequested: _take_kill,
    KillReleased: _take_release,
}

# -------------------------------------------------------------------------------------- facts


def _grid(draft: Draft, id_: GridId) -> GridDraft:
    if not draft.has(id_):
        raise IllegalTransition(f"something is said of grid {id_}, which is not there")
    return draft.grid(id_)


def _cell(g: GridDraft, number: int) -> Cell:
    """Return the cell of that number; one that the rules as they are read here would not have comes all the same."""
    while len(g.cells) < number:
        g.cells.append(Cell(len(g.cells) + 1))
    return g.cells[number - 1]


def _intended(draft: Draft, fact: Intended) -> None:
    g = _grid(draft, fact.grid)
    cell = _cell(g, fact.cell)
    if cell.order is not None:
        raise IllegalTransition(f"cell {fact.cell} of {fact.grid} has order {cell.order.id} when {fact.id} is made")
    order = Order(
        fact.id,
        fact.side,
        fact.price,
        fact.quantity,
        INTENDED,
        NOTHING_FILLED,
        draft.now,
        fact.slot,
        fact.target,
        fact.rung_quantity,
        fact.taker,
    )
    g.put(Cell(cell.number, None, order, cell.lot, None))
    draft.sequence += 1
    if draft.rules.risk is not None:
        recent = tuple(time for time in draft.risk.creates if time > draft.now - RATE_WINDOW_MS)
        draft.risk = evolve(draft.risk, creates=(*recent, draft.now))


def _withdrawn(draft: Draft, fact: Withdrawn) -> None:
    found = find(draft, OrderRef(fact.grid, fact.cell, fact.id))
    if found is None or not found.live:
        raise IllegalTransition(f"order {fact.id} of {fact.grid} is withdrawn and does not stand")
    g = draft.grid(found.ref.grid)
    cell = g.cells[found.ref.cell - 1]
    order = evolve(found.order, state=after(found.order.state, Fact.CANCEL_WANTED))
    g.put(Cell(cell.number, cell.want, order, cell.lot, None))


def _laid(draft: Draft, fact: Laid) -> None:
    _grid(draft, fact.grid).ladder = fact.ladder


def _standing(draft: Draft, fact: Standing) -> None:
    g = _grid(draft, fact.grid)
    g.phase, g.halt, g.dropped = fact.phase, fact.halt, fact.dropped
    if fact.phase in (Phase.EXITING, Phase.STOPPED) and g.range is not RangeState.STOPPED:
        g.range, g.range_since = RangeState.STOPPED, draft.now


def _gone(draft: Draft, fact: Gone) -> None:
    draft.drop(fact.grid)


def _kept(draft: Draft, fact: Kept) -> None:
    g = _grid(draft, fact.grid)
    cell = _cell(g, fact.cell)
    g.put(Cell(cell.number, cell.want, cell.order, fact.lot, None))


def _counted(draft: Draft, fact: Counted) -> None:
    fact.tally.check()
    _grid(draft, fact.grid).tally = fact.tally


def _judged(draft: Draft, fact: Judged) -> None:
    risk = draft.risk
    tripped = {code: trip for code, trip in risk.tripped.items() if code != fact.code}
    if fact.trip is not None:
        tripped = {**risk.tripped, fact.code: fact.trip}
        draft.risk = evolve(risk, tripped=tripped, last_trip={**risk.last_trip, fact.code: draft.now})
    else:
        draft.risk = evolve(risk, tripped=tripped)
    breakers.set_level(draft)


def _stopped(draft: Draft, fact: Stopped) -> None:
    draft.kill = fact.kill
    breakers.set_level(draft)


_DOES: dict[type[Any], Callable[[Draft, Any], None]] = {
    Intended: _intended,
    Withdrawn: _withdrawn,
    Laid: _laid,
    Standing: _standing,
    Gone: _gone,
    Kept: _kept,
    Counted: _counted,
    Judged: _judged,
    Stopped: _stopped,
}
