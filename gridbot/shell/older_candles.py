"""What a person scrolls back for: candles from before a chart's first one, asked of the feed when they are wanted."""

from __future__ import annotations

from gridbot.core.units import Symbol
from gridbot.errors import ConfigError, VenueUnavailable
from gridbot.ports import Feed
from gridbot.shell.charts import MOST_CANDLES, Charts
from gridbot.shell.facade import Answered, LoadHistory

AT_ONCE = 500
"""So many candles one look back brings."""
FURTHER = 8
"""Where that stretch is empty, one so many times as long is tried: an exchange may have been shut for days."""


class OlderCandles:
    """Puts older candles in front of a chart's, one question a chart at a time."""

    def __init__(self, charts: Charts, feed: Feed) -> None:
        self._charts = charts
        self._feed = feed
        self._asked: set[tuple[Symbol, int]] = set()

    async def load(self, number: int, request: LoadHistory) -> Answered:
        """Ask, put what came in front, and say in a sentence what it was."""
        key = (request.symbol, request.timeframe)
        track = self._charts.track(*key)
        if track is None:
            return Answered(number, False, f"The chart of {request.symbol} is not loaded yet.")
        if track.full():
            return Answered(
                number,
                False,
                f"The chart keeps {MOST_CANDLES:,} candles. A longer timeframe shows what lies further back.",
            )
        if key in self._asked:
            return Answered(number, False, "Older candles are being loaded already.")
        self._asked.add(key)
        try:
            found = await self._feed.older(*key, AT_ONCE, before=request.before)
            if not found:
                found = await self._feed.older(*key, AT_ONCE * FURTHER, before=request.before)
        except (VenueUnavailable, ConfigError) as error:
            return Answered(number, False, f"Older candles could not be loaded: {error.message}")
        finally:
            self._asked.discard(key)
        added = track.put_before(request.before, found)
        if not found:
            return Answered(number, True, f"There is nothing older of {request.symbol}.")
        return Answered(number, True, f"{added:,} older candles of {request.symbol} are loaded.")
