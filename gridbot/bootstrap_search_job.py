"""One search from its wish to its files, in a process of its own that has further ones do the runs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from gridbot import __version__
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import SEARCHES, KeptRuns
from gridbot.adapters.market_files.candle_columns import COLUMNS, LOCK, save_columns
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap_research_job import Tell, candles_and_rules, grid_of, name_of, risk_of, with_rules
from gridbot.bootstrap_search_work import Task, begin, work
from gridbot.core.values import evolve
from gridbot.errors import AlreadyRunning, ConfigError, EnvironmentProblem
from gridbot.research.judging import Assumed, Outcome
from gridbot.research.searching import NotRun, run_search
from gridbot.shell.search_desk import KeptSearch, Search, Span
from gridbot.shell.search_forms import head_data, rest_data
from gridbot.sim.candle_arrays import CandleArrays

SOON_MS = 3_000
"""So long it works before it says how long it will take."""
_MINUTE_S = 60


def run_search_job(home: Home, search: Search, *, tell: Tell) -> str:
    """Search and keep what came of it; return its id. Raises what is wrong with the wish, the candles or the disk."""
    grid = grid_of(search.trial.grid)
    candles, known = candles_and_rules(home, search.trial.data, grid, tell)
    instrument = grid.to_rules().instrument or known
    if instrument is None:
        raise ConfigError("The rules and fees of the market are not known.", hint="Write them into the form.")
    whole = Span(int(candles.open_time[0]), int(candles.open_time[-1]) + candles.timeframe_ms)
    trial = search.trial
    assumed = Assumed(trial.fills, trial.latency_ms, risk_of(trial.risk), trial.equity)
    tell("Starting the search.", None)
    with _columns(home, candles) as columns, _processes() as pool:
        try:
            found = run_search(
                search,
                grid,
                instrument,
                whole,
                submit=lambda attempt: _submitted(pool, Task(columns, attempt, assumed)),
                tell=_Remaining(tell).tell,
            )
        except BrokenExecutor as error:
            raise EnvironmentProblem(
                "A process of the search was ended by the system. Trading is not affected.",
                hint="Most often memory ran out: take a shorter period, or close other programs.",
            ) from error
    tell("Keeping the result.", 1.0)
    made = SystemClock().now_ms()
    runs = KeptRuns(SystemDisk(), home.root / SEARCHES, "search")
    kept = KeptSearch(
        id=runs.free_id(name_of(instrument.symbol, made)),
        made=made,
        quote=str(instrument.quote),
        search=evolve(search, trial=with_rules(trial, grid, instrument)),
        rounds=found.rounds,
        tried=found.tried,
        possible=found.possible,
        refused=found.refused,
    )
    runs.save(kept.id, {"gridbot": __version__, **head_data(kept)}, rest_data(found.tries, found.course))
    return kept.id


@contextmanager
def _columns(home: Home, candles: CandleArrays) -> Iterator[Path]:
    """Lay the candles where all processes can map them, for as long as the search takes."""
    disk, folder = SystemDisk(), home.root / SEARCHES
    disk.make_folder(folder)
    try:
        held = disk.lock(folder / LOCK)
    except AlreadyRunning:
        raise EnvironmentProblem("Another search is under way.", hint="Wait until it has ended.") from None
    try:
        save_columns(candles, folder / COLUMNS)
        yield folder / COLUMNS
    finally:
        (folder / COLUMNS).unlink(missing_ok=True)
        held.release()


@contextmanager
def _processes() -> Iterator[ProcessPoolExecutor]:
    """Start the processes; one core stays free for the window and for trading."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # The same way to begin on every system, and none that copies this process' threads.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(max(1, cores - 1), mp_context=context, initializer=begin)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _submitted(pool: ProcessPoolExecutor, task: Task) -> Future[Outcome | NotRun]:
    """Hand a run in. It may start a process, and Ctrl-C reaches that before it could say that it takes no notice."""
    with ctrl_c_held_back():
        return pool.submit(work, task)


@contextmanager
def ctrl_c_held_back() -> Iterator[None]:
    """Block Ctrl-C in this thread and, for good, in what it starts; Windows cannot."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Remaining:
    """Tells how far a search is, and how long it will go on at the pace that it had so far."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._clock = SystemClock()
        self._began = self._clock.now_ms()

    def tell(self, sentence: str, share: float) -> None:
        """Say it."""
        gone = self._clock.now_ms() - self._began
        if gone < SOON_MS or not share:
            self._tell(sentence, share)
            return
        left = gone * (1 - share) / share / 1000
        about = f"{left / _MINUTE_S:.0f} min" if left >= _MINUTE_S else f"{left:.0f} s"
        self._tell(f"{sentence} About {about} left.", share)
