"""What a window asks about backtests: the kept runs in one thread, runs in another, each by a process of its own."""

from __future__ import annotations

from collections.abc import Mapping

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import FOLDER, KeptRuns
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap_own_job import done_elsewhere
from gridbot.errors import StateFileError
from gridbot.shell.errand_thread import Errand, ErrandThread
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.research_desk import (
    CandleChoice,
    CandlesCounted,
    CountCandles,
    DeleteRuns,
    ExchangesNamed,
    KeptRun,
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


class ResearchDeskThreads:
    """Satisfies ResearchDesk: whoever looks at kept runs does not wait for one that is being made."""

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self._home = home
        self._environment = {**environment, "GRIDBOT_HOME": str(home.root)}
        self._runs = KeptRuns(SystemDisk(), home.root / FOLDER)
        self._purged = False
        self._desks = (ErrandThread("runs", self._look), ErrandThread("research", self._run))

    def ask(self, wish: ResearchWish) -> int:
        """Hand in a wish; return its number."""
        which = 1 if isinstance(wish, RunTrial) else 0
        return self._desks[which].ask(wish) * 2 + which

    def standing(self, number: int) -> Standing | None:
        """Return how far it is."""
        return self._desks[number % 2].standing(number // 2)

    def answer(self, number: int) -> Done[ResearchReply] | Refused | None:
        """Return the outcome, once."""
        return self._desks[number % 2].answer(number // 2)

    def cancel(self, number: int) -> None:
        """Give it up; what was downloaded is kept."""
        self._desks[number % 2].cancel(number // 2)

    # -------------------------------------------------------------------------------------- kept runs

    def _look(self, wish: ResearchWish, _errand: Errand) -> ResearchReply:
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
        runs: list[KeptRun] = []
        troubles: list[str] = []
        for each in self._runs.ids():
            try:
                runs.append(run_of(each, self._runs.head(each)))
            except StateFileError as error:
                troubles.append(f"{each}: {error.message} {error.hint}".strip())
        return RunsListed(tuple(sorted(runs, key=lambda run: run.made, reverse=True)), tuple(troubles))

    def _whole(self, id_: RunId) -> WholeRun:
        return whole_of(run_of(id_, self._runs.head(id_)), self._runs.rest(id_))

    # ------------------------------------------------------------------------------------------- a run

    def _run(self, wish: ResearchWish, errand: Errand) -> ResearchReply:
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


def research_desk(home: Home, environment: Mapping[str, str]) -> ResearchDeskThreads:
    """Return the desk of this folder's backtests; no thread, process or file is there before it is asked."""
    return ResearchDeskThreads(home, environment)
