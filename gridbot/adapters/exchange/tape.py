"""Which trades of an answer are new: each is let through at most once, whichever way and however often it is told.

A stream and the exchange's requests need not number trades alike (Binance streams single trades and answers joined
ones). Where the two share a trade, ids decide. Where they do not, what one of them tells counts only from behind the
newest trade that the other one told.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

from gridbot.adapters.exchange.price_forms import Trade

KEPT = 20_000
"""Trades of each way that are known again; what is older than the oldest of them is not believed to be new."""


class Way(StrEnum):
    """How a trade was told."""

    STREAM = "stream"
    ASKED = "asked"


_OTHER = {Way.STREAM: Way.ASKED, Way.ASKED: Way.STREAM}


class _Known:
    """The trades that one way has told, by id, with their times. `newest` and `floor` are times, ms UTC."""

    def __init__(self) -> None:
        self.times: dict[str, int] = {}
        self.newest = 0
        self.floor = 0

    def add(self, id_: str, time: int) -> None:
        self.times[id_] = time
        self.newest = max(self.newest, time)
        if len(self.times) > KEPT:
            oldest = next(iter(self.times))
            self.floor = max(self.floor, self.times.pop(oldest))

    def has(self, id_: str, time: int) -> bool:
        return id_ in self.times or time <= self.floor


class Tape:
    """The trades of one market. `newest` is the time of the newest one that was let through, ms UTC; 0 before any."""

    def __init__(self) -> None:
        self._known = {way: _Known() for way in Way}
        self._alike = False
        self.newest = 0

    def new(self, trades: Sequence[Trade], way: Way) -> list[Trade]:
        """Return those of `trades`, which are sorted by time, that were not told before."""
        own, other = self._known[way], self._known[_OTHER[way]]
        named = [(id_, trade) for id_, trade in zip(_names(trades), trades, strict=True)]
        self._alike = self._alike or any(other.times.get(id_) == trade.told.time for id_, trade in named)
        fresh = []
        for id_, trade in named:
            time = trade.told.time
            if own.has(id_, time):
                continue
            own.add(id_, time)
            if other.has(id_, time) if self._alike else time <= other.newest:
                continue
            fresh.append(trade)
            self.newest = max(self.newest, time)
        return fresh

    @property
    def answered(self) -> int:
        """Until when the exchange's answers have told everything, ms UTC; 0 before the first."""
        return self._known[Way.ASKED].newest

    def overlaps(self, trades: Sequence[Trade]) -> bool:
        """Tell whether an answer reaches back to what is known, so that nothing between can be missing."""
        known = self._known[Way.ASKED].times
        return any(id_ in known for id_ in _names(trades)) or (bool(trades) and trades[0].told.time < self.newest)


def _names(trades: Sequence[Trade]) -> list[str]:
    """Return by what each trade is known again. Equal ones without ids are told apart by their number in the answer."""
    met: Counter[str] = Counter()
    names = []
    for trade in trades:
        told = trade.told
        name = trade.id or f"{told.time} {told.side.value} {told.price.normalize():f} {told.amount.normalize():f}"
        met[name] += 1
        names.append(name if trade.id else f"{name} {met[name]}")
    return names
