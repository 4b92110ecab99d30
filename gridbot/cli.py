"""The command line: reads arguments, calls the rooms, and turns every ending into a sentence and an exit code.

0 done, 2 the user must change something, 1 a bug (traceback and a crash report), 130 stopped with Ctrl-C. Nothing heavy
is imported before the command that needs it is known. Each `cli_*` module that is imported here adds its commands.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import time
import traceback
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from gridbot import (  # noqa: F401  imported for their commands
    __version__,
    cli_backtest_job,
    cli_backup,
    cli_config,
    cli_doctor,
    cli_exchange,
    cli_kill,
    cli_look,
    cli_notify,
    cli_optimise,
    cli_replay,
    cli_sandbox,
    cli_secret,
)
from gridbot.cli_app import (
    EXIT_BUG,
    EXIT_DONE,
    EXIT_INTERRUPTED,
    EXIT_USER_MUST_ACT,
    app,
    begin_anew,
    gridbot_home,
    known_secrets,
    settings_of,
)
from gridbot.cli_research import (
    CandlesOption,
    ConfigOption,
    EquityOption,
    FillsOption,
    FirstOption,
    GridOption,
    JsonOption,
    LatencyOption,
    RiskOption,
    UntilOption,
    day_ms,
    money,
    settings_and_grid,
    written,
)
from gridbot.core.units import FillRule
from gridbot.errors import GridbotError, IllegalTransition, LedgerError

if TYPE_CHECKING:
    from gridbot.research.result import BacktestResult
    from gridbot.shell.engine_thread import EngineThread

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})


@app.callback()
def window(
    context: typer.Context,
    exit_after: Annotated[
        float | None, typer.Option(metavar="SECONDS", min=0, help="Close the window after this time.")
    ] = None,
    screenshot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Save a picture of the window before it closes.")
    ] = None,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """A grid that trades: in a window, without one, and in a backtest. Without a command the window opens."""
    if version:
        print(f"gridbot {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is not None:
        if exit_after is not None or screenshot is not None:
            raise typer.BadParameter("these belong to the window, not to a command", param_hint="--exit-after")
        return
    _hurry()
    from gridbot.bootstrap import open_engine, window_preferences
    from gridbot.bootstrap_desks import window_desks
    from gridbot.gui.app import require_display, run_window
    from gridbot.gui.passphrase import ask_passphrase
    from gridbot.gui.window import RESTART

    require_display()
    home, mask = gridbot_home(), known_secrets()
    ask = partial(ask_passphrase, exit_after=exit_after)
    try:
        config = settings_of(home)
        engine = open_engine(home, config, environment=os.environ, ask=ask, mask=mask)
    except GridbotError as error:
        from gridbot.gui.refusal import show_refusal

        show_refusal(error.message, error.hint, exit_after=exit_after)
        raise
    engine.stand_by()
    try:
        code = run_window(
            engine.facade,
            preferences=window_preferences(home),
            exit_after=exit_after,
            screenshot=screenshot,
            desks=window_desks(home, os.environ, mask, config, stop_engine=engine.stop),
            painted=partial(_begin_to_trade, engine),
        )
    finally:
        gc.enable()
        if not engine.stop():
            print("The engine did not end in time; what it has written is safe.", file=sys.stderr)
    if code == RESTART and engine.ended_well():
        begin_anew()
    raise typer.Exit(code if engine.ended_well() else EXIT_BUG)


def _hurry() -> None:
    """Spend nothing until the window is painted on what it does not need."""
    # What a start makes stays: the collector would walk it again and again.
    gc.disable()
    # numpy's linear algebra is not used; its threads would be started, and spin for a while, all the same.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _begin_to_trade(engine: EngineThread) -> None:
    """Start the trader; beside a window that is still being built it would take half of a processor from it."""
    engine.start()
    gc.freeze()
    gc.enable()


@app.command()
def run(
    resume: Annotated[
        bool | None,
        typer.Option(
            "--resume/--no-resume",
            help="Let a live account trade on by itself, now and at later starts; or take that back.",
        ),
    ] = None,
) -> None:
    """Trade without a window until Ctrl-C."""
    from gridbot.bootstrap import latched_sentence, run_headless
    from gridbot.cli_hidden import asks, hidden

    home = gridbot_home()
    settings = settings_of(home)
    say = partial(print, file=sys.stderr, flush=True)
    say(f"Trading {settings.mode.value}/{settings.account} without a window; Ctrl-C ends it.")
    stopped = latched_sentence(home)
    if stopped:
        say(stopped)
    ask = hidden if asks() else None
    mask = known_secrets()
    raise typer.Exit(run_headless(home, settings, environment=os.environ, ask=ask, mask=mask, resume=resume, hear=say))


# ------------------------------------------------------------------------------------------- backtest


@app.command()
def backtest(
    candles: CandlesOption,
    config: ConfigOption,
    grid: GridOption = None,
    fills: FillsOption = FillRule.THROUGH,
    latency_ms: LatencyOption = 0,
    json: JsonOption = None,
    csv: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the fills as CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw price, fills, equity, drawdown.")] = None,
    risk: RiskOption = False,
    equity: EquityOption = None,
    first: FirstOption = None,
    until: UntilOption = None,
) -> None:
    """Trade one grid on a file of candles and report."""
    opening = money("--equity", equity, risk=risk)
    settings, tested = settings_and_grid(config, grid)
    rules = tested.to_rules()
    from gridbot.adapters.market_files.candle_files import load_candles
    from gridbot.adapters.progress_bar import ProgressBar
    from gridbot.research.backtest import run_backtest
    from gridbot.research.period import cut
    from gridbot.research.summary import summary

    columns = cut(load_candles(candles), day_ms(first), day_ms(until))
    # A run makes no reference cycles, and the collector would walk every fill that it keeps, again and again.
    gc.disable()
    with ProgressBar(f"{len(columns):,} candles") as progress:
        result = run_backtest(
            columns,
            rules,
            fills=fills,
            latency_ms=latency_ms,
            risk=settings.risk.to_rules() if risk else None,
            equity=opening,
            progress=progress.report,
            stopwatch=time.perf_counter,
        )
    print(summary(result, source=candles.name), flush=True)
    _write_results(result, json=json, csv=csv)
    if plot is not None:
        from gridbot.cli_plot import draw

        written(plot, lambda path: draw(result, columns, path))


def _write_results(result: BacktestResult, *, json: Path | None, csv: Path | None) -> None:
    if json is not None or csv is not None:
        from gridbot.adapters.result_files import write_fills_csv, write_json

        plain = result.to_plain()
        if json is not None:
            written(json, lambda path: write_json(path, plain))
        if csv is not None:
            written(csv, lambda path: write_fills_csv(path, plain["fills"]))


# ------------------------------------------------------------------------------------------ the frame


def main() -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(ending(sys.argv[1:]))


def ending(arguments: list[str]) -> int:
    """Run one command line; return its exit code, having told on stderr whatever went wrong."""
    try:
        get_command(app).main(arguments, prog_name="gridbot")
        sys.stdout.flush()
        return EXIT_DONE
    except SystemExit as left:
        # Typer ends every command this way, and has told what was wrong with the arguments.
        return _code_of(left)
    except BrokenPipeError:
        # Whoever read our output had enough.
        _drop_output()
        return EXIT_DONE
    except (LedgerError, IllegalTransition) as error:
        # These are errors to a caller that can still refuse to trade. Here they are what a bug looks like.
        return _crashed(error)
    except GridbotError as error:
        print(error.message, file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return EXIT_USER_MUST_ACT
    except OSError as error:
        if error.errno not in NO_ROOM:
            return _crashed(error)
        _drop_output()
        print("There is no room left on the disk for what is to be written. Make room and try again.", file=sys.stderr)
        return EXIT_USER_MUST_ACT
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever escapes is reported, not lost
        return _stopped() if _is_ctrl_c(error) else _crashed(error)


def _drop_output() -> None:
    """Let what is still buffered go nowhere: Python would complain once more while closing stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _code_of(left: SystemExit) -> int:
    if isinstance(left.__context__, BrokenPipeError):
        return EXIT_DONE
    if left.code == EXIT_INTERRUPTED:
        return _stopped()
    return left.code if isinstance(left.code, int) else EXIT_DONE


def _stopped() -> int:
    print("Stopped.", file=sys.stderr)
    return EXIT_INTERRUPTED


def _is_ctrl_c(error: BaseException) -> bool:
    """Tell whether a library made an error of its own out of Ctrl-C, as pydantic does where it came while it writes."""
    cause = error.__cause__
    return cause is not None and (isinstance(cause, KeyboardInterrupt) or _is_ctrl_c(cause))


def _crashed(error: Exception) -> int:
    """Tell a bug: the traceback on stderr, and a report in the crash folder that a person may hand on."""
    try:
        from gridbot import cli_account

        told, report = cli_account.report_crash(gridbot_home(), error)
    except (GridbotError, ImportError) as refused:
        # What is broken may be what would have reported it.
        told, report = "".join(traceback.format_exception(error)), f"No report could be written: {refused}"
    print(f"{told}{report}", file=sys.stderr)
    return EXIT_BUG
