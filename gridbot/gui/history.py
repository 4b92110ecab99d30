"""What is over, as the window remembers it: fills, round trips and ended orders, the newest 50,000 of each."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.rules import Instrument
from gridbot.core.snapshot import Snapshot
from gridbot.core.units import GridId
from gridbot.core.values import value
from gridbot.gui.rows import Booked
from gridbot.shell.facade import Happened

REMEMBERED = 50_000


@value
class Batch:
    """What came in at one look."""

    fills: tuple[Booked, ...]
    trips: tuple[Booked, ...]
    ended: tuple[OrderEnded, ...]


class History:
    """Sorts what happened; a grid's instrument is remembered beyond the grid's end."""

    def __init__(self) -> None:
        self.fills: deque[FillBooked] = deque(maxlen=REMEMBERED)
        self._instruments: dict[GridId, Instrument] = {}

    def learn(self, snapshot: Snapshot) -> None:
        """Remember the instruments of a snapshot's grids."""
        for grid in snapshot.grids:
            if grid.instrument is not None:
                self._instruments[grid.id] = grid.instrument

    def take(self, happened: Iterable[Happened]) -> Batch:
        """Remember what belongs here and return it, in its order."""
        fills, trips, ended = list[Booked](), list[Booked](), list[OrderEnded]()
        for item in happened:
            if isinstance(item, FillBooked):
                self.fills.append(item)
                fills.append(Booked(item, self._instruments.get(item.grid)))
            elif isinstance(item, RoundTripClosed):
                trips.append(Booked(item, self._instruments.get(item.grid)))
            elif isinstance(item, OrderEnded):
                ended.append(item)
        return Batch(tuple(fills), tuple(trips), tuple(ended))
