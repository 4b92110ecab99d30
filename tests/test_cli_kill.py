"""`gridbot kill` and `gridbot rearm`: with a gridbot that runs, that hangs, that died, and on a disk that refuses."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot import cli_kill_accounts
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.exchange_file import ExchangeFile, ExchangePlace
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import account_status, read_account, take_account
from gridbot.cli import ending
from gridbot.cli_kill_accounts import Accounts, Ending
from gridbot.config import AppConfig
from gridbot.core.codec import digest
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import EpochStarted, KillKind
from gridbot.core.orders import OrderState
from gridbot.core.state import Level, State, Tripped
from gridbot.core.units import Mode, VenueOrderId
from gridbot.core.values import evolve
from gridbot.errors import EnvironmentProblem
from gridbot.shell.state_keeper import Recovered, StateKeeper
from gridbot.shell.status import NoHistory
from tests.fakes.engine import open_orders, trading, until
from tests.test_cli_trading import gridbot, running, status

GOLDEN = Path(__file__).parent / "golden"
DEMO = AccountName(Mode.DEMO, "default")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    return folder


def killed_while_trading(home: Path, tmp_path: Path) -> int:
    """Leave the folder of a process that died while its orders rested; return how many those are."""
    with trading(tmp_path / "alive") as engine:
        assert until(lambda: open_orders(engine) > 3)
        folder = tmp_path / "alive" / "demo" / "default"
        assert until(lambda: len(state_of(folder.parent.parent).grids) and rests(folder.parent.parent) > 3)
        shutil.copytree(tmp_path / "alive", home)
    return rests(home)


def state_of(home: Path) -> State:
    return read_account(SystemDisk(), home, DEMO)[0]


def rests(home: Path) -> int:
    count = account_status(Home(home), mode=Mode.DEMO, account="default")["open_orders"]
    assert isinstance(count, int)
    return count


def latched(home: Path) -> str | None:
    return KillLatchFile(SystemDisk(), home, SystemClock()).read()


def test_without_any_account_it_latches_and_is_released(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ending(["kill", "--reason", "holidays"]) == 0 and latched(home) == "holidays"
    assert ending(["rearm", "--yes"]) == 0 and latched(home) is None
    assert ending(["rearm", "--yes"]) == 0 and "Trading is not stopped." in capsys.readouterr().out


def test_the_orders_of_a_dead_process_are_cancelled_in_its_record_and_a_restart_is_latched(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = killed_while_trading(home, tmp_path)
    assert ending(["kill", "--reason", "it died"]) == 0
    assert f"{count} orders cancelled in its record" in capsys.readouterr().out
    state = state_of(home)
    assert state.kill is not None and state.kill.reason == "it died" and rests(home) == 0
    (home / "KILL").unlink()
    with trading(home) as engine:
        assert until(lambda: engine.facade.view().beat > 20), "a file taken away by hand releases nothing"
        assert engine.facade.view().snapshot.kill is not None and open_orders(engine) == 0
        assert latched(home) == "it died"


def test_what_was_re_armed_while_nobody_ran_trades_again_at_the_next_start(home: Path, tmp_path: Path) -> None:
    killed_while_trading(home, tmp_path)
    assert ending(["kill"]) == 0 and ending(["rearm", "--yes"]) == 0
    before = state_of(home)
    assert before.kill is None and rests(home) == 0 and latched(home) is None
    assert digest(state_of(home)) == digest(before), "what was written is read again as it is"
    with trading(home) as engine:
        assert until(lambda: open_orders(engine) > 3) and engine.facade.view().snapshot.kill is None


def test_an_order_without_an_answer_is_ended_as_well(home: Path, tmp_path: Path) -> None:
    killed_while_trading(home, tmp_path)
    state = state_of(home)
    grid = next(iter(state.grids.values()))
    place, cell = next((n, cell) for n, cell in enumerate(grid.cells) if cell.order is not None)
    assert cell.order is not None
    silent = evolve(cell, order=evolve(cell.order, venue_id=None))
    cells = (*grid.cells[:place], silent, *grid.cells[place + 1 :])
    rewrite(home, evolve(state, grids={**state.grids, grid.rules.id: evolve(grid, cells=cells)}))
    assert rests(home) == len([c for c in grid.cells if c.order is not None]), "it is still unresolved"
    assert ending(["kill"]) == 0 and rests(home) == 0


def rewrite(home: Path, state: State) -> None:
    """Make this the account's state, as a process would have left it."""
    taken = take_account(
        Home(home), AppConfig(mode=Mode.DEMO, account="default"), disk=SystemDisk(), clock=SystemClock()
    )
    recovered = Recovered(state, taken.recovered.sequence, ())
    keeper = StateKeeper(recovered, journal=taken.journal, notes=NoHistory(), tell=lambda event, answer: None)
    keeper.take(EpochStarted(state.now, state.prefix))
    keeper.close()
    taken.account.release()


def test_the_word_must_be_typed(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(["kill", "--reason", "enough"]) == 0
    for typed, code in (("", 2), ("rearm\n", 2), ("REARM\n", 0)):
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        assert latched(home) == "enough" and ending(["rearm"]) == code
    assert latched(home) is None and "Type REARM" in capsys.readouterr().out


def test_orders_that_are_not_confirmed_keep_the_stop_and_are_counted(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    count = killed_while_trading(home, tmp_path)
    (home / "KILL").touch()
    assert ending(["rearm", "--yes"]) == 2
    assert f"{count} orders are not confirmed as cancelled" in capsys.readouterr().err and latched(home) == ""


def test_books_that_do_not_add_up_need_a_word_of_their_own(home: Path, tmp_path: Path) -> None:
    killed_while_trading(home, tmp_path)
    assert ending(["kill"]) == 0
    state = state_of(home)
    trip = Tripped(state.now, Level.BLACK, "0.1 BTC too many.", True)
    rewrite(home, evolve(state, risk=evolve(state.risk, level=Level.BLACK, tripped={"integrity": trip})))
    assert ending(["rearm", "--yes"]) == 2 and latched(home) is not None
    assert ending(["rearm", "--yes", "--accept-integrity"]) == 0 and latched(home) is None


def test_a_damaged_account_spares_no_other_and_the_latch_holds(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_while_trading(home, tmp_path)
    shutil.copytree(home / "demo" / "default", home / "demo" / "broken")
    (home / "demo" / "broken" / "state.json").write_text("{}", "utf-8")
    assert ending(["kill"]) == 2
    assert "state.json" in capsys.readouterr().err and rests(home) == 0 and latched(home) is not None


def test_an_account_of_an_exchange_that_cannot_be_reached_is_told(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_while_trading(home, tmp_path)
    shutil.copytree(home / "demo" / "default", home / "live" / "default")
    assert ending(["kill"]) == 2
    said = capsys.readouterr().err
    assert "live/default" in said and "nothing says at which exchange" in said and rests(home) == 0


def test_a_live_account_without_its_key_cannot_be_stopped_from_here_and_that_is_said(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_trading(home, tmp_path)
    shutil.copytree(home / "demo" / "default", home / "live" / "default")
    ExchangeFile(SystemDisk(), home / "live" / "default").store(ExchangePlace("binance", "http://127.0.0.1:9"))
    for name in ("GRIDBOT_API_KEY", "GRIDBOT_API_SECRET"):
        monkeypatch.delenv(name, raising=False)
    assert ending(["kill"]) == 2
    assert "there is no key for binance" in capsys.readouterr().err


def test_an_exchange_that_does_not_answer_is_said_to_after_a_while(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    killed_while_trading(home, tmp_path)
    shutil.copytree(home / "demo" / "default", home / "live" / "default")
    ExchangeFile(SystemDisk(), home / "live" / "default").store(ExchangePlace("binance", "http://127.0.0.1:9"))
    monkeypatch.setenv("GRIDBOT_API_KEY", "k" * 24)
    monkeypatch.setenv("GRIDBOT_API_SECRET", "s" * 24)
    monkeypatch.setattr(cli_kill_accounts, "EXCHANGE_PATIENCE_S", 1.0)
    assert ending(["kill"]) == 2
    said = capsys.readouterr().err
    assert "not confirmed" in said and "Run `gridbot kill` again" in said


def test_nothing_is_sold_without_the_word_and_a_dead_process_cannot_sell(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert ending(["kill", "--liquidate"]) == 0
    assert "Nothing will be sold." in capsys.readouterr().out and latched(home) is not None


def test_a_running_gridbot_sells_what_its_grids_hold_when_it_is_asked_to_by_letter(home: Path) -> None:
    with trading(home) as engine:

        def held() -> Decimal:
            return sum((grid.inventory for grid in engine.facade.view().snapshot.grids), Decimal(0))

        assert until(lambda: held() > 0, turns=6_000)
        assert ending(["kill", "--liquidate", "--yes"]) == 0
        assert until(lambda: held() == 0) and latched(home) is not None
        seen = engine.facade.view().snapshot
        assert seen.kill is not None and seen.kill.liquidate


def test_ctrl_c_leaves_the_latch(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(self: Accounts, account: AccountName, reason: str, *, liquidate: bool, everything: bool) -> Ending:
        assert latched(home) == reason and not liquidate and not everything and account == DEMO
        raise KeyboardInterrupt

    killed_while_trading(home, tmp_path)
    monkeypatch.setattr(Accounts, "stop", interrupted)
    assert ending(["kill", "--reason", "enough"]) == 130 and latched(home) == "enough"


def test_a_latch_that_cannot_be_written_is_told_and_the_cancels_go_on(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(self: KillLatchFile, reason: str, kind: KillKind = KillKind.MANUAL) -> None:
        raise EnvironmentProblem(f"There is no room for {reason} of {kind}.")

    killed_while_trading(home, tmp_path)
    monkeypatch.setattr(KillLatchFile, "set", refuse)
    assert ending(["kill"]) == 2
    assert "could not be written" in capsys.readouterr().err and rests(home) == 0


def test_the_latch_outlives_an_older_state_that_is_put_back(home: Path, tmp_path: Path) -> None:
    killed_while_trading(home, tmp_path)
    shutil.copytree(home / "demo", tmp_path / "older")
    assert ending(["kill", "--reason", "newer than the backup"]) == 0
    shutil.rmtree(home / "demo")
    shutil.copytree(tmp_path / "older", home / "demo")
    assert state_of(home).kill is None and rests(home) > 3
    assert_stays_stopped(home, "newer than the backup")


def test_under_the_latch_creates_that_were_never_answered_are_resolved_by_asking(home: Path, tmp_path: Path) -> None:
    killed_while_trading(home, tmp_path)
    state = state_of(home)
    grids = {}
    for id_, grid in state.grids.items():
        silent = (
            cell
            if cell.order is None
            else evolve(cell, order=evolve(cell.order, state=OrderState.INTENT, venue_id=None))
            for cell in grid.cells
        )
        grids[id_] = evolve(grid, cells=tuple(silent))
    rewrite(home, evolve(state, grids=grids))
    (home / "KILL").touch()
    assert rests(home) > 3
    assert_stays_stopped(home, "")


@pytest.mark.parametrize("form", sorted(folder.name for folder in GOLDEN.glob("schema-*")))
def test_the_latch_outlives_an_upgrade_from_every_released_form(home: Path, form: str) -> None:
    shutil.copytree(GOLDEN / form / "crashed" / "demo", home / "demo")
    (home / "KILL").touch()
    assert rests(home) and state_of(home).kill is None
    assert_stays_stopped(home, "")


def assert_stays_stopped(home: Path, reason: str) -> None:
    """A start on this folder cancels what rests, places nothing, and is stopped in its own record as well."""
    with trading(home) as engine:
        created: list[str] = []
        create = engine._trader._executor._venue.create

        async def watched(order: PlaceLimit) -> VenueOrderId:
            created.append(order.ref.id)
            return await create(order)

        engine._trader._executor._venue.create = watched  # type: ignore[method-assign]
        assert until(lambda: engine.facade.view().snapshot.kill and not open_orders(engine))
        assert until(lambda: not engine.facade.view().starting)
        beat = engine.facade.view().beat
        assert until(lambda: engine.facade.view().beat > beat + 20) and not created
    assert latched(home) == reason and state_of(home).kill is not None and rests(home) == 0


@pytest.mark.slow
def test_a_running_gridbot_confirms_by_itself_and_is_re_armed_by_letter(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert until(lambda: status(tmp_path)["open_orders"])
        done = gridbot(tmp_path, "kill", "--reason", "from outside")
        assert done.returncode == 0 and "the gridbot that holds it has stopped" in done.stdout, done
        assert until(lambda: status(tmp_path)["killed"] and status(tmp_path)["open_orders"] == 0)
        done = gridbot(tmp_path, "rearm", "--yes")
        assert done.returncode == 0 and not (tmp_path / "KILL").exists(), done
        assert until(lambda: status(tmp_path)["open_orders"]) and process.poll() is None
        assert not (tmp_path / "demo" / "default" / "request.json").exists()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows cannot hold a process still")
def test_a_process_that_hangs_is_told_as_it_is_and_once_it_is_dead_the_kill_is_whole(tmp_path: Path) -> None:
    with running(tmp_path) as process:
        assert until(lambda: status(tmp_path)["open_orders"])
        os.kill(process.pid, signal.SIGSTOP)
        done = gridbot(tmp_path, "kill")
        assert done.returncode == 2 and "has not confirmed" in done.stderr and (tmp_path / "KILL").exists()
        process.kill()
        process.wait()
        done = gridbot(tmp_path, "kill")
        assert done.returncode == 0 and "nobody runs it" in done.stdout, done
    after = status(tmp_path)
    assert after["killed"] is True and after["open_orders"] == 0
