"""What a launch brings back after a clean end and after kill -9: grids, cells, orders, books, limits, history."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.config_files import load, save
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.bootstrap import open_engine, read_account
from gridbot.config import default_config
from gridbot.core.commands import Alarmed, FillBooked, OrderEnded
from gridbot.core.orders import OrderState
from gridbot.core.snapshot import Snapshot, snapshot
from gridbot.core.state import State
from gridbot.core.units import Mode, OrderId
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import Happened

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT = AccountName(Mode.DEMO, "default")
BY_FORCE = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has no SIGKILL; there Popen.kill, which it becomes, ends a process as hard."""


def until(met: Callable[[], bool]) -> None:
    """Wait; the test's own time limit is the bound."""
    while not met():
        Event().wait(0.02)


def left_by(home: Path, *, ends: signal.Signals, met: Callable[[State], bool]) -> State:
    """Trade in a process of its own until `met`, end it so, and return what its files hold."""
    command = [sys.executable, "-m", "gridbot", "run"]
    env = {**os.environ, "GRIDBOT_HOME": str(home)}
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
        until(lambda: process.poll() is not None or met(read_account(SystemDisk(), home, ACCOUNT)[0]))
        assert process.poll() is None
        process.send_signal(ends)
        process.wait()
    return read_account(SystemDisk(), home, ACCOUNT)[0]


def begun(home: Path) -> Path:
    plain = default_config()
    save(home / "config.json", plain.model_copy(update={"demo": plain.demo.model_copy(update={"speed": 20_000})}))
    return home


def until_shown(engine: EngineThread, met: Callable[[Snapshot], bool]) -> list[Happened]:
    """Return what happened until an engine that has learnt what is shows what is waited for."""
    happened: list[Happened] = []
    while engine.facade.view().starting or not met(engine.facade.view().snapshot):
        happened += engine.facade.happened()
        Event().wait(0.02)
    return happened


def resting(state: State) -> dict[OrderId, tuple[object, ...]]:
    """Return the orders that rest for certain, with what they are."""
    return {
        cell.order.id: (grid_id, cell.number, cell.order.side, cell.order.price, cell.order.quantity)
        for grid_id, grid in state.grids.items()
        for cell in grid.cells
        if cell.order is not None and cell.order.state in {OrderState.OPEN, OrderState.PARTIAL}
    }


@pytest.mark.slow
@pytest.mark.parametrize("ends", [BY_FORCE, pytest.param(signal.SIGINT, marks=pytest.mark.soak)])
def test_everything_comes_back_and_trading_goes_on(tmp_path: Path, ends: signal.Signals) -> None:
    home = begun(tmp_path)
    left = left_by(home, ends=ends, met=lambda state: state.round_trips >= 2 and len(resting(state)) >= 5)
    told = list(NotesArchive(SystemDisk(), home / "demo" / "default" / "archive").notes())
    engine = open_engine(Home(home), load(home / "config.json"))
    # Before anything moves: the very snapshot that was left, with grids, cells, ledger, limits and history.
    seen = engine.facade.view()
    assert seen.snapshot == snapshot(left)
    assert seen.snapshot.fills == left.fills > 0 and seen.snapshot.peak == left.risk.peak
    assert list(engine.facade.past())[-len(told) :] == told[-2_000:] and told
    engine.start()
    happened = until_shown(engine, lambda shown: shown.fills > left.fills)
    assert engine.stop()
    happened += engine.facade.happened()
    after = read_account(SystemDisk(), home, ACCOUNT)[0]
    # Each order that rested at the simulated venue rests there still, or was filled or withdrawn for a known reason.
    ended = {note.order: note.state for note in happened if isinstance(note, OrderEnded)}
    filled = {note.order for note in happened if isinstance(note, FillBooked)}
    for order, what in resting(left).items():
        assert resting(after).get(order) == what or order in filled or ended[order] is OrderState.CANCELED
    assert not [note for note in happened if isinstance(note, Alarmed)]
    assert after.fills > left.fills and after.round_trips >= left.round_trips and after.prefix > left.prefix
    assert after.risk.peak is not None and left.risk.peak is not None and after.risk.peak >= left.risk.peak


@pytest.mark.slow
def test_a_stop_comes_back_after_kill_9_with_its_reason_and_nothing_is_placed(tmp_path: Path) -> None:
    home = begun(tmp_path)
    stopped: list[State] = []

    def met(state: State) -> bool:
        if resting(state) and not (home / "KILL").exists():
            (home / "KILL").touch()
        stopped[:] = [state]
        return state.kill is not None and not resting(state)

    left = left_by(home, ends=BY_FORCE, met=met)
    assert left.kill is not None
    for there in (True, False):
        # Also where somebody took the file away: the account has taken notice.
        if not there:
            (home / "KILL").unlink()
        engine = open_engine(Home(home), load(home / "config.json"))
        kill = engine.facade.view().snapshot.kill
        assert kill is not None and (kill.kind, kill.reason) == (left.kill.kind, left.kill.reason)
        engine.start()
        until_shown(engine, lambda shown: shown.kill is not None)
        assert engine.stop() and (home / "KILL").exists()
        after = read_account(SystemDisk(), home, ACCOUNT)[0]
        assert after.kill == left.kill and not resting(after) and after.sequence == 0


@pytest.mark.soak
def test_the_windows_place_comes_back_after_kill_9(tmp_path: Path) -> None:
    home = begun(tmp_path)
    command = [sys.executable, "-m", "gridbot", "--exit-after", "100"]
    env = {**os.environ, "GRIDBOT_HOME": str(home), "QT_QPA_PLATFORM": "offscreen"}
    with subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.DEVNULL) as process:
        until(lambda: process.poll() is not None or (home / "ui.json").exists())
        assert process.poll() is None
        process.kill()
    saved = json.loads((home / "ui.json").read_text("utf-8"))
    assert saved["geometry"] and saved["widths"]
    assert read_account(SystemDisk(), home, ACCOUNT)[1] > 0
