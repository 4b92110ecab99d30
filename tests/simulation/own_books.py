"""What the durable journal's facts add up to, summed once more and apart: [I9], [I10], each intent's places and limits.

Nothing of the core's own sums is asked. Orders come from what was intended, coins and money from the trades, prices
from the marks, and limits from the configuration that the journal holds.
"""

from __future__ import annotations

import copy
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from gridbot.core.commands import FillBooked, OrderEnded, PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.events import AccountOpened, Event, Marked, Quote, Transferred
from gridbot.core.rules import Breaker, RiskRules
from gridbot.core.state import Level, State
from gridbot.core.units import Asset, GridId, Side, Symbol

ZERO = Decimal(0)
NEARLY = Decimal("1.000000000001")
"""What the last digit of a quotient may do to a limit."""
WINDOW_MS = 10_000
CLEARS = Decimal("0.9")
AROUND = Decimal("1.25")
"""Coins of a grid are held at what they cost on average; what each lot cost is up to a ladder's width beside it."""

Fail = Callable[[str, str, str | None], None]


@dataclass(slots=True)
class Standing:
    """An order that the journal intends and has not ended."""

    order: PlaceLimit
    filled: Decimal = ZERO

    @property
    def leaves(self) -> Decimal:
        """Quantity (base) that may still be filled."""
        return self.order.quantity - self.filled

    @property
    def worth(self) -> Decimal:
        """What the rest of it is worth (quote)."""
        return self.leaves * self.order.price


@dataclass(frozen=True, slots=True)
class Basis:
    """What the newest buy was allowed by: prices, coins, equity and limits of that moment."""

    mids: dict[Symbol, Decimal]
    coins: dict[Symbol, Decimal]
    equity: Decimal
    risk: RiskRules


class OwnBooks:
    """Follows the journal event by event; `fail` hears of what does not add up.

    Attributes:
        standing: every order that was intended and has not ended, by id
        basis: what the newest buy was judged by, None before the first
    """

    def __init__(self, fail: Fail) -> None:
        self._fail = fail
        self.standing: dict[str, Standing] = {}
        self.basis: Basis | None = None
        self._accounts: dict[Asset, Decimal] = {}
        self._opened = False
        self._coins: dict[GridId, Decimal] = {}
        self._cost: dict[GridId, Decimal] = {}
        self._unsold: dict[GridId, Decimal] = {}
        self._ended: dict[str, tuple[Decimal, Decimal]] = {}
        self._quotes: dict[Symbol, Quote] = {}
        self._marked_at = -1
        self._equity: Decimal | None = None
        self._crowded: set[Asset] = set()
        self._clock_off = False
        self._intents: deque[int] = deque()
        self._transfers: set[str] = set()
        self._oversold: set[GridId] = set()

    def branch(self) -> OwnBooks:
        """Return others that know the same."""
        twin = copy.copy(self)
        for name, kept in vars(self).items():
            # Whatever can change in place: one that was forgotten here counted everything twice.
            if isinstance(kept, dict | set | deque):
                setattr(twin, name, copy.copy(kept))
        twin.standing = {id_: Standing(one.order, one.filled) for id_, one in self.standing.items()}
        return twin

    # ------------------------------------------------------------------------------------- events

    def follow(self, event: Event, answer: Step) -> None:
        """Take in an event and what came of it: money and prices first, then what was intended."""
        state = answer.state
        if type(event) is Marked:
            self._marked(event, state)
        elif type(event) is Transferred:
            self._transferred(event, state)
        elif type(event) is AccountOpened and not self._opened:
            self._opened = True
            self._accounts = {asset: self._accounts.get(asset, ZERO) + amount for asset, amount in event.balances}
        for note in answer.notes:
            if type(note) is FillBooked:
                self._filled(note, state)
            elif type(note) is OrderEnded:
                one = self.standing.pop(note.order, None)
                if one is not None:
                    self._ended[note.order] = one.filled, one.order.quantity
        for command in answer.commands:
            if type(command) is PlaceLimit:
                self._intended(command, state)

    def _transferred(self, event: Transferred, state: State) -> None:
        if event.id in self._transfers:
            return
        self._transfers.add(event.id)
        self._accounts[event.asset] = self._accounts.get(event.asset, ZERO) + event.amount
        self._same(event.asset, state)
        price = self._price(event.asset, state)
        if self._equity is not None and price is not None:
            self._equity += event.amount * price

    def _filled(self, note: FillBooked, state: State) -> None:
        """[I9] never more than was ordered, or trading stops; [I10] to the last digit the sums are the books'."""
        symbol = state.grids[note.grid].rules.symbol
        instrument = state.instruments[symbol]
        way = 1 if note.side is Side.BUY else -1
        worth = note.price * note.quantity
        moved: dict[Asset, Decimal] = {instrument.base: way * note.quantity, instrument.quote: -way * worth}
        moved[note.fee_asset] = moved.get(note.fee_asset, ZERO) - note.fee
        for asset, amount in moved.items():
            self._accounts[asset] = self._accounts.get(asset, ZERO) + amount
            self._same(asset, state)
        coins, cost = self._coins.get(note.grid, ZERO), self._cost.get(note.grid, ZERO)
        if way < 0 and coins:
            cost -= cost * min(note.quantity / coins, Decimal(1))
        self._cost[note.grid] = cost + max(ZERO, -moved[instrument.quote])
        self._coins[note.grid] = coins + moved[instrument.base]
        # What a sell costs in coins comes out of the account, not out of what other cells have on sale (seed 80008).
        brought = moved[instrument.base] if way > 0 else -note.quantity
        self._unsold[note.grid] = self._unsold.get(note.grid, ZERO) + brought
        one = self.standing.get(note.order)
        filled, quantity = (
            self._ended.get(note.order, (ZERO, ZERO)) if one is None else (one.filled, one.order.quantity)
        )
        filled += note.quantity
        if one is not None:
            one.filled = filled
        else:
            self._ended[note.order] = filled, quantity
        if way < 0 and state.risk.level is Level.BLACK:
            # Coins of other cells went as well; trading was stopped for it, and a person knows when it goes on.
            self._oversold.add(note.grid)
        if filled > quantity and (state.kill is None or state.risk.level is not Level.BLACK):
            sentence = f"{filled:f} of {quantity:f} are booked and trading goes on ({state.risk.level.value})"
            self._fail("I9", sentence, note.order)

    def _same(self, asset: Asset, state: State) -> None:
        account = state.accounts.get(asset)
        books = ZERO if account is None else account.total
        if books != self._accounts[asset]:
            sentence = f"the journal's movements of {asset} sum to {self._accounts[asset]:f}, its books hold {books:f}"
            self._fail("I10", sentence, None)
            self._accounts[asset] = books

    # ------------------------------------------------------------------------------------- prices

    def _marked(self, event: Marked, state: State) -> None:
        if event.time <= self._marked_at:
            return
        self._marked_at = event.time
        for quote in event.quotes:
            self._quotes[quote.symbol] = quote
        risk = state.rules.risk
        if risk is None:
            return
        self._equity = self._worth(state) or self._equity
        if event.clock_skew_ms is not None:
            self._clock_off = abs(event.clock_skew_ms) > risk.max_clock_skew_ms.limit
        if self._equity is not None:
            self._look_at_concentration(state, risk.max_asset_concentration, self._equity)

    def _look_at_concentration(self, state: State, limit: Breaker, equity: Decimal) -> None:
        for symbol, coins in self._by_symbol(state).items():
            mid = self.mid(symbol)
            base = state.instruments[symbol].base
            if mid is None:
                continue
            share = coins * mid / equity
            if share > limit.limit * NEARLY:
                self._crowded.add(base)
            elif share < limit.limit * CLEARS:
                self._crowded.discard(base)

    def mid(self, symbol: Symbol) -> Decimal | None:
        """Return the middle of the newest mark's quote; None where nobody may trade on it."""
        quote = self._quotes.get(symbol)
        return (quote.bid + quote.ask) / 2 if quote is not None and is_sane(quote) else None

    def _price(self, asset: Asset, state: State) -> Decimal | None:
        """Return what one unit is worth in the asset that fractions are of."""
        own = _equity_asset(state)
        if asset == own:
            return Decimal(1)
        for symbol, instrument in state.instruments.items():
            mid = self.mid(symbol)
            if mid is not None and (instrument.base, instrument.quote) == (asset, own):
                return mid
        return None

    def _worth(self, state: State) -> Decimal | None:
        """Return the account's worth; None while nobody can tell."""
        if not self._opened or _equity_asset(state) is None:
            return None
        traded = {asset for each in state.instruments.values() for asset in (each.base, each.quote)}
        total = ZERO
        for asset, amount in self._accounts.items():
            if amount and asset in traded:
                price = self._price(asset, state)
                if price is None:
                    return None
                total += amount * price
        return total

    def _by_symbol(self, state: State) -> dict[Symbol, Decimal]:
        sums: dict[Symbol, Decimal] = {}
        for id_, grid in state.grids.items():
            if id_ in self._coins:
                sums[grid.rules.symbol] = sums.get(grid.rules.symbol, ZERO) + self._coins[id_]
        return sums

    # ------------------------------------------------------------------------------------ intents

    def _intended(self, order: PlaceLimit, state: State) -> None:
        """[I3], [I11], [I13] to [I17] at the moment at which an order becomes a fact of the journal."""
        risk = state.rules.risk
        if risk is not None:
            try:
                for invariant, sentence in self._objections(order, state, risk):
                    self._fail(invariant, sentence, order.ref.id)
            except ArithmeticError as error:
                self._fail("I16", f"it was intended, and its limits cannot be computed ({error!r})", order.ref.id)
        self.standing[order.ref.id] = Standing(order)

    def _objections(self, order: PlaceLimit, state: State, risk: RiskRules) -> Iterator[tuple[str, str]]:
        """Yield each invariant that this order breaks, with a sentence."""
        now = state.now
        while self._intents and self._intents[0] <= now - WINDOW_MS:
            self._intents.popleft()
        if len(self._intents) >= risk.max_creates_per_10s:
            yield "I14", f"{len(self._intents)} orders were intended in the 10 s before it"
        self._intents.append(now)
        mine = [one for one in self.standing.values() if one.order.symbol == order.symbol]
        if len(mine) >= risk.max_open_orders:
            yield "I14", f"{len(mine)} orders are open on {order.symbol}, the limit is {risk.max_open_orders}"
        for one in mine:
            if (one.order.ref.grid, one.order.ref.cell, one.order.side) == (order.ref.grid, order.ref.cell, order.side):
                yield "I3", f"{one.order.ref.id} stands in the same cell and side"
            if crosses(order, one.order):
                yield "I17", f"it would trade with our own {one.order.ref.id} at {one.order.price:f}"
        if order.side is Side.SELL:
            yield from self._beyond(order)
        yield from self._dear(order, state)
        mid = self.mid(order.symbol)
        collar = risk.price_collar.limit * NEARLY
        if order.side is Side.BUY:
            yield from self._blind(order, risk)
            if mid is not None:
                if order.price > mid * (1 + collar):
                    yield "I15", f"{order.price:f} lies beyond the collar around {mid:f}"
                yield from self._exposed(order, state, risk)
        elif mid is not None and order.price < mid * (1 - collar):
            yield "I15", f"{order.price:f} lies beyond the collar around {mid:f}"

    def _beyond(self, order: PlaceLimit) -> Iterator[tuple[str, str]]:
        """A grid sells what its buys brought it after fees, and nothing of it twice."""
        grid = order.ref.grid
        selling = Decimal(order.quantity)
        for one in self.standing.values():
            if one.order.ref.grid == grid and one.order.side is Side.SELL:
                selling += one.leaves
        received = self._unsold.get(grid, ZERO)
        if selling > received and grid not in self._oversold:
            yield "I11", f"{selling:f} would be on sale and the grid has received {received:f}"

    def _dear(self, order: PlaceLimit, state: State) -> Iterator[tuple[str, str]]:
        """What it needs is there, and nobody else has it reserved."""
        instrument = state.instruments[order.symbol]
        buying = order.side is Side.BUY
        asset = instrument.quote if buying else instrument.base
        spoken = order.quantity * (order.price * (1 + instrument.maker_fee) if buying else 1)
        for one in self.standing.values():
            other = state.instruments[one.order.symbol]
            if one.order.side is order.side and asset == (other.quote if buying else other.base):
                spoken += one.worth * (1 + other.maker_fee) if buying else one.leaves
        held = self._accounts.get(asset, ZERO)
        if spoken > held:
            yield ("I13" if buying else "I11"), f"{spoken:f} {asset} would be spoken for and {held:f} are there"
        grid = state.grids[order.ref.grid]
        if buying:
            rules = grid.rules
            tied = self._cost.get(rules.id, ZERO) + order.quantity * order.price
            tied += sum(
                (o.worth for o in self.standing.values() if o.order.ref.grid == rules.id and o.order.side is Side.BUY),
                ZERO,
            )
            allowed = rules.capital(grid.tally.realised) + grid.tally.contributed
            if tied > allowed * AROUND and rules.id not in self._oversold:
                yield "I13", f"the grid would tie up about {tied:f} of its {allowed:f}"
        if order.price * order.quantity < instrument.min_notional:
            yield "I13", f"it is worth {order.price * order.quantity:f}, the least is {instrument.min_notional:f}"

    def _blind(self, order: PlaceLimit, risk: RiskRules) -> Iterator[tuple[str, str]]:
        """A buy needs a price that is fresh and sane, and a clock that is right."""
        quote = self._quotes.get(order.symbol)
        if quote is None:
            yield "I15", "it was intended before any price was known"
        elif not is_sane(quote):
            yield "I15", f"it was intended on a bid of {quote.bid} and an ask of {quote.ask}"
        elif quote.age_ms > risk.max_quote_age_ms.limit:
            yield "I15", f"it was intended on a price that was {quote.age_ms} ms old"
        elif quote.ask - quote.bid > (quote.ask + quote.bid) / 2 * risk.max_spread.limit * NEARLY:
            yield "I15", f"it was intended between a bid of {quote.bid:f} and an ask of {quote.ask:f}"
        if self._clock_off:
            yield "I15", "it was intended while the clock was off"

    def _exposed(self, order: PlaceLimit, state: State, risk: RiskRules) -> Iterator[tuple[str, str]]:
        equity = self._equity
        if equity is None or equity <= 0:
            yield "I16", "it was intended while nobody knew the account's equity"
            return
        if state.instruments[order.symbol].quote != _equity_asset(state) and (
            self._price(state.instruments[order.symbol].quote, state) is None
        ):
            yield "I16", "it was intended while nobody knew what its currency is worth"
            return
        mids = {symbol: mid for symbol in state.instruments if (mid := self.mid(symbol)) is not None}
        self.basis = Basis(mids, self._by_symbol(state), equity, risk)
        amount = order.price * order.quantity
        if amount > risk.max_order_value.limit * equity * NEARLY:
            yield "I13", f"it is worth {amount:f}, more than {risk.max_order_value.limit} of the equity {equity:f}"
        buys = (one for one in self.standing.values() if one.order.side is Side.BUY)
        yield from over(self.basis, [(order.symbol, amount), *((one.order.symbol, one.worth) for one in buys)], order)
        if state.instruments[order.symbol].base in self._crowded:
            yield "I13", f"{state.instruments[order.symbol].base} was over its share of the account at the newest mark"


def over(basis: Basis, buys: list[tuple[Symbol, Decimal]], order: PlaceLimit) -> Iterator[tuple[str, str]]:
    """Yield [I13] where coins and these buys (their worth in quote) are more than a limit allows."""
    sums = {symbol: coins * basis.mids.get(symbol, ZERO) for symbol, coins in basis.coins.items()}
    for symbol, worth in buys:
        sums[symbol] = sums.get(symbol, ZERO) + worth
    one, most = sums[order.symbol], basis.risk.max_symbol_exposure.limit * basis.equity * NEARLY
    if one > most:
        yield "I13", f"{order.symbol} stands for {one:f} with it, the most is {most:f}"
    total, most = sum(sums.values(), ZERO), basis.risk.max_total_exposure.limit * basis.equity * NEARLY
    if total > most:
        yield "I13", f"all markets stand for {total:f} with it, the most is {most:f}"


def is_sane(quote: Quote) -> bool:
    """Tell whether a price can be traded on: two numbers above zero that are not crossed."""
    return quote.bid.is_finite() and quote.ask.is_finite() and ZERO < quote.bid <= quote.ask


def crosses(order: PlaceLimit, other: PlaceLimit) -> bool:
    """Tell whether two orders of one market would trade with each other."""
    if order.side is other.side:
        return False
    buy, sell = (order, other) if order.side is Side.BUY else (other, order)
    return buy.price >= sell.price


def _equity_asset(state: State) -> Asset | None:
    """Return the asset that fractions are of: the configured one, else the quote of the first grid."""
    risk = state.rules.risk
    if risk is not None and risk.equity_asset is not None:
        return risk.equity_asset
    return next((grid.instrument.quote for grid in state.grids.values() if grid.instrument is not None), None)
