"""The command line as a user meets it: what it prints, where, and the code it leaves with."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, field_serializer

from gridbot import __version__
from gridbot.adapters import config_files
from gridbot.adapters.market_files.candle_files import load_candles, save_candles
from gridbot.adapters.progress_bar import ProgressBar
from gridbot.cli import ending
from gridbot.cli_app import EXIT_BUG, EXIT_DONE, EXIT_INTERRUPTED, EXIT_USER_MUST_ACT
from gridbot.cli_plot import picture
from gridbot.config import default_config, parse_grid_or_app
from gridbot.errors import LedgerError
from gridbot.research.backtest import run_backtest
from gridbot.sim.generated_market import GeneratedMarket
from tests.fakes.file_grid import GRID


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own for everything that gridbot keeps."""
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    return folder


@pytest.fixture(scope="module")
def candles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days of the generated market's minutes."""
    path = tmp_path_factory.mktemp("candles") / "three-days.parquet"
    save_candles(path, GeneratedMarket(7).candles(0, 3 * 1440))
    return path


@pytest.fixture
def grid_file(tmp_path: Path) -> Path:
    path = tmp_path / "grid.json"
    path.write_text(json.dumps(GRID), "utf-8")
    return path


# ------------------------------------------------------------------------------------ the first words


def test_version_is_the_packages(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["--version"]) == EXIT_DONE
    assert capsys.readouterr().out == f"gridbot {__version__}\n"


@pytest.mark.parametrize("arguments", [["--help"], ["backtest", "--help"], ["config", "--help"]])
def test_help_is_no_error(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(arguments) == EXIT_DONE
    said = capsys.readouterr()
    assert said.out.startswith("Usage: gridbot") and said.err == ""


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["bactest"], "bactest"),
        (["backtest", "--candles", "x"], "--config"),
        (["backtest", "--candles", "x", "--config", "y", "--fills", "maybe"], "maybe"),
        (["backtest", "--candles", "x", "--config", "y", "--latency-ms", "-1"], "--latency-ms"),
        (["backtest", "--candles", "x", "--config", "y", "--equity", "100"], "--risk"),
        (["backtest", "--candles", "x", "--config", "y", "--risk", "--equity", "NaN"], "--equity"),
        (["backtest", "--candles", "x", "--config", "y", "--risk", "--equity", "1,000"], "1,000"),
    ],
)
def test_a_wrong_argument_is_named_on_stderr(
    arguments: list[str], named: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(arguments) == EXIT_USER_MUST_ACT
    said = capsys.readouterr()
    assert named in said.err and said.out == "" and "Traceback" not in said.err


# --------------------------------------------------------------------------------------------- config


def test_init_writes_what_check_accepts_and_show_repeats(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["config", "init", "--preset", "wide"]) == EXIT_DONE
    assert ending(["config", "check"]) == EXIT_DONE
    assert "20 levels" in capsys.readouterr().out
    assert ending(["config", "show"]) == EXIT_DONE
    assert capsys.readouterr().out == default_config(grid_preset="wide").to_json()
    assert config_files.load(home / "config.json") == default_config(grid_preset="wide")


def test_init_replaces_a_file_only_when_forced(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["config", "init"]) == EXIT_DONE
    assert ending(["config", "init", "--preset", "wide"]) == EXIT_USER_MUST_ACT
    assert "--force" in capsys.readouterr().err
    assert config_files.load(home / "config.json") == default_config()
    assert ending(["config", "init", "--preset", "wide", "--force"]) == EXIT_DONE
    assert config_files.load(home / "config.json") == default_config(grid_preset="wide")


def test_an_unknown_preset_is_answered_with_the_nearest(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["config", "init", "--preset", "wyde"]) == EXIT_USER_MUST_ACT
    assert "Did you mean wide?" in capsys.readouterr().err
    assert not (home / "config.json").exists()


def test_check_names_every_mistake_and_shows_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(json.dumps({**GRID, "levls": 5, "investment": "-1"}), "utf-8")
    assert ending(["config", "check", str(path)]) == EXIT_USER_MUST_ACT
    said = capsys.readouterr()
    assert "levls" in said.err and "'levels'" in said.err and "investment" in said.err
    assert said.out == "" and "Traceback" not in said.err


def test_a_configuration_that_is_not_there_says_how_to_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["config", "show"]) == EXIT_USER_MUST_ACT
    assert "gridbot config init" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------- backtest


def test_a_backtest_tells_and_writes_the_same_result(
    candles: Path, grid_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "out.json", tmp_path / "fills.csv"
    arguments = ["backtest", "--candles", str(candles), "--config", str(grid_file)]
    assert ending([*arguments, "--json", str(out), "--csv", str(table)]) == EXIT_DONE
    said = capsys.readouterr()
    result = json.loads(out.read_bytes())
    assert result["candles"] == 3 * 1440 and result["round_trips"] > 0
    assert f"fills                   {len(result['fills'])} (" in said.out
    assert f"{Decimal(result['grid_profit']):+,.2f} USDT" in said.out
    assert f"{out} written." in said.err and f"{table} written." in said.err
    rows = list(csv.DictReader(table.read_text("utf-8").splitlines()))
    assert [{**row, "time": int(row["time"]), "cell": int(row["cell"])} for row in rows] == [
        {**fill, "time_utc": rows[place]["time_utc"]} for place, fill in enumerate(result["fills"])
    ]
    assert rows[0]["time_utc"].endswith("Z")


def test_the_options_reach_the_backtest(
    candles: Path, grid_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fills = {}
    for name, options in {
        "plain": [],
        "touch": ["--fills", "touch"],
        "late": ["--latency-ms", "600000"],
        "limited": ["--risk"],
        "roomy": ["--risk", "--equity", "1000000"],
    }.items():
        out = tmp_path / f"{name}.json"
        arguments = ["backtest", "--candles", str(candles), "--config", str(grid_file), "--json", str(out)]
        assert ending([*arguments, *options]) == EXIT_DONE, capsys.readouterr().err
        fills[name] = json.loads(out.read_bytes())["fills"]
    # The market is on the tick, so touching is easier than going through; delay and limits cost fills.
    assert len(fills["touch"]) >= len(fills["plain"]) > len(fills["late"])
    assert len(fills["limited"]) < len(fills["plain"])
    assert fills["roomy"] == fills["plain"]


def test_a_file_with_several_grids_needs_a_choice(
    candles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "two.json"
    path.write_text(json.dumps({"grids": [{**GRID, "id": "one"}, {**GRID, "id": "two", "levels": 5}]}), "utf-8")
    arguments = ["backtest", "--candles", str(candles), "--config", str(path)]
    assert ending(arguments) == EXIT_USER_MUST_ACT
    assert "--grid: one, two" in capsys.readouterr().err
    assert ending([*arguments, "--grid", "three"]) == EXIT_USER_MUST_ACT
    assert "'three'" in capsys.readouterr().err
    assert ending([*arguments, "--grid", "two"]) == EXIT_DONE
    assert "(two): 5 levels" in capsys.readouterr().out


def test_a_configuration_without_a_grid_is_refused(
    candles: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "none.json"
    path.write_text('{"grids": []}', "utf-8")
    assert ending(["backtest", "--candles", str(candles), "--config", str(path)]) == EXIT_USER_MUST_ACT
    assert "no grid" in capsys.readouterr().err


def test_what_cannot_be_tested_is_a_sentence(
    candles: Path, grid_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bare = tmp_path / "bare.json"
    bare.write_text(json.dumps({key: item for key, item in GRID.items() if key != "instrument"}), "utf-8")
    small = tmp_path / "small.json"
    small.write_text(json.dumps({**GRID, "investment": "20"}), "utf-8")
    for arguments, named in (
        (["--candles", str(tmp_path / "no.parquet"), "--config", str(grid_file)], "no.parquet"),
        (["--candles", str(candles), "--config", str(bare)], "instrument"),
        (["--candles", str(candles), "--config", str(small)], "investment"),
        (["--candles", str(candles), "--config", str(grid_file), "--json", str(tmp_path / "no" / "x.json")], "x.json"),
        (["--candles", str(candles), "--config", str(grid_file), "--csv", str(tmp_path)], "folder"),
    ):
        assert ending(["backtest", *arguments]) == EXIT_USER_MUST_ACT
        said = capsys.readouterr()
        assert named in said.err and "Traceback" not in said.err


# ------------------------------------------------------------------------------------------ the frame


SECRET = "sk-9f8e7d6c5b4a39281706f5e4d3c2b1a0"


def crash(candles: Path, grid_file: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError(f"a bug, with api_key={SECRET}")

    monkeypatch.setattr("gridbot.research.backtest.run_backtest", broken)
    return ending(["backtest", "--candles", str(candles), "--config", str(grid_file)])


def test_a_bug_leaves_one_with_a_traceback_and_a_report_without_secrets(
    candles: Path, grid_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert crash(candles, grid_file, monkeypatch) == EXIT_BUG
    said = capsys.readouterr()
    (report,) = (home / "crashes").iterdir()
    for text in (said.err, report.read_text("utf-8")):
        assert "Traceback" in text and "ZeroDivisionError: a bug" in text and SECRET not in text
    assert str(report) in said.err and said.out == ""


def test_a_bug_is_told_also_where_no_report_can_be_written(
    candles: Path, grid_file: Path, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write_text("a file where the folder belongs", "utf-8")
    assert crash(candles, grid_file, monkeypatch) == EXIT_BUG
    said = capsys.readouterr().err
    assert "ZeroDivisionError" in said and "cannot be written" in said


def test_sums_that_disagree_are_a_bug_and_not_the_users_mistake(
    candles: Path, grid_file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise LedgerError("two sums differ")

    monkeypatch.setattr("gridbot.research.backtest.run_backtest", broken)
    assert ending(["backtest", "--candles", str(candles), "--config", str(grid_file)]) == EXIT_BUG
    assert "two sums differ" in capsys.readouterr().err


class Written(BaseModel):
    """Writes itself until Ctrl-C comes."""

    @field_serializer("text", check_fields=False)
    def write(self, _value: str) -> str:
        raise KeyboardInterrupt

    text: str = ""


@pytest.mark.parametrize("made_into_another", [False, True])
def test_ctrl_c_is_no_bug(
    candles: Path,
    grid_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    made_into_another: bool,
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        if made_into_another:
            Written().model_dump()
        raise KeyboardInterrupt

    monkeypatch.setattr("gridbot.research.backtest.run_backtest", interrupted)
    assert ending(["backtest", "--candles", str(candles), "--config", str(grid_file)]) == EXIT_INTERRUPTED
    assert capsys.readouterr().err == "Stopped.\n"


def test_the_bar_appears_only_for_work_that_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with ProgressBar("work") as progress:
        progress.report(1, 100)
        assert not progress.shown
        now[0] = 10.0
        progress.report(50, 100)
        assert progress.shown


def test_the_picture_of_a_backtest_is_a_png(candles: Path, grid_file: Path, tmp_path: Path) -> None:
    """In a process of its own: the picture's application would stand in the way of the windows of other tests."""

    def drawn(target: Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "gridbot", "backtest", "--candles", str(candles), "--config", str(grid_file)]
        return subprocess.run(
            [*command, "--plot", str(target)], capture_output=True, text=True, timeout=300, check=False
        )

    target = tmp_path / "out.png"
    done = drawn(target)
    assert done.returncode == EXIT_DONE, done.stderr
    assert target.read_bytes().startswith(b"\x89PNG") and f"{target} written." in done.stderr
    refused = drawn(tmp_path / "no" / "out.png")
    assert refused.returncode == EXIT_USER_MUST_ACT and "cannot be written" in refused.stderr


def test_the_picture_agrees_with_the_summary(candles: Path, grid_file: Path) -> None:
    columns = load_candles(candles)
    result = run_backtest(columns, parse_grid_or_app(grid_file.read_text("utf-8"), source="x").grids[0].to_rules())
    shown = picture(result, columns)
    investment = float(result.rules.investment)
    assert shown.drawdown.max() == pytest.approx(float(result.max_drawdown_quote) / investment)
    assert shown.equity[-1] == pytest.approx(investment + float(result.total_profit))
    assert result.buy_and_hold_return is not None
    assert shown.buy_and_hold[-1] == pytest.approx(investment * (1 + float(result.buy_and_hold_return)))
    assert len(shown.fills) == len(result.fills) and len(shown.slots) == len(result.layings_laid) > 0
