"""The only module that imports duckdb: candle files, Parquet or CSV, in and out, every row checked on the way in."""

import csv
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from gridbot.errors import CandleFileError
from gridbot.sim.candle_arrays import CandleArrays

if TYPE_CHECKING:
    import duckdb

Column: TypeAlias = npt.NDArray[np.generic]

COLUMNS: Final = ("open_time", "open", "high", "low", "close", "volume")

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 1 << 16
_WHOLE_TYPES = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
_NUMBER_TYPES = _WHOLE_TYPES | {"FLOAT", "DOUBLE"}
_LAST_TIME = 10**14
"""Milliseconds: the year 5138. Later times are in another unit, or nonsense."""
_FORMAT_HINT = (
    "A candle file is Parquet, or CSV with a header, and has the columns open_time (milliseconds UTC), open, high, "
    "low, close and volume."
)
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # Reading a file must never send the program to the network for an extension.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


def load_candles(path: Path) -> CandleArrays:
    """Read a candle file and check every row of it.

    The content decides the format, not the name. Columns are found by name, in any order and case; others are ignored.
    Gaps between candles are allowed; `CandleArrays.gaps` counts them.

    Raises:
        CandleFileError: the file cannot be read, lacks a column, holds something that is not a number, has fewer than
            two candles, or a row that cannot be true; names the file and the row (the first data row is row 1).
    """
    start = _opening(path)
    # duckdb takes some 50 ms and 20 MB to import: only who reads a file pays for it.
    import duckdb

    is_parquet = start.startswith(_PARQUET_MAGIC)
    # One thread decodes a year of minutes as fast as two, in less memory; the parsing of text gains from the second.
    settings = _SETTINGS | {"threads": 1 if is_parquet else 2}
    try:
        with duckdb.connect(":memory:", config=settings) as connection:
            columns = _read_parquet(connection, path) if is_parquet else _read_csv(connection, path, start)
    except duckdb.Error as error:
        raise CandleFileError(f"{path} cannot be read: {_first_lines(error)}", hint=_FORMAT_HINT) from error
    return _checked(path, columns)


def save_candles(path: Path, candles: CandleArrays) -> None:
    """Write candles as Parquet, compressed with zstd. An existing file is replaced.

    Raises:
        CandleFileError: the file cannot be written.
    """
    import duckdb

    table = {name: getattr(candles, name) for name in COLUMNS}
    try:
        with duckdb.connect(":memory:", config=_SETTINGS) as connection:
            # A dict of arrays is a table to duckdb once it is bound to a name.
            connection.register("candles", table)
            target = str(path).replace("'", "''")
            connection.execute(f"copy candles to '{target}' (format parquet, compression zstd)")
    except duckdb.Error as error:
        raise CandleFileError(
            f"{path} cannot be written: {_first_lines(error)}", hint="Choose a folder that exists and may be written."
        ) from error


def _opening(path: Path) -> bytes:
    """Return the first bytes of the file, having said clearly what is wrong with it as a file."""
    try:
        if path.is_dir():
            raise CandleFileError(f"{path} is a folder, not a candle file.", hint="Name one file inside it.")
        with path.open("rb") as file:
            start = file.read(_LONGEST_HEADER)
    except FileNotFoundError as error:
        raise CandleFileError(f"There is no file {path}.", hint="Check the path and its spelling.") from error
    except OSError as error:
        raise CandleFileError(
            f"{path} cannot be opened: {error.strerror or error}.", hint="Check the path and your right to read it."
        ) from error
    if not start.strip():
        raise CandleFileError(f"{path} is empty.", hint=_FORMAT_HINT)
    if start.startswith(_GZIP_MAGIC):
        raise CandleFileError(f"{path} is compressed with gzip.", hint="Unpack it first (gunzip).")
    if path.suffix.lower() in {".parquet", ".pq"} and not start.startswith(_PARQUET_MAGIC):
        raise CandleFileError(
            f"{path} is not a Parquet file in spite of its name.",
            hint="If it is CSV, give it a name that ends in .csv.",
        )
    return start


def _read_parquet(connection: "duckdb.DuckDBPyConnection", path: Path) -> dict[str, Column]:
    """Return the columns of a Parquet file. One query a column: the peak of memory is one column, not the table."""
    source = "read_parquet(?, hive_partitioning = false)"
    described = connection.execute(f"describe select * from {source}", [str(path)]).fetchall()
    kinds = {str(row[0]): str(row[1]) for row in described}
    found = _match_columns(path, list(kinds))
    columns: dict[str, Column] = {}
    for name, index in found.items():
        header = list(kinds)[index]
        kind = kinds[header]
        if kind not in _NUMBER_TYPES and not kind.startswith("DECIMAL"):
            raise CandleFileError(
                f"{path}: the column {header!r} holds {kind}, not numbers.",
                hint="open_time must be whole milliseconds since 1970 UTC (int64), the others float64.",
            )
        wanted = "bigint" if kind in _WHOLE_TYPES and name == "open_time" else "double"
        quoted = header.replace('"', '""')
        query = f'select cast("{quoted}" as {wanted}) as c from {source}'
        column: Column = connection.execute(query, [str(path)]).fetchnumpy()["c"]
        if isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column):
            _refuse_empty(path, name, int(np.ma.getmaskarray(column).argmax()))
        columns[name] = np.ma.getdata(column)
    return columns


def _read_csv(connection: "duckdb.DuckDBPyConnection", path: Path, start: bytes) -> dict[str, Column]:
    """Return the columns of a CSV file as float64; the header decides the separator, nothing else is guessed."""
    header, separator = _header(path, start)
    found = _match_columns(path, header)
    texts = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(header)))
    source = (
        f"read_csv(?, auto_detect = false, header = true, delim = '{separator}', quote = '\"', escape = '\"', "
        f"hive_partitioning = false, columns = {{{texts}}})"
    )
    import duckdb

    wanted = ", ".join(f"try_cast(c{index} as double) as {name}" for name, index in found.items())
    try:
        read: dict[str, Column] = connection.execute(f"select {wanted} from {source}", [str(path)]).fetchnumpy()
    except duckdb.ConversionException:
        # duckdb may move the cast into its reader, which then stops at the first text; the search below names it.
        _refuse_text(connection, path, source, found)
    if any(isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column) for column in read.values()):
        _refuse_text(connection, path, source, found)
    return {name: np.ma.getdata(column) for name, column in read.items()}


def _header(path: Path, start: bytes) -> tuple[list[str], str]:
    """Return the names in the first line of a CSV file, and what separates them."""
    try:
        line = start.splitlines()[0].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CandleFileError(f"{path} is neither Parquet nor text in UTF-8.", hint=_FORMAT_HINT) from error
    if not line.isprintable() and "\t" not in line:
        raise CandleFileError(f"{path} is neither Parquet nor text in UTF-8.", hint=_FORMAT_HINT)
    separator = max(",;\t|", key=line.count)
    return next(csv.reader([line], delimiter=separator), []), separator


def _match_columns(path: Path, header: list[str]) -> dict[str, int]:
    """Return where each wanted column stands in the header."""
    lowered = [name.strip().lower() for name in header]
    missing = [name for name in COLUMNS if name not in lowered]
    if missing:
        shown = ", ".join(repr(name) for name in header[:30])
        raise CandleFileError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; it has {shown}.",
            hint=_FORMAT_HINT,
        )
    for name in COLUMNS:
        if lowered.count(name) > 1:
            raise CandleFileError(f"{path} has the column {name} more than once.", hint="Keep one of them.")
    return {name: lowered.index(name) for name in COLUMNS}


def _refuse_text(connection: "duckdb.DuckDBPyConnection", path: Path, source: str, found: dict[str, int]) -> NoReturn:
    """Find the first row of a CSV file that holds something else than numbers, and say so."""
    # `trim` keeps the cast out of duckdb's reader, so that a bad value becomes null here instead of an error.
    bad = " or ".join(f"try_cast(trim(c{index}) as double) is null" for index in found.values())
    texts = ", ".join(f"c{index}" for index in found.values())
    numbers = ", ".join(f"try_cast(trim(c{index}) as double)" for index in found.values())
    query = (
        f"select row, {texts}, {numbers} from (select row_number() over () as row, * from {source}) "
        f"where {bad} order by row limit 1"
    )
    row = connection.execute(query, [str(path)]).fetchone()
    if row is None:
        raise CandleFileError(f"{path} holds something that is not a number.", hint=_FORMAT_HINT)
    values, parsed = row[1 : 1 + len(found)], row[1 + len(found) :]
    name, text = next((name, text) for name, text, number in zip(found, values, parsed, strict=True) if number is None)
    if text is None or not text.strip():
        _refuse_empty(path, name, int(row[0]) - 1)
    hint = "Prices and volumes are plain numbers with a point, such as 64250.5."
    if name == "open_time":
        hint = "open_time is whole milliseconds since 1970 UTC, such as 1704067200000."
    raise CandleFileError(f"{path}, row {row[0]}: {name} is not a number: {text[:60]!r}.", hint=hint)


def _refuse_empty(path: Path, name: str, index: int) -> NoReturn:
    raise CandleFileError(
        f"{path}, row {index + 1}: {name} is empty.",
        hint="Fill the value in, or leave the whole row out: gaps are allowed.",
    )


def _checked(path: Path, columns: dict[str, Column]) -> CandleArrays:
    """Return the candles if every row of them can be true."""
    count = columns["open_time"].size
    if count < 2:
        raise CandleFileError(
            f"{path} has {count} candle{'' if count == 1 else 's'}; at least two are needed to know the timeframe.",
            hint="Take a longer period.",
        )
    open_time = _whole_times(path, columns["open_time"])
    _check_scale(path, open_time)
    candles = CandleArrays(
        open_time=open_time,
        open=np.ascontiguousarray(columns["open"], dtype=np.float64),
        high=np.ascontiguousarray(columns["high"], dtype=np.float64),
        low=np.ascontiguousarray(columns["low"], dtype=np.float64),
        close=np.ascontiguousarray(columns["close"], dtype=np.float64),
        volume=np.ascontiguousarray(columns["volume"], dtype=np.float64),
    )
    _check_rows(path, candles)
    return candles


def _whole_times(path: Path, column: Column) -> npt.NDArray[np.int64]:
    if column.dtype.kind in "iu":
        return np.ascontiguousarray(column, dtype=np.int64)
    # A float64 holds every whole number of milliseconds up to the year 287,000; what is larger is refused as another
    # unit. NaN and infinity fail the comparison too.
    times = np.asarray(column, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        whole = (np.abs(times) < 2.0**62) & (times == np.floor(times))
    if not whole.all():
        row = int(np.argmin(whole))
        raise CandleFileError(
            f"{path}, row {row + 1}: open_time is not a whole number of milliseconds: {float(times[row])!r}.",
            hint="open_time is whole milliseconds since 1970 UTC, such as 1704067200000.",
        )
    return times.astype(np.int64)


def _check_scale(path: Path, open_time: npt.NDArray[np.int64]) -> None:
    """Refuse times that are plainly in another unit: in milliseconds they would lie before 1974 or after 5000."""
    first = int(open_time[0])
    unit, fix = "", ""
    if 10**8 <= first < 10**11:
        unit, fix = "seconds", "multiply open_time by 1,000"
    elif _LAST_TIME <= first < 10**17:
        unit, fix = "microseconds", "divide open_time by 1,000"
    elif first >= 10**17:
        unit, fix = "nanoseconds", "divide open_time by 1,000,000"
    if unit:
        raise CandleFileError(
            f"{path}, row 1: open_time {first} is in {unit}, not in milliseconds.", hint=f"To fix it, {fix}."
        )


def _check_rows(path: Path, candles: CandleArrays) -> None:
    """Refuse the first row that cannot be true. A comparison with NaN is false, so every check is written as a yes."""
    low, high = candles.low, candles.high
    good = (candles.open_time >= 0) & (candles.open_time < _LAST_TIME)
    good[1:] &= candles.open_time[1:] > candles.open_time[:-1]
    good &= low > 0
    good &= np.isfinite(high)
    for price in (candles.open, candles.close, high):
        good &= low <= price
        good &= price <= high
    good &= candles.volume >= 0
    good &= np.isfinite(candles.volume)
    if good.all():
        return
    index = int(np.argmin(good))
    others = int(good.size - np.count_nonzero(good)) - 1
    problem, fix = _what_is_wrong(candles, index)
    more = f" {others} more row{'s are' if others > 1 else ' is'} wrong as well." if others else ""
    when = _utc(int(candles.open_time[index]))
    raise CandleFileError(f"{path}, row {index + 1} (open time {when}): {problem}.{more}", hint=fix)


def _what_is_wrong(candles: CandleArrays, index: int) -> tuple[str, str]:
    """Return what is wrong with a row that is known to be wrong, and how to mend it."""
    time = int(candles.open_time[index])
    before = int(candles.open_time[index - 1]) if index else -1
    if time < 0:
        return f"open_time {time} lies before 1970", "open_time is milliseconds since 1970 UTC."
    if time >= _LAST_TIME:
        return f"open_time {time} lies after the year 5000", "open_time is milliseconds since 1970 UTC."
    if time == before:
        return f"open_time {time} is repeated", "Keep one candle for each time."
    if time < before:
        return f"open_time {time} is earlier than {before}, the row before it", "Sort the rows by open_time."
    mend = "Correct the row or leave it out: gaps are allowed."
    values = {name: float(getattr(candles, name)[index]) for name in COLUMNS[1:]}
    for name, number in values.items():
        if not np.isfinite(number):
            return f"{name} is {number!r}, not a finite number", mend
        if name == "volume" and number < 0:
            return f"volume {number!r} is negative", mend
        if name != "volume" and number <= 0:
            return f"{name} {number!r} is not above zero", mend
    if values["high"] < values["low"]:
        return f"high {values['high']!r} is under low {values['low']!r}", mend
    name = "open" if not values["low"] <= values["open"] <= values["high"] else "close"
    return f"{name} {values[name]!r} is outside low {values['low']!r} to high {values['high']!r}", mend


def _utc(time_ms: int) -> str:
    """Return a time for a person, with the number that stands in the file."""
    try:
        return f"{time_ms}, {datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return str(time_ms)


def _first_lines(error: Exception) -> str:
    """Return the lines of a duckdb message that say what happened, without its advice and its settings."""
    lines = [line.strip() for line in str(error).splitlines()]
    stop = next((i for i, line in enumerate(lines) if not line or line.startswith("Possible")), len(lines))
    return "; ".join(lines[:stop])
