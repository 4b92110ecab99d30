"""Everything the engine knows, as one value; the same events give the same state, byte for byte.

It holds no last quote but the last mark (an event), and nothing finished: completed orders and round trips leave as
notes. See docs/decisions/0003-state-holds-the-last-mark.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from enum import StrEnum

from gridbot.core.cells import Cell
from gridbot.core.events import KillKind, OrderRef, Quote
from gridbot.core.ladder import Ladder
from gridbot.core.ledger import Accounts, Tally
from gridbot.core.orders import Order
from gridbot.core.regime import Signal, Trend
from gridbot.core.rules import GridRules, Instrument, Rules
from gridbot.core.units import GridId, OrderId, Price, Symbol, TimeMs
from gridbot.core.values import value


class Phase(StrEnum):
    """Where a grid is in its life."""

    WAITING = "waiting"
    ACTIVE = "active"
    EXITING = "exiting"
    STOPPED = "stopped"


class RangeState(StrEnum):
    """Why a grid rests a buy, or none."""

    WARMING_UP = "warming_up"
    WAITING = "waiting"
    TRADING = "trading"
    FULL = "full"
    LIMITED = "limited"
    BELOW_RANGE = "below_range"
    CROWDED = "crowded"
    STOPPED = "stopped"


class LimitCause(StrEnum):
    """What limits the slots that may be bought."""

    NOTHING = "nothing"
    TREND = "trend"
    SPIKE = "spike"
    ATR_BREAKER = "atr_breaker"
    PAUSED = "paused"
    SELL_ONLY = "sell_only"
    RISK = "risk"
    KILLED = "killed"


@value
class Limit:
    """The number of the last slot that may be bought (None: all, 0: none) and what says so."""

    last: int | None = None
    cause: LimitCause = LimitCause.NOTHING


@value
class Arming:
    """What the last walk down the ladder found, so that the next one can often be spared.

    `skipped` is the lowest slot that only the price kept out, `armed` the number of armed slots, `idle` of free cells
    without one; `cut` says that free cells ran out before the ladder did, `last` is the limit that it was made under.
    """

    skipped: Price | None = None
    armed: int = 0
    idle: int = 0
    cut: bool = True
    last: int | None = None


@value
class Grid:
    """One grid. `price` is the price of its last decision (quote per base), `closed_at` the time of the newest candle
    taken, `dropped` that it goes when it is empty; `loose` counts the cells whose order is not what they want."""

    rules: GridRules
    instrument: Instrument | None
    phase: Phase
    signal: Signal
    trend: Trend
    ladder: Ladder | None
    cells: tuple[Cell, ...]
    tally: Tally
    limit: Limit
    price: Price | None
    arming: Arming
    loose: int
    range: RangeState
    range_since: TimeMs
    closed_at: TimeMs
    signal_at: TimeMs
    halt: str
    dropped: bool

    @property
    def ready(self) -> bool:
        """Whether indicators and instrument are known, so that slots may be laid."""
        return self.signal.ready and self.trend.ready and self.instrument is not None

    @property
    def skipped(self) -> Price | None:
        """The lowest slot that only the price keeps from being armed (quote per base)."""
        return self.arming.skipped


class Seen:
    """The newest 2,000 trade ids, oldest first. Immutable to see; versions share one log that only ever grows.

    `add` to the newest version appends in place, which older versions cannot see: each knows where its view ends.
    """

    __slots__ = ("_log", "_stop", "_where")
    LIMIT = 2_000

    def __init__(self, ids: Iterable[str] = ()) -> None:
        self._log: list[str] = list(ids)[-self.LIMIT :]
        self._where: dict[str, int] = {id_: place for place, id_ in enumerate(self._log)}
        self._stop = len(self._log)

    def __contains__(self, id_: str) -> bool:
        place = self._where.get(id_)
        return place is not None and self._stop - self.LIMIT <= place < self._stop

    def __iter__(self) -> Iterator[str]:
        return iter(self._log[max(self._stop - self.LIMIT, 0) : self._stop])

    def __len__(self) -> int:
        return min(self._stop, self.LIMIT)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seen) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Seen({list(self)!r})"

    def add(self, id_: str) -> Seen:
        """Return the set with `id_` in it."""
        return self.added(id_) or self

    def added(self, id_: str) -> Seen | None:
        """Return the set with `id_` as its newest, or None if it is there already; beyond 2,000 the oldest leaves."""
        log, where, stop = self._log, self._where, self._stop
        if stop != len(log) or id_ in where or stop > 4 * self.LIMIT:
            return None if id_ in self else Seen([*self, id_])
        log.append(id_)
        where[id_] = stop
        after = _bare(Seen)
        after._log, after._where, after._stop = log, where, stop + 1
        return after

    def extended(self, ids: Sequence[str]) -> Seen | None:
        """Return the set with `ids`, no two of them the same, as its newest; None if one of them is there already."""
        log, where, stop = self._log, self._where, self._stop
        if not where.keys().isdisjoint(ids) and any(id_ in self for id_ in ids):
            return None
        if stop != len(log) or stop > 4 * self.LIMIT:
            return Seen([*self, *ids])
        log += ids
        where.update(zip(ids, range(stop, len(log)), strict=True))
        after = _bare(Seen)
        after._log, after._where, after._stop = log, where, len(log)
        return after


_bare = object.__new__


class Level(StrEnum):
    """How the account stands; up at once, down with hysteresis, never by itself from RED or BLACK."""

    GREEN = "green"
    YELLOW = "yellow"
    ORANGE = "orange"
    RED = "red"
    BLACK = "black"


@value
class Tripped:
    """A breaker that is open: since when (ms UTC), at which level, in words; `stops_buys` of `scope` ("" is all)."""

    since: TimeMs
    level: Level
    sentence: str
    stops_buys: bool
    scope: str = ""


@value
class RiskState:
    """What the breakers remember. Amounts in the equity asset; `daily` are fractional equity changes by UTC day."""

    quotes: dict[Symbol, Quote]
    fresh: dict[Symbol, int]
    equity: Decimal | None
    peak: Decimal | None
    day: int
    day_start: Decimal | None
    daily: tuple[Decimal, ...]
    creates: tuple[TimeMs, ...]
    tripped: dict[str, Tripped]
    last_trip: dict[str, TimeMs]
    level: Level
    marked_at: TimeMs


@value
class Kill:
    """Trading is stopped until a person releases it."""

    kind: KillKind
    reason: str
    time: TimeMs
    liquidate: bool


@value
class Retired:
    """An order that ended before it was filled; a late fill of it is still booked."""

    ref: OrderRef
    order: Order


RETIRED_LIMIT = 500
"""How many ended orders are remembered for late fills."""


@value
class State:
    """The engine's whole memory."""

    rules: Rules
    now: TimeMs
    prefix: str
    sequence: int
    opened: bool
    grids: dict[GridId, Grid]
    accounts: Accounts
    instruments: dict[Symbol, Instrument]
    trades: Seen
    transfers: Seen
    retired: dict[OrderId, Retired]
    risk: RiskState
    kill: Kill | None
    fills: int
    round_trips: int


def new_state(rules: Rules) -> State:
    """Return the state before any event, with no grid laid; grids come with RulesChanged or are taken from `rules`."""
    risk = RiskState({}, {}, None, None, -1, None, (), (), {}, {}, Level.GREEN, TimeMs(-1))
    never = TimeMs(0)
    return State(rules, never, "gb00000000000", 0, False, {}, {}, {}, Seen(), Seen(), {}, risk, None, 0, 0)
