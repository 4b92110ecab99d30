"""Grids come, change, wait, lay, exit and go (strategy sections 4, 6 and 8b)."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.arming import tell_range
from gridbot.core.cells import Cell, Lot
from gridbot.core.commands import GridStopped, RegimeChanged, SlotsLaid, SpacingRaised
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.events import CandleClosed, HistoryLoaded
from gridbot.core.indicator_runs import signal_of, trend_of
from gridbot.core.ladder import Ladder, Spacing, lay, market_spacing, relaid, smallest_investment, spacing_floor
from gridbot.core.ledger import Tally, add, multiply, split, subtract
from gridbot.core.plan import arm, complete, limit_for, settle, settle_all
from gridbot.core.regime import NEVER, Signal, Trend, new_signal, new_trend
from gridbot.core.rules import GridRules, HeldCoins, Instrument, Wish
from gridbot.core.state import Arming, Grid, Limit, Phase, RangeState
from gridbot.core.units import ONE, ZERO, Price, Quantity, Symbol, TimeMs
from gridbot.core.values import evolve


def new_grid(rules: GridRules, instrument: Instrument | None, now: TimeMs) -> Grid:
    """Return a grid that has seen nothing yet."""
    waiting = rules.trigger_price is not None
    return Grid(
        rules,
        instrument,
        Phase.WAITING if waiting else Phase.ACTIVE,
        new_signal(rules.signal),
        new_trend(rules.trend),
        None,
        tuple(Cell(number) for number in range(1, rules.levels + 1)),
        Tally(),
        Limit(),
        None,
        Arming(),
        0,
        RangeState.WAITING if waiting else RangeState.WARMING_UP,
        now,
        NEVER,
        NEVER,
        "",
        False,
    )


def signal_market(rules: GridRules) -> Symbol:
    """Return the market whose bars the grid reads: its own, or `exchange:symbol` where the configuration names one."""
    signal = rules.signal
    if signal.symbol is None:
        return rules.symbol
    return signal.symbol if signal.exchange is None else Symbol(f"{signal.exchange}:{signal.symbol}")


def tell_regime(draft: Draft, g: GridDraft, before: tuple[Signal, Trend]) -> None:
    """Note a change of trend, spike or ATR breaker."""
    signal, trend = before
    now = (g.trend.direction, g.signal.spike, g.signal.breaker is not None)
    if now != (trend.direction, signal.spike, signal.breaker is not None):
        draft.notes.append(RegimeChanged(draft.now, g.rules.id, now[0].value, now[1], now[2]))


def take_history(g: GridDraft, event: HistoryLoaded) -> None:
    """Build the indicators anew from closed bars of the grid's signal market."""
    rules = g.rules
    for timeframe, bars in event.bars:
        if timeframe == rules.signal.timeframe:
            g.signal = signal_of(bars, rules.signal)
        if timeframe == rules.trend.timeframe:
            g.trend = trend_of(bars, rules.trend)


def take_bars(g: GridDraft, event: CandleClosed) -> None:
    """Move the indicators on by the bars that closed in the grid's signal market."""
    rules = g.rules
    for timeframe, bar in event.bars:
        if timeframe == rules.signal.timeframe:
            signal = g.signal.add(bar, rules.signal)
            if signal is not g.signal:
                g.signal, g.signal_at = signal, event.time
        if timeframe == rules.trend.timeframe:
            g.trend = g.trend.add(bar, rules.trend)


def lay_if_due(draft: Draft, g: GridDraft, close: Price) -> None:
    """Lay the slots the first time, or anew where strategy section 4 says so. Only when everything is ready."""
    if g.phase is not Phase.ACTIVE or not g.ready or g.instrument is None:
        return
    atr, atr_close = g.signal.atr.current, g.signal.atr.close
    if atr is None or atr_close is None:
        return
    if g.ladder is None:
        _lay_first(draft, g, close, atr=atr, atr_close=atr_close)
        return
    answer = relaid(
        g.ladder,
        g.rules,
        g.instrument,
        close=close,
        atr=atr,
        atr_close=atr_close,
        cell_is_free=any(not cell.holding for cell in g.cells),
        realised=g.tally.realised,
    )
    if answer is not None:
        _take_ladder(draft, g, answer[0], answer[1], first=False)


def _lay_first(draft: Draft, g: GridDraft, close: Price, *, atr: float, atr_close: float) -> None:
    if g.instrument is None:
        return
    earned = g.tally.realised
    ladder, spacing = first_ladder(g.rules, g.instrument, close, atr=atr, atr_close=atr_close, realised=earned)
    if not ladder.rungs or not all(rung.fits for rung in ladder.rungs):
        _refuse(draft, g, ladder)
        return
    _take_ladder(draft, g, ladder, spacing, first=True)
    if g.rules.held is not None and g.tally.contributed == 0 and g.tally.fills == 0:
        _take_held_coins(g, ladder, g.rules.held, g.instrument)


def first_ladder(
    rules: GridRules, instrument: Instrument, close: Price, *, atr: float, atr_close: float, realised: Decimal
) -> tuple[Ladder, Spacing]:
    """Return the slots as a grid lays them the first time, also where an order would be under the venue's minimum."""
    floor = spacing_floor(rules, instrument, close)
    spacing = market_spacing(rules, close, floor=floor, atr=atr, atr_close=atr_close)
    return lay(rules, instrument, anchor=close, spacing=spacing.amount, realised=realised), spacing


def _refuse(draft: Draft, g: GridDraft, ladder: Ladder) -> None:
    """Do not start: an order would be under the venue's minimum."""
    instrument = g.instrument
    needed = None if instrument is None or not ladder.rungs else smallest_investment(ladder, g.rules, instrument)
    quote = "" if instrument is None else f" {instrument.quote}"
    sentence = (
        "The spacing leaves no slot above zero; choose a smaller spacing or fewer levels."
        if needed is None
        else f"An order of this grid would be under the exchange's minimum; with {g.rules.levels} levels it needs an "
        f"investment of at least {needed:f}{quote}."
    )
    stop(draft, g, "investment_too_small", sentence, needed)


def stop(draft: Draft, g: GridDraft, code: str, sentence: str, needed: Decimal | None = None) -> None:
    """Stop a grid for good, with the reason shown."""
    g.phase, g.halt = Phase.STOPPED, sentence
    g.range, g.range_since = RangeState.STOPPED, draft.now
    draft.notes.append(GridStopped(draft.now, g.rules.id, code, sentence, needed))


def _take_ladder(draft: Draft, g: GridDraft, ladder: Ladder, spacing: Spacing, *, first: bool) -> None:
    """Replace the ladder; a laying that changes no slot is no event (arming says which orders move)."""
    before = g.ladder
    g.ladder = ladder
    if before is not None and _same_slots(before, ladder):
        return
    g.tally = evolve(g.tally, layings=g.tally.layings + 1)
    draft.notes.append(SlotsLaid(draft.now, g.rules.id, ladder.anchor, ladder.spacing, first))
    if spacing.raised_from is not None:
        draft.notes.append(SpacingRaised(draft.now, g.rules.id, spacing.raised_from, spacing.amount))


def _same_slots(old: Ladder, new: Ladder) -> bool:
    return [(r.price, r.target, r.quantity) for r in old.rungs] == [(r.price, r.target, r.quantity) for r in new.rungs]


def _take_held_coins(g: GridDraft, ladder: Ladder, held: HeldCoins, instrument: Instrument) -> None:
    """Make the user's coins holding cells, from the lowest slot up, at the stated cost.

    A cell's target is its slot's, but never under the anchor nor under what earns `min_profit` on the stated cost.
    What is less than a lot, or more than all slots take, goes to the last cell or becomes dust.
    """
    left, cost_left = held.quantity, held.cost
    rungs = list(reversed(ladder.rungs))
    for place, rung in enumerate(rungs):
        last = place == len(rungs) - 1 or left <= rung.quantity
        quantity = left if last else rung.quantity
        cost = split(cost_left, part=quantity, whole=left)
        pays = cost / quantity * (ONE + g.rules.spacing.min_profit) / (ONE - instrument.maker_fee)
        target = max(rung.target, instrument.price_ceil(pays), instrument.price_ceil(ladder.anchor))
        lot = Lot(quantity, cost, rung.price, target, rung.number, TimeMs(0), False, Quantity(ZERO), ZERO)
        cell = Cell(rung.number, None, None, lot, None)
        g.put(cell)
        complete(g, cell)
        left, cost_left = Quantity(subtract(left, quantity)), subtract(cost_left, cost)
        if last:
            break
    tally = g.tally
    g.tally = evolve(
        tally,
        contributed=add(tally.contributed, held.cost),
        open_cost=add(tally.open_cost, held.cost),
        inventory=add(tally.inventory, held.quantity),
    )
    g.tally.check()


def decide(draft: Draft, g: GridDraft, close: Price, *, signal_closed: bool) -> None:
    """Take sections 3, 4 and 6 at a close: limit, laying, arming, exits, in this order."""
    shed_cells(g)
    g.limit = limit_for(draft, g)
    if signal_closed:
        lay_if_due(draft, g, close)
    arm(draft, g, close)
    exit_if_due(draft, g, close)
    if g.phase is Phase.EXITING:
        arm(draft, g, close)
        settle_all(draft, g)
    elif signal_closed:
        settle_all(draft, g)
    else:
        settle(draft, g)
    finish_if_empty(draft, g)


def exit_if_due(draft: Draft, g: GridDraft, close: Price) -> None:
    """Begin the grid-wide exit when the total profit reached a limit (strategy section 6)."""
    rules = g.rules
    if g.phase is not Phase.ACTIVE or (rules.stop_loss is None and rules.take_profit_total is None):
        return
    if g.tally.fills == 0 and not g.tally.contributed:
        return
    total = g.tally.total(close)
    if rules.stop_loss is not None and total <= -multiply(rules.stop_loss, rules.investment):
        begin_exit(draft, g, "stop_loss", f"The stop loss was reached: the total is {total:f}.")
    elif rules.take_profit_total is not None and total >= multiply(rules.take_profit_total, rules.investment):
        begin_exit(draft, g, "take_profit_total", f"The profit goal was reached: the total is {total:f}.")


def begin_exit(draft: Draft, g: GridDraft, code: str, sentence: str) -> None:
    """Cancel all, sell the inventory, then stop."""
    g.phase, g.halt = Phase.EXITING, sentence
    g.range, g.range_since = RangeState.STOPPED, draft.now
    draft.notes.append(GridStopped(draft.now, g.rules.id, code, sentence))


def finish_if_empty(draft: Draft, g: GridDraft) -> None:
    """End an exit, a winding-down or a removal once nothing is held for sale and nothing rests."""
    if g.phase is Phase.STOPPED or not (g.phase is Phase.EXITING or g.dropped or g.rules.wish is Wish.SELL_ONLY):
        return
    if any(cell.order is not None or (cell.lot is not None and cell.want is not None) for cell in g.cells):
        return
    if g.phase is Phase.EXITING:
        g.phase = Phase.STOPPED
    elif g.dropped:
        stop(draft, g, "removed", "The grid was taken away and has sold all that it held.")
    elif g.ladder is not None or g.rules.held is None:
        stop(draft, g, "sold_out", "The grid only sells, and has sold all that it held.")


def revive(draft: Draft, g: GridDraft) -> None:
    """Let a stopped grid trade again, because its user asks for it."""
    g.phase, g.halt = Phase.ACTIVE, ""
    tell_range(draft, g, armed=False)


def change_rules(draft: Draft, g: GridDraft, rules: GridRules) -> None:
    """Apply an edit to a running grid: free cells move, holding cells keep their price and target."""
    old = g.rules
    if old == rules:
        return
    take_rules(g, rules)
    if g.phase is Phase.WAITING and rules.trigger_price is None:
        g.phase = Phase.ACTIVE
    never_started, sold_out = g.ladder is None, old.wish is Wish.SELL_ONLY and rules.wish is not Wish.SELL_ONLY
    if g.phase is Phase.STOPPED and not g.dropped and (never_started or sold_out):
        revive(draft, g)
    if g.ladder is not None and g.instrument is not None:
        spacing = g.ladder.spacing
        atr, atr_close = g.signal.atr.current, g.signal.atr.close
        if old.spacing != rules.spacing and atr is not None and atr_close is not None:
            anchor = g.ladder.anchor
            floor = spacing_floor(rules, g.instrument, anchor)
            spacing = market_spacing(rules, anchor, floor=floor, atr=atr, atr_close=atr_close).amount
        _take_ladder(
            draft,
            g,
            lay(rules, g.instrument, anchor=g.ladder.anchor, spacing=spacing, realised=g.tally.realised),
            Spacing(spacing),
            first=False,
        )
    g.limit = limit_for(draft, g)
    if g.price is not None:
        arm(draft, g, g.price)
    settle_all(draft, g)
    finish_if_empty(draft, g)


def take_rules(g: GridDraft, rules: GridRules) -> None:
    """Put the edited rules in the place of the old ones; indicators whose parameters changed begin anew."""
    old = g.rules
    g.rules = rules
    if old.signal != rules.signal:
        g.signal = new_signal(rules.signal)
    if old.trend != rules.trend and (
        (old.trend.timeframe, old.trend.ema_fast, old.trend.ema_slow)
        != (rules.trend.timeframe, rules.trend.ema_fast, rules.trend.ema_slow)
    ):
        g.trend = new_trend(rules.trend)
    _resize(g, rules.levels)


def _resize(g: GridDraft, levels: int) -> None:
    """Grow to `levels` cells, or shrink by the free cells at the end."""
    while len(g.cells) < levels:
        g.cells.append(Cell(len(g.cells) + 1))
    shed_cells(g)


def shed_cells(g: GridDraft) -> None:
    """Let go of free cells at the end that are beyond the levels; one that holds or rests stays until it has not."""
    while len(g.cells) > g.rules.levels and g.cells[-1].lot is None and g.cells[-1].order is None:
        g.cells.pop()
