"""What a grid would do, for a form that is still being filled in: asked of state, venue and feed, rehearsed, told.

Nothing here changes anything. A market that no grid trades yet is asked for, and what was learnt is kept for a minute.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from gridbot.config import parse_config
from gridbot.core.candles import Bar
from gridbot.core.events import Quote
from gridbot.core.launch import preview
from gridbot.core.lifecycle import signal_market
from gridbot.core.rehearsal import Ground
from gridbot.core.rules import GridRules, Instrument, Rules
from gridbot.core.state import State
from gridbot.core.units import Price, Symbol
from gridbot.core.values import evolve
from gridbot.errors import ConfigError, VenueUnavailable
from gridbot.shell.doors import World
from gridbot.shell.facade import Answered, Previewed, PreviewGrid
from gridbot.shell.market_board import is_sane
from gridbot.shell.outlet import Outlet
from gridbot.shell.preparation import HISTORY_BARS

FRESH_S = 60.0
"""How long rules and bars of a market that no grid trades count as fresh."""
_Key = tuple[Symbol, Symbol, int, int]
_Bars = tuple[tuple[int, tuple[Bar, ...]], ...]


class Previews:
    """Answers `PreviewGrid`. `state` returns the engine's newest state; only the newest question is of interest."""

    def __init__(self, world: World, state: Callable[[], State], outlet: Outlet) -> None:
        self._world = world
        self._state = state
        self._outlet = outlet
        self._kept: dict[_Key, tuple[float, Instrument, _Bars]] = {}
        self._unknown: dict[Symbol, tuple[float, str]] = {}

    async def answer(self, number: int, request: PreviewGrid) -> None:
        """Tell what the grid would do, or a sentence that says why that is not known and what helps."""
        told = await self._look(number, request)
        self._outlet.tell((told, Answered(number, told.report is not None, "")))

    async def _look(self, number: int, request: PreviewGrid) -> Previewed:
        try:
            config = parse_config(request.text, source="The configuration")
        except ConfigError as error:
            return Previewed(number, None, (), error.message)
        rules = evolve(config.to_rules(exchange_orders=self._world.words.most_orders), mode=self._state().rules.mode)
        wanted = next((grid for grid in rules.grids if grid.id == request.grid), None)
        if wanted is None:
            return Previewed(number, None, (), f"There is no grid {request.grid} in these settings.")
        now = self._world.clock.monotonic()
        refused = self._unknown.get(wanted.symbol)
        if refused is not None and now - refused[0] <= FRESH_S:
            return Previewed(number, None, (), refused[1])
        try:
            ground = await self._ground(number, wanted)
        except ConfigError as error:
            sentence = f"{error.message} {error.hint or 'Choose a market that the exchange lists.'}"
            self._unknown[wanted.symbol] = (now, sentence)
            return Previewed(number, None, (), sentence)
        except VenueUnavailable as error:
            where = self._world.exchange
            return Previewed(number, None, (), f"{where} did not answer: {error.message} {error.hint}".strip())
        return self._rehearsed(number, rules, wanted, ground)

    def _rehearsed(self, number: int, rules: Rules, wanted: GridRules, ground: Ground) -> Previewed:
        state = self._state()
        try:
            report, changes = preview(state, rules, wanted.id, ground)
        except ArithmeticError as error:
            sentence = f"These settings cannot be computed ({type(error).__name__}). Use less extreme ones."
            return Previewed(number, None, (), sentence)
        return Previewed(number, report, changes, "")

    # ------------------------------------------------------------------------------ what is known of a market

    async def _ground(self, number: int, wanted: GridRules) -> Ground:
        state = self._state()
        symbol = wanted.symbol
        grid = state.grids.get(wanted.id)
        known = state.instruments.get(symbol)
        ready = grid is not None and grid.ready and grid.rules.symbol == symbol and _same_bars(grid.rules, wanted)
        if known is not None and ready:
            return Ground(known, await self._quote(symbol))
        instrument, bars = await self._asked(number, wanted, known)
        return Ground(instrument, await self._quote(symbol), bars)

    async def _asked(self, number: int, wanted: GridRules, known: Instrument | None) -> tuple[Instrument, _Bars]:
        """Return the rules and closed bars of a market; asked for where they are not known, or not fresh."""
        symbol, market, now = wanted.symbol, signal_market(wanted), self._world.clock.monotonic()
        key = (symbol, market, wanted.signal.timeframe, wanted.trend.timeframe)
        kept = self._kept.get(key)
        if kept is not None and now - kept[0] <= FRESH_S:
            return known or kept[1], kept[2]
        self._wait(number, f"Asking {self._world.exchange} about {symbol}…")
        instrument = known or await self._world.venue.instrument(symbol)
        self._wait(number, f"Loading the history of {market}…")
        bars: list[tuple[int, tuple[Bar, ...]]] = []
        for timeframe in sorted({wanted.signal.timeframe, wanted.trend.timeframe}):
            candles = await self._world.feed.history(market, timeframe, HISTORY_BARS)
            bars.append((timeframe, tuple(Bar(c.open_time, c.high, c.low, c.close) for c in candles)))
        self._kept[key] = (now, instrument, tuple(bars))
        return instrument, tuple(bars)

    def _wait(self, number: int, sentence: str) -> None:
        self._outlet.tell((Previewed(number, None, (), sentence),))

    async def _quote(self, symbol: Symbol) -> Quote:
        """Return the newest quote; of a market that nobody follows yet the last closed candle's price, as old as 0."""
        quote = self._world.feed.latest(symbol)
        if quote is not None and is_sane(quote):
            return quote
        candles = await self._world.feed.history(symbol, self._world.base_ms, 1)
        if not candles:
            raise VenueUnavailable(f"There is no price of {symbol} yet.", hint="Try again in a moment.")
        price = Price(Decimal(repr(candles[-1].close)))
        return Quote(symbol, price, price, 0)


def _same_bars(old: GridRules, new: GridRules) -> bool:
    """Tell whether an edit leaves the indicators as they are, so that the state knows all of them."""
    averages = [(each.trend.timeframe, each.trend.ema_fast, each.trend.ema_slow) for each in (old, new)]
    return old.signal == new.signal and averages[0] == averages[1]
