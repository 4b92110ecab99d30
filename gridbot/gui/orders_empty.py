"""What each table of orders says while it has no rows: why that is, and what to do about it."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.rules import Wish
from gridbot.gui.empty_state import EmptyOver
from gridbot.gui.numbers import whole
from gridbot.gui.table import Table
from gridbot.gui.theme import Colours
from gridbot.shell.facade import View

_NEVER = {
    "Fills": "Nothing was bought or sold yet. Each trade of your orders is listed here.",
    "Round trips": "No round trip has closed yet. One is a buy and the sell that follows it.",
    "History": "No order has ended yet. What was filled, cancelled or refused is listed here.",
}


class NothingHere(EmptyOver):
    """Lies over the table of `title` while that is empty."""

    def __init__(self, table: Table, title: str, colours: Colours) -> None:
        super().__init__(table, f"{title}: why there is nothing", colours)
        self._title = title

    def say_why(self, view: View | None, *, hidden: int, show_all: Callable[[], object]) -> None:
        """Say why no row is shown; `hidden` are those that the filter hides, and `show_all` takes it away."""
        if hidden:
            rows = "the one row" if hidden == 1 else f"all {whole(hidden)} rows"
            self.say("filter", f"The filter hides {rows} of this table.", "Show all", show_all)
        elif self._title in _NEVER:
            self.say("empty", _NEVER[self._title])
        else:
            self.say(*nothing_rests(view))


def nothing_rests(view: View | None) -> tuple[str, str]:
    """Return an icon and why no order rests."""
    if view is None or view.starting:
        return "loading", "gridbot compares itself with the exchange first. Orders appear here when that is done."
    snapshot = view.snapshot
    if snapshot.kill is not None:
        return "stop", "Trading is stopped, and no order rests. Reset the stop to trade again."
    if not snapshot.grids:
        return "empty", "No order rests, for there is no grid yet. Add one on the Market tab."
    if any(not market.connected for market in view.markets):
        return "offline", "There is no connection to the exchange. No order is sent until prices return."
    if not view.running or all(grid.wish is Wish.PAUSE for grid in snapshot.grids):
        return "pause", "No order rests, for the grids are paused. Press Start to trade."
    return "empty", "No order rests now. The table of slots on the Market tab says for each slot why it has none."
