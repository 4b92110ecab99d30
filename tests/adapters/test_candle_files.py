"""Candle files: what is read equals what was written, and every way to be wrong is named with its row and its fix."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import duckdb
import numpy as np
import pytest

from gridbot.adapters.market_files.candle_files import COLUMNS, load_candles, save_candles
from gridbot.errors import CandleFileError
from gridbot.sim.candle_arrays import CandleArrays

START = 1_700_000_040_000
HEADER = "open_time,open,high,low,close,volume"
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "candles.csv"
        path.write_bytes(text.encode())
        return path

    return write


def rows(*changes: tuple[int, str]) -> str:
    """Return a CSV file of five good one-minute candles, in which the numbered rows (from 1) are replaced."""
    lines = [f"{START + i * 60_000},10.5,11.25,9.75,10.75,3.5" for i in range(5)]
    for row, line in changes:
        lines[row - 1] = line
    return "\n".join([HEADER, *lines, ""])


def generated(count: int, *, seed: int = 1) -> CandleArrays:
    random = np.random.default_rng(seed)
    close = np.round(100.0 + np.cumsum(random.normal(0.0, 0.1, count)), 2)
    open_ = np.concatenate(([100.0], close[:-1]))
    return CandleArrays(
        open_time=START + np.arange(count, dtype=np.int64) * 60_000,
        open=open_,
        high=np.maximum(open_, close) + 0.05,
        low=np.minimum(open_, close) - 0.05,
        close=close,
        volume=random.random(count),
    )


def assert_same(left: CandleArrays, right: CandleArrays) -> None:
    for name in COLUMNS:
        assert getattr(left, name).tobytes() == getattr(right, name).tobytes(), name


def refusal(path: Path) -> CandleFileError:
    with pytest.raises(CandleFileError) as caught:
        load_candles(path)
    assert path.name in caught.value.message
    assert caught.value.hint
    return caught.value


def test_parquet_gives_back_every_bit(tmp_path: Path) -> None:
    candles = generated(5_000)
    path = tmp_path / "it's a file [1] *.parquet"
    save_candles(path, candles)
    assert path.read_bytes()[:4] == b"PAR1"
    assert_same(load_candles(path), candles)


def test_saving_again_replaces_the_file(tmp_path: Path) -> None:
    path = tmp_path / "candles.parquet"
    save_candles(path, generated(50))
    save_candles(path, generated(20, seed=2))
    assert_same(load_candles(path), generated(20, seed=2))


def test_csv_gives_back_every_bit(tmp_path: Path) -> None:
    candles = generated(3_000)
    path = tmp_path / "candles.csv"
    columns = [getattr(candles, name).tolist() for name in COLUMNS]
    lines = [",".join(repr(value) for value in row) for row in zip(*columns, strict=True)]
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    assert_same(load_candles(path), candles)


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_columns_are_found_by_name_in_any_order_case_and_separator(
    write: Write, separator: str, line_end: str, mark: str
) -> None:
    lines = [
        [" Close", "note", "OPEN_TIME", "Low", "high", "Open", "Volume"],
        ["10.75", "a b", str(START), "9.75", "11.25", "10.5", "3.5"],
        ["11", "", str(START + 60_000), "10", "12", "10.75", "0"],
    ]
    candles = load_candles(write(mark + "".join(separator.join(line) + line_end for line in lines)))
    assert candles.open_time.tolist() == [START, START + 60_000]
    assert candles.open.tolist() == [10.5, 10.75]
    assert candles.high.tolist() == [11.25, 12.0]
    assert candles.low.tolist() == [9.75, 10.0]
    assert candles.close.tolist() == [10.75, 11.0]
    assert candles.volume.tolist() == [3.5, 0.0]


def test_parquet_columns_may_be_integers_decimals_and_in_capitals(tmp_path: Path) -> None:
    path = tmp_path / "candles.parquet"
    duckdb.connect().execute(
        f'copy (select 1.25::decimal(10,2) as "Close", \'x\' as note, (i * 60000 + {START})::double as "Open_Time", '
        f"1 as low, 2::float as HIGH, 1.5 as open, 7::utinyint as volume from range(3) t(i)) "
        f"to '{path}' (format parquet)"
    )
    candles = load_candles(path)
    assert candles.open_time.tolist() == [START, START + 60_000, START + 120_000]
    assert candles.close.tolist() == [1.25] * 3
    assert candles.volume.tolist() == [7.0] * 3


def test_gaps_are_allowed_and_counted(write: Write) -> None:
    lines = [f"{START + minute * 60_000},1,1,1,1,0" for minute in (0, 1, 2, 5, 6, 16)]
    candles = load_candles(write("\n".join([HEADER, *lines])))
    assert (candles.timeframe_ms, candles.gaps, candles.missing) == (60_000, 2, 2 + 9)


def test_loaded_candles_cannot_be_changed(write: Write) -> None:
    candles = load_candles(write(rows()))
    with pytest.raises(ValueError, match="read-only"):
        candles.close[0] = 1.0


WRONG_ROWS = [
    ("high_under_low", (3, f"{START + 120_000},10,9,11,10,1"), 3, "high 9.0 is under low 11.0", "leave it out"),
    ("open_above_high", (2, f"{START + 60_000},12,11,9,10,1"), 2, "open 12.0 is outside low 9.0 to high 11.0", "leave"),
    ("open_under_low", (2, f"{START + 60_000},8,11,9,10,1"), 2, "open 8.0 is outside", "leave"),
    ("close_above_high", (1, f"{START},10,11,9,11.5,1"), 1, "close 11.5 is outside low 9.0 to high 11.0", "leave"),
    ("close_under_low", (5, f"{START + 240_000},10,11,9,8.5,1"), 5, "close 8.5 is outside", "leave"),
    ("negative_price", (2, f"{START + 60_000},10,11,-9,10,1"), 2, "low -9.0 is not above zero", "leave"),
    ("zero_price", (2, f"{START + 60_000},0,11,0,10,1"), 2, "open 0.0 is not above zero", "leave"),
    ("nan_price", (4, f"{START + 180_000},10,nan,9,10,1"), 4, "high is nan", "leave"),
    ("nan_close", (4, f"{START + 180_000},10,11,9,NaN,1"), 4, "close is nan", "leave"),
    ("infinite_price", (4, f"{START + 180_000},10,inf,9,10,1"), 4, "high is inf", "leave"),
    ("negative_volume", (4, f"{START + 180_000},10,11,9,10,-0.5"), 4, "volume -0.5 is negative", "leave"),
    ("nan_volume", (4, f"{START + 180_000},10,11,9,10,nan"), 4, "volume is nan", "leave"),
    ("infinite_volume", (4, f"{START + 180_000},10,11,9,10,inf"), 4, "volume is inf", "leave"),
    ("repeated_time", (3, f"{START + 60_000},10,11,9,10,1"), 3, f"open_time {START + 60_000} is repeated", "Keep one"),
    ("unsorted", (4, f"{START + 30_000},10,11,9,10,1"), 4, f"open_time {START + 30_000} is earlier than", "Sort"),
    ("time_before_1970", (1, "-60000,10,11,9,10,1"), 1, "open_time -60000 lies before 1970", "milliseconds"),
    ("time_after_5000", (5, "100000000000000,10,11,9,10,1"), 5, "lies after the year 5000", "milliseconds"),
]


@pytest.mark.parametrize(
    ("change", "row", "problem", "fix"), [case[1:] for case in WRONG_ROWS], ids=[c[0] for c in WRONG_ROWS]
)
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_row_that_cannot_be_true_is_named(
    write: Write, tmp_path: Path, kind: str, change: tuple[int, str], row: int, problem: str, fix: str
) -> None:
    path = write(rows(change))
    if kind == "parquet":
        source, path = path, tmp_path / "candles.parquet"
        types = ", ".join(f"'{name}': '{'BIGINT' if name == 'open_time' else 'DOUBLE'}'" for name in COLUMNS)
        duckdb.connect().execute(
            f"copy (from read_csv('{source}', columns = {{{types}}}, header = true)) to '{path}' (format parquet)"
        )
    error = refusal(path)
    time = change[1].split(",", maxsplit=1)[0]
    assert f"row {row} (open time {time}" in error.message
    assert problem in error.message
    assert fix in error.hint


def test_the_first_wrong_row_is_named_and_the_others_are_counted(write: Write) -> None:
    bad = (
        (2, f"{START + 60_000},10,9,11,10,1"),
        (4, f"{START + 180_000},10,9,11,10,1"),
        (5, f"{START + 240_000},1,1,2,1,1"),
    )
    message = refusal(write(rows(*bad))).message
    assert "row 2" in message
    assert "2 more rows are wrong as well" in message


TEXTS = [
    ("a_word", f"{START + 60_000},10,abc,9,10,1", "row 2: high is not a number: 'abc'"),
    ("a_comma_for_a_point", f'{START + 60_000},"10,5",11,9,10,1', "row 2: open is not a number: '10,5'"),
    ("hexadecimal", f"{START + 60_000},10,11,9,0x10,1", "row 2: close is not a number: '0x10'"),
    ("a_date", "2024-01-01 00:00:00,10,11,9,10,1", "row 2: open_time is not a number: '2024-01-01 00:00:00'"),
    ("half_a_millisecond", f"{START + 60_000}.5,10,11,9,10,1", "row 2: open_time is not a whole number"),
    ("nan_time", "nan,10,11,9,10,1", "row 2: open_time is not a whole number"),
    ("infinite_time", "inf,10,11,9,10,1", "row 2: open_time is not a whole number"),
    ("nothing", f"{START + 60_000},10,11,,10,1", "row 2: low is empty"),
    ("blanks", f"{START + 60_000},10,11,9,10,  ", "row 2: volume is empty"),
]


@pytest.mark.parametrize(("line", "problem"), [case[1:] for case in TEXTS], ids=[case[0] for case in TEXTS])
def test_text_where_a_number_should_be_is_named(write: Write, line: str, problem: str) -> None:
    assert problem in refusal(write(rows((2, line)))).message


def test_text_far_down_a_long_file_is_named_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    lines = [f"{START + i * 60_000},10,11,9,10,1" for i in range(60_000)]
    lines[54_320] = f"{START + 54_320 * 60_000},10,11,9,n/a,1"
    path.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    assert "row 54321: close is not a number: 'n/a'" in refusal(path).message


def test_a_row_with_too_few_or_too_many_values_is_named(write: Write) -> None:
    assert "Line: 3" in refusal(write(rows((2, f"{START + 60_000},10,11")))).message
    assert "Line: 4" in refusal(write(rows((3, f"{START + 120_000},10,11,9,10,1,7")))).message


def test_an_empty_value_in_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "candles.parquet"
    duckdb.connect().execute(
        f"copy (select {START} + i * 60000 as open_time, 1.0::double as open, 1.0::double as high, 1.0::double as low, "
        f"case when i = 2 then null else 1.0::double end as close, 1.0::double as volume from range(4) t(i)) "
        f"to '{path}' (format parquet)"
    )
    assert "row 3: close is empty" in refusal(path).message


@pytest.mark.parametrize(
    ("expression", "problem"),
    [("to_timestamp(i)", "TIMESTAMP"), ("'2024-01-01'", "VARCHAR"), ("date '2024-01-01'", "DATE")],
)
def test_a_parquet_column_that_is_not_numbers_is_named(tmp_path: Path, expression: str, problem: str) -> None:
    path = tmp_path / "candles.parquet"
    duckdb.connect().execute(
        f"copy (select {expression} as open_time, 1.0 as open, 1.0 as high, 1.0 as low, 1.0 as close, 1.0 as volume "
        f"from range(4) t(i)) to '{path}' (format parquet)"
    )
    message = refusal(path).message
    assert "'open_time'" in message
    assert problem in message


def test_missing_columns_are_named_with_what_was_found(write: Write) -> None:
    message = refusal(write("time,open,high,low,close,amount\n1,2,3,4,5,6\n")).message
    assert "lacks the columns open_time, volume" in message
    assert "'time', 'open', 'high', 'low', 'close', 'amount'" in message


def test_a_missing_column_in_parquet_is_named(tmp_path: Path) -> None:
    path = tmp_path / "candles.parquet"
    duckdb.connect().execute(f"copy (select 1 as open_time, 2 as open) to '{path}' (format parquet)")
    assert "lacks the columns high, low, close, volume; it has 'open_time', 'open'" in refusal(path).message


def test_a_column_that_stands_twice_is_named(write: Write) -> None:
    assert "the column open more than once" in refusal(write("open_time,open,Open,high,low,close,volume\n")).message


@pytest.mark.parametrize(
    ("factor", "unit"), [(0.001, "seconds"), (1000, "microseconds"), (1_000_000, "nanoseconds")], ids=["s", "us", "ns"]
)
def test_times_in_another_unit_are_refused_with_the_fix(write: Write, factor: float, unit: str) -> None:
    lines = [f"{round((START + i * 60_000) * factor)},1,1,1,1,1" for i in range(3)]
    error = refusal(write("\n".join([HEADER, *lines])))
    assert f"is in {unit}, not in milliseconds" in error.message
    assert "1,000" in error.hint


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_candles_are_refused(write: Write, tmp_path: Path, count: int) -> None:
    text = "\n".join(rows().splitlines()[: count + 1])
    assert f"has {count} candle" in refusal(write(text)).message
    path = tmp_path / "short.parquet"
    save_candles(path, generated(3).slice(0, count))
    assert f"has {count} candle" in refusal(path).message


def test_a_file_that_is_no_candle_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    assert "There is no file" in refusal(tmp_path / "absent.parquet").message
    assert "is a folder" in refusal(tmp_path).message
    cases = {
        "empty.csv": (b"", "is empty"),
        "blank.parquet": (b"\n\n", "is empty"),
        "packed.csv.gz": (b"\x1f\x8b\x08\x00", "compressed with gzip"),
        "name.parquet": (rows().encode(), "not a Parquet file in spite of its name"),
        "cut.parquet": (b"PAR1" + bytes(40), "cannot be read"),
        "picture.csv": (b"\x89PNG\r\n\x1a\n\x00\x00", "neither Parquet nor text"),
        "wide.csv": (("\ufeff" + rows()).encode("utf-16-le"), "neither Parquet nor text"),
    }
    for name, (content, problem) in cases.items():
        path = tmp_path / name
        path.write_bytes(content)
        assert problem in refusal(path).message, name


def test_a_path_through_a_file_is_refused(write: Write) -> None:
    path = write(rows()) / "deeper.csv"
    assert "cannot be opened" in refusal(path).message or "There is no file" in refusal(path).message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read every file")
def test_a_file_without_the_right_to_read_is_refused(write: Write) -> None:
    path = write(rows())
    path.chmod(0)
    assert "cannot be opened" in refusal(path).message


def test_a_folder_that_is_not_there_cannot_be_written_to(tmp_path: Path) -> None:
    with pytest.raises(CandleFileError, match="cannot be written"):
        save_candles(tmp_path / "absent" / "candles.parquet", generated(5))


def test_a_parquet_file_with_the_name_of_a_csv_is_still_read(tmp_path: Path) -> None:
    save_candles(tmp_path / "a.parquet", generated(5))
    (tmp_path / "a.parquet").rename(tmp_path / "b.csv")
    assert_same(load_candles(tmp_path / "b.csv"), generated(5))


def test_duckdb_is_imported_only_when_a_file_is_read() -> None:
    program = "import sys, gridbot.adapters.market_files.candle_files; sys.exit('duckdb' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


SHARED = Path("../shared/data/candles")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared market data is not beside the project")
@pytest.mark.parametrize(
    ("name", "count", "gaps", "missing"),
    [
        ("bitfinex_BTC-USD_1m_2018", 520_499, 3_992, 5_101),
        ("bitfinex_LTC-USD_1m_2015", 146_741, 53_133, 378_837),
        ("coinbase_BTC-USD_1m_lean", 12_423, 99, 775_257),
        ("binance_BTC-USDT_1d", 3_178, 0, 0),
    ],
)
def test_real_files_have_the_candles_and_gaps_that_are_on_record(
    name: str, count: int, gaps: int, missing: int
) -> None:
    candles = load_candles(SHARED / f"{name}.parquet")
    assert (len(candles), candles.gaps, candles.missing) == (count, gaps, missing)


def test_candle_arrays_refuse_columns_that_do_not_fit() -> None:
    good = generated(4)
    fields = {name: getattr(good, name) for name in COLUMNS}
    for change in (
        {"close": good.close[:3]},
        {"close": good.close.astype(np.float32)},
        {"open_time": good.open_time.astype(np.float64)},
        {"volume": np.ones(8)[::2]},
        {"volume": np.ones((2, 2))},
    ):
        with pytest.raises(ValueError, match=next(iter(change))):
            CandleArrays(**(fields | change))


def test_a_timeframe_takes_two_candles() -> None:
    with pytest.raises(ValueError, match="at least two candles"):
        _ = generated(4).slice(1, 2).timeframe_ms


def test_a_slice_is_the_same_candles() -> None:
    candles = generated(10)
    part = candles.slice(3, 7)
    assert len(part) == 4
    assert part.close.tolist() == candles.close.tolist()[3:7]
    assert part.timeframe_ms == 60_000
