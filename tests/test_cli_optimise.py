"""`gridbot optimise`: the window's search without a window, told in words, kept for the window, and stopped cleanly."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import SEARCHES
from gridbot.adapters.market_files.candle_columns import COLUMNS
from gridbot.adapters.market_files.candle_files import save_candles
from gridbot.bootstrap_search import kept_search, search_desk
from gridbot.bootstrap_search_job import ctrl_c_held_back
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_INTERRUPTED, EXIT_USER_MUST_ACT
from gridbot.core.values import evolve
from gridbot.research.search_summary import search_summary
from gridbot.shell.errands import Done
from gridbot.shell.search_desk import HoldOut, ListSearches, Objective, SearchesListed, WalkForward, WholeSearch
from gridbot.sim.generated_market import GeneratedMarket
from tests.fakes.asking import answered
from tests.fakes.file_grid import GRID

DAY = 86_400_000


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("candles") / "six-days.parquet"
    save_candles(path, GeneratedMarket(7).candles(0, 6 * 1440))
    return path


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("GRIDBOT_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


@pytest.fixture
def grid_file(tmp_path: Path) -> Path:
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(GRID), "utf-8")
    return path


def arguments(candles: Path, grid_file: Path, *more: str) -> list[str]:
    return ["optimise", "--candles", str(candles), "--config", str(grid_file), *more]


def newest(home: Home) -> WholeSearch:
    """Return what the window would show first."""
    outcome = answered(search_desk(home, os.environ), ListSearches())
    assert isinstance(outcome, Done) and isinstance(outcome.reply, SearchesListed)
    return kept_search(home, outcome.reply.searches[0].id)


def value_of(text: str, label: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(f"  {label}  ")]
    return line.removeprefix(f"  {label}").strip()


def test_what_is_told_is_what_is_kept_and_what_is_written(
    candles: Path, grid_file: Path, home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "search.json"
    wanted = ("--vary", "levels=4:8:2", "--vary", "spacing.fraction=0.004,0.006", "--least-trips", "1")
    assert ending(arguments(candles, grid_file, *wanted, "--json", str(out))) == EXIT_DONE
    said, whole = capsys.readouterr(), newest(home)
    kept, (one,) = whole.search, whole.search.rounds
    assert (kept.possible, [knob.texts for knob in kept.search.knobs]) == (6, [("4", "6", "8"), ("0.004", "0.006")])
    assert kept.search.plan == HoldOut(Decimal("0.3")) and kept.search.objective is Objective.PROFIT_TO_FALL
    assert one.chosen is not None and one.unseen is not None and one.present is not None
    assert said.out.splitlines()[0].startswith(f"BTC/USDT: {kept.tried} combinations tried")
    assert value_of(said.out, "unseen").startswith(f"{one.unseen.return_:+.2%} ")
    assert value_of(said.out, "settings as they are").startswith(f"{one.present.return_:+.2%} ")
    assert value_of(said.out, "last choice") == ", ".join(f"{path} {text}" for path, text in one.chosen)
    assert f"Kept as {kept.id}" in said.out and said.err == f"{out} written.\n"
    told = json.loads(out.read_text("utf-8"))
    assert told["id"] == kept.id and told["rounds"][0]["unseen"]["round_trips"] == one.unseen.round_trips
    assert len(told["tries"]) == kept.tried


def test_walking_forward_is_told_round_by_round(
    candles: Path, grid_file: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = ("--vary", "levels=4,8", "--walk-forward", "2d:1d", "--least-trips", "1", "--objective", "profit")
    assert ending(arguments(candles, grid_file, *wanted)) == EXIT_DONE
    said, kept = capsys.readouterr().out, newest(home).search
    judged = [each for each in kept.rounds if each.test is not None]
    assert kept.search.plan == WalkForward(2 * DAY, DAY) and kept.search.objective is Objective.PROFIT
    assert len(judged) > 1
    assert value_of(said, "rounds") == f"{len(judged)}, chosen on 2 days, judged on the 1 days after"
    head = next(place for place, line in enumerate(said.splitlines()) if "judged from" in line)
    rows = said.splitlines()[head + 1 : head + 1 + len(judged)]
    for row, each in zip(rows, judged, strict=True):
        assert each.unseen is not None and f"{each.unseen.return_:+.2%}" in row


def test_a_setting_may_be_taken_away(
    candles: Path, grid_file: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(arguments(candles, grid_file, "--vary", "stop_loss=none,0.2", "--least-trips", "1")) == EXIT_DONE
    assert newest(home).search.search.knobs[0].texts == ("", "0.2")
    assert "stop_loss none" in capsys.readouterr().out


def test_a_search_that_chooses_nothing_says_why(
    candles: Path, grid_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(arguments(candles, grid_file, "--vary", "levels=4,8", "--least-trips", "5000")) == EXIT_DONE
    said = capsys.readouterr().out
    assert value_of(said, "last choice") == "nothing" and "set --least-trips" in said


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--vary", "levels"], "'levels' is no SETTING=VALUES"),
        (["--vary", "spacing.multiplyer=1,2"], "did you mean spacing.multiplier?"),
        (["--vary", "symbol=BTC/USDT,ETH/USDT"], "no setting of a grid that can be varied is called 'symbol'"),
        (["--vary", "levels=8:4:1"], "the first must not be above the last"),
        (["--vary", "levels=4:8:0"], "step above 0"),
        (["--vary", "levels=1:1000:1"], "200 is the most"),
        (["--vary", "levels=4:x:1"], "'x' is no number"),
        (["--vary", "levels=0:1E+999999:1E-999999"], "'1E+999999' is beyond all measure"),
        (["--vary", "instrument.maker_fee=0,0.001"], "no setting of a grid that can be varied"),
        (["--vary", "signal.symbol=ETH/USDT,BTC/USDT"], "no setting of a grid that can be varied"),
        (["--vary", "=5"], "is called ''"),
        (["--vary", "levels=4,lots"], "levels: "),
        (["--vary", "levels=4,8", "--vary", "levels=5,6"], "levels is varied twice."),
        (["--vary", "levels=4,8", "--judge", "1.5"], "above 0 and below 1"),
        (["--vary", "levels=4,8", "--judge", "0.3", "--walk-forward", "2d:1d"], "no meaning together"),
        (["--vary", "levels=4,8", "--walk-forward", "2d"], "such as 90d:30d"),
        (["--vary", "levels=4,8", "--walk-forward", "0d:1d"], "such as 90d:30d"),
        (["--vary", "levels=4,8", "--anchored"], "only together with --walk-forward"),
        (["--vary", "levels=4,8", "--equity", "100"], "only together with --risk"),
        (["--vary", "levels=4,8", "--tries", "0"], "--tries"),
        (["--vary", "levels=4,8", "--objective", "luck"], "profit_to_fall, profit, sharpe, not 'luck'"),
    ],
)
def test_what_cannot_be_searched_is_a_sentence(
    more: list[str], said: str, candles: Path, grid_file: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(arguments(candles, grid_file, *more)) == EXIT_USER_MUST_ACT
    told = " ".join(capsys.readouterr().err.split())
    assert said in told and "Traceback" not in told
    assert not (home.root / SEARCHES / COLUMNS).exists()


def test_a_grid_without_the_rules_of_its_market_is_refused_with_the_way_out(
    candles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bare.json"
    path.write_text(json.dumps({name: each for name, each in GRID.items() if name != "instrument"}), "utf-8")
    assert ending(arguments(candles, path, "--vary", "levels=4,8")) == EXIT_USER_MUST_ACT
    assert "`instrument`" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
@pytest.mark.parametrize("after_s", [0.0, 0.35, 1.0])
def test_ctrl_c_ends_all_processes_and_leaves_nothing(
    tmp_path: Path, grid_file: Path, home: Home, after_s: float
) -> None:
    long = tmp_path / "long.parquet"
    save_candles(long, GeneratedMarket(7).candles(0, 200 * 1440))
    typed = arguments(long, grid_file, "--vary", "levels=4:50:1", "--vary", "spacing.fraction=0.002:0.02:0.001")
    running = subprocess.Popen(
        [sys.executable, "-m", "gridbot", *typed, "--tries", "800"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    disk, folder = SystemDisk(), home.root / SEARCHES
    while COLUMNS not in disk.names(folder):
        assert running.poll() is None, running.communicate()
        Event().wait(0.02)
    # Its processes are started, are reading in what they need, or work; whichever it is.
    Event().wait(after_s)
    os.killpg(running.pid, signal.SIGINT)
    out, err = running.communicate(timeout=60)
    # Where it came in the middle of an `exec`, Python ends itself by the signal; to a shell that is 130, too.
    assert running.returncode in {EXIT_INTERRUPTED, -signal.SIGINT}
    assert (out, err) == ("", "Stopped.\n")
    assert COLUMNS not in disk.names(folder)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for another process")
def test_ctrl_c_does_not_reach_a_process_that_only_begins() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    told = "import os, signal; os.kill(os.getpid(), signal.SIGINT); print('goes on')"
    with ctrl_c_held_back():
        child = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, check=False)
    assert (child.stdout, child.stderr) == ("goes on\n", "")
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == before


def test_the_summary_doubts_what_its_figures_give_reason_to_doubt(
    candles: Path, grid_file: Path, home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    ending(arguments(candles, grid_file, "--vary", "levels=4,8", "--least-trips", "1"))
    capsys.readouterr()
    whole = newest(home)
    (one,) = whole.search.rounds
    assert one.unseen is not None and one.present is not None
    worse = evolve(one, unseen=evolve(one.unseen, return_=Decimal("-0.05"), round_trips=3))
    text = search_summary(
        WholeSearch(search=evolve(whole.search, rounds=(worse,)), tries=whole.tries, course=whole.course)
    )
    for sentence in ("lost money", "a reason to change them", "reach of luck"):
        assert sentence in text
    assert all(len(line) <= 120 and line == line.rstrip() for line in text.split("\n"))
