"""The risk gate: every order is checked and its reservation made in one step; a check that fails denies.

The limits and breakers are those of docs/risk.md; a denial has a stable code and a sentence for a person.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.cells import Want
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.ledger import Account
from gridbot.core.orders import TERMINAL
from gridbot.core.regime import TrendDirection, policy_limit
from gridbot.core.rules import RiskRules, Wish
from gridbot.core.state import Grid, Limit, LimitCause
from gridbot.core.units import ZERO, Asset, Side, Symbol
from gridbot.core.values import evolve, value

RATE_WINDOW_MS = 10_000


@value
class Denial:
    """Why an order is not sent: a stable code, and a sentence."""

    code: str
    sentence: str


class Exposure:
    """What is held, resting and reserved, summed over every grid once a step; `reserve` adds to it at once.

    Amounts in quote by symbol (inventory at the mid), by asset for `held` and `reserved`.
    """

    __slots__ = ("committed", "orders", "reserved")

    def __init__(self, draft: Draft) -> None:
        self.committed: dict[Symbol, Decimal] = {}
        self.orders: dict[Symbol, int] = {}
        self.reserved: dict[Asset, Decimal] = {}
        for id_ in draft.grid_ids():
            self._add(draft, draft.peek(id_))

    def _add(self, draft: Draft, grid: Grid | GridDraft) -> None:
        instrument = grid.instrument
        if instrument is None:
            return
        symbol = grid.rules.symbol
        mid = mid_price(draft, symbol)
        self.commit(symbol, grid.tally.inventory * mid if mid is not None else grid.tally.open_cost)
        for cell in grid.cells:
            order = cell.order
            if order is None or order.state in TERMINAL:
                continue
            self.orders[symbol] = self.orders.get(symbol, 0) + 1
            if order.side is Side.BUY:
                cost = order.leaves * order.price
                self.commit(symbol, cost)
                self.reserve(instrument.quote, cost * (1 + instrument.maker_fee))
            else:
                self.reserve(instrument.base, order.leaves)

    def commit(self, symbol: Symbol, amount: Decimal) -> None:
        """Count `amount` (quote) as exposure to `symbol`."""
        self.committed[symbol] = self.committed.get(symbol, ZERO) + amount

    def reserve(self, asset: Asset, amount: Decimal) -> None:
        """Count `amount` of `asset` as spoken for."""
        self.reserved[asset] = self.reserved.get(asset, ZERO) + amount


def exposure(draft: Draft) -> Exposure:
    """Return the exposure of this step, summed on first use and kept up to date by the reservations."""
    if not isinstance(draft.reserved, Exposure):
        draft.reserved = Exposure(draft)
    return draft.reserved


def mid_price(draft: Draft, symbol: Symbol) -> Decimal | None:
    """Return the mid of the last mark, or None where there is no sane one."""
    quote = draft.risk.quotes.get(symbol)
    if quote is None or not _sane(quote.bid, quote.ask):
        return None
    return (quote.bid + quote.ask) / 2


def _sane(bid: Decimal, ask: Decimal) -> bool:
    return bid.is_finite() and ask.is_finite() and ZERO < bid <= ask


def check(draft: Draft, g: GridDraft, want: Want) -> Denial | None:
    """Return why `want` may not be sent, or None after its reservation was made."""
    rules = draft.rules.risk
    if rules is None:
        return None
    try:
        denial = _first_denial(draft, g, want, rules)
    except ArithmeticError as error:
        return Denial("check_failed", f"A risk check could not be computed ({error!r}), so the order is not sent.")
    if denial is None:
        _reserve(draft, g, want)
    return denial


def _first_denial(draft: Draft, g: GridDraft, want: Want, rules: RiskRules) -> Denial | None:
    return (
        _size_denial(g, want, rules)
        or _rate_denial(draft, g, rules)
        or _market_denial(draft, g, want, rules)
        or _crossing_denial(draft, g, want)
        or _funds_denial(draft, g, want)
        or _exposure_denial(draft, g, want, rules)
    )


def _size_denial(g: GridDraft, want: Want, rules: RiskRules) -> Denial | None:
    amount = want.price * want.quantity
    least = rules.min_order_value
    if least is None and g.instrument is not None:
        least = g.instrument.min_notional
    if least is not None and amount < least:
        return Denial("min_order_value", f"The order is worth {amount:f}; the smallest allowed is {least:f}.")
    return None


def _rate_denial(draft: Draft, g: GridDraft, rules: RiskRules) -> Denial | None:
    recent = [time for time in draft.risk.creates if time > draft.now - RATE_WINDOW_MS]
    if len(recent) >= rules.max_creates_per_10s:
        return Denial("create_rate", f"{len(recent)} orders were sent in the last 10 s; this one waits its turn.")
    count = exposure(draft).orders.get(g.rules.symbol, 0)
    if count >= rules.max_open_orders:
        return Denial("max_open_orders", f"{count} orders are open on {g.rules.symbol}, which is the limit.")
    return None


def _market_denial(draft: Draft, g: GridDraft, want: Want, rules: RiskRules) -> Denial | None:
    """Prices: a buy needs a fresh and sane quote; either side stays inside the collar."""
    quote = draft.risk.quotes.get(g.rules.symbol)
    buying = want.side is Side.BUY
    if quote is None or not _sane(quote.bid, quote.ask):
        if not buying:
            return None
        return Denial("no_quote", f"There is no usable price of {g.rules.symbol}; no buys until one comes.")
    mid = (quote.bid + quote.ask) / 2
    if buying and quote.age_ms > rules.max_quote_age_ms.limit:
        return Denial("quote_age", f"The price of {g.rules.symbol} is {quote.age_ms} ms old; no buys on it.")
    if buying and (quote.ask - quote.bid) / mid > rules.max_spread.limit:
        return Denial("max_spread", f"Bid {quote.bid:f} and ask {quote.ask:f} are too far apart; no buys.")
    collar = rules.price_collar.limit
    if (buying and want.price > mid * (1 + collar)) or (not buying and want.price < mid * (1 - collar)):
        return Denial("price_collar", f"{want.price:f} is more than {collar:%} beyond the mid price {mid:f}.")
    return None


def _crossing_denial(draft: Draft, g: GridDraft, want: Want) -> Denial | None:
    """Never cross an order of our own, in whichever grid of this symbol it rests."""
    for id_ in draft.grid_ids():
        grid = draft.peek(id_)
        if grid.rules.symbol != g.rules.symbol:
            continue
        for cell in grid.cells:
            other = cell.order
            if other is None or other.side is want.side or other.state in TERMINAL:
                continue
            if (want.price >= other.price) if want.side is Side.BUY else (want.price <= other.price):
                return Denial(
                    "self_cross", f"It would trade with our own {other.side.value} at {other.price:f} ({id_})."
                )
    return None


def _funds_denial(draft: Draft, g: GridDraft, want: Want) -> Denial | None:
    """Leverage is 1 by construction: nothing beyond the free balance is sold or spent."""
    instrument = g.instrument
    if instrument is None:
        return Denial("no_instrument", f"The exchange's rules for {g.rules.symbol} are not known yet.")
    buying = want.side is Side.BUY
    asset = instrument.quote if buying else instrument.base
    need = want.quantity * want.price * (1 + instrument.maker_fee) if buying else want.quantity
    free = draft.accounts.get(asset, Account()).total - exposure(draft).reserved.get(asset, ZERO)
    if need > free:
        return Denial("funds", f"It needs {need:f} {asset} and {free:f} are free.")
    return None


def _exposure_denial(draft: Draft, g: GridDraft, want: Want, rules: RiskRules) -> Denial | None:
    if want.side is Side.SELL:
        return None
    equity = draft.risk.equity
    if equity is None or equity <= 0:
        return Denial("no_equity", "The account's equity is not known yet; no buys until it is.")
    amount = want.price * want.quantity
    if amount > rules.max_order_value.limit * equity:
        return Denial(
            "max_order_value", f"{amount:f} is more than {rules.max_order_value.limit:%} of the equity {equity:f}."
        )
    committed = exposure(draft).committed
    symbol = committed.get(g.rules.symbol, ZERO) + amount
    if symbol > rules.max_symbol_exposure.limit * equity:
        return Denial(
            "max_symbol_exposure",
            f"{g.rules.symbol} would stand for {symbol:f}, over {rules.max_symbol_exposure.limit:%} of {equity:f}.",
        )
    total = sum(committed.values(), amount)
    if total > rules.max_total_exposure.limit * equity:
        return Denial(
            "max_total_exposure",
            f"All markets would stand for {total:f}, over {rules.max_total_exposure.limit:%} of {equity:f}.",
        )
    return None


def _reserve(draft: Draft, g: GridDraft, want: Want) -> None:
    instrument = g.instrument
    if instrument is None:
        return
    book = exposure(draft)
    book.orders[g.rules.symbol] = book.orders.get(g.rules.symbol, 0) + 1
    if want.side is Side.BUY:
        amount = want.price * want.quantity
        book.commit(g.rules.symbol, amount)
        book.reserve(instrument.quote, amount * (1 + instrument.maker_fee))
    else:
        book.reserve(instrument.base, want.quantity)
    recent = tuple(time for time in draft.risk.creates if time > draft.now - RATE_WINDOW_MS)
    draft.risk = evolve(draft.risk, creates=(*recent, draft.now))


def grid_limit(draft: Draft, g: GridDraft) -> Limit:
    """Return the slots that may be bought: by the user, the breakers of the account, the ATR breaker, the policy."""
    wish = g.rules.wish
    if wish is Wish.PAUSE:
        return Limit(0, LimitCause.PAUSED)
    if wish is Wish.SELL_ONLY:
        return Limit(0, LimitCause.SELL_ONLY)
    if draft.risk.tripped:
        base = "" if g.instrument is None else g.instrument.base
        scopes = ("", base, g.rules.symbol)
        if any(trip.stops_buys and trip.scope in scopes for trip in draft.risk.tripped.values()):
            return Limit(0, LimitCause.RISK)
    if g.signal.breaker is not None:
        return Limit(0, LimitCause.ATR_BREAKER)
    last = policy_limit(g.rules, g.trend.direction, spike=g.signal.spike)
    if last is None or last >= g.rules.levels:
        return Limit()
    calm = policy_limit(g.rules, g.trend.direction, spike=False)
    spiky = g.signal.spike and last != calm
    by_trend = g.trend.direction is not TrendDirection.NEUTRAL and not spiky
    return Limit(last, LimitCause.TREND if by_trend or not spiky else LimitCause.SPIKE)
