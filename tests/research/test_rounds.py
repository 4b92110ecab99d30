"""Rounds: nothing is judged on candles that were chosen on, and a grid is warm when its span begins, not before."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.config import GridConfig, InstrumentConfig
from gridbot.errors import ConfigError
from gridbot.research.backtest import run_backtest
from gridbot.research.rounds import rounds_of, warm_from
from gridbot.shell.search_desk import HoldOut, Span, WalkForward
from gridbot.sim.generated_market import MARKET_EPOCH, GeneratedMarket

DAY, HOUR, MINUTE = 86_400_000, 3_600_000, 60_000
WHOLE = Span(MARKET_EPOCH, MARKET_EPOCH + 100 * DAY)


def test_holding_out_keeps_the_last_part_back() -> None:
    (only,) = rounds_of(HoldOut(Decimal("0.3")), WHOLE)
    assert only.train == Span(WHOLE.first, WHOLE.first + 70 * DAY)
    assert only.test == Span(WHOLE.first + 70 * DAY, WHOLE.until)


@pytest.mark.parametrize("anchored", [False, True])
@given(days=st.integers(2, 400), train=st.integers(1, 200), test=st.integers(1, 90))
def test_walking_forward_judges_once_on_what_it_has_not_seen(anchored: bool, days: int, train: int, test: int) -> None:
    whole = Span(MARKET_EPOCH, MARKET_EPOCH + days * DAY)
    plan = WalkForward(train * DAY, test * DAY, anchored=anchored)
    try:
        rounds = rounds_of(plan, whole)
    except ConfigError as error:
        # There is no room: less than half of one span to judge on is left, or there would be too many rounds.
        assert error.hint and (days * 2 < train * 2 + test or days > train + 100)
        return
    *judged, last = rounds
    assert judged and last.test is None and last.train.until == whole.until
    before = judged[0].test
    assert before is not None and before.first == whole.first + train * DAY
    for one, following in pairwise(judged):
        assert one.test is not None and following.test is not None
        assert one.test.until == following.test.first, "the judged spans lie beside each other"
    for one in judged:
        assert one.test is not None
        assert one.train.until == one.test.first and one.train.first >= whole.first
        assert one.test.until <= whole.until and one.test.length * 2 >= test * DAY
        assert one.train.first == whole.first if anchored else one.train.length == train * DAY


@pytest.mark.parametrize(
    ("plan", "word"),
    [
        (HoldOut(Decimal(0)), "share"),
        (HoldOut(Decimal(1)), "share"),
        (HoldOut(Decimal("0.001")), "too short"),
        (WalkForward(90 * DAY, 30 * DAY), "takes 120"),
        (WalkForward(HOUR, 30 * DAY), "a day at least"),
        (WalkForward(10 * DAY, 0), "a day at least"),
    ],
)
def test_a_plan_without_room_is_told(plan: HoldOut | WalkForward, word: str) -> None:
    with pytest.raises(ConfigError) as caught:
        rounds_of(plan, WHOLE)
    assert word in caught.value.message and caught.value.hint


def test_more_rounds_than_anybody_waits_for_are_refused() -> None:
    with pytest.raises(ConfigError, match="is the most"):
        rounds_of(WalkForward(DAY, DAY), Span(0, 300 * DAY))


@pytest.mark.parametrize(
    ("signal", "trend", "slow"), [("4h", "4h", 50), ("5m", "1h", 10), ("1h", "5m", 20), ("15m", "15m", 90)]
)
def test_a_grid_is_ready_when_its_span_begins(signal: str, trend: str, slow: int) -> None:
    grid = GridConfig.model_validate(
        {
            "symbol": "BTC/USDT",
            "investment": "10000",
            "signal": {"timeframe": signal},
            "trend": {"timeframe": trend, "ema_fast": 5, "ema_slow": slow},
            "instrument": InstrumentConfig().model_dump(),
        }
    )
    rules = grid.to_rules()
    for offset in (0, 17 * MINUTE, 5 * HOUR + 59 * MINUTE):
        first = MARKET_EPOCH + 12 * DAY + offset
        begin = warm_from(rules, first)
        assert begin >= MARKET_EPOCH
        start, stop = (begin - MARKET_EPOCH) // MINUTE, (first - MARKET_EPOCH) // MINUTE + 3 * 1440
        laid = run_backtest(GeneratedMarket(7).candles(start, stop - start), rules).first_laying
        assert laid is not None
        # A laying is written down under the candle at whose close it happens.
        late = laid + MINUTE - first
        assert 0 <= late < max(rules.signal.timeframe, rules.trend.timeframe), (signal, trend, offset)
