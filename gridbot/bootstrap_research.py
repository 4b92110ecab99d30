"""What a window asks about backtests: the kept runs in one thread, runs in another, each by a process of its own."""

from __future__ import annotations

from collections.abc import Mapping

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import FOLDER, KeptRuns
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap_own_job import done_elsewhere
from gridbot.shell.errand_thread import Errand, ErrandPair, ErrandThread
from gridbot.shell.research_desk import (
    CandleChoice,
    CandlesCounted,
    CountCandles,
    DeleteRuns,
    ExchangesNamed,
    ListRuns,
    NameExchanges,
    OpenRuns,
    ResearchReply,
    ResearchWish,
    RestoreRuns,
    RunId,
    RunsListed,
    RunsOpened,
    RunTrial,
    WholeRun,
)
from gridbot.shell.research_forms import run_of, trial_data, whole_of

WISH = "next.wish"


class _Research:
    """What is done about backtests, each method in a thread of its own."""

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self._home = home
        self._environment = {**environment, "GRIDBOT_HOME": str(home.root)}
        self._runs = KeptRuns(SystemDisk(), home.root / FOLDER)
        self._purged = False

    def look(self, wish: ResearchWish, _errand: Errand) -> ResearchReply:
        """Do what concerns kept runs and candles."""
        match wish:
            case OpenRuns(ids=ids):
                return RunsOpened(tuple(self._whole(each) for each in ids))
            case NameExchanges():
                return ExchangesNamed(_exchanges())
            case CountCandles(data=data):
                return _counted(self._home, data)
            case DeleteRuns(ids=ids):
                for each in ids:
                    self._runs.delete(each)
            case RestoreRuns(ids=ids):
                for each in ids:
                    self._runs.restore(each)
            case ListRuns() | RunTrial():
                if not self._purged:
                    self._purged = True
                    self._runs.purge()
        return self._listed()

    def _listed(self) -> RunsListed:
        runs, troubles = self._runs.listed(run_of)
        return RunsListed(tuple(sorted(runs, key=lambda run: run.made, reverse=True)), troubles)

    def _whole(self, id_: RunId) -> WholeRun:
        return whole_of(run_of(id_, self._runs.head(id_)), self._runs.rest(id_))

    def run(self, wish: ResearchWish, errand: Errand) -> ResearchReply:
        """Run a backtest in a process of its own, and keep it; what was downloaded is kept even if it is given up."""
        assert isinstance(wish, RunTrial)
        kept = done_elsewhere(
            "backtest-job", self._home.root / FOLDER / WISH, trial_data(wish.trial), self._environment, errand
        )
        return RunsOpened((self._whole(kept),))


def _exchanges() -> tuple[tuple[str, str], ...]:
    from gridbot.adapters.exchange.capability_table import capability_of
    from gridbot.adapters.exchange.opening import exchange_ids

    rows = [capability_of(each) for each in exchange_ids()]
    return tuple((row.id, row.name) for row in sorted(rows, key=lambda row: (not row.proven, row.name.lower())))


def _counted(home: Home, data: CandleChoice) -> CandlesCounted:
    from gridbot.adapters.market_files.candle_cache import CandleCache, market_folder

    step, now = data.timeframe, SystemClock().now_ms()
    first = -(-(data.first or 0) // step) * step
    until = min(now, data.until or now) // step * step
    folder = market_folder(
        home.candles, exchange=data.place, base_url=data.base_url, symbol=data.symbol, timeframe=step
    )
    missing = CandleCache(SystemDisk(), folder, step).missing(first, until)
    wanted = max(0, until - first) // step
    return CandlesCounted(wanted, wanted - sum((end - begin) // step for begin, end in missing))


def research_desk(home: Home, environment: Mapping[str, str]) -> ErrandPair[ResearchWish, ResearchReply]:
    """Return the desk of this folder's backtests; no thread, process or file is there before it is asked."""
    research = _Research(home, environment)
    return ErrandPair(ErrandThread("runs", research.look), ErrandThread("research", research.run), long=RunTrial)
