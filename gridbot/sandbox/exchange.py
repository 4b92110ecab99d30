"""One exchange with one user: an act is stored before anybody hears of it, and heard of in the order it happened."""

from __future__ import annotations

import sqlite3
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Protocol

from gridbot.core.units import ZERO, Side
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem, OrderRejected
from gridbot.sandbox.effects import Effect
from gridbot.sandbox.matching import Room
from gridbot.sandbox.minutes import History
from gridbot.sandbox.records import Fees, MarketRules, NewOrder, Order, TapeTrade, Transfer
from gridbot.sandbox.store import TRADE_NUMBERS, Store

TAPE_LENGTH = 2_000


class Clock(Protocol):
    """The time, handed in: milliseconds UTC, seconds that only grow, and a way to wait."""

    def now_ms(self) -> int: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


@value
class Key:
    """What the user signs with."""

    name: str
    secret: str


Listener = Callable[[Effect], None]


class Exchange:
    """The room, its store, and what is published.

    `skew_ms` is how wrong its clock is; `positions` is where the source of each market stands, as text.
    """

    def __init__(self, store: Store, clock: Clock, *, markets: Iterable[MarketRules], fees: Fees) -> None:
        self.store = store
        self.clock = clock
        self.skew_ms = 0
        self.room = Room(markets, fees)
        self.histories: dict[str, History] = {}
        self.tapes: dict[str, deque[TapeTrade]] = {name: deque(maxlen=TAPE_LENGTH) for name in self.room.markets}
        self.listeners: list[Listener] = []
        self.revoked = False
        self.failure: EnvironmentProblem | None = None
        self.on_failure: Callable[[], None] = lambda: None
        self.positions: dict[str, str] = {}
        store.load(self.room)
        self._reserved = {name: market.next_trade for name, market in self.room.markets.items()}
        for name, market in self.room.markets.items():
            position, quote = store.figure(f"position {name}"), store.figure(f"quote {name}")
            if position is not None:
                self.positions[name] = position
            if quote is not None:
                market.last, bid, ask = (Decimal(each) for each in quote.split())
                market.standing.quote(bid, ask, market.rules)

    def now(self) -> int:
        """Return the exchange's time, ms UTC."""
        return self.clock.now_ms() + self.skew_ms

    def key(self) -> Key:
        """Return the user's key, made at the first call."""
        name, secret = self.store.figure("key"), self.store.figure("secret")
        if name is None or secret is None:
            name, secret = self.store.random_hex(32), self.store.random_hex(32)
            with self.store.whole():
                self.store.write_figure("key", name)
                self.store.write_figure("secret", secret)
        return Key(name, secret)

    # ----------------------------------------------------------------------------------------- acts

    def place(self, new: NewOrder) -> Effect:
        """Take an order; OrderRejected."""
        return self._keep(self.room.place(new, self.now()))

    def cancel(self, order: Order, *, cancel_id: str = "") -> Effect:
        """Take an order back; OrderRejected."""
        return self._keep(self.room.cancel(order, self.now(), cancel_id=cancel_id))

    def deposit(self, asset: str, amount: Decimal, *, told: bool = True) -> Effect:
        """Bring in an asset or take it out; OrderRejected. One that is not told of is in no history."""
        effect = self.room.deposit(asset, amount)
        if told:
            effect.transfers.append(Transfer(self.store.random_hex(16), asset, amount, self.now()))
        return self._keep(effect)

    def open_account(self, opening: Mapping[str, Decimal]) -> None:
        """Give a new account its money; one that was opened before keeps what it has."""
        if self.store.figure("opened") is None:
            effects = [self.room.deposit(asset, amount) for asset, amount in opening.items()]
            with self.store.whole():
                for effect in effects:
                    self.store.write_effect(effect, self.room)
                self.store.write_figure("opened", str(self.now()))

    def trade(
        self, symbol: str, price: Decimal, quantity: Decimal, taker: Side, *, width: int = 1, position: str = ""
    ) -> Effect:
        """Let others trade; `position` is where the market's source is after it."""
        if price <= ZERO or quantity < ZERO:
            raise OrderRejected(f"{price} x {quantity} is no trade.", code="BAD_TRADE")
        effect = self.room.trade(symbol, price, quantity, taker, now=self.now(), width=width)
        if position:
            self.positions[symbol] = position
        if not effect.tape:
            self.histories[symbol].add(price, ZERO, self.now())
        if effect.reports:
            return self._keep(effect)
        self._publish(effect)
        return effect

    # -------------------------------------------------------------------------------------- storing

    def flush(self) -> None:
        """Write what nobody was told but what a restart goes on from: queues, minutes, places in the sources."""
        self._write(self._write_market, lambda: self.store.write_orders(self.room.open.values()))

    def count(self, names: Iterable[str]) -> None:
        """Count a request, durably, before it is answered."""
        self._write(lambda: self.store.count(names))

    def _keep(self, effect: Effect) -> Effect:
        self._write(self._write_market, lambda: self.store.write_effect(effect, self.room))
        self._publish(effect)
        return effect

    def _write(self, *writes: Callable[[], None]) -> None:
        """Write several things, whole; EnvironmentProblem, now and ever after, if it cannot be."""
        if self.failure is not None:
            raise self.failure
        try:
            with self.store.whole():
                for write in writes:
                    write()
        except sqlite3.Error as error:
            # What is in memory is not what is on disk any more: nothing may be told of it.
            self.failure = EnvironmentProblem(
                f"The sandbox cannot write its books: {error}.", hint="Make room, and start it again."
            )
            self.on_failure()
            raise self.failure from error

    def _write_market(self) -> None:
        for symbol, market in self.room.markets.items():
            if market.next_trade >= self._reserved[symbol]:
                self._reserved[symbol] = market.next_trade + TRADE_NUMBERS
                self.store.write_figure(f"next_trade {symbol}", str(self._reserved[symbol]))
            if symbol in self.histories:
                self.store.write_minutes(symbol, self.histories[symbol].unsaved())
            if symbol in self.positions:
                self.store.write_figure(f"position {symbol}", self.positions[symbol])
            standing = market.standing
            self.store.write_figure(f"quote {symbol}", f"{market.last} {standing.bid} {standing.ask}")

    def _publish(self, effect: Effect) -> None:
        for each in effect.tape:
            self.tapes[each.symbol].append(each)
            self.histories[each.symbol].add(each.price, each.quantity, each.time)
        for listener in self.listeners:
            listener(effect)
