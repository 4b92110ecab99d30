"""Makes the view that windows see: the engine's snapshot once a change, prices and problems at every beat."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.config import AppConfig
from gridbot.core.events import Marked
from gridbot.core.limit_views import measured
from gridbot.core.rates import RateView
from gridbot.core.snapshot import Snapshot, snapshot
from gridbot.core.state import State
from gridbot.core.values import evolve
from gridbot.ports import Clock
from gridbot.shell.arrival import Arrival
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.facade import ExchangeWords, View
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.problems import Problems
from gridbot.shell.reconciler import Reconciler

LOOK_MS = 1_000


class Showcase:
    """Builds views; a state that did not change is not looked at again, nor a configuration written out again.

    `mark` tells what the breakers would be told now, of which the state keeps neither requests nor the clock;
    `rates` returns those of the user's own currency, and is set by who has them.
    """

    def __init__(
        self,
        board: MarketBoard,
        problems: Problems,
        clock: Clock,
        arrival: Arrival,
        balances: BalanceCheck,
        reconciler: Reconciler,
        words: ExchangeWords,
        mark: Callable[[], Marked],
    ) -> None:
        self._board = board
        self._problems = problems
        self._clock = clock
        self._arrival = arrival
        self._balances = balances
        self._reconciler = reconciler
        self._words = words
        self._mark = mark
        self._marked: Marked | None = None
        self._beat = 0
        self._seen: tuple[State, Snapshot] | None = None
        self._config: tuple[AppConfig, str] | None = None
        self.rates: Callable[[], tuple[RateView, ...]] = tuple

    def view(self, state: State, config: AppConfig, *, running: bool, starting: bool) -> View:
        """Return the newest view; its beat is one more than the last."""
        self._beat += 1
        if self._seen is None or self._seen[0] is not state:
            self._seen = (state, snapshot(state))
        mark = self._marked = self._newest_mark()
        seen = self._seen[1]
        limits = measured(seen.limits, requests=mark.requests, failures=mark.failures, skew_ms=mark.clock_skew_ms)
        if self._config is None or self._config[0] is not config:
            self._config = (config, config.to_json())
        symbols = dict.fromkeys(grid.rules.symbol for grid in state.grids.values())
        now = self._clock.now_ms()
        markets = self._board.views(symbols)
        problems = self._problems.sentences()
        start = evolve(self._arrival.view(state), gaps=tuple(gap.sentence() for gap in self._balances.gaps))
        return View(
            self._beat,
            now,
            evolve(seen, limits=limits),
            markets,
            running,
            starting,
            problems,
            self._config[1],
            start=start,
            foreign=self._reconciler.foreign(),
            words=self._words,
            rates=self.rates(),
        )

    def _newest_mark(self) -> Marked:
        """Return what is measured, at most a second old."""
        if self._marked is None or self._clock.now_ms() - self._marked.time >= LOOK_MS:
            return self._mark()
        return self._marked
