"""The only module that imports duckdb: columns of a Parquet or CSV file by name, each value read or refused."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

import numpy as np
import numpy.typing as npt

from gridbot.errors import CandleFileError

if TYPE_CHECKING:
    import duckdb

Column: TypeAlias = npt.NDArray[np.generic]

_PARQUET_MAGIC = b"PAR1"
_GZIP_MAGIC = b"\x1f\x8b"
_LONGEST_HEADER = 1 << 16
_WHOLE_TYPES = frozenset(
    {"TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "HUGEINT"}
)
_NUMBER_TYPES = _WHOLE_TYPES | {"FLOAT", "DOUBLE"}
_PARQUET: Final = "read_parquet(?, hive_partitioning = false)"
_SETTINGS: Final[dict[str, str | bool | int | float | list[str]]] = {
    # Reading a file must never send the program to the network for an extension.
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What a kind of file must hold.

    Attributes:
        kind: what a sentence calls such a file.
        time: the column of times, whole milliseconds UTC.
        numbers: the other columns of numbers.
        choices: the columns of words, and the words that each may hold, in small letters.
        hint: the sentence that tells a person what such a file looks like.
    """

    kind: str
    time: str
    numbers: tuple[str, ...]
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    hint: str

    @property
    def names(self) -> tuple[str, ...]:
        """All columns that such a file must have."""
        return (self.time, *self.numbers, *self.choices)


def column_names(path: Path, layout: Layout) -> list[str]:
    """Return the names of a file's columns in small letters; a file that cannot be read is refused as `layout`'s kind.

    Raises:
        CandleFileError: the file cannot be read.
    """
    start = _opening(path, layout)
    if not start.startswith(_PARQUET_MAGIC):
        names = _header(path, layout, start)[0]
    else:
        import duckdb

        try:
            with duckdb.connect(":memory:", config=_SETTINGS) as connection:
                names = list(_parquet_kinds(connection, path))
        except duckdb.Error as error:
            raise _unreadable(path, layout, error) from error
    return [name.strip().lower() for name in names]


def read_columns(path: Path, layout: Layout) -> dict[str, Column]:
    """Return the columns of `layout` by name, in its order.

    The content decides the format, not the file's name. Columns are found by name, in any order and case; others are
    ignored. Times are int64 or float64, numbers float64, choices int8: the place of the word among the allowed ones.

    Raises:
        CandleFileError: the file cannot be read, lacks a column, or holds something that is not a number or not one of
            the words; names the file and the row (the first data row is row 1).
    """
    start = _opening(path, layout)
    # duckdb takes some 50 ms and 20 MB to import: only who reads a file pays for it.
    import duckdb

    is_parquet = start.startswith(_PARQUET_MAGIC)
    # One thread decodes a year of minutes as fast as two, in less memory; the parsing of text gains from the second.
    settings = _SETTINGS | {"threads": 1 if is_parquet else 2}
    try:
        with duckdb.connect(":memory:", config=settings) as connection:
            if is_parquet:
                return _read_parquet(connection, path, layout)
            return _read_csv(connection, path, layout, start)
    except duckdb.Error as error:
        raise _unreadable(path, layout, error) from error


def write_columns(path: Path, table: Mapping[str, Column]) -> None:
    """Write columns of one length as Parquet, compressed with zstd. An existing file is replaced.

    Raises:
        CandleFileError: the file cannot be written.
    """
    import duckdb

    try:
        with duckdb.connect(":memory:", config=_SETTINGS) as connection:
            # A dict of arrays is a table to duckdb once it is bound to a name.
            connection.register("columns_to_write", dict(table))
            target = str(path).replace("'", "''")
            connection.execute(f"copy columns_to_write to '{target}' (format parquet, compression zstd)")
    except duckdb.Error as error:
        raise CandleFileError(
            f"{path} cannot be written: {_first_lines(error)}", hint="Choose a folder that exists and may be written."
        ) from error


def _opening(path: Path, layout: Layout) -> bytes:
    """Return the first bytes of the file, having said clearly what is wrong with it as a file."""
    try:
        if path.is_dir():
            raise CandleFileError(f"{path} is a folder, not a {layout.kind}.", hint="Name one file inside it.")
        with path.open("rb") as file:
            start = file.read(_LONGEST_HEADER)
    except FileNotFoundError as error:
        raise CandleFileError(f"There is no file {path}.", hint="Check the path and its spelling.") from error
    except OSError as error:
        raise CandleFileError(
            f"{path} cannot be opened: {error.strerror or error}.", hint="Check the path and your right to read it."
        ) from error
    if not start.strip():
        raise CandleFileError(f"{path} is empty.", hint=layout.hint)
    if start.startswith(_GZIP_MAGIC):
        raise CandleFileError(f"{path} is compressed with gzip.", hint="Unpack it first (gunzip).")
    if path.suffix.lower() in {".parquet", ".pq"} and not start.startswith(_PARQUET_MAGIC):
        raise CandleFileError(
            f"{path} is not a Parquet file in spite of its name.",
            hint="If it is CSV, give it a name that ends in .csv.",
        )
    return start


def _parquet_kinds(connection: "duckdb.DuckDBPyConnection", path: Path) -> dict[str, str]:
    """Return the type of each column of a Parquet file, by name."""
    described = connection.execute(f"describe select * from {_PARQUET}", [str(path)]).fetchall()
    return {str(row[0]): str(row[1]) for row in described}


def _read_parquet(connection: "duckdb.DuckDBPyConnection", path: Path, layout: Layout) -> dict[str, Column]:
    """Return the columns of a Parquet file. One query a column: the peak of memory is one column, not the table."""
    kinds = _parquet_kinds(connection, path)
    columns: dict[str, Column] = {}
    for name, index in _match_columns(path, layout, list(kinds)).items():
        header = list(kinds)[index]
        _check_type(path, layout, name, header, kinds[header])
        cell = '"' + header.replace('"', '""') + '"'
        if name in layout.choices:
            wanted = _chosen(cell, layout.choices[name])
        else:
            whole = kinds[header] in _WHOLE_TYPES and name == layout.time
            wanted = f"cast({cell} as {'bigint' if whole else 'double'})"
        column: Column = connection.execute(f"select {wanted} as c from {_PARQUET}", [str(path)]).fetchnumpy()["c"]
        if isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column):
            row = int(np.ma.getmaskarray(column).argmax())
            query = f"select cast({cell} as varchar) from {_PARQUET} limit 1 offset {row}"
            found = connection.execute(query, [str(path)]).fetchone()
            _refuse_value(path, layout, name, row, None if found is None else found[0])
        columns[name] = np.ma.getdata(column)
    return columns


def _check_type(path: Path, layout: Layout, name: str, header: str, kind: str) -> None:
    if name in layout.choices:
        if kind != "VARCHAR" and not kind.startswith("ENUM"):
            words = " or ".join(layout.choices[name])
            raise CandleFileError(f"{path}: the column {header!r} holds {kind}, not text.", hint=f"It says {words}.")
    elif kind not in _NUMBER_TYPES and not kind.startswith("DECIMAL"):
        raise CandleFileError(
            f"{path}: the column {header!r} holds {kind}, not numbers.",
            hint=f"{layout.time} must be whole milliseconds since 1970 UTC (int64), the other numbers float64.",
        )


def _chosen(cell: str, words: Iterable[str]) -> str:
    """Return the SQL that turns a word into its place among `words`, and any other into null."""
    places = " ".join(f"when '{word}' then {place}" for place, word in enumerate(words))
    return f"cast(case lower(trim({cell})) {places} end as tinyint)"


def _read_csv(connection: "duckdb.DuckDBPyConnection", path: Path, layout: Layout, start: bytes) -> dict[str, Column]:
    """Return the columns of a CSV file; the header decides the separator, nothing else is guessed."""
    header, separator = _header(path, layout, start)
    found = _match_columns(path, layout, header)
    texts = ", ".join(f"'c{index}': 'VARCHAR'" for index in range(len(header)))
    source = (
        f"read_csv(?, auto_detect = false, header = true, delim = '{separator}', quote = '\"', escape = '\"', "
        f"hive_partitioning = false, columns = {{{texts}}})"
    )
    import duckdb

    wanted = ", ".join(
        f"{_chosen(f'c{index}', layout.choices[name]) if name in layout.choices else f'try_cast(c{index} as double)'} "
        f"as {name}"
        for name, index in found.items()
    )
    try:
        read: dict[str, Column] = connection.execute(f"select {wanted} from {source}", [str(path)]).fetchnumpy()
    except duckdb.ConversionException:
        # duckdb may move the cast into its reader, which then stops at the first text; the search below names it.
        _refuse_text(connection, path, layout, source, found)
    if any(isinstance(column, np.ma.MaskedArray) and np.ma.is_masked(column) for column in read.values()):
        _refuse_text(connection, path, layout, source, found)
    return {name: np.ma.getdata(column) for name, column in read.items()}


def _header(path: Path, layout: Layout, start: bytes) -> tuple[list[str], str]:
    """Return the names in the first line of a CSV file, and what separates them."""
    try:
        line = start.splitlines()[0].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise CandleFileError(f"{path} is neither Parquet nor text in UTF-8.", hint=layout.hint) from error
    if not line.isprintable() and "\t" not in line:
        raise CandleFileError(f"{path} is neither Parquet nor text in UTF-8.", hint=layout.hint)
    separator = max(",;\t|", key=line.count)
    return next(csv.reader([line], delimiter=separator), []), separator


def _match_columns(path: Path, layout: Layout, header: list[str]) -> dict[str, int]:
    """Return where each wanted column stands in the header."""
    lowered = [name.strip().lower() for name in header]
    missing = [name for name in layout.names if name not in lowered]
    if missing:
        shown = ", ".join(repr(name) for name in header[:30])
        raise CandleFileError(
            f"{path} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}; it has {shown}.",
            hint=layout.hint,
        )
    for name in layout.names:
        if lowered.count(name) > 1:
            raise CandleFileError(f"{path} has the column {name} more than once.", hint="Keep one of them.")
    return {name: lowered.index(name) for name in layout.names}


def _refuse_text(
    connection: "duckdb.DuckDBPyConnection", path: Path, layout: Layout, source: str, found: dict[str, int]
) -> NoReturn:
    """Find the first row of a CSV file that holds something else than it should, and say so."""
    # `trim` keeps the cast out of duckdb's reader, so that a bad value becomes null here instead of an error.
    parsed = [
        _chosen(f"c{index}", layout.choices[name]) if name in layout.choices else f"try_cast(trim(c{index}) as double)"
        for name, index in found.items()
    ]
    texts = ", ".join(f"c{index}" for index in found.values())
    bad = " or ".join(f"{value} is null" for value in parsed)
    query = (
        f"select row, {texts}, {', '.join(parsed)} from (select row_number() over () as row, * from {source}) "
        f"where {bad} order by row limit 1"
    )
    row = connection.execute(query, [str(path)]).fetchone()
    if row is None:
        raise CandleFileError(f"{path} holds something that is not a number.", hint=layout.hint)
    values, read = row[1 : 1 + len(found)], row[1 + len(found) :]
    name, text = next((name, text) for name, text, value in zip(found, values, read, strict=True) if value is None)
    _refuse_value(path, layout, name, int(row[0]) - 1, text)


def _refuse_value(path: Path, layout: Layout, name: str, index: int, text: str | None) -> NoReturn:
    """Say what is wrong with a value that could not be read; None is an empty one."""
    place = f"{path}, row {index + 1}"
    if text is None or not text.strip():
        hint = "Fill the value in, or leave the whole row out: gaps are allowed."
        raise CandleFileError(f"{place}: {name} is empty.", hint=hint)
    if name in layout.choices:
        words = " or ".join(layout.choices[name])
        raise CandleFileError(f"{place}: {name} is {text[:60]!r}, not {words}.", hint=layout.hint)
    hint = "Prices and amounts are plain numbers with a point, such as 64250.5."
    if name == layout.time:
        hint = f"{name} is whole milliseconds since 1970 UTC, such as 1704067200000."
    raise CandleFileError(f"{place}: {name} is not a number: {text[:60]!r}.", hint=hint)


def _unreadable(path: Path, layout: Layout, error: Exception) -> CandleFileError:
    return CandleFileError(f"{path} cannot be read: {_first_lines(error)}", hint=layout.hint)


def _first_lines(error: Exception) -> str:
    """Return the lines of a duckdb message that say what happened, without its advice and its settings."""
    lines = [line.strip() for line in str(error).splitlines()]
    stop = next((i for i, line in enumerate(lines) if not line or line.startswith("Possible")), len(lines))
    return "; ".join(lines[:stop])
