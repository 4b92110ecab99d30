"""How the hand-written account answers a preview: with the true report, from an engine that is set up as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from gridbot.config import parse_config
from gridbot.config.app import AppConfig
from gridbot.core.candles import Bar
from gridbot.core.commands import PlaceLimit
from gridbot.core.engine import general_step
from gridbot.core.events import (
    AccountOpened,
    EpochStarted,
    Event,
    HistoryLoaded,
    InstrumentChanged,
    Marked,
    MarketReady,
    OrderReported,
    Quote,
    RulesChanged,
)
from gridbot.core.launch import preview
from gridbot.core.orders import Fact
from gridbot.core.rehearsal import Ground
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Asset, Price, TimeMs, VenueOrderId
from gridbot.errors import ConfigError
from gridbot.shell.facade import Previewed, PreviewGrid
from tests.gui.fake_market import FakeMarket

BARS = 120
SOL, DAY = "SOL/USDT", 86_400_000
"""A market that no grid trades yet."""


def previewed(
    number: int, request: PreviewGrid, *, saved: AppConfig, markets: Sequence[FakeMarket], money: Decimal
) -> Previewed:
    """Return the answer to a preview; a market that the account does not know has no report."""
    try:
        config = parse_config(request.text, source="The settings")
    except ConfigError as error:
        return Previewed(number, None, (), error.message)
    rules = config.to_rules()
    wanted = next(grid for grid in rules.grids if grid.id == request.grid)
    if wanted.symbol == SOL:
        markets = (
            *markets,
            FakeMarket(SOL, price=150.0, tick="0.01", seed=9, start=markets[0].time - DAY, minutes=1440),
        )
    market = next((each for each in markets if each.instrument.symbol == wanted.symbol), None)
    if market is None:
        sentence = f"There is no market {wanted.symbol} here. Choose a market that the exchange lists."
        return Previewed(number, None, (), sentence)
    state = _standing(saved.to_rules(), markets, money)
    frames = {wanted.signal.timeframe, wanted.trend.timeframe}
    bars = tuple((frame, _bars(market, frame)) for frame in sorted(frames))
    report, changes = preview(state, rules, wanted.id, Ground(market.instrument, _quote(market), bars))
    return Previewed(number, report, changes, "")


def _standing(rules: Rules, markets: Sequence[FakeMarket], money: Decimal) -> State:
    """Return the state of an engine that has just begun to trade these rules."""
    now = TimeMs(markets[0].time)
    events: list[Event] = [EpochStarted(now, "gbfake0epoch0"), AccountOpened(now, ((Asset("USDT"), money),))]
    events += [InstrumentChanged(now, market.instrument) for market in markets]
    events.append(RulesChanged(now, rules))
    for market in markets:
        frames = {f for g in rules.grids for f in (g.signal.timeframe, g.trend.timeframe)}
        bars = tuple((frame, _bars(market, frame)) for frame in sorted(frames))
        events.append(HistoryLoaded(now, market.instrument.symbol, bars))
    events.append(Marked(TimeMs(now + 1), tuple(_quote(market) for market in markets), 0, 0, 0))
    events += [MarketReady(now, market.instrument.symbol, market.price) for market in markets]
    state = new_state(Rules(rules.mode, (), None))
    for event in events:
        answer = general_step(state, event)
        state = answer.state
        for command in answer.commands:
            assert isinstance(command, PlaceLimit)
            accepted = OrderReported(now, command.ref, Fact.ACCEPTED, venue_id=VenueOrderId(f"v{command.ref.id}"))
            state = general_step(state, accepted).state
    return state


def _quote(market: FakeMarket) -> Quote:
    tick = market.instrument.tick_size
    return Quote(market.instrument.symbol, Price(market.price - tick), Price(market.price + tick), 0)


def _bars(market: FakeMarket, frame: int) -> tuple[Bar, ...]:
    """Return bars that go nowhere, a hundredth of the price high."""
    last, price = market.time // frame * frame, float(market.price)
    return tuple(Bar(TimeMs(last - n * frame), price * 1.005, price * 0.995, price) for n in range(BARS, 0, -1))
