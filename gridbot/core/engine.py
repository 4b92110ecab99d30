"""`step(state, event)`: the whole engine as one pure function. Same arguments, same answer, on every machine."""

from __future__ import annotations

from collections.abc import Callable
from decimal import getcontext, localcontext, setcontext
from typing import Any

from gridbot.core import breakers, direct
from gridbot.core.booking import Found, book, current_price, ended, find, retire, saleable
from gridbot.core.cells import Block, Cell
from gridbot.core.commands import Alarmed, CancelOrder
from gridbot.core.draft import Draft, GridDraft, Step
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
    RulesChanged,
    Transferred,
)
from gridbot.core.ledger import PLAIN, Account, Tally, add
from gridbot.core.lifecycle import (
    change_rules,
    decide,
    finish_if_empty,
    lay_if_due,
    shed_cells,
    signal_market,
    take_bars,
    take_history,
    tell_regime,
)
from gridbot.core.orders import TERMINAL, Fact, Order, OrderState, after
from gridbot.core.plan import (
    RETRY_MS,
    arm,
    arm_after_fill,
    cancel_aged,
    complete,
    limit_for,
    repeat_cancels,
    sane_bid,
    settle,
    settle_all,
    under_bid,
)
from gridbot.core.rules import Wish
from gridbot.core.state import Grid, Phase, State
from gridbot.core.units import Side, TimeMs
from gridbot.core.values import evolve
from gridbot.core.wishes import (
    cancel_everything,
    change_all_rules,
    release_trading,
    remove_grid,
    stop_trading,
    take_wish,
)
from gridbot.errors import Refusal

REJECTED_WAIT_MS = 5_000
"""How long a cell waits after the venue refused its order, before it is tried again."""
SHUT_WAIT_MS = 60_000
"""How long it waits where no order of its kind will be taken for a while: asking again and again gets one banned."""
# CPython 3.11 takes ten times as long to find a member in its enum as a name in its module.
_ACCEPTED, _ACTIVE, _SELL_ONLY = Fact.ACCEPTED, Phase.ACTIVE, Wish.SELL_ONLY
_WITHDRAWN = frozenset({OrderState.CANCEL_INTENT, OrderState.CANCEL_SENT, OrderState.CANCEL_UNKNOWN})
_SHUT = frozenset({Refusal.CLOSED, Refusal.UNKNOWN_MARKET, Refusal.KEY, Refusal.RATE, Refusal.TOO_MANY})
_MAY_RESURFACE = frozenset({OrderState.ABSENT, OrderState.NOT_SENT, OrderState.REJECTED})


def step(state: State, event: Event) -> Step:
    """Advance by one event; an event applied a second time changes nothing but the clock.

    Raises IllegalTransition for a fact that cannot be true of its order and LedgerError for sums that disagree; in
    both cases `state` is as it was.
    """
    answer: Step | None = None
    outside = getcontext()
    setcontext(PLAIN)
    try:
        if type(event) is OrderFilled:
            answer = direct.filled(state, event)
        elif type(event) is CandleClosed:
            answer = direct.closed(state, event)
        elif type(event) is OrderReported and event.fact is _ACCEPTED:
            answer = direct.acknowledged(state, event)
        return _general(state, event) if answer is None else answer
    finally:
        setcontext(outside)


def general_step(state: State, event: Event) -> Step:
    """Advance by one event through the handlers; what the direct steps must equal."""
    with localcontext(PLAIN):
        return _general(state, event)


def _general(state: State, event: Event) -> Step:
    draft = Draft(state, event.time)
    _HANDLERS[type(event)](draft, event)
    return draft.close()


def _on_epoch(draft: Draft, event: EpochStarted) -> None:
    if event.prefix != draft.prefix:
        draft.prefix, draft.sequence = event.prefix, 0


def _on_instrument(draft: Draft, event: InstrumentChanged) -> None:
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
            change_rules(draft, g, evolve(g.rules, instrument=instrument))


def _on_account(draft: Draft, event: AccountOpened) -> None:
    if draft.opened:
        return
    draft.opened = True
    accounts = dict(draft.accounts)
    for asset, amount in event.balances:
        known = accounts.get(asset, Account())
        accounts[asset] = evolve(known, opening=add(known.opening, amount), total=add(known.total, amount))
    draft.accounts = accounts


def _on_transfer(draft: Draft, event: Transferred) -> None:
    if event.id in draft.transfers:
        return
    draft.transfers = draft.transfers.add(event.id)
    account = draft.accounts.get(event.asset, Account()).moved(transferred=event.amount)
    draft.accounts = {**draft.accounts, event.asset: account}
    breakers.transferred(draft, event.asset, event.amount)


def _on_history(draft: Draft, event: HistoryLoaded) -> None:
    for id_ in draft.grid_ids():
        rules = draft.peek(id_).rules
        if signal_market(rules) != event.market:
            continue
        g = draft.grid(id_)
        before = (g.signal, g.trend)
        take_history(g, event)
        tell_regime(draft, g, before)
        g.limit = limit_for(draft, g)
        if g.price is not None:
            arm(draft, g, g.price)
            settle(draft, g)


def _on_ready(draft: Draft, event: MarketReady) -> None:
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        if grid.rules.symbol != event.symbol or grid.ladder is not None or not grid.ready:
            continue
        g = draft.grid(id_)
        g.limit = limit_for(draft, g)
        lay_if_due(draft, g, event.mid)
        if g.ladder is not None:
            arm(draft, g, event.mid)
            settle_all(draft, g)


def _on_candle(draft: Draft, event: CandleClosed) -> None:
    for id_ in draft.grid_ids():
        rules = draft.peek(id_).rules
        if signal_market(rules) == event.market:
            _take_bars(draft, draft.grid(id_), event)
        if rules.symbol == event.market:
            g = draft.grid(id_)
            if event.time <= g.closed_at:
                continue
            g.closed_at = event.time
            fresh = g.signal_at >= event.time
            if g.phase is Phase.ACTIVE or g.phase is Phase.EXITING:
                decide(draft, g, event.close, signal_closed=fresh)


def _take_bars(draft: Draft, g: GridDraft, event: CandleClosed) -> None:
    before = (g.signal, g.trend)
    take_bars(g, event)
    tell_regime(draft, g, before)
    if g.rules.symbol != event.market and g.signal_at == event.time and g.price is not None:
        # The signal comes from another market: its close is the moment, our own last price is the price.
        decide(draft, g, g.price, signal_closed=True)


def _on_crossed(draft: Draft, event: PriceCrossed) -> None:
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        if grid.rules.symbol != event.symbol:
            continue
        g = draft.grid(id_)
        if g.phase is Phase.WAITING and g.rules.trigger_price == event.level:
            g.phase = Phase.ACTIVE
        if g.phase is Phase.ACTIVE and g.ladder is not None:
            arm(draft, g, event.price)
            settle(draft, g)


def _on_marked(draft: Draft, event: Marked) -> None:
    if event.time <= draft.risk.marked_at:
        return
    breakers.on_marked(draft, event)
    for id_ in draft.grid_ids():
        if _stays(draft, draft.peek(id_)):
            continue
        g = draft.grid(id_)
        limit = limit_for(draft, g)
        if limit != g.limit:
            g.limit = limit
            if g.price is not None:
                arm(draft, g, g.price)
        shed_cells(g)
        repeat_cancels(draft, g)
        cancel_aged(draft, g)
        settle_all(draft, g)
        finish_if_empty(draft, g)
        if g.dropped and g.phase is Phase.STOPPED and all(cell.order is None for cell in g.cells):
            draft.drop(id_)


def _stays(draft: Draft, grid: Grid | GridDraft) -> bool:
    """Tell whether a mark leaves a grid as it is: at rest, with the same limit, and no bid at what it sells at."""
    rules = grid.rules
    if grid.loose or grid.dropped or draft.kill is not None or grid.phase is not _ACTIVE:
        return False
    if rules.wish is _SELL_ONLY or len(grid.cells) > rules.levels or draft.rules.max_order_age_ms is not None:
        return False
    if grid.tally.inventory:
        bid = sane_bid(draft, rules.symbol)
        if bid is not None and any(under_bid(cell, bid) for cell in grid.cells):
            return False
    return limit_for(draft, grid) == grid.limit


def _on_filled(draft: Draft, event: OrderFilled) -> None:
    booked = book(draft, event)
    if booked is None:
        if draft.kill is not None and draft.base.kill is None:
            cancel_everything(draft)
        return
    g = booked.grid
    arm_after_fill(draft, g, g.cells[booked.cell - 1], booked.sold, event.price)
    settle(draft, g)
    finish_if_empty(draft, g)
    if draft.kill is not None and draft.base.kill is None:
        cancel_everything(draft)


def _on_reported(draft: Draft, event: OrderReported) -> None:
    found = find(draft, event.ref)
    if found is None and event.ref.id.startswith(draft.prefix):
        return  # We sent it and it was filled whole: an acknowledgement or a cancel's answer came after its fill.
    if found is None:
        draft.notes.append(Alarmed(draft.now, "unknown_order", f"A report of order {event.ref.id} came, unknown here."))
        return
    if not found.live:
        _late_report(draft, found, event)
        return
    order = found.order
    state = after(order.state, event.fact)
    venue_id = order.venue_id if event.venue_id is None else event.venue_id
    order = Order(
        order.id,
        order.side,
        order.price,
        order.quantity,
        state,
        order.filled,
        order.created,
        order.slot,
        order.target,
        order.rung_quantity,
        order.taker,
        venue_id,
        order.trades,
    )
    g = draft.grid(found.ref.grid)
    cell = g.cells[found.ref.cell - 1]
    if state not in TERMINAL:
        g.put(Cell(cell.number, cell.want, order, cell.lot, cell.block))
        if event.fact is Fact.ACCEPTED:
            settle(draft, g)
        return
    _end_order(draft, g, found.ref, order, event)


def _late_report(draft: Draft, found: Found, event: OrderReported) -> None:
    """A report about an order that has ended: news only if it says that the order lives; then nobody wants it."""
    order = found.order
    if event.fact is not Fact.ACCEPTED or order.state not in _MAY_RESURFACE:
        return
    draft.notes.append(
        Alarmed(draft.now, "late_order", f"Order {order.id} was {order.state.value} and rests all the same; cancelled.")
    )
    if draft.has(found.ref.grid):
        symbol = draft.peek(found.ref.grid).rules.symbol
        draft.cancels.append(CancelOrder(found.ref, symbol, event.venue_id))


def _end_order(draft: Draft, g: GridDraft, ref: OrderRef, order: Order, event: OrderReported) -> None:
    """Take an order that ended out of its cell; a part that can be sold becomes a holding."""
    cell = g.cells[ref.cell - 1]
    retire(draft, ref, order)
    draft.notes.append(ended(draft, g, cell.number, order, event.message or event.code))
    if order.state is OrderState.CANCELED:
        g.tally = _one_more_cancel(g.tally)
    lot = cell.lot
    unsold = order.side is Side.SELL and lot is not None and lot.complete and not saleable(g, lot)
    if unsold and lot is not None:
        # What a sell left over is too small for an order of its own: the cell's next buy completes it.
        lot = evolve(lot, complete=False)
    freed = Cell(cell.number, None if unsold else cell.want, None, lot, _block_after(draft, cell, order, event))
    g.put(freed)
    if order.side is Side.BUY and lot is not None and not lot.complete and saleable(g, lot):
        complete(g, freed)
    if g.price is not None and (unsold or (order.side is Side.BUY and (lot is not None or event.post_only))):
        arm(draft, g, current_price(g, order) if event.post_only else g.price)
    settle(draft, g)
    finish_if_empty(draft, g)


def _block_after(draft: Draft, cell: Cell, order: Order, event: OrderReported) -> Block | None:
    """Return how long the cell waits after its order ended, and why; what we withdrew ourselves blocks nothing."""
    reason = event.message or event.code
    withdrawn = cell.order is not None and cell.order.state in _WITHDRAWN
    if order.state in _MAY_RESURFACE and not event.post_only and not withdrawn:
        # An exit that is to sell at any price is worth asking for more often.
        shut = event.code in _SHUT and not order.taker
        wait = TimeMs(draft.now + (SHUT_WAIT_MS if shut else REJECTED_WAIT_MS))
        return Block(event.code or order.state.value, reason or order.state.value, wait)
    if order.side is Side.SELL and (event.post_only or order.taker):
        wait = TimeMs(draft.now + RETRY_MS)
        return Block(event.code or "retry", reason or "The sell did not rest; it is tried again.", wait)
    return None


def _one_more_cancel(tally: Tally) -> Tally:
    return evolve(tally, cancels=tally.cancels + 1)


_HANDLERS: dict[type[Any], Callable[[Draft, Any], None]] = {
    EpochStarted: _on_epoch,
    RulesChanged: change_all_rules,
    InstrumentChanged: _on_instrument,
    AccountOpened: _on_account,
    Transferred: _on_transfer,
    HistoryLoaded: _on_history,
    MarketReady: _on_ready,
    CandleClosed: _on_candle,
    PriceCrossed: _on_crossed,
    Marked: _on_marked,
    OrderReported: _on_reported,
    OrderFilled: _on_filled,
    GridWished: take_wish,
    GridRemoved: remove_grid,
    KillRequested: stop_trading,
    KillReleased: release_trading,
}
