"""A life for the journal: what a demo writes (marks, closes, answers, fills), made without waiting for a market.

Prices wander from a seed, once a second; an order that the price reaches is filled, each new one is acknowledged. The
mix is that of a demo at its usual speed: 97 of 100 lines are marks.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

from gridbot.config import default_config
from gridbot.core.candles import Bar
from gridbot.core.commands import PlaceLimit
from gridbot.core.draft import Step
from gridbot.core.engine import step
from gridbot.core.events import (
    AccountOpened,
    CandleClosed,
    EpochStarted,
    Event,
    HistoryLoaded,
    InstrumentChanged,
    Marked,
    MarketReady,
    OrderFilled,
    OrderReported,
    Quote,
    RulesChanged,
)
from gridbot.core.facts import JournalFact, facts_of
from gridbot.core.orders import Fact
from gridbot.core.rules import GridRules, Instrument, Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Asset, GridId, Mode, Price, Side, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import evolve

SIGNAL_MS, MINUTE_MS, MARK_MS = 14_400_000, 60_000, 1_000
_TICK, _FEE = Decimal("0.01"), Decimal("0.001")

Lived = tuple[Event, tuple[JournalFact, ...], Step]


class Life:
    """An account that lives: `state` is after every event that was yielded so far."""

    def __init__(self, *, seed: int, grids: int, wander: float = 0.0015, levels: int | None = None) -> None:
        self._random = random.Random(seed)
        self._wander = wander
        self._now = 1_700_000_000_000 // SIGNAL_MS * SIGNAL_MS
        plain = default_config().to_rules()
        self._symbols = [Symbol(f"COIN{number}/USDT") for number in range(grids)]
        self._prices = dict.fromkeys(self._symbols, 100.0)
        money = evolve(plain.grids[0], investment=min(Decimal(10_000), Decimal(40_000) / grids))
        rules = tuple(evolve(money, id=GridId(f"grid{n}"), symbol=symbol) for n, symbol in enumerate(self._symbols))
        risk = plain.risk
        if levels is not None and risk is not None:
            # All of a laying leaves at once: none waits for the rate of creates or meets the limit of exposure.
            spacing = evolve(money.spacing, multiplier=Decimal("0.3"))
            fine = evolve(money, levels=levels, investment=Decimal(5_000), spacing=spacing)
            rules = tuple(evolve(fine, id=each.id, symbol=each.symbol) for each in rules)
            risk = evolve(risk, max_creates_per_10s=10 * levels)
        self._rules = Rules(Mode.DEMO, rules, risk)
        self._resting: dict[str, PlaceLimit] = {}
        self._waiting: list[Event] = []
        self._trades = 0
        self.state: State = new_state(Rules(Mode.DEMO, (), None))

    def begin(self) -> Iterator[Lived]:
        """Yield what a first start tells."""
        now = TimeMs(self._now)
        yield from self._tell(EpochStarted(now, "gbbench000001"))
        yield from self._tell(AccountOpened(now, ((Asset("USDT"), Decimal(50_000)),)))
        yield from self._tell(RulesChanged(now, self._rules))
        for grid in self._rules.grids:
            yield from self._tell(InstrumentChanged(now, _instrument(grid)))
            bars = tuple(_bar(self._now - (200 - n) * SIGNAL_MS, 100.0 + n % 3) for n in range(200))
            yield from self._tell(HistoryLoaded(now, grid.symbol, ((SIGNAL_MS, bars),)))
        yield from self._tell(self._mark())
        for symbol in self._symbols:
            yield from self._tell(MarketReady(now, symbol, _price(self._prices[symbol])))

    def go_on(self) -> Iterator[Lived]:
        """Yield one second after another, for ever."""
        while True:
            self._now += MARK_MS
            for symbol, price in self._prices.items():
                # Drawn back to where it began, so that the grid neither sells out nor fills up for good.
                pull = (100.0 - price) / price * 0.0005
                self._prices[symbol] = price * (1 + pull + self._random.gauss(0.0, self._wander))
            yield from self._trade()
            if self._now % MINUTE_MS == 0:
                for symbol in self._symbols:
                    yield from self._tell(self._close(symbol))
            yield from self._tell(self._mark())

    def _trade(self) -> Iterator[Lived]:
        for order in tuple(self._resting.values()):
            now = self._prices[order.symbol]
            reached = now < float(order.price) if order.side is Side.BUY else now > float(order.price)
            if not reached:
                continue
            del self._resting[order.ref.id]
            self._trades += 1
            fee = order.price * order.quantity * _FEE
            yield from self._tell(
                OrderFilled(
                    TimeMs(self._now),
                    order.ref,
                    order.symbol,
                    TradeId(f"t{self._trades}"),
                    order.price,
                    order.quantity,
                    fee,
                    Asset("USDT"),
                )
            )

    def _tell(self, event: Event) -> Iterator[Lived]:
        """Step by an event, then by the answers to what it asked for, as the venue of a demo gives them."""
        waiting = [event]
        while waiting:
            told = waiting.pop(0)
            answer = step(self.state, told)
            facts = facts_of(self.state, answer)
            self.state = answer.state
            for command in answer.commands:
                ref, now = command.ref, TimeMs(self._now)
                if isinstance(command, PlaceLimit):
                    self._resting[ref.id] = command
                    waiting.append(OrderReported(now, ref, Fact.SENT))
                    waiting.append(OrderReported(now, ref, Fact.ACCEPTED, VenueOrderId(f"v-{ref.id}")))
                elif self._resting.pop(ref.id, None) is not None:
                    waiting.append(OrderReported(now, ref, Fact.CANCEL_SENT))
                    waiting.append(OrderReported(now, ref, Fact.CANCELED))
            yield told, facts, answer

    def _mark(self) -> Marked:
        quotes = tuple(
            Quote(symbol, _price(price), Price(_price(price) + _TICK), self._random.randrange(900))
            for symbol, price in self._prices.items()
        )
        return Marked(TimeMs(self._now), quotes, None, self._random.randrange(30), 0)

    def _close(self, symbol: Symbol) -> CandleClosed:
        price, time = self._prices[symbol], self._now
        bars = ((SIGNAL_MS, _bar(time - SIGNAL_MS, price)),) if time % SIGNAL_MS == 0 else ()
        return CandleClosed(TimeMs(time), symbol, _price(price), bars)


def _bar(opened: int, price: float) -> Bar:
    return Bar(TimeMs(opened), price + 1.1, price - 0.9, price)


def _price(price: float) -> Price:
    return Price(Decimal(price).quantize(_TICK))


def _instrument(rules: GridRules) -> Instrument:
    base, quote = rules.symbol.split("/")
    lot = Decimal("0.00001")
    return Instrument(rules.symbol, Asset(base), Asset(quote), _TICK, lot, lot, Decimal(5), _FEE, _FEE)
