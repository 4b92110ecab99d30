"""Log lines into one file of the user's choice: all files, oldest first, filtered, whole or not at all."""

from __future__ import annotations

import csv
import errno
import gzip
import io
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gridbot.adapters.logbook.log_files import CURRENT, ended_ms, timestamp
from gridbot.core.values import value
from gridbot.errors import EnvironmentProblem

SLICE = 1 << 18
"""Bytes of log between two looks at whether to go on: a few milliseconds of work."""

COLUMNS = ("@timestamp", "log.level", "event.dataset", "event.action", "trace.id", "message")
_REST = "fields"
_FORMULA = frozenset("=+-@\t\r")
"""How a spreadsheet's formula may begin."""
_PLAIN = rb'"((?![=+\-@])[^"\\,\x00-\x1f]*)"'
_USUAL = re.compile(
    rb'\{"@timestamp":%s,"log.level":%s,"event.dataset":%s,"event.action":%s,"message":"((?![=+\-@])[^"\\\x00-\x1f]*)"'
    rb',"trace.id":%s,"service.name":"[^"\\]*","ecs.version":"[^"\\]*"(?:,([^\x00-\x1f]+))?\}' % ((_PLAIN,) * 5)
)
"""A line as the log writes it, with nothing in its texts that a table, or a spreadsheet, would take for its own."""
_STAMPED = b'{"@timestamp":"'


@value
class Wanted:
    """Which lines are exported: no level and no dataset named is all; the times (ms UTC) bound, the end left out."""

    levels: frozenset[str] = frozenset()
    datasets: frozenset[str] = frozenset()
    text: str = ""
    since_ms: int | None = None
    until_ms: int | None = None


class LogFileExporter:
    """Exports the log files of a folder. `lines` counts what the last export wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lines = 0

    def export(self, target: Path, wanted: Wanted, *, format: str) -> Iterator[tuple[int, int]]:
        """Write the lines that are wanted to `target`; yield (bytes done, bytes in all) after each slice.

        Raises EnvironmentProblem with a sentence, also for a format other than jsonl and csv. Closing the iterator
        early leaves `target` as it was.
        """
        if format not in {"jsonl", "csv"}:
            raise EnvironmentProblem(f"There is no export format {format}.", hint="Choose jsonl or csv.")
        self.lines = 0
        accept, rendered = _filter(wanted), _as_csv if format == "csv" else _as_jsonl
        with whole_file(target) as out:
            if format == "csv":
                out.write(_csv_rows([[*COLUMNS, _REST]]))
            for done, total, lines in log_slices(self._folder, since_ms=wanted.since_ms):
                passed = lines if accept is None else [line for line in lines if accept(line)]
                out.write(rendered(passed))
                self.lines += len(passed)
                yield done, total


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of `target` when all of it is written; else nothing of it stays.

    What the disk refuses is told as EnvironmentProblem.
    """
    temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with _create(temporary) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(target)
    except OSError as error:
        raise _problem(error, target) from error
    finally:
        # After success there is nothing under this name; after a stop or a failure nothing may stay.
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def log_slices(folder: Path, *, since_ms: int | None = None) -> Iterator[tuple[int, int, list[bytes]]]:
    """Yield (bytes done, bytes in all, whole lines), oldest first; files that ended before `since_ms` are left out."""
    paths = [path for path in log_paths(folder) if since_ms is None or not _ended_before(path, since_ms)]
    sizes = [path.stat().st_size for path in paths]
    before, total = 0, sum(sizes)
    for path, size in zip(paths, sizes, strict=True):
        with path.open("rb") as raw:
            for lines in _lines_of(raw, packed=path.suffix == ".gz", size=size):
                yield min(before + raw.tell(), total), total, lines
        before += size
    yield total, total, []


def log_paths(folder: Path) -> list[Path]:
    """Return the log files, oldest first; of one that is being compressed only the finished form."""
    names = {path.name for path in folder.glob("gridbot-*.jsonl*") if not path.name.endswith(".tmp")}
    finished = sorted(name for name in names if not (name.endswith(".jsonl") and f"{name}.gz" in names))
    current = [CURRENT] if (folder / CURRENT).exists() else []
    return [folder / name for name in (*finished, *current)]


def _lines_of(raw: BinaryIO, *, packed: bool, size: int) -> Iterator[list[bytes]]:
    """Yield the whole lines of a file in slices; of a file in use what was in it at the beginning."""
    source: Any = gzip.GzipFile(fileobj=raw, mode="rb") if packed else raw
    rest, left = b"", size
    while True:
        try:
            piece = source.read(SLICE if packed else min(SLICE, left))
        except (EOFError, gzip.BadGzipFile):
            # Cut off by a crash while it was packed: what could be read stands.
            piece = b""
        if not piece:
            return
        left -= len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        yield lines


def _ended_before(path: Path, since_ms: int) -> bool:
    ended = ended_ms(path)
    return ended is not None and ended < since_ms


def _filter(wanted: Wanted) -> Callable[[bytes], bool] | None:
    """Return what tells whether a line passes, None where all do; all but the text is told by the line's bytes."""
    tests = [
        *_one_of(b"log.level", (level.lower() for level in wanted.levels)),
        *_one_of(b"event.dataset", (f"gridbot.{dataset}" for dataset in wanted.datasets)),
        *_within(wanted.since_ms, wanted.until_ms),
        *(_says(word) for word in wanted.text.casefold().split()),
    ]
    return (lambda line: all(test(line) for test in tests)) if tests else None


def _one_of(name: bytes, allowed: Iterable[str]) -> Iterator[Callable[[bytes], bool]]:
    # Quotes inside of a text are escaped, so no message can look like this.
    marks = tuple(b'"%s":"%s"' % (name, each.encode()) for each in sorted(allowed))
    if marks:
        yield lambda line: any(mark in line for mark in marks)


def _within(since_ms: int | None, until_ms: int | None) -> Iterator[Callable[[bytes], bool]]:
    """Times are written with a fixed width at the line's beginning, so their bytes compare as the times do."""
    if since_ms is None and until_ms is None:
        return
    first = b"" if since_ms is None else timestamp(since_ms).encode()
    end = b"~" if until_ms is None else timestamp(until_ms).encode()
    yield lambda line: line.startswith(_STAMPED) and first <= line[len(_STAMPED) : len(_STAMPED) + 24] < end


def _says(word: str) -> Callable[[bytes], bool]:
    return lambda line: word in line.decode(errors="replace").casefold()


def _as_jsonl(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _as_csv(lines: list[bytes]) -> bytes:
    return b"".join(_csv_line(line) for line in lines)


def _csv_line(line: bytes) -> bytes:
    """Return a line as a row of the table; nearly all have a form that need not be parsed for it."""
    found = _USUAL.fullmatch(line)
    if found is None:
        return _csv_rows([_row(line)])
    time, level, dataset, action, message, trace, rest = found.groups()
    fields = b'"{%s}"' % rest.replace(b'"', b'""') if rest else b""
    said = b'"%s"' % message if b"," in message else message
    return b"%s,%s,%s,%s,%s,%s,%s\r\n" % (time, level, dataset, action, trace, said, fields)


def _row(line: bytes) -> list[str]:
    """Return a line as cells; one that is damaged is shown as it is, in the column of the message."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = {"message": line.decode(errors="replace")}
    take = fields.pop
    row = [_harmless(str(take(name, ""))) for name in COLUMNS]
    fields.pop("service.name", None)
    fields.pop("ecs.version", None)
    return [*row, orjson.dumps(fields).decode() if fields else ""]


def _harmless(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text: a message is no formula, whoever wrote it."""
    return f"'{cell}" if cell[:1] in _FORMULA else cell


def _csv_rows(rows: Any) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _create(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0)
    return os.fdopen(os.open(path, flags, 0o600), "wb")


def _problem(error: OSError, target: Path) -> EnvironmentProblem:
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return EnvironmentProblem(f"There is no room left on the disk for {target}.", hint="Choose another disk.")
    reason = (error.strerror or str(error)).lower()
    return EnvironmentProblem(f"{target} cannot be written: {reason}.", hint="Choose another folder or file.")
