"""Lists that an exchange tells of all markets at once are read to their end before one market's rows are taken out.

Kraken gives fifty rows a page, the newest first. Of one market perhaps three are among them, and ccxt hands on those
three: whoever asked would take them for all that there were.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

PAGES: Mapping[str, int] = {"kraken": 50}
"""Exchanges that tell of all markets at once, and how many rows they give at a time."""
MOST_ROWS = 2_000

Ask = Callable[[str | None, Mapping[str, object]], Awaitable[Sequence[Mapping[str, Any]]]]
"""Asks for rows of a market, or of all for None, with these parameters."""


async def rows_of_market(exchange_id: str, symbol: str, ask: Ask) -> list[Mapping[str, Any]]:
    """Return every row of a market that the exchange has; raises ValueError where they are too many to be read."""
    room = PAGES.get(exchange_id)
    if room is None:
        return list(await ask(symbol, {}))
    found: dict[object, Mapping[str, Any]] = {}
    read = 0
    while read < MOST_ROWS:
        page = await ask(None, {"ofs": read} if read else {})
        found.update((row["id"], row) for row in page)
        read += len(page)
        if len(page) < room:
            # What ccxt left out for its time is the end of the last page: older than was asked for.
            rows = [row for row in found.values() if row["symbol"] == symbol]
            return sorted(rows, key=lambda row: (row.get("timestamp") or 0, str(row["id"])))
    raise ValueError("more rows than can be read at once")
