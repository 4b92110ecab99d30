"""Searches that a window asks for: done by further processes, given up without a trace, kept, and put back."""

from __future__ import annotations

import json
import os
import queue
from concurrent.futures import Future
from dataclasses import fields
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.adapters.files.backup_file import Manifest
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import may_be_kept, run_files
from gridbot.adapters.files.kept_runs import SEARCHES
from gridbot.adapters.files.restore_page import restore_sentences
from gridbot.adapters.files.restoring import Plan
from gridbot.adapters.market_files.candle_columns import COLUMNS, LOCK, save_columns
from gridbot.adapters.market_files.candle_files import load_candles, save_candles
from gridbot.adapters.own_process import OwnProcess
from gridbot.bootstrap_search import search_desk
from gridbot.bootstrap_search_work import Task, work
from gridbot.cli_app import EXIT_INTERRUPTED
from gridbot.config import GridConfig, InstrumentConfig
from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.research.judging import Assumed, Outcome, run_over
from gridbot.research.searching import Attempt, NotRun, run_search
from gridbot.shell.errands import Done, Errands, Refused, Standing
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.search_desk import (
    DeleteSearches,
    HoldOut,
    Knob,
    ListSearches,
    OpenSearch,
    RestoreSearches,
    RunSearch,
    Search,
    SearchesListed,
    SearchOpened,
    SearchReply,
    SearchWish,
    Span,
    WholeSearch,
)
from gridbot.shell.search_forms import search_data
from gridbot.sim.generated_market import MARKET_EPOCH, GeneratedMarket
from tests.fakes.asking import answered
from tests.fakes.file_grid import GRID as FILE_GRID

Desk = Errands[SearchWish, SearchReply]
DAY, MINUTE = 86_400_000, 60_000
BTC = Symbol("BTC/USDT")
GRID = GridConfig.model_validate(FILE_GRID)
KNOBS = (Knob("levels", ("5", "20")), Knob("trend.ema_fast", ("10", "60")))


def opened(desk: Desk, wish: SearchWish) -> WholeSearch:
    outcome = answered(desk, wish)
    assert isinstance(outcome, Done) and isinstance(outcome.reply, SearchOpened), outcome
    return outcome.reply.search


def listed(desk: Desk, wish: SearchWish | None = None) -> SearchesListed:
    outcome = answered(desk, wish or ListSearches())
    assert isinstance(outcome, Done) and isinstance(outcome.reply, SearchesListed)
    return outcome.reply


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare(SystemDisk())
    return made


@pytest.fixture
def desk(home: Home) -> Desk:
    return search_desk(home, os.environ)


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candles") / "six-days.parquet"
    save_candles(path, GeneratedMarket(7).candles(0, 6 * 1440))
    return path


def search(candles: Path) -> Search:
    trial = Trial(json.dumps(GRID.to_data()), CandleChoice(DataKind.FILE, BTC, place=str(candles)))
    return Search(trial, KNOBS, HoldOut(Decimal("0.3")), least_trips=1)


def names(home: Home) -> set[str]:
    """Return what lies in the folder of the searches."""
    return {path.name for path in (home.root / SEARCHES).iterdir()}


def long_search() -> Search:
    until = TimeMs(MARKET_EPOCH + 400 * DAY)
    data = CandleChoice(DataKind.DEMO, BTC, seed=3, first=TimeMs(MARKET_EPOCH), until=until)
    grid = GRID.model_copy(update={"instrument": None})
    knobs = (Knob("levels", tuple(str(number) for number in range(5, 55))),)
    return Search(Trial(json.dumps(grid.to_data()), data), knobs, HoldOut(Decimal("0.3")))


def test_other_processes_find_what_this_one_finds(desk: Desk, candles: Path) -> None:
    wish, arrays = search(candles), load_candles(candles)

    def submit(attempt: Attempt) -> Future[Outcome | NotRun]:
        future: Future[Outcome | NotRun] = Future()
        assumed = Assumed(FillRule.THROUGH, 0, None, None)
        future.set_result(run_over(arrays, attempt.rules, attempt.span, assumed, growing=attempt.growing))
        return future

    whole = Span(int(arrays.open_time[0]), int(arrays.open_time[-1]) + MINUTE)
    rules = InstrumentConfig().to_rules(BTC)
    here = run_search(wish, GRID, rules, whole, submit=submit, tell=lambda _text, _share: None)
    there = opened(desk, RunSearch(wish))
    kept = there.search
    assert (kept.rounds, there.tries) == (here.rounds, here.tries)
    assert (kept.tried, kept.possible, kept.refused, kept.quote) == (5, 4, 2, "USDT")
    assert kept.rounds[0].unseen is not None and kept.rounds[0].unseen.round_trips > 0
    for name in (field.name for field in fields(here.course)):
        mine, theirs = getattr(there.course, name), getattr(here.course, name)
        assert mine == pytest.approx(theirs, abs=1e-8), name


def test_kept_deleted_and_put_back(desk: Desk, home: Home, candles: Path) -> None:
    first = opened(desk, RunSearch(search(candles)))
    assert names(home) == {f"{first.search.id}.curves.json", f"{first.search.id}.json", LOCK, "next.wish"}, (
        "the mapped candles are gone"
    )
    assert [one.id for one in listed(desk).searches] == [first.search.id]
    again = opened(desk, OpenSearch(first.search.id))
    assert again.search == first.search and again.tries == first.tries
    assert listed(desk, DeleteSearches((first.search.id,))).searches == ()
    assert listed(desk, RestoreSearches((first.search.id,))).searches == (first.search,)
    assert listed(desk, DeleteSearches((first.search.id,))).searches == ()
    anew = search_desk(home, os.environ)
    assert listed(anew).searches == () and listed(anew, RestoreSearches((first.search.id,))).searches == ()


def test_a_damaged_one_is_named_and_the_others_stay(desk: Desk, home: Home, candles: Path) -> None:
    good = opened(desk, RunSearch(search(candles)))
    (home.root / SEARCHES / "20200101-000000-x.json").write_text('{"schema": 1, "made": 3}', "utf-8")
    found = listed(desk)
    assert [one.id for one in found.searches] == [good.search.id]
    assert len(found.troubles) == 1 and "20200101-000000-x" in found.troubles[0]
    outcome = answered(desk, OpenSearch("gone"))
    assert isinstance(outcome, Refused) and "The search gone.json" in outcome.message


def test_what_is_wrong_is_a_sentence(desk: Desk, candles: Path, home: Home) -> None:
    outcome = answered(desk, RunSearch(evolve(search(candles), plan=HoldOut(Decimal("0.01")))))
    assert isinstance(outcome, Refused) and "too short" in outcome.message and not outcome.given_up
    outcome = answered(desk, RunSearch(evolve(search(candles), knobs=())))
    assert isinstance(outcome, Refused) and "Nothing is varied" in outcome.message
    bare = evolve(search(candles).trial, grid=json.dumps(GRID.model_copy(update={"instrument": None}).to_data()))
    outcome = answered(desk, RunSearch(evolve(search(candles), trial=bare)))
    assert isinstance(outcome, Refused) and "rules and fees" in outcome.message
    assert COLUMNS not in names(home)


def test_given_up_it_leaves_nothing(desk: Desk, home: Home) -> None:
    said: list[Standing] = []

    def hear(number: int, standing: Standing | None) -> None:
        if standing is not None and standing.sentence.startswith("Trying settings"):
            said.append(standing)
            desk.cancel(number)

    outcome = answered(desk, RunSearch(long_search()), hear)
    assert said and isinstance(outcome, Refused) and outcome.given_up
    assert names(home) == {LOCK, "next.wish"}
    assert listed(desk).searches == ()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="the processes of this system cannot be listed")
def test_its_processes_end_with_it(home: Home) -> None:
    wish = home.root / "a.wish"
    wish.write_text(json.dumps(search_data(long_search())), "utf-8")
    environment = {**os.environ, "GRIDBOT_HOME": str(home.root)}
    with OwnProcess(("search-job", str(wish)), environment) as child:
        assert any(line and "Trying settings: 1 of" in line for line in child.lines(0.1))
        helpers = with_home(home)
        assert len(helpers) >= 2, "the one that was started, and at least one that it started"
    assert child.code() == EXIT_INTERRUPTED, "it went by itself, without being killed"
    nap = queue.SimpleQueue[None]()
    for _ in range(500):
        if not with_home(home):
            return
        with pytest.raises(queue.Empty):
            nap.get(timeout=0.02)
    raise AssertionError(f"still there: {with_home(home)}")


def with_home(home: Home) -> list[int]:
    """Return the processes that were started for this folder."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit() and int(each.name) != os.getpid():
            try:
                if str(home.root).encode() in (each / "environ").read_bytes():
                    found.append(int(each.name))
            except OSError:
                continue
    return found


def test_a_second_search_waits_for_nobody(home: Home, candles: Path) -> None:
    disk = SystemDisk()
    disk.make_folder(home.root / SEARCHES)
    held = disk.lock(home.root / SEARCHES / LOCK)
    try:
        outcome = answered(search_desk(home, os.environ), RunSearch(search(candles)))
    finally:
        held.release()
    assert isinstance(outcome, Refused) and "Another search is under way" in outcome.message


def test_a_process_that_is_killed_is_a_sentence(home: Home, candles: Path) -> None:
    # Its processes start with this name and cannot begin without it.
    broken = search_desk(home, {**os.environ, "PYTHONHOME": str(home.root / "nowhere")})
    outcome = answered(broken, RunSearch(search(candles)))
    assert isinstance(outcome, Refused) and "ended by itself" in outcome.message


def test_a_run_that_cannot_be_is_an_answer(tmp_path: Path) -> None:
    arrays = GeneratedMarket(7).candles(0, 3000)
    save_columns(arrays, tmp_path / "a.columns")
    rules = evolve(GRID.to_rules(), investment=Decimal(1))
    span = Span(MARKET_EPOCH, MARKET_EPOCH + DAY)
    assumed = Assumed(FillRule.THROUGH, 0, None, None)
    came = work(Task(tmp_path / "a.columns", Attempt(rules, span), assumed))
    assert isinstance(came, NotRun) and "investment" in came.why


def test_backups_hold_kept_searches(desk: Desk, home: Home, candles: Path) -> None:
    kept = opened(desk, RunSearch(search(candles))).search
    found = list(run_files(SystemDisk(), home.root))
    assert found == [f"{SEARCHES}/{kept.id}.curves.json", f"{SEARCHES}/{kept.id}.json"]
    assert all(may_be_kept(name) for name in found) and not may_be_kept(f"{SEARCHES}/{COLUMNS}")
    manifest = Manifest("0.1.0", 1, 1, TimeMs(0), dict.fromkeys(found, ""), ())
    said = list(restore_sentences(Path("a.backup"), manifest, Plan((), (), None)))
    assert f"{SEARCHES}: 1 search result; others that are here now stay." in said
