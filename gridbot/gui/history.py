"""What is over, as the window remembers it: fills, round trips and ended orders, the newest 50,000 of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from decimal import Decimal

from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.day_parts import NO_DAY, DayParts, with_note
from gridbot.core.snapshot import Snapshot
from gridbot.core.units import ZERO, Asset, GridId, OrderId
from gridbot.core.values import value
from gridbot.gui.figures import Figures
from gridbot.gui.order_rows import Ended, Filled
from gridbot.shell.facade import Happened

REMEMBERED = 50_000
_Moment = tuple[int, GridId, int]
"""The time, grid and cell of a note: those of one event that are about one cell share it."""


@value
class Batch:
    """What came in at one look."""

    fills: tuple[Filled, ...]
    trips: tuple[RoundTripClosed, ...]
    ended: tuple[Ended, ...]


class History:
    """Sorts what happened.

    Attributes:
        fills: the newest fills, oldest first.
        figures: how each grid's figures are written, also after the grid's end.
        today: what the day of the newest fill or round trip is made of.
    """

    def __init__(self) -> None:
        self.fills: deque[FillBooked] = deque(maxlen=REMEMBERED)
        self.figures = Figures()
        self.today: DayParts = NO_DAY
        self._known, self._oldest = 0, 0
        self._fees: dict[OrderId, dict[Asset, Decimal]] = {}

    def learn(self, snapshot: Snapshot) -> bool:
        """Remember the markets of a snapshot's grids; tell whether figures are written otherwise from now on."""
        return self.figures.learn(snapshot)

    def take(self, happened: Iterable[Happened]) -> Batch:
        """Remember what belongs here and return it, in its order."""
        notes = [item for item in happened if isinstance(item, FillBooked | RoundTripClosed | OrderEnded)]
        profits: dict[_Moment, Decimal] = {
            (note.time, note.grid, note.cell): note.profit for note in notes if isinstance(note, RoundTripClosed)
        }
        fills, trips, ended = list[Filled](), list[RoundTripClosed](), list[Ended]()
        for note in notes:
            self.today = with_note(self.today, note)
            self._oldest = self._oldest or note.time
            if isinstance(note, RoundTripClosed):
                self._known += 1
                trips.append(note)
                continue
            profit = profits.get((note.time, note.grid, note.cell)) if note.side.value == "sell" else None
            if isinstance(note, FillBooked):
                self.fills.append(note)
                fills.append(Filled(note, profit))
                paid = self._fees.setdefault(note.order, {})
                paid[note.fee_asset] = paid.get(note.fee_asset, ZERO) + note.fee
            else:
                ended.append(Ended(note, tuple(self._fees.pop(note.order, {}).items()), profit))
        while len(self._fees) > REMEMBERED:
            # Of an order that ended long ago and was filled late once more.
            del self._fees[next(iter(self._fees))]
        return Batch(tuple(fills), tuple(trips), tuple(ended))

    def day(self, time: int) -> DayParts:
        """Return what the day of `time` (ms UTC) is made of, as far as the window knows."""
        return self.today.on(time)

    def knows_the_day(self, snapshot: Snapshot) -> bool:
        """Tell whether all of today's round trips are known: of the time before this start only the newest are."""
        return self._known >= snapshot.round_trips or 0 < self._oldest < snapshot.time // 86_400_000 * 86_400_000
