"""Log lines into one file of the user's choice: all files, oldest first, filtered, whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import errno
import gzip
import io
import os
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AsyncExitStack, aclosing, suppress
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from gridbot.adapters.logbook.log_files import CURRENT
from gridbot.errors import EnvironmentProblem

SLICE = 1 << 18
"""Bytes of log between two looks at whether to go on: a few milliseconds of work."""

COLUMNS = ("@timestamp", "log.level", "event.dataset", "event.action", "trace.id", "message")
_REST = "fields"


class LogFileExporter:
    """Satisfies the LogExporter port. `lines` counts what the last export wrote."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lines = 0

    async def export(
        self, target: Path, *, levels: frozenset[str], text: str, format: str
    ) -> AsyncGenerator[tuple[int, int], None]:
        """Write the lines that pass the filter to `target`; yield (bytes done, bytes in all) after each slice.

        Raises EnvironmentProblem with a sentence, also for a format other than jsonl and csv. Closing the iterator
        early leaves `target` as it was.
        """
        if format not in {"jsonl", "csv"}:
            raise EnvironmentProblem(f"There is no export format {format}.", hint="Choose jsonl or csv.")
        temporary = target.with_name(f".{target.name}.{os.getpid()}.tmp")
        self.lines = 0
        try:
            async with AsyncExitStack() as files:
                out = files.enter_context(_create(temporary))
                accept, rendered = _filter(levels, text), _as_csv if format == "csv" else _as_jsonl
                if format == "csv":
                    out.write(_csv_rows([[*COLUMNS, _REST]]))
                slices = await files.enter_async_context(aclosing(self._slices(files)))
                async for done, total, lines in slices:
                    passed = [line for line in lines if accept(line)]
                    out.write(rendered(passed))
                    self.lines += len(passed)
                    yield done, total
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        except OSError as error:
            raise _problem(error, target) from error
        finally:
            # After success there is nothing under this name; after a stop or a failure nothing may stay.
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    async def _slices(self, files: AsyncExitStack) -> AsyncGenerator[tuple[int, int, list[bytes]], None]:
        paths = log_paths(self._folder)
        sizes = [path.stat().st_size for path in paths]
        before, total = 0, sum(sizes)
        for path, size in zip(paths, sizes, strict=True):
            raw = files.enter_context(path.open("rb"))
            for lines in _lines_of(raw, packed=path.suffix == ".gz", size=size):
                yield min(before + raw.tell(), total), total, lines
                # One turn of the loop: whoever shares it goes on in between.
                await asyncio.sleep(0)
            before += size
            raw.close()
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


def _filter(levels: frozenset[str], text: str) -> Callable[[bytes], bool]:
    """Return what tells whether a line passes; the level is told by its bytes, so that few lines are parsed."""
    marks = tuple(b'"log.level":"%s"' % level.lower().encode() for level in sorted(levels))
    wanted = text.casefold()

    def accept(line: bytes) -> bool:
        if marks and not any(mark in line for mark in marks):
            return False
        return not wanted or wanted in line.decode(errors="replace").casefold()

    return accept


def _as_jsonl(lines: list[bytes]) -> bytes:
    return b"".join(line + b"\n" for line in lines)


def _as_csv(lines: list[bytes]) -> bytes:
    return _csv_rows(_row(line) for line in lines)


def _row(line: bytes) -> list[str]:
    """Return a line as cells; one that is damaged is shown as it is, in the column of the message."""
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError:
        fields = {"message": line.decode(errors="replace")}
    row = [_harmless(str(fields.pop(name, ""))) for name in COLUMNS]
    fields.pop("service.name", None)
    fields.pop("ecs.version", None)
    return [*row, orjson.dumps(fields).decode() if fields else ""]


def _harmless(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text: a message is no formula, whoever wrote it."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell


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
