"""A rig for the core: an engine, the orders it has out, and what it said; each call is one line of a transcript."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TypeVar

from gridbot.core.candles import Bar
from gridbot.core.codec import canonical, state_to_plain
from gridbot.core.commands import CancelOrder, Note, PlaceLimit
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    EpochStarted,
    Event,
    GridRemoved,
    GridWished,
    HistoryLoaded,
    InstrumentChanged,
    KillKind,
    KillReleased,
    KillRequested,
    Marked,
    MarketReady,
    OrderFilled,
    OrderRef,
    OrderReported,
    PriceCrossed,
    Quote,
    Removal,
    RulesChanged,
    Transferred,
)
from gridbot.core.orders import Fact, Order
from gridbot.core.rules import (
    Action,
    Breaker,
    GridRules,
    Instrument,
    RiskRules,
    Rules,
    SignalRules,
    SpacingMode,
    SpacingRules,
    TrendRules,
    Wish,
)
from gridbot.core.state import Grid, State, new_state
from gridbot.core.units import (
    Asset,
    FeeCurrency,
    GridId,
    Mode,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    TradeId,
    VenueOrderId,
)
from gridbot.core.values import evolve

N = TypeVar("N")

BTC = Symbol("BTC/USD")
GRID = GridId("btc")
USD = Asset("USD")
H4 = 14_400_000
START = TimeMs(1_700_006_400_000)
"""2023-11-15 00:00 UTC: a day, and so a 4h bar, begins."""


def d(text: str | int) -> Decimal:
    """Return a Decimal from how it is written."""
    return Decimal(text)


def instrument(symbol: str = BTC, **changes: object) -> Instrument:
    """Return a market with a tick of 0.01, a lot of 0.001, a least order of 5 and a fee of 0.1 %."""
    base, _, quote = symbol.partition("/")
    tick, lot, fee = d("0.01"), d("0.001"), d("0.001")
    known = Instrument(Symbol(symbol), Asset(base), Asset(quote), tick, lot, lot, d(5), fee, fee)
    return evolve(known, **changes)


def base_fees(symbol: str = BTC, **changes: object) -> Instrument:
    """Return the same market where the fee of a buy is taken in base."""
    return instrument(symbol, fee_currency=FeeCurrency.BASE, **changes)


def grid(**changes: object) -> GridRules:
    """Return a grid of four cells of 100 each, ten apart: from an anchor of 100 it buys at 90, 80, 70, 60."""
    spacing = SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=d(10))
    rules = GridRules(GRID, BTC, d(400), levels=4, spacing=spacing)
    return evolve(rules, **changes)


def open_grid(**changes: object) -> GridRules:
    """Return the same grid where no trend, spike or jump ever limits the slots."""
    return grid(**{"signal": SignalRules(atr_jump=1e9), "trend": TrendRules(threshold=1e9), **changes})


def rules(*grids: GridRules, risk: RiskRules | None = None, **changes: object) -> Rules:
    """Return an account's rules; without `risk` no limit holds."""
    return evolve(Rules(Mode.DEMO, grids or (grid(),), risk), **changes)


def loose(**changes: object) -> RiskRules:
    """Return limits so wide that nothing trips, but for `changes`."""
    wide = {
        name: evolve(getattr(RiskRules(), name), limit=d(1_000_000), warn=None)
        for name in ("max_symbol_exposure", "max_total_exposure", "max_asset_concentration", "max_order_value")
    }
    wide |= {
        name: evolve(getattr(RiskRules(), name), limit=d(1), warn=None)
        for name in ("max_drawdown", "max_daily_loss", "max_var")
    }
    wide["price_collar"] = Breaker(d("0.5"), None, Action.DENY)
    return evolve(RiskRules(), **(wide | changes))


def quiet_bars(*, price: float = 100.0, spread: float = 1.0, count: int = 90, start: int = START) -> tuple[Bar, ...]:
    """Return 4h bars that end at `start` and go nowhere: trend neutral, ATR `2 * spread`."""
    first = start - count * H4
    return tuple(Bar(TimeMs(first + n * H4), price + spread, price - spread, price) for n in range(count))


class Rig:
    """An engine driven by hand.

    Attributes:
        state: after the newest event.
        orders: every order sent, by id.
        commands, notes: of the newest event.
        said: all notes so far.
    """

    def __init__(
        self, wanted: Rules | None = None, *, market: Instrument | None = None, balance: int = 100_000
    ) -> None:
        self.now = int(START)
        self.state: State = new_state(Rules(Mode.DEMO, (), None))
        self.orders: dict[str, PlaceLimit] = {}
        self.commands: tuple[PlaceLimit | CancelOrder, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self.said: list[Note] = []
        self.events: list[Event] = []
        self._trades = 0
        wanted = rules() if wanted is None else wanted
        self.tell(EpochStarted(self._time, "gbtest0epoch0"))
        self.tell(AccountOpened(self._time, ((USD, d(balance)),)))
        for symbol in dict.fromkeys(one.symbol for one in wanted.grids):
            known = market if market is not None and market.symbol == symbol else instrument(symbol)
            self.tell(InstrumentChanged(self._time, known))
        self.tell(RulesChanged(self._time, wanted))

    @property
    def _time(self) -> TimeMs:
        return TimeMs(self.now)

    # ------------------------------------------------------------------------------ what happens

    def tell(self, event: Event) -> Rig:
        """Step the engine by one event."""
        after = step(self.state, event)
        self.state, self.commands, self.notes = after.state, after.commands, after.notes
        self.events.append(event)
        self.said += after.notes
        for command in after.commands:
            if isinstance(command, PlaceLimit):
                assert command.ref.id not in self.orders, "a client id was sent twice"
                self.orders[command.ref.id] = command
        return self

    def wait(self, ms: int) -> Rig:
        """Let time go by without an event."""
        self.now += ms
        return self

    def warm(self, symbol: Symbol = BTC, *, price: float = 100.0, spread: float = 1.0) -> Rig:
        """Load a quiet history."""
        bars = quiet_bars(price=price, spread=spread)
        return self.tell(HistoryLoaded(self._time, symbol, ((H4, bars),)))

    def ready(self, mid: str = "100", symbol: Symbol = BTC) -> Rig:
        """Say that the first valid quote is in."""
        return self.tell(MarketReady(self._time, symbol, Price(d(mid))))

    def laid(self, mid: str = "100") -> Rig:
        """Warm up, mark and lay."""
        self.warm()
        if self.state.rules.risk is not None:
            self.mark(mid)
        return self.ready(mid)

    def close(
        self,
        price: str,
        *,
        bar: tuple[float, float] | None = None,
        timeframe: int = H4,
        symbol: Symbol = BTC,
        trend: bool = True,
    ) -> Rig:
        """Close a base candle a minute later; with `bar` (high, low) a 4h bar closes with it, 4 hours later."""
        if bar is None:
            self.now += 60_000
            return self.tell(CandleClosed(self._time, symbol, Price(d(price)), ()))
        opened = TimeMs(self.now // timeframe * timeframe)
        self.now = opened + timeframe
        closed = Bar(opened, bar[0], bar[1], float(price))
        return self.tell(CandleClosed(self._time, symbol, Price(d(price)), ((timeframe, closed),)))

    def bars(self, *closes: str, spread: float = 1.0) -> Rig:
        """Close a 4h bar at each price, `spread` above and under it."""
        for price in closes:
            self.close(price, bar=(float(price) + spread, float(price) - spread))
        return self

    def cross(self, level: str, price: str) -> Rig:
        """Let the price cross a watched level."""
        return self.tell(PriceCrossed(self._time, BTC, Price(d(level)), Price(d(price))))

    def mark(
        self,
        mid: str | None = "100",
        *,
        half: str = "0.01",
        age_ms: int = 0,
        skew_ms: int | None = 0,
        requests: int = 0,
        failures: int = 0,
        symbol: Symbol = BTC,
        after_ms: int = 1_000,
    ) -> Rig:
        """Mark a second later: a quote `half` on each side of `mid` (none if None), and the health of the link."""
        self.now += after_ms
        quotes: tuple[Quote, ...] = ()
        if mid is not None:
            quotes = (Quote(symbol, Price(d(mid) - d(half)), Price(d(mid) + d(half)), age_ms),)
        return self.tell(Marked(self._time, quotes, skew_ms, requests, failures))

    def report(self, order: PlaceLimit | OrderRef, fact: Fact, **more: object) -> Rig:
        """Report a fact about an order."""
        ref = order if isinstance(order, OrderRef) else order.ref
        return self.tell(evolve(OrderReported(self._time, ref, fact), **more))

    def accept(self, *orders: PlaceLimit) -> Rig:
        """Let the venue take orders; without any named, all that were sent and not heard of."""
        for order in orders or tuple(self._unheard()):
            self.report(order, Fact.ACCEPTED, venue_id=VenueOrderId(f"v{order.ref.id[-5:]}"))
        return self

    def fill(
        self,
        order: PlaceLimit,
        quantity: str | None = None,
        *,
        price: str | None = None,
        fee: str | None = None,
        fee_asset: Asset | None = None,
        trade: str | None = None,
    ) -> Rig:
        """Trade an order, whole unless `quantity` says otherwise, at its own price and the market's fee."""
        self._trades += 1
        known = self.state.instruments[order.symbol]
        size = order.quantity if quantity is None else Quantity(d(quantity))
        at = order.price if price is None else Price(d(price))
        in_base = order.side is Side.BUY and known.fee_currency is FeeCurrency.BASE
        rate = known.taker_fee if order.taker else known.maker_fee
        paid = d(fee) if fee is not None else size * rate * (1 if in_base else at)
        asset = fee_asset or (known.base if in_base else known.quote)
        id_ = TradeId(trade or f"t{self._trades}")
        return self.tell(OrderFilled(self._time, order.ref, order.symbol, id_, at, size, paid, asset))

    def cancelled(self, *orders: PlaceLimit | CancelOrder) -> Rig:
        """Confirm cancels; without any named, all that are asked for."""
        chosen = [order.ref for order in orders] or [OrderRef(g, c, o.id) for g, c, o in self._live() if _ending(o)]
        for ref in chosen:
            self.report(ref, Fact.CANCELED)
        return self

    def wish(self, wish: Wish, grid_id: GridId = GRID) -> Rig:
        """Pause, resume or wind down."""
        return self.tell(GridWished(self._time, grid_id, wish))

    def remove(self, how: Removal, grid_id: GridId = GRID) -> Rig:
        """Take a grid away."""
        return self.tell(GridRemoved(self._time, grid_id, how))

    def edit(self, *grids: GridRules, **changes: object) -> Rig:
        """Change the account's rules to these grids."""
        return self.tell(RulesChanged(self._time, evolve(self.state.rules, grids=grids, **changes)))

    def deposit(self, amount: str, id_: str, asset: Asset = USD) -> Rig:
        """Deposit, or withdraw a negative amount."""
        return self.tell(Transferred(self._time, id_, asset, d(amount)))

    def kill(self, kind: KillKind = KillKind.MANUAL, *, liquidate: bool = False) -> Rig:
        """Press STOP."""
        return self.tell(KillRequested(self._time, kind, "the test says so", liquidate))

    def release(self) -> Rig:
        """Re-arm."""
        return self.tell(KillReleased(self._time, "the test"))

    # ------------------------------------------------------------------------------ what there is

    @property
    def grid(self) -> Grid:
        """The grid of most tests."""
        return self.state.grids[GRID]

    def _live(self) -> Iterator[tuple[GridId, int, Order]]:
        for id_, one in self.state.grids.items():
            for cell in one.cells:
                if cell.order is not None:
                    yield id_, cell.number, cell.order

    def _unheard(self) -> Iterator[PlaceLimit]:
        for _, _, order in tuple(self._live()):
            if order.venue_id is None and order.state.value in ("intent", "sent"):
                yield self.orders[order.id]

    def resting(self, side: Side | None = None, grid_id: GridId | None = None) -> list[str]:
        """Return the prices at which orders stand, highest first; those being cancelled do not count."""
        found = [
            order.price
            for id_, _, order in self._live()
            if not _ending(order) and side in (None, order.side) and grid_id in (None, id_)
        ]
        return [f"{price:f}".rstrip("0").rstrip(".") for price in sorted(found, reverse=True)]

    def buys(self) -> list[str]:
        """Return the prices of standing buys, highest first."""
        return self.resting(Side.BUY)

    def sells(self) -> list[str]:
        """Return the prices of standing sells, highest first."""
        return self.resting(Side.SELL)

    def order(self, price: str, side: Side | None = None, symbol: Symbol = BTC) -> PlaceLimit:
        """Return the newest order of a market at a price, as it was sent; it must still be live or unresolved."""
        live = {order.id for _, _, order in self._live()}
        found = [
            order
            for order in self.orders.values()
            if order.ref.id in live
            and order.symbol == symbol
            and order.price == d(price)
            and side in (None, order.side)
        ]
        assert found, f"no live order at {price}: {self.resting()}"
        return found[-1]

    def placed(self) -> list[PlaceLimit]:
        """Return the orders that the newest event sent."""
        return [command for command in self.commands if isinstance(command, PlaceLimit)]

    def cancels(self) -> list[CancelOrder]:
        """Return the cancels that the newest event asked for."""
        return [command for command in self.commands if isinstance(command, CancelOrder)]

    def heard(self, kind: type[N]) -> list[N]:
        """Return the notes of one kind that the newest event left."""
        return [note for note in self.notes if isinstance(note, kind)]

    def all_heard(self, kind: type[N]) -> list[N]:
        """Return the notes of one kind since the beginning."""
        return [note for note in self.said if isinstance(note, kind)]

    def balance(self, asset: str = USD) -> Decimal:
        """Return the account's total of an asset."""
        return self.state.accounts[Asset(asset)].total

    def bytes(self) -> bytes:
        """Return the state as it would be written to disk."""
        return canonical(state_to_plain(self.state))


def _ending(order: Order) -> bool:
    return order.state.value.startswith("cancel")
