"""A seeded walk of the engine: orders are taken, refused, filled, reported late, while prices wander."""

from __future__ import annotations

import random
from decimal import Decimal

from gridbot.core.candles import Bar
from gridbot.core.commands import Note, PlaceLimit
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    EpochStarted,
    Event,
    HistoryLoaded,
    InstrumentChanged,
    KillReleased,
    KillRequested,
    Marked,
    MarketReady,
    OrderFilled,
    OrderRef,
    OrderReported,
    Quote,
    RulesChanged,
    Transferred,
)
from gridbot.core.events import KillKind as Kind
from gridbot.core.facts import JournalFact, facts_of
from gridbot.core.orders import Fact
from gridbot.core.rules import GridRules, Instrument, RiskRules, Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Asset, GridId, Mode, Price, Quantity, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.errors import IllegalTransition

SIGNAL_MS = 14_400_000


class Walk:
    """Events with what they led to: `state` after all of them, `events`, and the `facts` and `notes` of each."""

    def __init__(self, *, seed: int, grids: int = 2, levels: int = 5) -> None:
        self._random = random.Random(seed)
        self._now = 1_700_000_000_000 // SIGNAL_MS * SIGNAL_MS
        self._trade = 0
        self._open: list[PlaceLimit] = []
        self._cancels: list[OrderRef] = []
        self._symbols = [Symbol(f"C{number}/USD") for number in range(grids)]
        # Not in the order of the alphabet, so that a codec which sorts would show.
        ids = [GridId(f"g{grids - number}") for number in range(grids)]
        money = Decimal("10000")
        rules = tuple(GridRules(i, s, money, levels=levels) for i, s in zip(ids, self._symbols, strict=True))
        self.rules = Rules(Mode.DEMO, rules, RiskRules())
        self.state: State = new_state(Rules(Mode.DEMO, (), None))
        self.events: list[Event] = []
        self.facts: list[tuple[JournalFact, ...]] = []
        self.notes: list[tuple[Note, ...]] = []
        self._begin()

    def tell(self, event: Event) -> None:
        """Step the engine by one event; one that cannot be true of its order is refused and leaves no trace."""
        try:
            after = step(self.state, event)
        except IllegalTransition:
            return
        self.facts.append(facts_of(self.state, after))
        self.state = after.state
        self.events.append(event)
        self.notes.append(after.notes)
        for command in after.commands:
            if isinstance(command, PlaceLimit):
                self._open.append(command)
            else:
                self._cancels.append(command.ref)

    def walk(self, steps: int) -> None:
        """Go on for `steps` events."""
        for _ in range(steps):
            self._once()

    def _begin(self) -> None:
        now = TimeMs(self._now)
        self.tell(EpochStarted(now, "gbtest0abcdef"))
        self.tell(AccountOpened(now, ((Asset("USD"), Decimal("500000.00")),)))
        for symbol in self._symbols:
            self.tell(InstrumentChanged(now, _instrument(symbol)))
        self.tell(RulesChanged(now, self.rules))
        for symbol in self._symbols:
            first = self._now - 90 * SIGNAL_MS
            bars = tuple(Bar(TimeMs(first + n * SIGNAL_MS), 101.0 + n % 3, 99.0, 100.0) for n in range(90))
            self.tell(HistoryLoaded(now, symbol, ((SIGNAL_MS, bars),)))
            self.tell(MarketReady(now, symbol, Price(Decimal(100))))

    def _once(self) -> None:
        pick = self._random.random()
        self._now += self._random.choice((1, 1_000, 60_000))
        if self._open and pick < 0.6:
            self._answer(self._open.pop(self._random.randrange(len(self._open))))
        elif self._cancels and pick < 0.7:
            self.tell(OrderReported(TimeMs(self._now), self._cancels.pop(), Fact.CANCELED))
        elif pick < 0.8:
            self._mark()
        elif pick < 0.95:
            self._candle()
        elif pick < 0.97:
            self.tell(Transferred(TimeMs(self._now), f"t{self._now}", Asset("USD"), Decimal("1E+2")))
        elif pick < 0.985:
            self.tell(KillRequested(TimeMs(self._now), Kind.MANUAL, 'a "quoted" reason, with \u00e6 and\na line'))
        else:
            self.tell(KillReleased(TimeMs(self._now), "the test"))

    def _answer(self, order: PlaceLimit) -> None:
        now, pick = TimeMs(self._now), self._random.random()
        if pick < 0.2:
            self.tell(OrderReported(now, order.ref, Fact.REJECTED, code="no", message="refused"))
        elif pick < 0.5:
            self.tell(OrderReported(now, order.ref, Fact.ACCEPTED, VenueOrderId(f"v{self._trade}")))
            self._open.append(order)
        else:
            self._fill(order, part=pick < 0.7)

    def _fill(self, order: PlaceLimit, *, part: bool) -> None:
        self._trade += 1
        half = _instrument(order.symbol).quantity_floor(order.quantity / 2)
        quantity = half if part and half > 0 else order.quantity
        fee = order.price * quantity * Decimal("0.001")
        trade, asset = TradeId(f"x{self._trade}"), Asset("USD")
        self.tell(
            OrderFilled(TimeMs(self._now), order.ref, order.symbol, trade, order.price, Quantity(quantity), fee, asset)
        )

    def _mark(self) -> None:
        price = Price(Decimal(self._random.randrange(9_000, 11_000)) / 100)
        quotes = tuple(Quote(symbol, price, Price(price + Decimal("0.01")), 5) for symbol in self._symbols)
        self.tell(Marked(TimeMs(self._now), quotes, self._random.choice((None, 3)), 10, 0))

    def _candle(self) -> None:
        close = Decimal(self._random.randrange(9_000, 11_000)) / 100
        opened = TimeMs(self._now // SIGNAL_MS * SIGNAL_MS)
        bar = Bar(opened, float(close) + 1.1, float(close) - 0.7, float(close))
        symbol = self._random.choice(self._symbols)
        self.tell(CandleClosed(TimeMs(self._now), symbol, Price(close), ((SIGNAL_MS, bar),)))


def _instrument(symbol: Symbol) -> Instrument:
    tick, lot, fee = Decimal("0.01"), Decimal("0.00001"), Decimal("0.001")
    base = Asset(symbol.partition("/")[0])
    return Instrument(symbol, base, Asset("USD"), tick, lot, lot, Decimal(5), fee, fee)
