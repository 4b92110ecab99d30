"""The risk gate: every order is checked and its reservation made in one step; a check that fails denies.

The limits and breakers are those of docs/risk.md; a denial has a stable code and a sentence for a person.
"""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.cells import Want, tied_up
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.ledger import Account
from gridbot.core.orders import TERMINAL
from gridbot.core.regime import TrendDirection, policy_limit
from gridbot.core.rules import RiskRules, Wish
from gridbot.core.state import Grid, Limit, LimitCause, Tripped
from gridbot.core.units import ONE, ZERO, Asset, Side, Symbol
from gridbot.core.values import evolve, value

RATE_WINDOW_MS = 10_000
_PAUSE, _SELL_ONLY, _NO_LIMIT = Wish.PAUSE, Wish.SELL_ONLY, Limit()


@value
class Denial:
    """Why an order is not sent: a stable code, and a sentence."""

    code: str
    sentence: str


class Exposure:
    """What is held, resting and reserved, summed over every grid once a step; `reserve` adds to it at once.

    `committed` is in the equity asset by symbol (inventory at the mid), `reserved` in its own units by asset;
    `unpriced` are the quote currencies whose worth in the equity asset is not known.
    """

    __slots__ = ("_equity_asset", "committed", "orders", "reserved", "unpriced")

    def __init__(self, draft: Draft) -> None:
        self.committed: dict[Symbol, Decimal] = {}
        self.orders: dict[Symbol, int] = {}
        self.reserved: dict[Asset, Decimal] = {}
        self.unpriced: set[Asset] = set()
        self._equity_asset = None if draft.rules.risk is None else equity_asset(draft, draft.rules.risk)
        for id_ in draft.grid_ids():
            self._add(draft, draft.peek(id_))

    def _add(self, draft: Draft, grid: Grid | GridDraft) -> None:
        instrument = grid.instrument
        if instrument is None:
            return
        symbol = grid.rules.symbol
        mid, rate = mid_price(draft, symbol), self.rate(draft, instrument.quote)
        self.commit(symbol, (grid.tally.inventory * mid if mid is not None else grid.tally.open_cost) * rate)
        for cell in grid.cells:
            order = cell.order
            if order is None or order.state in TERMINAL:
                continue
            self.orders[symbol] = self.orders.get(symbol, 0) + 1
            if order.side is Side.BUY:
                cost = order.leaves * order.price
                self.commit(symbol, cost * rate)
                self.reserve(instrument.quote, cost * (1 + instrument.maker_fee))
            else:
                self.reserve(instrument.base, order.leaves)

    def rate(self, draft: Draft, quote: Asset) -> Decimal:
        """Return what one unit of `quote` is worth in the equity asset; where nobody knows, 1, and it is remembered."""
        rate = None if self._equity_asset is None else price_in(draft, quote, self._equity_asset)
        if rate is None:
            self.unpriced.add(quote)
            return ONE
        return rate

    def commit(self, symbol: Symbol, amount: Decimal) -> None:
        """Count `amount` (in the equity asset) as exposure to `symbol`."""
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


def equity_asset(draft: Draft, rules: RiskRules) -> Asset | None:
    """Return the asset that fractions are of: the configured one, else the quote asset of the first grid."""
    if rules.equity_asset is not None:
        return rules.equity_asset
    for id_ in draft.grid_ids():
        instrument = draft.peek(id_).instrument
        if instrument is not None:
            return instrument.quote
    return None


def price_in(draft: Draft, asset: Asset, quote: Asset) -> Decimal | None:
    """Return what one unit of `asset` is worth in `quote` at the last mark, by a market of the two; None if unknown."""
    if asset == quote:
        return ONE
    for symbol, instrument in draft.instruments.items():
        if {instrument.base, instrument.quote} != {asset, quote}:
            continue
        mid = mid_price(draft, symbol)
        if mid is not None:
            return mid if instrument.base == asset else 1 / mid
    return None


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
        or _breaker_denial(draft, g, want)
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


def concerns(trip: Tripped, g: Grid | GridDraft) -> bool:
    """Tell whether a breaker that is open is about this grid: about all, its market or its coin."""
    return trip.scope in ("", g.rules.symbol) or (g.instrument is not None and trip.scope == g.instrument.base)


def _breaker_denial(draft: Draft, g: GridDraft, want: Want) -> Denial | None:
    """A breaker whose action is `deny` leaves what rests alone and lets no new buy go."""
    if want.side is Side.BUY:
        for code, trip in draft.risk.tripped.items():
            if not trip.stops_buys and concerns(trip, g):
                return Denial(code.partition(":")[0], trip.sentence)
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
    # Arming keeps to this by itself; only an edit of a running grid can bring it near.
    return investment_denial(g, want) if buying else None


def investment_denial(g: GridDraft, want: Want) -> Denial | None:
    """Return why a buy would tie up more than the grid may: its investment, its own coins, and what it reinvests."""
    instrument = g.instrument
    if instrument is None:
        return None
    allowed = g.rules.capital(g.tally.realised) + g.tally.contributed
    need = want.quantity * want.price * (1 + instrument.maker_fee)
    tied = tied_up(tuple(g.cells), fee=instrument.maker_fee) + need
    if tied > allowed:
        return Denial("investment", f"The grid would tie up {tied:f} {instrument.quote} of its {allowed:f}.")
    return None


def _exposure_denial(draft: Draft, g: GridDraft, want: Want, rules: RiskRules) -> Denial | None:
    if want.side is Side.SELL:
        return None
    equity = draft.risk.equity
    if equity is None or equity <= 0:
        return Denial("no_equity", "The account's equity is not known yet; no buys until it is.")
    book = exposure(draft)
    quote = g.rules.symbol if g.instrument is None else g.instrument.quote
    amount = want.price * want.quantity * book.rate(draft, Asset(quote))
    if book.unpriced:
        names = ", ".join(sorted(book.unpriced))
        return Denial(
            "no_rate", f"What {names} is worth in the currency of the equity is not known; no buys until it is."
        )
    if amount > rules.max_order_value.limit * equity:
        return Denial(
            "max_order_value", f"{amount:f} is more than {rules.max_order_value.limit:%} of the equity {equity:f}."
        )
    committed = book.committed
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
        book.commit(g.rules.symbol, amount * book.rate(draft, instrument.quote))
        book.reserve(instrument.quote, amount * (1 + instrument.maker_fee))
    else:
        book.reserve(instrument.base, want.quantity)
    recent = tuple(time for time in draft.risk.creates if time > draft.now - RATE_WINDOW_MS)
    draft.risk = evolve(draft.risk, creates=(*recent, draft.now))


def grid_limit(draft: Draft, g: Grid | GridDraft) -> Limit:
    """Return the slots that may be bought: by the user, the breakers of the account, the ATR breaker, the policy."""
    wish = g.rules.wish
    if wish is _PAUSE:
        return Limit(0, LimitCause.PAUSED)
    if wish is _SELL_ONLY:
        return Limit(0, LimitCause.SELL_ONLY)
    if draft.risk.tripped and any(trip.stops_buys and concerns(trip, g) for trip in draft.risk.tripped.values()):
        return Limit(0, LimitCause.RISK)
    if g.signal.breaker is not None:
        return Limit(0, LimitCause.ATR_BREAKER)
    last = policy_limit(g.rules, g.trend.direction, spike=g.signal.spike)
    if last is None or last >= g.rules.levels:
        return _NO_LIMIT
    calm = policy_limit(g.rules, g.trend.direction, spike=False)
    spiky = g.signal.spike and last != calm
    by_trend = g.trend.direction is not TrendDirection.NEUTRAL and not spiky
    return Limit(last, LimitCause.TREND if by_trend or not spiky else LimitCause.SPIKE)
