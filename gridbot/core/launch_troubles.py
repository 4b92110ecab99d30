"""What stands against a grid's start, and what a person should know of it: stable codes, and the field to change."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_UP, Decimal

from gridbot.core.cells import Block, Want
from gridbot.core.commands import SpacingRaised
from gridbot.core.draft import Draft
from gridbot.core.ladder import Ladder, smallest_investment
from gridbot.core.ledger import Account
from gridbot.core.rehearsal import Ground, Rehearsed
from gridbot.core.risk import Exposure
from gridbot.core.rules import GridRules, Instrument, Wish
from gridbot.core.state import Grid, LimitCause, Phase, State
from gridbot.core.units import ZERO, Asset, GridId, Side
from gridbot.core.values import value


@value
class Trouble:
    """A stable code, the setting that is to be changed (a path of the grid's form, or of the whole file), a sentence
    that says what is wrong and what helps, and the level that shows it first (0: none)."""

    code: str
    field: str
    sentence: str
    level: int = 0


def troubles_of(
    state: State, rules: GridRules, ground: Ground, whole: Rehearsed, ladder: Ladder | None
) -> tuple[Trouble, ...]:
    """Return all that keeps a grid from starting, each code once."""
    grid = whole.state.grids[rules.id]
    found = [
        *_standing(state, grid, rules),
        *_off_tick(rules, ground.instrument),
        *_too_small(rules, ground.instrument, ladder),
        *_refused(state, rules, ground, whole),
    ]
    return tuple({trouble.code: trouble for trouble in reversed(found)}.values())[::-1]


def _standing(state: State, grid: Grid, rules: GridRules) -> Iterator[Trouble]:
    if state.kill is not None:
        yield Trouble("stopped", "", f"Trading is stopped ({state.kill.reason}) Reset the stop before a grid starts.")
    if not state.opened:
        yield Trouble("no_balances", "", "The account's balances are not known yet. Wait until they are.")
    if grid.ladder is None and not grid.ready:
        needed = max(30 + rules.signal.atr_period + 1, rules.trend.ema_slow)
        yield Trouble(
            "too_little_history",
            "signal.timeframe",
            f"This market has too few closed bars: about {needed} are needed. Choose smaller timeframes for the "
            "signal and the trend, or wait.",
        )


def _off_tick(rules: GridRules, instrument: Instrument) -> Iterator[Trouble]:
    trigger = rules.trigger_price
    if trigger is not None and trigger % instrument.tick_size:
        near = instrument.price_floor(trigger) or instrument.tick_size
        yield Trouble(
            "off_tick",
            "trigger_price",
            f"No trade has the price {trigger:f}: prices here move in steps of {instrument.tick_size:f}. Use {near:f}.",
        )


def _too_small(rules: GridRules, instrument: Instrument, ladder: Ladder | None) -> Iterator[Trouble]:
    if ladder is None:
        return
    if not ladder.rungs:
        sentence = "The spacing leaves no slot above zero. Choose a smaller spacing."
        yield Trouble("no_slots", f"spacing.{_SPACING_FIELD[rules.spacing.mode.value]}", sentence)
        return
    small = [rung for rung in ladder.rungs if not rung.fits]
    if not small:
        return
    rung, quote = small[0], instrument.quote
    least = smallest_investment(ladder, rules, instrument)
    if least >= 1:
        least = least.quantize(_CENT, rounding=ROUND_UP)
    cure = f"Raise the investment to at least {least:f} {quote}, or use fewer levels."
    if rung.quantity < instrument.min_qty:
        yield Trouble(
            "under_min_quantity",
            "investment",
            f"Level {rung.number} would buy {rung.quantity:f} {instrument.base}, and the exchange takes no order under "
            f"{instrument.min_qty:f}. {cure}",
            rung.number,
        )
    else:
        yield Trouble(
            "under_min_notional",
            "investment",
            f"Level {rung.number} would be worth {figure(rung.quantity * rung.price)} {quote}, and the exchange "
            f"takes no order under {instrument.min_notional:f}. {cure}",
            rung.number,
        )


_CENT = Decimal("0.01")
_SPACING_FIELD = {"atr": "multiplier", "fraction": "fraction", "absolute": "absolute"}


def _refused(state: State, rules: GridRules, ground: Ground, whole: Rehearsed) -> Iterator[Trouble]:
    """Yield what the risk gate denied in the rehearsal: what it says, and which setting helps."""
    for cell in whole.state.grids[rules.id].cells:
        block, want = cell.block, cell.want
        if block is None or want is None:
            continue
        if block.code == "funds":
            yield _short_of(state, rules, ground, whole, want)
        elif block.code in _LIMITS:
            yield _over_limit(rules, ground, whole, block, want)
        else:
            field, cure = _CURES.get(block.code, ("investment", ""))
            yield Trouble(block.code, field, f"{block.sentence} {cure}".strip(), want.slot)


_LIMITS = ("max_order_value", "max_symbol_exposure", "max_total_exposure")
_CURES = {
    "max_open_orders": ("levels", "Use fewer levels."),
    "min_order_value": ("investment", "Raise the investment, or use fewer levels."),
    "no_quote": ("symbol", "Wait until there is one."),
    "quote_age": ("symbol", "Wait until prices come in again."),
    "max_spread": ("symbol", "Wait until the market is calm again, or choose another."),
    "self_cross": ("symbol", "Two grids of one market must not meet: choose another market."),
}


def _short_of(state: State, rules: GridRules, ground: Ground, whole: Rehearsed, want: Want) -> Trouble:
    """What the account does not have: quote for the buys, or the coins that the grid was said to be given."""
    instrument = ground.instrument
    if want.side is Side.SELL:
        free = free_of(state, instrument.base, besides=rules.id)
        sentence = f"{free:f} {instrument.base} are free in the account. Give the grid no more than that."
        return Trouble("coins", "held.quantity", sentence, want.slot)
    free = free_of(state, instrument.quote, besides=rules.id)
    cells = whole.state.grids[rules.id].cells
    wants = [cell.want for cell in cells if cell.want is not None and cell.want.side is Side.BUY]
    need = sum((each.price * each.quantity * (1 + instrument.maker_fee) for each in wants), ZERO)
    quote = instrument.quote
    sentence = (
        f"All levels together need {figure(need)} {quote}, and {figure(free)} {quote} are free. Lower the investment "
        "to what is free, or deposit more."
    )
    return Trouble("funds", "investment", sentence, want.slot)


def _over_limit(rules: GridRules, ground: Ground, whole: Rehearsed, block: Block, want: Want) -> Trouble:
    """An order or a market would be too large a part of the account."""
    risk, equity = whole.state.rules.risk, whole.state.risk.equity
    if risk is None or equity is None:
        return Trouble(block.code, "investment", block.sentence, want.slot)
    limits = {
        "max_order_value": risk.max_order_value,
        "max_symbol_exposure": risk.max_symbol_exposure,
        "max_total_exposure": risk.max_total_exposure,
    }
    share, quote = limits[block.code].limit, ground.instrument.quote
    subject = {
        "max_order_value": f"Level {want.slot} would be an order of {figure(want.price * want.quantity)} {quote}, more",
        "max_symbol_exposure": f"With level {want.slot}, {rules.symbol} would stand for more",
        "max_total_exposure": f"With level {want.slot}, all markets together would stand for more",
    }[block.code]
    sentence = (
        f"{subject} than {(share * 100).normalize():f} % of the account's equity of {figure(equity)}. Lower the "
        f"investment{', use more levels,' if block.code == 'max_order_value' else ''} or raise risk.{block.code}."
    )
    return Trouble(block.code, "investment", sentence, want.slot)


def figure(amount: Decimal) -> str:
    """Return an amount of money as a sentence has it: two decimals, or six digits of a small one."""
    return f"{amount:,.2f}" if abs(amount) >= 1 or not amount else f"{amount:.6g}"


def free_of(state: State, asset: Asset, *, besides: GridId) -> Decimal:
    """Return how much of an asset is free, counting what the orders of the grid `besides` hold as free too."""
    others = {id_: grid for id_, grid in state.grids.items() if id_ != besides}
    draft = Draft(state, state.now)
    draft.order = tuple(others)
    return state.accounts.get(asset, Account()).total - Exposure(draft).reserved.get(asset, ZERO)


_WHY_LESS = {
    LimitCause.TREND: "the trend is {trend}",
    LimitCause.SPIKE: "volatility spiked",
    LimitCause.ATR_BREAKER: "the ATR jumped and its circuit breaker is open",
    LimitCause.RISK: "a limit of the account was reached",
}


def notices_of(state: State, rules: GridRules, ground: Ground, now: Rehearsed, whole: Rehearsed) -> tuple[Trouble, ...]:
    """Return what a person should know of a grid that may start all the same."""
    return tuple(_notices(state, rules, ground, now, whole))


def _notices(state: State, rules: GridRules, ground: Ground, now: Rehearsed, whole: Rehearsed) -> Iterator[Trouble]:
    grid, quote = now.state.grids[rules.id], ground.instrument.quote
    raised = [note for note in whole.notes if isinstance(note, SpacingRaised) and note.grid == rules.id]
    if raised:
        yield Trouble(
            "spacing_raised",
            "spacing.min_profit",
            f"A spacing of {raised[-1].wanted:.6g} {quote} would not pay for the fees, so it is raised to "
            f"{raised[-1].floor:.6g}.",
        )
    ladder = whole.state.grids[rules.id].ladder
    if ladder is not None and 0 < len(ladder.rungs) < rules.levels:
        missing = rules.levels - len(ladder.rungs)
        yield Trouble(
            "slots_left_out",
            "levels",
            f"{missing} of {rules.levels} levels are left out: they would lie at or under zero, or at the price of "
            "the level above. Fewer levels or another spacing would use all the investment.",
        )
    before = state.grids.get(rules.id)
    if rules.held is not None and before is not None and before.ladder is not None and before.rules.held != rules.held:
        yield Trouble(
            "held_too_late",
            "held.quantity",
            "Coins that you already have are taken when a grid first lays its slots. This one has begun, so they "
            "change nothing here: give them to a new grid.",
        )
    if rules.wish is Wish.PAUSE:
        yield Trouble("paused", "enabled", "The grid is paused: it sends no buys until you let it run.")
    elif rules.wish is Wish.SELL_ONLY:
        yield Trouble("sell_only", "sell_only", "The grid only sells: it sends no buys, and stops when all is sold.")
    elif grid.phase is Phase.WAITING:
        yield Trouble(
            "waits", "trigger_price", f"The grid sends nothing until the price first touches {rules.trigger_price:f}."
        )
    elif grid.limit.last is not None and grid.limit.cause in _WHY_LESS and grid.ladder is not None:
        why = _WHY_LESS[grid.limit.cause].format(trend=grid.trend.direction.value.upper())
        last = grid.limit.last or "none"
        sentence = f"At first {last} of {rules.levels} levels may be bought, because {why}."
        yield Trouble("slots_limited", "trend.down_trend_buys", sentence)
    rate = None if state.rules.risk is None else state.rules.risk.max_creates_per_10s
    if rate is not None and len(grid.cells) > rate:
        seconds = -(-len(grid.cells) // rate) * 10 - 10
        sentence = f"At most {rate} orders leave in ten seconds, so it takes about {seconds} s until all of them rest."
        yield Trouble("takes_time", "risk.max_creates_per_10s", sentence)
