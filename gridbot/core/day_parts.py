"""What today (UTC) is made of: the profit of the round trips that closed and the fees, added up note by note."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.commands import FillBooked, Note, RoundTripClosed
from gridbot.core.units import ZERO, Asset, GridId
from gridbot.core.values import value

DAY_MS = 86_400_000


@value
class DayParts:
    """One day, numbered in days since 1970 (UTC). Profit is by grid, in its quote, after fees; fees by their asset."""

    day: int
    profit: dict[GridId, Decimal]
    fees: dict[Asset, Decimal]
    fills: int
    trips: int

    def on(self, time: int) -> DayParts:
        """Return the parts of the day that `time` (ms UTC) belongs to: these, or none yet of a later one."""
        day = time // DAY_MS
        return DayParts(day, {}, {}, 0, 0) if day > self.day else self


NO_DAY = DayParts(0, {}, {}, 0, 0)
"""Before any note."""


def with_note(parts: DayParts, note: Note) -> DayParts:
    """Return the day with one more note; one of an earlier day changes nothing, one of a later one begins it."""
    if not isinstance(note, FillBooked | RoundTripClosed):
        return parts
    now = parts.on(note.time)
    if note.time // DAY_MS < now.day:
        return parts
    if isinstance(note, FillBooked):
        fees = {**now.fees, note.fee_asset: now.fees.get(note.fee_asset, ZERO) + note.fee}
        return DayParts(now.day, now.profit, fees, now.fills + 1, now.trips)
    profit = {**now.profit, note.grid: now.profit.get(note.grid, ZERO) + note.profit}
    return DayParts(now.day, profit, now.fees, now.fills, now.trips + 1)


def unrealised_today(day_profit: Decimal | None, closed: Decimal) -> Decimal | None:
    """Return what the coins held gained or lost today: the day's profit that no round trip closed (one currency)."""
    return None if day_profit is None else day_profit - closed
