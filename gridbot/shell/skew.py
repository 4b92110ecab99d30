"""How far the venue's clock is from ours: what the clock breaker judges by."""

from __future__ import annotations

from gridbot.ports import Venue


class Skew:
    """Measures.

    Attributes:
        newest_ms: how many ms the venue's clock is ahead, None while nobody knows or both are one
    """

    def __init__(self, venue: Venue) -> None:
        self._venue = venue
        self.newest_ms: int | None = None

    async def measure(self) -> None:
        """Ask the venue; raises VenueUnavailable, and what was known before stays."""
        self.newest_ms = await self._venue.clock_offset_ms()
