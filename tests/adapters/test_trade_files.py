"""Trade files: what is read equals what was recorded, and every way to be wrong is named with its row and its fix."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import numpy as np
import pytest

from gridbot.adapters.market_files.columns import write_columns
from gridbot.adapters.market_files.recordings import load_recording
from gridbot.adapters.market_files.trade_files import load_trades
from gridbot.core.units import Price, Quantity, Side, Symbol, TimeMs
from gridbot.errors import CandleFileError
from gridbot.ports import TradePrint
from gridbot.sim.candle_arrays import CandleArrays
from tests.shared_data import DATA, needs_data

START = 1_700_000_040_000
HEADER = "time,id,side,price,amount"
SYMBOL = Symbol("BTC/USDT")
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "trades.csv"
        path.write_bytes(text.encode())
        return path

    return write


def rows(*changes: tuple[int, str]) -> str:
    """Return a CSV file of five good trades, in which the numbered rows (from 1) are replaced."""
    lines = [f"{START + i * 250},t{i},{'sell' if i % 2 else 'buy'},36160.9,0.00039906" for i in range(5)]
    for row, line in changes:
        lines[row - 1] = line
    return "\n".join([HEADER, *lines, ""])


def generated(count: int) -> tuple[TradePrint, ...]:
    random = np.random.default_rng(5)
    times = START + np.sort(random.integers(0, 3_600_000, count))
    ticks, lots, sides = random.integers(3_000_000, 3_100_000, count), random.integers(1, 10**6, count), times % 2
    return tuple(
        TradePrint(
            SYMBOL,
            TimeMs(time),
            Price(Decimal(tick).scaleb(-2)),
            Quantity(Decimal(lot).scaleb(-8)),
            Side.SELL if odd else Side.BUY,
        )
        for time, tick, lot, odd in zip(times.tolist(), ticks.tolist(), lots.tolist(), sides.tolist(), strict=True)
    )


def as_text(trades: tuple[TradePrint, ...]) -> str:
    lines = [f"{t.time},{n},{t.side.value},{t.price},{t.amount:f}" for n, t in enumerate(trades)]
    return "\n".join([HEADER, *lines])


def as_parquet(source: Path, path: Path) -> Path:
    """Return the CSV file `source` as Parquet with the types of a recording."""
    types = "{'time': 'BIGINT', 'id': 'VARCHAR', 'side': 'VARCHAR', 'price': 'DOUBLE', 'amount': 'DOUBLE'}"
    query = f"copy (from read_csv('{source}', columns = {types}, header = true)) to '{path}' (format parquet)"
    duckdb.connect().execute(query)
    return path


def refusal(path: Path) -> CandleFileError:
    with pytest.raises(CandleFileError) as caught:
        load_trades(path, SYMBOL)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_file_gives_back_every_trade_to_the_last_digit(write: Write, tmp_path: Path, kind: str) -> None:
    trades = generated(4_000)
    path = write(as_text(trades))
    if kind == "parquet":
        path = as_parquet(path, tmp_path / "trades.parquet")
    assert load_trades(path, SYMBOL) == trades


def test_columns_are_found_by_name_in_any_order_and_case_and_an_id_is_not_needed(write: Write) -> None:
    path = write(f"Amount;Side;PRICE;note;time\n0.5; BUY ;101.5;a;{START}\n2;Sell;101;b;{START}\n")
    assert load_trades(path, SYMBOL) == (
        TradePrint(SYMBOL, TimeMs(START), Price(Decimal("101.5")), Quantity(Decimal("0.5")), Side.BUY),
        TradePrint(SYMBOL, TimeMs(START), Price(Decimal(101)), Quantity(Decimal(2)), Side.SELL),
    )


WRONG_ROWS = [
    ("time_goes_back", (3, f"{START - 5},x,buy,10,1"), 3, f"time {START - 5} is earlier than {START + 250}", "Sort"),
    ("time_before_1970", (1, "-5,x,buy,10,1"), 1, "time -5 lies before 1970", "milliseconds"),
    ("time_after_5000", (5, "100000000000000,x,buy,10,1"), 5, "lies after the year 5000", "milliseconds"),
    ("nan_price", (2, f"{START + 250},x,buy,nan,1"), 2, "price is nan, not a finite number", "leave it out"),
    ("infinite_price", (2, f"{START + 250},x,buy,inf,1"), 2, "price is inf, not a finite number", "leave it out"),
    ("zero_price", (2, f"{START + 250},x,buy,0,1"), 2, "price 0.0 is not above zero", "leave it out"),
    ("negative_price", (4, f"{START + 750},x,buy,-3,1"), 4, "price -3.0 is not above zero", "leave it out"),
    ("nan_amount", (4, f"{START + 750},x,buy,3,NaN"), 4, "amount is nan, not a finite number", "leave it out"),
    ("zero_amount", (4, f"{START + 750},x,buy,3,0"), 4, "amount 0.0 is not above zero", "leave it out"),
    ("negative_amount", (4, f"{START + 750},x,buy,3,-0.5"), 4, "amount -0.5 is not above zero", "leave it out"),
]


@pytest.mark.parametrize(
    ("change", "row", "problem", "fix"), [case[1:] for case in WRONG_ROWS], ids=[case[0] for case in WRONG_ROWS]
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_row_that_cannot_be_true_is_named(
    write: Write, tmp_path: Path, kind: str, change: tuple[int, str], row: int, problem: str, fix: str
) -> None:
    path = write(rows(change))
    if kind == "parquet":
        path = as_parquet(path, tmp_path / "trades.parquet")
    error = refusal(path)
    assert f"row {row} (time {change[1].split(',', maxsplit=1)[0]}" in error.message
    assert problem in error.message and fix in error.hint


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("side", "problem"), [("short", "side is 'short', not buy or sell"), ("", "side is empty")])
def test_an_unknown_side_is_named_with_its_row(
    write: Write, tmp_path: Path, kind: str, side: str, problem: str
) -> None:
    path = write(rows((4, f"{START + 750},x,{side},3,1")))
    if kind == "parquet":
        path = as_parquet(path, tmp_path / "trades.parquet")
    assert f"row 4: {problem}" in refusal(path).message


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (f"{START + 250},x,buy,abc,1", "row 2: price is not a number: 'abc'"),
        (f'{START + 250},x,buy,"36160,9",1', "row 2: price is not a number: '36160,9'"),
        (f"{START + 250},x,buy,5,", "row 2: amount is empty"),
        ("2023-11-17 00:00:06,x,buy,5,1", "row 2: time is not a number: '2023-11-17 00:00:06'"),
        (f"{START + 250}.5,x,buy,5,1", "row 2: time is not a whole number of milliseconds"),
    ],
)
def test_text_where_a_number_should_be_is_named(write: Write, line: str, problem: str) -> None:
    assert problem in refusal(write(rows((2, line)))).message


def test_times_in_seconds_are_refused_with_the_fix(write: Write) -> None:
    error = refusal(write(f"{HEADER}\n{START // 1000},1,buy,10,1\n"))
    assert "is in seconds, not in milliseconds" in error.message and "multiply time by 1,000" in error.hint


def test_a_file_without_trades_is_refused(write: Write, tmp_path: Path) -> None:
    assert "has no trades" in refusal(write(f"{HEADER}\n")).message
    assert "is empty" in refusal(write("")).message
    empty = as_parquet(write(f"{HEADER}\n"), tmp_path / "none.parquet")
    assert "has no trades" in refusal(empty).message
    assert "is a folder, not a trade file" in refusal(tmp_path).message


def test_missing_columns_are_named_with_what_was_found(write: Write) -> None:
    error = refusal(write("time,price,qty\n1,2,3\n"))
    assert "lacks the columns amount, side; it has 'time', 'price', 'qty'" in error.message
    assert "buy or sell" in error.hint


def test_a_parquet_side_that_is_a_number_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "trades.parquet"
    columns = {"time": np.array([START]), "side": np.array([1]), "price": np.array([1.0]), "amount": np.array([1.0])}
    write_columns(path, columns)
    assert "the column 'side' holds BIGINT, not text" in refusal(path).message


def test_the_columns_tell_candles_from_trades(write: Write, tmp_path: Path) -> None:
    assert load_recording(write(rows()), SYMBOL) == load_trades(write(rows()), SYMBOL)
    assert load_recording(as_parquet(write(rows()), tmp_path / "t.parquet"), SYMBOL) == load_trades(
        write(rows()), SYMBOL
    )
    lines = [f"{START + minute * 60_000},1,1,1,1,0" for minute in range(3)]
    candles = load_recording(write("\n".join(["open_time,open,high,low,close,volume", *lines])), SYMBOL)
    assert isinstance(candles, CandleArrays) and len(candles) == 3
    with pytest.raises(CandleFileError, match=r"neither a candle file \(it lacks .*\) nor a trade file") as caught:
        load_recording(write("when,price\n1,2\n"), SYMBOL)
    assert "A candle file is" in caught.value.hint and "A trade file is" in caught.value.hint


@needs_data
@pytest.mark.parametrize(
    ("name", "count", "buys", "first", "last"),
    [
        ("kraken_BTC-USDT_trades_202311", 26_921, 13_009, 1_700_179_206_662, 1_700_642_500_044),
        ("binance_BTC-USDT_trades_20240808", 19_904, 9_093, 1_723_161_255_342, 1_723_161_905_800),
        ("binance_XRP-ETH_trades_201910", 12_477, 6_524, 1_570_752_011_620, 1_570_965_568_844),
        ("binanceusdm_BTC-USDT_trades_20240808", 21_313, 9_616, 1_723_161_256_322, 1_723_161_599_643),
    ],
)
def test_real_files_have_the_trades_that_are_on_record(name: str, count: int, buys: int, first: int, last: int) -> None:
    trades = load_trades(DATA / "trades" / f"{name}.parquet", SYMBOL)
    assert (len(trades), sum(trade.side is Side.BUY for trade in trades)) == (count, buys)
    assert (trades[0].time, trades[-1].time) == (first, last)
