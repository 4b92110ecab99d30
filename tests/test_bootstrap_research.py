"""Backtests that a window asks for: the same as the command's, in a process that can be given up and may crash."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.market_files.candle_files import save_candles
from gridbot.adapters.own_process import OwnProcess, own_command
from gridbot.bootstrap_research import research_desk
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_INTERRUPTED
from gridbot.config import default_config
from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.shell.errands import Done, Errands, Refused, Standing
from gridbot.shell.research_desk import (
    CandleChoice,
    CandlesCounted,
    CountCandles,
    DataKind,
    DeleteRuns,
    ExchangesNamed,
    ListRuns,
    NameExchanges,
    OpenRuns,
    ResearchReply,
    ResearchWish,
    RestoreRuns,
    RunsListed,
    RunsOpened,
    RunTrial,
    Trial,
    WholeRun,
)
from gridbot.shell.research_forms import trial_data
from gridbot.sim.generated_market import MARKET_EPOCH, GeneratedMarket
from tests.fakes.asking import answered
from tests.fakes.file_grid import GRID
from tests.sandbox.in_thread import sandbox_thread

Desk = Errands[ResearchWish, ResearchReply]
DAY, MINUTE = 86_400_000, 60_000
BTC = Symbol("BTC/USDT")


def ran(desk: Desk, trial: Trial) -> WholeRun:
    outcome = answered(desk, RunTrial(trial))
    assert isinstance(outcome, Done), outcome
    assert isinstance(outcome.reply, RunsOpened)
    return outcome.reply.runs[0]


def listed(desk: Desk, wish: ResearchWish | None = None) -> RunsListed:
    outcome = answered(desk, wish or ListRuns())
    assert isinstance(outcome, Done) and isinstance(outcome.reply, RunsListed)
    return outcome.reply


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.prepare(SystemDisk())
    return made


@pytest.fixture
def desk(home: Home) -> Desk:
    return research_desk(home, os.environ)


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candles") / "three-days.parquet"
    save_candles(path, GeneratedMarket(7).candles(0, 3 * 1440))
    return path


def file_trial(candles: Path, **changes: Any) -> Trial:
    data = CandleChoice(DataKind.FILE, BTC, place=str(candles))
    return evolve(Trial(json.dumps(GRID), data), **changes)


# ----------------------------------------------------------------------------------------- one result


@pytest.mark.parametrize("harder", [False, True])
def test_the_tab_and_the_command_give_the_same_result(desk: Desk, candles: Path, tmp_path: Path, harder: bool) -> None:
    trial = file_trial(candles)
    arguments = ["backtest", "--candles", str(candles), "--config", str(tmp_path / "grid.json")]
    config: object = GRID
    if harder:
        app = default_config().to_data()
        trial = evolve(
            trial, fills=FillRule.TOUCH, latency_ms=1500, risk=json.dumps(app["risk"]), equity=Decimal("20000")
        )
        trial = evolve(
            trial, data=evolve(trial.data, first=TimeMs(MARKET_EPOCH + DAY), until=TimeMs(MARKET_EPOCH + 2 * DAY))
        )
        arguments += ["--fills", "touch", "--latency-ms", "1500", "--risk", "--equity", "20000"]
        arguments += ["--from", "2024-01-02", "--until", "2024-01-03"]
        config = {**app, "grids": [GRID]}
    (tmp_path / "grid.json").write_text(json.dumps(config), "utf-8")
    assert ending([*arguments, "--json", str(tmp_path / "out.json")]) == EXIT_DONE
    told = json.loads((tmp_path / "out.json").read_text("utf-8"))
    run = ran(desk, trial)
    figures = run.run.figures
    assert len(told["fills"]) > 3 and told["candles"] == (1440 if harder else 3 * 1440)
    assert (figures.candles, figures.fills, figures.round_trips) == (
        told["candles"],
        len(told["fills"]),
        told["round_trips"],
    )
    for mine, theirs in (
        (figures.profit, "total_profit"),
        (figures.fees, "fees"),
        (figures.return_, "return"),
        (figures.drawdown_quote, "max_drawdown_quote"),
        (figures.inventory, "inventory"),
    ):
        assert mine == Decimal(told[theirs]), theirs
    assert run.fills.time.tolist() == [fill["time"] for fill in told["fills"]]
    assert run.fills.price.tolist() == [float(fill["price"]) for fill in told["fills"]]
    assert (figures.sharpe, figures.in_market) == (told["sharpe"], told["in_market"])


def test_what_is_drawn_belongs_to_the_figures(desk: Desk, candles: Path) -> None:
    run = ran(desk, file_trial(candles))
    figures, curves, bars = run.run.figures, run.curves, run.bars
    assert curves.equity[-1] == pytest.approx(10_000 + float(figures.profit), abs=1e-6)
    assert curves.drawdown.max() == pytest.approx(float(figures.drawdown), abs=1e-8)
    assert sum(month.profit for month in run.months) == pytest.approx(float(figures.profit), abs=1e-6)
    assert sum(month.fills for month in run.months) == figures.fills == len(run.fills.time)
    assert sum(month.fees for month in run.months) == pytest.approx(float(figures.fees), abs=1e-6)
    assert sum(month.round_trips for month in run.months) == figures.round_trips
    assert (bars.high >= bars.low).all() and bars.step >= MINUTE and len(bars.time) <= 3_100
    assert figures.hold is not None
    assert curves.hold[-1] == pytest.approx(10_000 * (1 + float(figures.hold)), rel=1e-9)


# ------------------------------------------------------------------------------------------ kept runs


def test_runs_are_kept_listed_deleted_and_put_back(home: Home, desk: Desk, candles: Path) -> None:
    assert listed(desk).runs == ()
    first, second = (ran(desk, file_trial(candles, latency_ms=each)).run for each in (0, 700))
    assert [run.id for run in listed(desk).runs] == [second.id, first.id]
    assert listed(desk).runs[0].trial.latency_ms == 700
    assert [run.id for run in listed(desk, DeleteRuns((second.id,))).runs] == [first.id]
    assert [run.id for run in listed(desk, RestoreRuns((second.id,))).runs] == [second.id, first.id]
    outcome = answered(desk, OpenRuns((first.id, second.id)))
    assert isinstance(outcome, Done) and isinstance(outcome.reply, RunsOpened)
    assert [whole.run for whole in outcome.reply.runs] == [first, second]
    listed(desk, DeleteRuns((second.id,)))
    later = research_desk(home, os.environ)
    listed(later)
    assert len(listed(later, RestoreRuns((second.id,))).runs) == 1, "what was deleted is gone at the next start"


def test_a_damaged_run_and_one_of_a_newer_program_are_told_and_left_out(home: Home, desk: Desk, candles: Path) -> None:
    good = ran(desk, file_trial(candles)).run
    folder = home.root / "backtests"
    head = json.loads((folder / f"{good.id}.json").read_text("utf-8"))
    for name, content in (
        ("20260101-000000-newer", {**head, "schema": 2}),
        ("20260101-000001-wrong", {**head, "figures": {**head["figures"], "total_profit": "much"}}),
        ("20260101-000002-less", {"schema": 1, "made": 1}),
    ):
        (folder / f"{name}.json").write_text(json.dumps(content), "utf-8")
    told = listed(desk)
    assert [run.id for run in told.runs] == [good.id] and len(told.troubles) == 3
    assert any("another version" in trouble for trouble in told.troubles)
    rest = json.loads((folder / f"{good.id}.curves.json").read_text("utf-8"))
    rest["curves"]["hold"].pop()
    (folder / f"{good.id}.curves.json").write_text(json.dumps(rest), "utf-8")
    outcome = answered(desk, OpenRuns((good.id,)))
    assert isinstance(outcome, Refused) and "damaged" in outcome.message


# --------------------------------------------------------------------------------------- the process


def test_a_run_that_is_given_up_ends_and_leaves_nothing(desk: Desk) -> None:
    said = list[str]()

    def hear(number: int, standing: Standing | None) -> None:
        if standing is not None and standing.sentence.startswith("Making"):
            said.append(standing.sentence)
            desk.cancel(number)

    outcome = answered(desk, RunTrial(long_trial()), hear)
    assert said and isinstance(outcome, Refused) and outcome.given_up
    assert listed(desk).runs == ()


def long_trial() -> Trial:
    until = TimeMs(MARKET_EPOCH + 20 * 365 * DAY)
    data = CandleChoice(DataKind.DEMO, BTC, seed=3, first=TimeMs(MARKET_EPOCH), until=until)
    return Trial(json.dumps({**GRID, "instrument": None}), data)


def test_a_child_ends_when_its_lifeline_does(home: Home) -> None:
    wish = home.root / "a.wish"
    wish.write_text(json.dumps(trial_data(long_trial())), "utf-8")
    with OwnProcess(("backtest-job", str(wish)), {**os.environ, "GRIDBOT_HOME": str(home.root)}) as child:
        assert any(line and "Making" in line for line in child.lines(0.1))
    assert child.code() == EXIT_INTERRUPTED, "it went by itself, without being killed"


def test_a_frozen_application_starts_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_command(("backtest-job", "a.wish")) == [sys.executable, "-m", "gridbot", "backtest-job", "a.wish"]
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert own_command(("backtest-job", "a.wish")) == [sys.executable, "backtest-job", "a.wish"]


def test_a_process_that_cannot_be_started_is_a_sentence(
    desk: Desk, candles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(candles.with_name("no-python")))
    outcome = answered(desk, RunTrial(file_trial(candles)))
    assert isinstance(outcome, Refused) and "starts no further process" in outcome.message


def test_a_process_that_crashes_is_a_sentence(home: Home, candles: Path) -> None:
    # Python itself cannot begin in such an environment.
    broken = research_desk(home, {**os.environ, "PYTHONHOME": str(home.root / "nowhere")})
    outcome = answered(broken, RunTrial(file_trial(candles)))
    assert isinstance(outcome, Refused) and not outcome.given_up
    assert "ended by itself" in outcome.message and "Trading is not affected" in outcome.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"place": "no-such-file.parquet"}, "no-such-file.parquet"),
        ({"first": TimeMs(MARKET_EPOCH + 400 * DAY)}, "no candles in this period"),
    ],
)
def test_what_is_wrong_with_the_candles_is_said_as_by_the_command(
    desk: Desk, candles: Path, changes: dict[str, Any], said: str
) -> None:
    trial = file_trial(candles)
    outcome = answered(desk, RunTrial(evolve(trial, data=evolve(trial.data, **changes))))
    assert isinstance(outcome, Refused) and said in outcome.message and outcome.hint


# ------------------------------------------------------------------------------------- the download


def test_candles_are_downloaded_once_and_a_run_goes_on_where_another_was_cut_off(home: Home, tmp_path: Path) -> None:
    desk = research_desk(home, os.environ)
    grid = json.dumps({**GRID, "instrument": None})
    with sandbox_thread(tmp_path / "sandbox") as served:
        now = served.exchange.clock.now_ms() // MINUTE * MINUTE
        data = CandleChoice(
            DataKind.EXCHANGE,
            BTC,
            place="binance",
            base_url=served.address,
            first=TimeMs(now - 5_000 * MINUTE),
            until=TimeMs(now - 500 * MINUTE),
        )

        def give_up(number: int, standing: Standing | None) -> None:
            if standing is not None and standing.share and standing.sentence.startswith("Downloading"):
                desk.cancel(number)

        outcome = answered(desk, RunTrial(Trial(grid, data)), give_up)
        assert isinstance(outcome, Refused) and outcome.given_up
        counted = answered(desk, CountCandles(data))
        assert isinstance(counted, Done) and isinstance(counted.reply, CandlesCounted)
        assert counted.reply.wanted == 4_500 and 2_000 <= counted.reply.kept < 4_500
        first = ran(desk, Trial(grid, data))
        assert first.run.figures.candles == 4_500 and first.run.figures.gaps == 0
        tested = json.loads(first.run.trial.grid)["instrument"]
        assert tested["maker_fee"] != "0" and tested["tick_size"] == "0.01", "the market's own rules"
        assert answered(desk, CountCandles(data)) == Done(CandlesCounted(4_500, 4_500))
    # The exchange is away now, and all that is needed is here.
    again = ran(desk, Trial(grid, data))
    assert again.run.figures == first.run.figures


def test_an_exchange_that_is_away_is_a_sentence(desk: Desk) -> None:
    data = CandleChoice(
        DataKind.EXCHANGE, BTC, place="binance", base_url="http://127.0.0.1:9", first=TimeMs(MARKET_EPOCH)
    )
    outcome = answered(desk, RunTrial(Trial(json.dumps(GRID), evolve(data, place="binanse"))))
    assert isinstance(outcome, Refused) and "Did you mean 'binance'" in outcome.hint


def test_the_exchanges_are_named_the_known_ones_first(desk: Desk) -> None:
    outcome = answered(desk, NameExchanges())
    assert isinstance(outcome, Done) and isinstance(outcome.reply, ExchangesNamed)
    ids = [id_ for id_, _ in outcome.reply.exchanges]
    assert len(ids) > 50 and ids.index("binance") < 20 and "firi" in ids
