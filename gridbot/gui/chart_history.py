"""Asks for candles from before the chart's first one as a person scrolls back, and says how that stands."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QElapsedTimer, QObject

from gridbot.core.units import Symbol, TimeMs
from gridbot.gui.chart_words import LOADING, NOTHING_OLDER
from gridbot.gui.requests import RequestDesk
from gridbot.shell.facade import Answered, LoadHistory

AGAIN_MS = 1_500
"""After a failure a question is asked again at the earliest so much later, when the person scrolls on."""


class ChartHistory(QObject):
    """One chart's way to older candles; `arrived` is called when some came."""

    def __init__(self, desk: RequestDesk, arrived: Callable[[], object], parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._arrived = arrived
        self._key: tuple[Symbol | None, int] = (None, 0)
        self._request: int | None = None
        self._trouble = ""
        self._whole = False
        self._failed = QElapsedTimer()

    def edge(self) -> str:
        """Return what is to be said beside the oldest candle."""
        if self._request is not None:
            return LOADING
        return NOTHING_OLDER if self._whole else self._trouble

    def look_at(self, symbol: Symbol | None, timeframe: int, *, whole: bool) -> None:
        """The chart shows this market in this timeframe (ms); `whole` says that there is nothing older."""
        self._whole = whole
        if (symbol, timeframe) != self._key:
            self._key, self._request, self._trouble = (symbol, timeframe), None, ""
            self._failed.invalidate()

    def want(self, before: TimeMs) -> None:
        """Ask for candles that ended by `before` (ms UTC), unless that is under way or in vain."""
        symbol, timeframe = self._key
        waits = self._failed.isValid() and self._failed.elapsed() < AGAIN_MS
        if symbol is None or self._request is not None or self._whole or waits:
            return
        self._trouble = ""
        # An answer may come before `ask` has returned.
        self._request = -1
        number = self._desk.ask(LoadHistory(symbol, timeframe, before), self._answered)
        if self._request == -1:
            self._request = number

    def _answered(self, answer: Answered) -> None:
        if self._request not in (answer.request, -1):
            return
        self._request = None
        if not answer.ok:
            self._trouble = f"{answer.message} Scroll back again to retry."
            self._failed.restart()
        self._arrived()
