"""Candles of one market at one exchange, kept as Parquet: what was asked for is marked, what is missing is a gap.

A folder holds a file a month (a year, from hourly candles on) and `asked.json`, the spans that the exchange has
answered for. A time inside such a span without a candle is a gap for certain; a time outside was never asked about.
Whoever writes holds the folder's lock, and the candles are on the disk before their span is marked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from gridbot.adapters.market_files.candle_files import CANDLES, COLUMNS
from gridbot.adapters.market_files.columns import Column, read_columns, write_columns
from gridbot.core.candles import Candle
from gridbot.core.units import Symbol
from gridbot.errors import CandleFileError
from gridbot.ports import Disk
from gridbot.sim.candle_arrays import CandleArrays

Span: TypeAlias = tuple[int, int]
"""From (ms UTC), up to but not including."""

ASKED = "asked.json"
LOCK = "lock"
SCHEMA = 1
_HOUR_MS = 3_600_000
_UNITS = (("d", 86_400_000), ("h", _HOUR_MS), ("m", 60_000))
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


def market_folder(root: Path, *, exchange: str, base_url: str | None, symbol: Symbol, timeframe: int) -> Path:
    """Return where the candles of a market are kept, in one timeframe (ms)."""
    place = _UNSAFE.sub("_", exchange)
    if base_url is not None:
        # Another address may be another exchange: a sandbox's candles are not the real ones.
        place += f"-{zlib.crc32(base_url.encode()):08x}"
    unit, length = next(each for each in _UNITS if timeframe % each[1] == 0)
    return root / place / _UNSAFE.sub("-", symbol) / f"{timeframe // length}{unit}"


class CandleCache:
    """The kept candles of one market and timeframe (ms) in `folder`, which need not exist before `keep`."""

    def __init__(self, disk: Disk, folder: Path, timeframe: int) -> None:
        self._disk = disk
        self.folder = folder
        self._timeframe = timeframe

    def missing(self, first: int, until: int) -> list[Span]:
        """Return the spans between `first` and `until` that were never asked about, oldest first."""
        spans: list[Span] = []
        at = first
        for begin, end in self._asked():
            if end <= at or begin >= until:
                continue
            if begin > at:
                spans.append((at, begin))
            at = max(at, end)
        if at < until:
            spans.append((at, until))
        return spans

    def keep(self, candles: Sequence[Candle], first: int, until: int) -> None:
        """Keep the candles of a span that the exchange answered for; EnvironmentProblem, CandleFileError."""
        self._disk.make_folder(self.folder)
        for name, part in self._by_file(candles):
            self._merge(self.folder / name, part)
        self._mark([*self._asked(), (first, until)])

    def read(self, first: int, until: int) -> CandleArrays:
        """Return what is kept between two times; CandleFileError for a damaged file."""
        parts = [read_columns(path, CANDLES) for path in self._files(first, until)]
        none = np.empty(0)
        columns = {name: np.concatenate([*(part[name] for part in parts), none]) for name in COLUMNS}
        times = columns["open_time"].astype(np.int64)
        chosen = (times >= first) & (times < until)
        return CandleArrays(
            open_time=np.ascontiguousarray(times[chosen]),
            **{
                name: np.ascontiguousarray(columns[name][chosen], np.float64) for name in COLUMNS if name != "open_time"
            },
        )

    def forget_damaged(self, first: int, until: int) -> int:
        """Forget the files of a span that cannot be read, and that they were ever asked for; return how many."""
        count = 0
        for path in self._files(first, until):
            try:
                read_columns(path, CANDLES)
            except CandleFileError:
                self._disk.remove(path)
                begin, end = _span_of(path.stem)
                left = [(a, b) for each in self._asked() for a, b in _without(each, begin, end)]
                self._mark(left)
                count += 1
        return count

    # ------------------------------------------------------------------------------------------ inside

    def _files(self, first: int, until: int) -> list[Path]:
        names = [name for name in self._disk.names(self.folder) if name.endswith(".parquet")]
        found = [self.folder / name for name in names if _is_period(name.removesuffix(".parquet"))]
        return [path for path in found if _span_of(path.stem)[0] < until and _span_of(path.stem)[1] > first]

    def _by_file(self, candles: Sequence[Candle]) -> Iterator[tuple[str, list[Candle]]]:
        form = "%Y-%m" if self._timeframe < _HOUR_MS else "%Y"
        groups: dict[str, list[Candle]] = {}
        for candle in candles:
            groups.setdefault(datetime.fromtimestamp(candle.open_time / 1000, UTC).strftime(form), []).append(candle)
        return ((f"{name}.parquet", group) for name, group in groups.items())

    def _merge(self, path: Path, candles: Sequence[Candle]) -> None:
        fresh: dict[str, Column] = {
            "open_time": np.array([each.open_time for each in candles], np.int64),
            **{name: np.array([getattr(each, name) for each in candles], np.float64) for name in COLUMNS[1:]},
        }
        if path.name in self._disk.names(self.folder):
            old = read_columns(path, CANDLES)
            # Of two candles of one time the one that was told last counts.
            kept = ~np.isin(old["open_time"], fresh["open_time"])
            fresh = {name: np.concatenate((old[name][kept], fresh[name])) for name in COLUMNS}
        order = np.argsort(fresh["open_time"], kind="stable")
        temporary = path.with_name(path.name + ".tmp")
        write_columns(temporary, {name: _typed(name, fresh[name][order]) for name in COLUMNS})
        self._disk.replace(temporary, path)

    def _asked(self) -> list[Span]:
        import orjson

        content = self._disk.read(self.folder / ASKED)
        if content is None:
            return []
        try:
            told = orjson.loads(content)
            if told["schema"] != SCHEMA or told["timeframe_ms"] != self._timeframe:
                return []
            return sorted((int(begin), int(end)) for begin, end in told["asked"])
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError):
            # Nothing is known of what was asked for, so it is asked for again.
            return []

    def _mark(self, spans: Sequence[Span]) -> None:
        import orjson

        joined: list[list[int]] = []
        for begin, end in sorted(spans):
            if joined and begin <= joined[-1][1]:
                joined[-1][1] = max(joined[-1][1], end)
            else:
                joined.append([begin, end])
        told = {"schema": SCHEMA, "timeframe_ms": self._timeframe, "asked": joined}
        temporary = self.folder / f"{ASKED}.tmp"
        file = self._disk.create(temporary)
        try:
            file.write(orjson.dumps(told))
            file.fsync()
        finally:
            file.close()
        self._disk.replace(temporary, self.folder / ASKED)


def _typed(name: str, column: Column) -> npt.NDArray[np.generic]:
    return np.ascontiguousarray(column, np.int64 if name == "open_time" else np.float64)


def _is_period(stem: str) -> bool:
    try:
        _span_of(stem)
    except ValueError:
        return False
    return True


def _span_of(stem: str) -> Span:
    """Return the span of a file such as 2024-05 or 2024; ValueError for another name."""
    year, _, month = stem.partition("-")
    begin = datetime(int(year), int(month or 1), 1, tzinfo=UTC)
    if month:
        end = datetime(begin.year + begin.month // 12, begin.month % 12 + 1, 1, tzinfo=UTC)
    else:
        end = datetime(begin.year + 1, 1, 1, tzinfo=UTC)
    return int(begin.timestamp() * 1000), int(end.timestamp() * 1000)


def _without(span: Span, begin: int, end: int) -> Iterator[Span]:
    """Yield what is left of a span without the times from `begin` up to `end`."""
    if span[0] < min(span[1], begin):
        yield span[0], min(span[1], begin)
    if max(span[0], end) < span[1]:
        yield max(span[0], end), span[1]
