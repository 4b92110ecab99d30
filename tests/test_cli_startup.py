"""What a fresh process imports: a command pays only for what it needs, and every module stands alone."""

from __future__ import annotations

import json
import os
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import gridbot
from gridbot.adapters.market_files.candle_files import save_candles
from gridbot.sim.generated_market import GeneratedMarket

ROOT = Path(__file__).resolve().parent.parent
WINDOW = {"PySide6", "shiboken6"}
LISTED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"


def fresh(code: str, *, home: Path) -> str:
    """Run code in a new interpreter, values not frozen as in production; return what it printed last."""
    env = {key: text for key, text in os.environ.items() if key != "CHECKED"} | {"GRIDBOT_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n").rpartition("\n")[2]


def imported_by(arguments: list[str], *, home: Path) -> set[str]:
    code = f"from gridbot.cli import ending\nassert ending({arguments!r}) == 0\n{LISTED}"
    return set(fresh(code, home=home).split())


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = WINDOW | {"asyncio", "duckdb", "numpy", "orjson", "pydantic", "rich", "structlog"}
    assert not imported_by(["--help"], home=tmp_path) & heavy


def test_a_configuration_is_checked_without_numpy_or_a_window(tmp_path: Path) -> None:
    found = imported_by(["config", "check", "config.example.json"], home=tmp_path)
    assert "pydantic" in found and not found & (WINDOW | {"duckdb", "numpy", "rich", "structlog"})


def test_a_backtest_imports_no_window_and_no_event_loop(tmp_path: Path) -> None:
    candles, config = tmp_path / "day.parquet", tmp_path / "grid.json"
    save_candles(candles, GeneratedMarket(7).candles(0, 1440))
    config.write_text(json.dumps({"symbol": "BTC/USDT", "investment": "10000", "instrument": {}}), "utf-8")
    found = imported_by(["backtest", "--candles", str(candles), "--config", str(config)], home=tmp_path)
    assert "duckdb" in found and not found & (WINDOW | {"asyncio", "rich", "structlog"})


PAINT = """
import os, sys
import gridbot.cli, gridbot.bootstrap
from PySide6.QtWidgets import QMainWindow
from gridbot.gui.window import Window

def paint(window, event):
    QMainWindow.paintEvent(window, event)
    print("\\n" + " ".join({name.partition(".")[0] for name in sys.modules} - sys.stdlib_module_names), flush=True)
    os._exit(0)

Window.paintEvent = paint
gridbot.cli.ending([])
"""
"""Opens the window as the command does, and tells at its first paint what of others was imported."""
QT = {"PySide6", "shiboken6", "shibokensupport", "signature_bootstrap"}
DATA = {"numpy", "cython_runtime", "orjson", "pydantic", "pydantic_core", "annotated_types", "typing_inspection"}
SMALL = {"filelock", "platformdirs", "shellingham", "typer", "annotated_doc", "typing_extensions"}


def test_the_window_is_painted_before_anything_else_is_imported(tmp_path: Path) -> None:
    found = {name for name in fresh(PAINT, home=tmp_path).split() if not name.startswith("_")}
    assert "PySide6" in found and found <= QT | DATA | SMALL | {"gridbot"}


MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(gridbot.__path__, "gridbot.")
    if not module.name.startswith("gridbot.gui") and module.name != "gridbot.__main__"
)


@pytest.mark.parametrize("checked", ["", "1"])
def test_every_module_can_be_imported_with_frozen_values_and_without(checked: str, tmp_path: Path) -> None:
    code = f"import os; os.environ['CHECKED'] = {checked!r}\nimport importlib\n"
    code += f"for name in {MODULES!r}: importlib.import_module(name)\nprint('all', len({MODULES!r}))"
    assert fresh(code, home=tmp_path) == f"all {len(MODULES)}"
