"""Downloaded candles on the disk: what was asked for is known, a gap stays a gap, damage is asked for again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.market_files.candle_cache import CandleCache, market_folder
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol, TimeMs

MINUTE, HOUR = 60_000, 3_600_000
JUNE = 1_717_200_000_000
"""2024-06-01 00:00 UTC."""


def candle(time: int, price: float = 100.0) -> Candle:
    return Candle(TimeMs(time), price, price + 1, price - 1, price, 2.0)


def cache(folder: Path, timeframe: int = MINUTE) -> CandleCache:
    return CandleCache(SystemDisk(), folder, timeframe)


def test_a_span_over_two_months_is_read_as_one(tmp_path: Path) -> None:
    first, until = JUNE - 5 * MINUTE, JUNE + 5 * MINUTE
    cache(tmp_path).keep([candle(time) for time in range(first, until, MINUTE)], first, until)
    found = cache(tmp_path).read(first + MINUTE, until - MINUTE)
    assert found.open_time.tolist() == list(range(first + MINUTE, until - MINUTE, MINUTE))
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == ["2024-05.parquet", "2024-06.parquet"]


def test_what_was_answered_without_a_candle_is_a_gap_and_is_not_asked_for_again(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    times = [JUNE, JUNE + MINUTE, JUNE + 4 * MINUTE]
    kept.keep([candle(time) for time in times], JUNE, JUNE + 5 * MINUTE)
    assert kept.missing(JUNE, JUNE + 5 * MINUTE) == []
    found = kept.read(JUNE, JUNE + 5 * MINUTE)
    assert found.open_time.tolist() == times and (found.gaps, found.missing) == (1, 2)


def test_a_later_answer_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    kept.keep([candle(JUNE), candle(JUNE + MINUTE)], JUNE, JUNE + 2 * MINUTE)
    kept.keep([candle(JUNE + MINUTE, 200.0)], JUNE + MINUTE, JUNE + 2 * MINUTE)
    assert kept.read(JUNE, JUNE + 2 * MINUTE).close.tolist() == [100.0, 200.0]


def test_a_damaged_file_is_forgotten_with_all_that_was_asked_for_in_it(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    first, until = JUNE - 3 * MINUTE, JUNE + 3 * MINUTE
    kept.keep([candle(time) for time in range(first, until, MINUTE)], first, until)
    (tmp_path / "2024-06.parquet").write_bytes(b"PAR1 and then nothing")
    assert kept.forget_damaged(first, until) == 1
    assert kept.missing(first, until) == [(JUNE, until)]
    assert len(kept.read(first, until)) == 3


def test_damaged_marks_mean_that_all_is_asked_for_again(tmp_path: Path) -> None:
    kept = cache(tmp_path)
    kept.keep([candle(JUNE)], JUNE, JUNE + MINUTE)
    for content in (b"{", b"[]", b'{"schema": 9, "timeframe_ms": 60000, "asked": []}'):
        (tmp_path / "asked.json").write_bytes(content)
        assert kept.missing(JUNE, JUNE + MINUTE) == [(JUNE, JUNE + MINUTE)]


def test_long_candles_are_kept_by_the_year_and_each_market_has_a_folder(tmp_path: Path) -> None:
    kept = cache(tmp_path, HOUR)
    kept.keep([candle(JUNE)], JUNE, JUNE + HOUR)
    assert (tmp_path / "2024.parquet").is_file()
    assert np.array_equal(kept.read(JUNE, JUNE + HOUR).open_time, [JUNE])
    folders = {
        market_folder(tmp_path, exchange=exchange, base_url=address, symbol=Symbol(symbol), timeframe=timeframe)
        for exchange, address, symbol, timeframe in (
            ("binance", None, "BTC/USDT", MINUTE),
            ("binance", "http://127.0.0.1:1", "BTC/USDT", MINUTE),
            ("binance", None, "BTC/USDT", HOUR),
            ("kraken", None, "BTC/USDT", MINUTE),
            ("binance", None, "ETH/USDT", MINUTE),
        )
    }
    assert len(folders) == 5 and tmp_path / "binance" / "BTC-USDT" / "1m" in folders


spans = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 12)), max_size=8)


@given(asked=spans, first=st.integers(0, 30), length=st.integers(1, 30))
def test_what_is_missing_is_exactly_what_was_never_asked_for(
    tmp_path_factory: object, asked: list[tuple[int, int]], first: int, length: int
) -> None:
    assert hasattr(tmp_path_factory, "mktemp")
    kept = cache(tmp_path_factory.mktemp("cache"))
    for begin, size in asked:
        kept.keep([], begin * MINUTE, (begin + size) * MINUTE)
    known = {minute for begin, size in asked for minute in range(begin, begin + size)}
    told = kept.missing(first * MINUTE, (first + length) * MINUTE)
    missing = {minute for begin, end in told for minute in range(begin // MINUTE, end // MINUTE)}
    assert missing == set(range(first, first + length)) - known
    assert told == sorted(told)
