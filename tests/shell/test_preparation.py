"""What is loaded before a laying fits together, also where a bar closes while it is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from gridbot.core.candles import Candle
from gridbot.core.events import Event, HistoryLoaded, Quote
from gridbot.core.units import Symbol, TimeMs
from gridbot.ports import CandleArrived, FeedItem
from gridbot.shell.charts import Charts
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.preparation import Preparation
from gridbot.shell.problems import Problems
from tests.fakes.trading import BEGIN, MINUTE, SYMBOL, House, choppy
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
