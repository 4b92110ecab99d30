"""Of all prices the engine hears only crossings, closed candles and marks."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from gridbot.core.candles import Candle
from gridbot.core.events import CandleClosed, PriceCrossed, Quote
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.watch import Watch
from gridbot.ports import CandleArrived, QuoteArrived, TradePrint
from gridbot.shell.charts import MOST_CANDLES, Track
from gridbot.shell.inbox import Inbox
from gridbot.shell.market_board import MarketBoard
from tests.fakes.virtual_time import run_virtual

BTC = Symbol("BTC/USDT")
MINUTE = 60_000


def quote(bid: str, ask: str) -> Quote:
    return Quote(BTC, Price(Decimal(bid)), Price(Decimal(ask)), 0)


def arrived(bid: str, ask: str, time: int = 1) -> QuoteArrived:
    return QuoteArrived(quote(bid, ask), TimeMs(time))


def traded(price: str, time: int = 1) -> TradePrint:
    return TradePrint(BTC, TimeMs(time), Price(Decimal(price)), Quantity(Decimal(1)), Side.BUY)


def candle(minute: int, close: float = 100.0) -> Candle:
    return Candle(TimeMs(minute * MINUTE), close, close + 1, close - 1, close, 1.0)


def board(latest: Quote | None = None) -> MarketBoard:
    return MarketBoard(base_ms=MINUTE, exchange="test", latest=lambda _: latest)


def levels(*, above: str | None = None, touch: str | None = None) -> dict[Symbol, Watch]:
    one, other = (() if text is None else (Price(Decimal(text)),) for text in (above, touch))
    return {BTC: Watch(one, other)}


def test_a_waiting_slot_is_told_once_when_the_bid_is_above_it() -> None:
    made = board()
    made.watch(levels(above="100"))
    assert made.take(arrived("99.9", "100.1")) == ()
    assert made.take(arrived("100", "100.2")) == ()
    assert made.take(arrived("100.1", "100.2", 7)) == (
        PriceCrossed(TimeMs(7), BTC, Price(Decimal(100)), Price(Decimal("100.1"))),
    )
    assert made.take(arrived("100.3", "100.4")) == ()
    made.watch(levels(above="100"))
    assert len(made.take(arrived("100.3", "100.4"))) == 1


def test_what_is_no_figure_is_no_price() -> None:
    """Found by the simulator (seeds 20004, 20008): a mark with it could not be written down, and the trader ended."""
    made = board(latest=quote("NaN", "100"))
    made.watch(levels(above="99", touch="100"))
    assert made.take(arrived("100.1", "100.2")) and made.mid(BTC) is not None
    assert made.take(arrived("NaN", "100")) == made.take(arrived("100", "Infinity")) == ()
    assert made.take(traded("90")) == () and made.take(traded("NaN")) == ()
    assert made.take(traded("101")) != (), "the trade before it is still the one at 90"
    assert made.quotes() == () and made.views([BTC])[0].bid is None


def test_a_trigger_is_told_when_the_price_jumps_over_it_either_way() -> None:
    for path in (["90", "110"], ["110", "90"], ["90", "100"]):
        made = board()
        made.watch(levels(touch="100"))
        assert made.take(traded(path[0])) == ()
        crossed = made.take(traded(path[1], 5))
        assert [event.level for event in crossed if isinstance(event, PriceCrossed)] == [Decimal(100)]


def test_bars_close_with_the_candle_that_ends_them_also_when_joined_in_the_middle() -> None:
    made = board()
    made.follow(BTC, 5 * MINUTE, [candle(0, 50.0), candle(1, 200.0)])
    events = [made.take(CandleArrived(BTC, candle(minute))) for minute in (2, 3, 4)]
    assert [len(told) for told in events] == [0, 0, 1]
    (closed,) = events[-1]
    assert isinstance(closed, CandleClosed)
    timeframe, bar = closed.bars[0]
    assert (timeframe, bar.high, bar.low, bar.close) == (5 * MINUTE, 201.0, 49.0, 100.0)
    assert closed.time == 5 * MINUTE


def test_a_quiet_close_is_told_only_while_an_exit_is_judged_at_it() -> None:
    made = board()
    assert made.take(CandleArrived(BTC, candle(0))) == ()
    made.watch({BTC: Watch((), (), closes=True)})
    (closed,) = made.take(CandleArrived(BTC, candle(1)))
    assert isinstance(closed, CandleClosed) and closed.bars == ()


def test_a_crossed_quote_is_no_price_to_lay_at() -> None:
    made = board()
    assert made.mid(BTC) is None
    made.take(arrived("101", "100"))
    assert made.mid(BTC) is None
    made.take(arrived("100", "101"))
    assert made.mid(BTC) == Decimal("100.5")


def test_a_mark_bears_the_age_that_the_feed_tells() -> None:
    old = Quote(BTC, Price(Decimal(1)), Price(Decimal(2)), 9_000)
    made = board(old)
    assert made.quotes() == ()
    made.take(arrived("1", "2"))
    assert made.quotes() == (old,)
    assert made.views([BTC])[0].age_ms == 9_000


def test_a_track_grows_candle_by_candle_into_what_it_would_have_loaded() -> None:
    grown, loaded = Track(5 * MINUTE, MINUTE), Track(5 * MINUTE, MINUTE)
    for minute in range(503):
        grown.add(candle(minute, 100 + minute % 17))
    fives = [
        Candle(
            TimeMs(start * MINUTE),
            float(100 + start % 17),
            max(101.0 + minute % 17 for minute in range(start, start + 5)),
            min(99.0 + minute % 17 for minute in range(start, start + 5)),
            100.0 + (start + 4) % 17,
            5.0,
        )
        for start in range(0, 500, 5)
    ]
    loaded.load(fives, [candle(500), candle(501), candle(502)])
    periods = (5, 9, 7)
    early = grown.data(periods)
    for name in ("open_time", "open", "high", "low", "close", "ema_fast", "ema_slow", "atr"):
        assert getattr(early, name).tolist()[20:] == getattr(loaded.data(periods), name).tolist()[20:]
    assert len(early.open_time) == 100
    assert early.forming == (500 * MINUTE, 107.0, 110.0, 106.0)


def test_a_full_track_keeps_the_newer_three_quarters_and_its_indicators_stay_in_step() -> None:
    track = Track(MINUTE, MINUTE)
    for minute in range(MOST_CANDLES + 10):
        track.add(candle(minute))
        if minute in (5_000, MOST_CANDLES - 1):
            track.data((2, 3, 2))
    data = track.data((2, 3, 2))
    assert len(data.open_time) == len(data.atr) == MOST_CANDLES * 3 // 4 + 10
    assert data.open_time[-1] == (MOST_CANDLES + 9) * MINUTE and data.atr[-1] == 2.0


def test_a_candle_that_comes_twice_is_drawn_once() -> None:
    track = Track(MINUTE, MINUTE)
    for minute in (0, 1, 1, 0, 2):
        track.add(candle(minute))
    assert track.data(None).open_time.tolist() == [0, MINUTE, 2 * MINUTE]


def test_the_inbox_keeps_order_lets_the_urgent_pass_and_makes_the_fast_wait() -> None:
    async def main() -> None:
        inbox: Inbox[int] = Inbox(3)

        async def fill() -> None:
            for number in range(10):
                await inbox.put(number)

        task = asyncio.get_running_loop().create_task(fill())
        await asyncio.sleep(0)
        inbox.put_urgent(99)
        taken = await inbox.take(2)
        assert taken == [99, 0] and not task.done()
        while len(taken) < 11:
            taken += await inbox.take(2)
            await asyncio.sleep(0)
        assert taken == [99, *range(10)]

    run_virtual(main())
