"""What is loaded before a laying fits together, also where a bar closes while it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gridbot.config import default_config
from gridbot.core.candles import Candle
from gridbot.core.engine import step
from gridbot.core.events import Event, HistoryLoaded, InstrumentChanged, Quote, RulesChanged
from gridbot.core.rules import Instrument, Rules
from gridbot.core.state import new_state
from gridbot.core.units import GridId, Mode, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import VenueUnavailable
from gridbot.ports import CandleArrived, FeedItem
from gridbot.shell.charts import Charts
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.preparation import MARKETS_AT_ONCE, Preparation
from gridbot.shell.problems import Problems
from gridbot.sim.faults import Faults, FaultyVenue
from tests.fakes.trading import BEGIN, MINUTE, SYMBOL, House, choppy, instrument
from tests.fakes.virtual_time import VirtualClock, run_virtual

FIVE = 5 * MINUTE


class SlowFeed:
    """Candles that are as true as the clock; each answer takes `takes_ms` of it."""

    def __init__(self, clock: VirtualClock, *, takes_ms: int) -> None:
        self._clock = clock
        self._takes_ms = takes_ms

    async def history(self, market: Symbol, timeframe: int, count: int) -> Sequence[Candle]:
        now = self._clock.now_ms()
        last = now // timeframe * timeframe - timeframe
        self._clock.ahead_ms += self._takes_ms
        opens = [last - number * timeframe for number in reversed(range(count))]
        return [candle(TimeMs(time)) for time in opens if time >= BEGIN - 50 * FIVE]

    async def older(self, market: Symbol, timeframe: int, count: int, *, before: TimeMs) -> Sequence[Candle]:
        return ()

    async def items(self) -> AsyncIterator[FeedItem]:
        return
        yield

    def latest(self, symbol: Symbol) -> Quote | None:
        return None


def candle(time: TimeMs) -> Candle:
    return Candle(time, 10.0, 11.0, 9.0, 10.5, 1.0)


def loaded(*, seconds_before: int, takes_ms: int) -> tuple[HistoryLoaded, list[int]]:
    """Load so many seconds before a bar closes; return what was told, when the next bars opened."""
    clock = VirtualClock(TimeMs(BEGIN + FIVE - seconds_before * 1_000))
    feed = SlowFeed(clock, takes_ms=takes_ms)
    board = MarketBoard(base_ms=MINUTE, exchange="test", latest=feed.latest)
    told: list[Event] = []

    async def put(event: Event) -> None:
        told.append(event)

    async def main() -> int:
        preparation = Preparation(
            venue=House(choppy(1, minutes=10, quiet=1)).venue,
            feed=feed,
            clock=clock,
            board=board,
            charts=Charts(MINUTE),
            problems=Problems(lambda key, sentence: None),
            put=put,
            base_ms=MINUTE,
        )
        await preparation._load(SYMBOL, (FIVE,))
        return clock.now_ms()

    now = run_virtual(main())
    opened: list[int] = []
    first = now // MINUTE * MINUTE
    for number in range(12):
        for event in board.take(CandleArrived(SYMBOL, candle(TimeMs(first + number * MINUTE)))):
            opened += [bar.open_time for _, bar in getattr(event, "bars", ())]
    (history,) = [event for event in told if isinstance(event, HistoryLoaded)]
    return history, opened


def test_no_bar_is_left_out_or_told_twice_where_one_closes_between_two_answers() -> None:
    for seconds_before in range(0, 12):
        for takes_ms in (1, 900, 2_500, 5_000):
            history, opened = loaded(seconds_before=seconds_before, takes_ms=takes_ms)
            newest = history.bars[0][1][-1].open_time
            assert opened[:2] == [newest + FIVE, newest + 2 * FIVE], (seconds_before, takes_ms)


class ManyMarkets(FaultyVenue):
    """Tells the rules of any market, each after a second; one of them is silent the first few times."""

    def __init__(self, clock: VirtualClock, *, silent: Symbol) -> None:
        house = House(choppy(1, minutes=10, quiet=1))
        super().__init__(house.venue, Faults(1, delay=0, lose=0, repeat=0), delay=house.clock.pass_ms)
        self._clock = clock
        self._silent = silent
        self.asked: list[Symbol] = []
        self.at_once = self.most_at_once = 0

    async def instrument(self, symbol: Symbol) -> Instrument:
        self.asked.append(symbol)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self._clock.sleep(1.0)
        self.at_once -= 1
        if symbol == self._silent and self.asked.count(symbol) < 5:
            raise VenueUnavailable("It says nothing.")
        return evolve(instrument(), symbol=symbol)


def test_markets_are_asked_about_a_few_at_a_time_and_a_silent_one_holds_up_no_other() -> None:
    (grid,) = default_config().to_rules().grids
    symbols = [Symbol(f"C{number:02d}/USDT") for number in range(12)]
    grids = tuple(evolve(grid, id=GridId(symbol[:3]), symbol=symbol) for symbol in symbols)
    state = step(
        new_state(Rules(Mode.DEMO, (), None)), RulesChanged(TimeMs(BEGIN), Rules(Mode.DEMO, grids, None))
    ).state
    clock = VirtualClock(TimeMs(BEGIN))
    venue, told = ManyMarkets(clock, silent=symbols[3]), list[Symbol]()

    async def put(event: Event) -> None:
        assert isinstance(event, InstrumentChanged)
        told.append(event.instrument.symbol)

    feed = SlowFeed(clock, takes_ms=1)
    board = MarketBoard(base_ms=MINUTE, exchange="test", latest=feed.latest)
    preparation = Preparation(
        venue=venue,
        feed=feed,
        clock=clock,
        board=board,
        charts=Charts(MINUTE),
        problems=Problems(lambda key, sentence: None),
        put=put,
        base_ms=MINUTE,
    )
    run_virtual(preparation.instruments(state))
    assert sorted(told) == symbols
    assert told[0] == symbols[0] and told[-1] == symbols[3], "all others were told while one was silent"
    assert venue.most_at_once == MARKETS_AT_ONCE
    assert venue.asked[:2] == symbols[:2], "the first goes alone: its answer brings the list of markets"
    assert venue.asked.count(symbols[3]) == 5
