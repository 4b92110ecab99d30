"""The log: one JSON object a line in ECS names, rotated by size, compressed, kept for so many days, without secrets.

The file in use is ``gridbot.jsonl``; a finished one is ``gridbot-<UTC time of its end>.jsonl.gz``, so that names sort
as time does. A log that cannot be written never stops trading: the lines stay in memory, and `problem` says why.
"""

from __future__ import annotations

import gzip
import os
import re
import shutil
import threading
from collections import deque
from collections.abc import Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from gridbot.adapters.logbook.masking import Mask
from gridbot.ports import Clock

CURRENT = "gridbot.jsonl"
LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40, "critical": 50}
TAIL = 10_000
"""How many lines are kept in memory, for a window that opens later and for crash reports."""

Subscriber = Callable[[Mapping[str, object], str], None]
"""Takes a line's fields and its text, in the thread that logged it; it must not block."""

_STAMP = "%Y%m%dT%H%M%S"
_FINISHED = re.compile(r"gridbot-(\d{8}T\d{6})(\d{3})Z(?:-\d+)?\.jsonl(\.gz)?")
LONGEST = 20_000
"""Characters of a message or field: an exchange that answers with a book does not fill the log with it."""


class LogFiles:
    """Satisfies the LogSink port, from any thread.

    Attributes:
        problem: a sentence while the log cannot be written, else None
    """

    def __init__(
        self, folder: Path, clock: Clock, mask: Mask, *, level: str, rotate_mb: int, keep_days: int, service: str
    ) -> None:
        self.problem: str | None = None
        self._folder = folder
        self._clock = clock
        self._mask = mask
        self._service = service
        self._limit = rotate_mb * 1_000_000
        self._keep = timedelta(days=keep_days)
        self._lock = threading.RLock()
        self._packer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="log-packer")
        self._descriptor: int | None = None
        self._size = 0
        self._node = 0
        self._recent: deque[tuple[Mapping[str, object], str]] = deque(maxlen=TAIL)
        self._subscribers: list[Subscriber] = []
        self._least = LEVELS[level.lower()]
        self._logger: Any = None
        self._mend()

    def log(self, level: str, dataset: str, action: str, message: str, **fields: object) -> None:
        """Write one line. `trace` among the fields becomes trace.id, all others are put under ``gridbot.``."""
        name = level.lower()
        line = {"level": name, "dataset": dataset, "action": action, "message": message, "fields": fields}
        if self._logger is None:
            self._logger = self._made()
        self._logger.log(LEVELS[name], message, line=line)

    def _made(self) -> Any:
        # At the first line and not before: it brings rich along, a twelfth of a start until the first paint.
        import structlog

        # Bound here and not configured globally: two of these never disturb each other.
        return structlog.wrap_logger(
            _Writer(self._write),
            processors=[self._in_ecs, self._render],
            wrapper_class=structlog.make_filtering_bound_logger(self._least),
            cache_logger_on_first_use=False,
        )

    def subscribe(self, subscriber: Subscriber) -> None:
        """Hand every further line to `subscriber`."""
        with self._lock:
            self._subscribers.append(subscriber)

    def recent(self) -> tuple[tuple[Mapping[str, object], str], ...]:
        """Return the newest lines, oldest first: the fields of each and its text."""
        with self._lock:
            return tuple(self._recent)

    def close(self) -> None:
        """Make the log durable, finish what is being compressed, and close."""
        with self._lock:
            if self._descriptor is not None:
                with suppress(OSError):
                    os.fsync(self._descriptor)
            self._let_go()
        self._packer.shutdown(wait=True)

    # ------------------------------------------------------------------------------ making a line

    def _in_ecs(self, _logger: object, _method: str, event: MutableMapping[str, Any]) -> Mapping[str, object]:
        line = event["line"]
        fields: dict[str, object] = line["fields"]
        ecs: dict[str, object] = {
            "@timestamp": timestamp(self._clock.now_ms()),
            "log.level": line["level"],
            "event.dataset": f"gridbot.{line['dataset']}",
            "event.action": line["action"],
            "message": _writable(self._mask.text(_bounded(line["message"]))),
            "trace.id": _writable(self._mask.text(str(fields.get("trace") or ""))),
            "service.name": self._service,
            "ecs.version": "8.11",
        }
        for name, value in fields.items():
            if name != "trace":
                ecs[f"gridbot.{_writable(self._mask.text(name))}"] = _writable(self._mask.under(name, _bounded(value)))
        return ecs

    def _render(
        self, _logger: object, _method: str, line: Mapping[str, object]
    ) -> tuple[tuple[object, ...], dict[str, Any]]:
        return (line, orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)), {}

    def _write(self, line: Mapping[str, object], text: bytes) -> None:
        with self._lock:
            try:
                self._add(text)
                self.problem = None
            except OSError as error:
                self._let_go()
                reason = (error.strerror or str(error)).lower()
                self.problem = f"The log in {self._folder} cannot be written: {reason}."
            shown = text[:-1].decode()
            self._recent.append((line, shown))
            for subscriber in self._subscribers:
                subscriber(line, shown)

    # ------------------------------------------------------------------------------ the files

    def _add(self, text: bytes) -> None:
        if self._descriptor is None or self._was_moved():
            self._take()
        if self._size and self._size + len(text) > self._limit:
            self._turn_over()
        assert self._descriptor is not None
        rest = memoryview(text)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        self._size += len(text)

    def _was_moved(self) -> bool:
        """Tell whether another gridbot has turned the file over, or somebody deleted it."""
        try:
            return (self._folder / CURRENT).stat().st_ino != self._node
        except FileNotFoundError:
            return True

    def _take(self) -> None:
        self._let_go()
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
        self._descriptor = os.open(self._folder / CURRENT, flags, 0o600)
        status = os.fstat(self._descriptor)
        self._size, self._node = status.st_size, status.st_ino

    def _let_go(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):
                os.close(descriptor)

    def _turn_over(self) -> None:
        self._let_go()
        finished = self._finished_name()
        (self._folder / CURRENT).replace(finished)
        self._take()
        self._packer.submit(self._pack, finished)
        self._forget()

    def _finished_name(self) -> Path:
        now = _moment(self._clock.now_ms())
        stem = f"gridbot-{now.strftime(_STAMP)}{now.microsecond // 1000:03d}Z"
        names = (f"{stem}.jsonl", *(f"{stem}-{number}.jsonl" for number in range(1, 1_000_000)))
        free = (name for name in names if not self._is_taken(name))
        return self._folder / next(free)

    def _is_taken(self, name: str) -> bool:
        return (self._folder / name).exists() or (self._folder / f"{name}.gz").exists()

    def _pack(self, path: Path) -> None:
        """Compress a finished file; the plain one goes when the packed one is whole."""
        packed, unfinished = path.with_name(path.name + ".gz"), path.with_name(path.name + ".gz.tmp")
        try:
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with path.open("rb") as source, os.fdopen(descriptor, "wb") as raw:
                with gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=6, mtime=0) as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                raw.flush()
                os.fsync(raw.fileno())
            unfinished.replace(packed)
            path.unlink()
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            self.problem = f"The log {path.name} cannot be compressed: {(error.strerror or str(error)).lower()}."

    def _mend(self) -> None:
        """Finish at start what a crash interrupted: pack finished files, drop halves, and what is too old."""
        with suppress(OSError):
            # All halves go before the first is packed anew: the packer writes under the same name.
            for path in self._folder.glob("gridbot-*.jsonl*"):
                is_double = path.suffix == ".jsonl" and path.with_name(path.name + ".gz").exists()
                if is_double or path.name.endswith(".gz.tmp"):
                    path.unlink()
            for path in sorted(self._folder.glob("gridbot-*.jsonl")):
                if _FINISHED.fullmatch(path.name):
                    self._packer.submit(self._pack, path)
            self._forget()

    def _forget(self) -> None:
        oldest = _moment(self._clock.now_ms()) - self._keep
        for path in self._folder.glob("gridbot-*.jsonl*"):
            ended = ended_ms(path)
            if ended is not None and _moment(ended) < oldest:
                path.unlink(missing_ok=True)


class _Writer:
    """What structlog hands a finished line to, whatever its level."""

    def __init__(self, write: Callable[[Mapping[str, object], bytes], None]) -> None:
        self.debug = self.info = self.warning = self.error = self.critical = write


def ended_ms(path: Path) -> int | None:
    """Return when a finished log file was ended (ms UTC), as its name says; None for any other file."""
    found = _FINISHED.fullmatch(path.name)
    if found is None:
        return None
    seconds = datetime.strptime(f"{found[1]}+0000", f"{_STAMP}%z").timestamp()
    return round(seconds) * 1000 + int(found[2])


def timestamp(time_ms: int) -> str:
    """Return a time (ms UTC) as ECS writes it: 2026-11-21T04:00:00.000Z."""
    return _moment(time_ms).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def line_ms(text: str) -> int:
    """Return the time (ms UTC) that `timestamp` wrote."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def _moment(time_ms: int) -> datetime:
    return datetime.fromtimestamp(time_ms // 1000, UTC) + timedelta(milliseconds=time_ms % 1000)


def _bounded(value: Any) -> Any:
    if not isinstance(value, str) or len(value) <= LONGEST:
        return value
    return f"{value[:LONGEST]} ({len(value) - LONGEST} more characters)"


def _writable(value: object) -> object:
    """Return plain data that JSON can hold: whole numbers of 64 bits at most, and no half of a surrogate pair."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if type(value) is int and not -(2**63) <= value < 2**63:
        return str(value)
    if isinstance(value, dict):
        return {_writable(key): _writable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_writable(item) for item in value]
    return value
