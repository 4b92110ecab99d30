"""The command line: reads arguments, calls the rooms, and turns every ending into a sentence and an exit code.

0 done, 2 the user must change something, 1 a bug (traceback and a crash report), 130 stopped with Ctrl-C. Nothing heavy
is imported before the command that needs it is known.
"""

from __future__ import annotations

import errno
import gc
import os
import sys
import time
import traceback
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.main import get_command

from gridbot import __version__
from gridbot.core.units import FillRule, Mode
from gridbot.errors import ConfigError, GridbotError, IllegalTransition, LedgerError

if TYPE_CHECKING:
    from gridbot.adapters.files.home import Home
    from gridbot.config import AppConfig, GridConfig

NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
LOG_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
EXIT_DONE, EXIT_BUG, EXIT_USER_MUST_ACT, EXIT_INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="gridbot",
    help="A grid that trades: in a window, without one, and in a backtest.",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
_GROUPS = {
    "config": typer.Typer(help="Check, show or begin a configuration file.", rich_markup_mode=None),
    "export": typer.Typer(help="Write log lines or fills to a file.", rich_markup_mode=None),
}
app.add_typer(_GROUPS["config"], name="config")
app.add_typer(_GROUPS["export"], name="export")


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
    from gridbot.bootstrap import open_engine, window_preferences
    from gridbot.gui.app import require_display, run_window

    require_display()
    home = _home()
    engine = open_engine(home, _settings(home))
    engine.start()
    try:
        code = run_window(
            engine.facade, preferences=window_preferences(home), exit_after=exit_after, screenshot=screenshot
        )
    finally:
        if not engine.stop():
            print("The engine did not end in time; what it has written is safe.", file=sys.stderr)
    raise typer.Exit(code)


@app.command()
def run() -> None:
    """Trade without a window until Ctrl-C."""
    from gridbot.bootstrap import run_headless

    home = _home()
    settings = _settings(home)
    print(f"Trading {settings.mode.value}/{settings.account} without a window; Ctrl-C ends it.", file=sys.stderr)
    raise typer.Exit(run_headless(home, settings))


def _settings(home: Home) -> AppConfig:
    """Return the configuration; at the first start, when there is none, one is written to begin with."""
    from gridbot.adapters import config_files
    from gridbot.config import default_config

    if not home.config.exists():
        config_files.save(home.config, default_config())
    return config_files.load(home.config)


def _home() -> Home:
    """Return the folder of everything that gridbot keeps; it need not exist."""
    from gridbot.adapters.files.home import resolve_home

    return resolve_home(os.environ.get("GRIDBOT_HOME"))


# --------------------------------------------------------------------------------------------- config

ConfigFile = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Else config.json in gridbot's folder.")]


def _config_file(file: Path | None) -> Path:
    return _home().config if file is None else file


@_GROUPS["config"].command("check")
def config_check(file: ConfigFile = None) -> None:
    """Name every mistake of a configuration file, or a single grid's."""
    from gridbot.adapters import config_files
    from gridbot.config import parse_grid_or_app

    path = _config_file(file)
    settings = parse_grid_or_app(config_files.read_text(path), source=str(path))
    count = len(settings.grids)
    print(f"{path} has no mistakes: mode {settings.mode.value}, {count} grid{'' if count == 1 else 's'}.")
    for grid in settings.grids:
        state = "" if grid.enabled else ", paused"
        print(f"  {grid.id}: {grid.symbol}, {grid.levels} levels, investment {grid.investment:f}{state}")


@_GROUPS["config"].command("show")
def config_show(file: ConfigFile = None) -> None:
    """Show a configuration with every default filled in."""
    from gridbot.adapters import config_files
    from gridbot.config import parse_grid_or_app

    path = _config_file(file)
    print(parse_grid_or_app(config_files.read_text(path), source=str(path)).to_json(), end="")


@_GROUPS["config"].command("init")
def config_init(
    file: ConfigFile = None,
    preset: Annotated[str, typer.Option(help="balanced, classic or wide.")] = "balanced",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write a configuration to begin with: the demo market and one grid."""
    from gridbot.adapters import config_files
    from gridbot.config import default_config

    path = _config_file(file)
    settings = default_config(grid_preset=preset)
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already.", hint="--force replaces it; `gridbot config show` shows it.")
    config_files.save(path, settings)
    print(f"{path} written: mode {settings.mode.value}, one grid, preset {preset}.")


# --------------------------------------------------------------------------------- an account's files

ModeOption = Annotated[Mode | None, typer.Option(help="Else what the configuration says.")]
AccountOption = Annotated[str | None, typer.Option(metavar="NAME", help="Else what the configuration says.")]


def _account(mode: Mode | None, account: str | None) -> tuple[Mode, str]:
    """Return which account is meant; without a configuration file the defaults of one."""
    if mode is not None and account is not None:
        return mode, account
    from gridbot.adapters import config_files
    from gridbot.config import AppConfig

    path = _home().config
    settings = config_files.load(path) if path.exists() else AppConfig()
    return mode or settings.mode, account or settings.account


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="As JSON, for a program.")] = False,
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Tell how an account stands, from its files alone."""
    from gridbot.bootstrap import account_status
    from gridbot.shell.status import status_page

    chosen, name = _account(mode, account)
    plain = account_status(_home(), mode=chosen, account=name)
    if json:
        import json as text

        print(text.dumps(plain, indent=2))
    else:
        print(status_page(plain))


@_GROUPS["export"].command("fills")
def export_fills(
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to, as CSV.")],
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Write every fill of an account as CSV."""
    from gridbot import cli_account

    chosen, name = _account(mode, account)
    count, damaged = cli_account.write_fills(_home(), to, mode=chosen, account=name)
    if damaged:
        print(f"{damaged} damaged lines of the history were passed over.", file=sys.stderr)
    print(f"{to} written: {count:,} fills.")


@_GROUPS["export"].command("logs")
def export_logs(
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to; a name that ends in .csv becomes a table.")],
    level: Annotated[list[str] | None, typer.Option(help="Only this level, or these if given several times.")] = None,
    text: Annotated[str, typer.Option(help="Only lines that hold this text.")] = "",
) -> None:
    """Write log lines to a file, oldest first."""
    from gridbot import cli_account

    levels = frozenset(each.upper() for each in level or ())
    unknown = sorted(levels - LOG_LEVELS)
    if unknown:
        raise typer.BadParameter(f"it is one of {', '.join(sorted(LOG_LEVELS))}", param_hint=f"--level {unknown[0]}")
    print(f"{to} written: {cli_account.write_logs(_home(), to, levels=levels, text=text):,} lines.")


# ------------------------------------------------------------------------------------------- backtest


@app.command()
def backtest(
    candles: Annotated[Path, typer.Option(metavar="FILE", help="Candles, as Parquet or CSV.")],
    config: Annotated[Path, typer.Option(metavar="FILE", help="A whole configuration, or a single grid.")],
    grid: Annotated[str | None, typer.Option(metavar="ID", help="Which grid, where the file has several.")] = None,
    fills: Annotated[
        FillRule, typer.Option(help="Fill an order when the price goes beyond it, or as soon as it is touched.")
    ] = FillRule.THROUGH,
    latency_ms: Annotated[int, typer.Option(min=0, help="How long an order is on its way, in milliseconds.")] = 0,
    json: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the whole result as JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="OUT", help="Write the fills as CSV.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="OUT.png", help="Draw price, fills, equity, drawdown.")] = None,
    risk: Annotated[bool, typer.Option("--risk", help="Apply the account's limits and breakers as well.")] = False,
    equity: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="With --risk: the account's money; else the investment.")
    ] = None,
) -> None:
    """Trade one grid on a file of candles and report."""
    opening = None if equity is None else _amount("--equity", equity)
    if opening is not None and not risk:
        raise typer.BadParameter("it has a meaning only together with --risk", param_hint="--equity")
    from gridbot.adapters import config_files
    from gridbot.config import parse_grid_or_app

    settings = parse_grid_or_app(config_files.read_text(config), source=str(config))
    rules = _chosen_grid(settings, grid, source=config).to_rules()
    from gridbot.adapters.market_files.candle_files import load_candles
    from gridbot.adapters.progress_bar import ProgressBar
    from gridbot.research.backtest import run_backtest
    from gridbot.research.summary import summary

    columns = load_candles(candles)
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
    if json is not None or csv is not None:
        from gridbot.adapters.result_files import write_fills_csv, write_json

        plain = result.to_plain()
        if json is not None:
            _written(json, lambda path: write_json(path, plain))
        if csv is not None:
            _written(csv, lambda path: write_fills_csv(path, plain["fills"]))
    if plot is not None:
        from gridbot.cli_plot import draw

        _written(plot, lambda path: draw(result, columns, path))


def _amount(option: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise typer.BadParameter(f"it must be an amount above 0 such as 10000, not {text!r}", param_hint=option)
    return amount


def _chosen_grid(settings: AppConfig, wanted: str | None, *, source: Path) -> GridConfig:
    known = ", ".join(grid.id for grid in settings.grids)
    if not settings.grids:
        raise ConfigError(f"{source} has no grid to test.", hint="Add one under `grids`.")
    if wanted is None:
        if len(settings.grids) > 1:
            raise ConfigError(f"{source} has {len(settings.grids)} grids.", hint=f"Choose with --grid: {known}.")
        return settings.grids[0]
    found = settings.grid(wanted)
    if found is None:
        raise ConfigError(f"{source} has no grid {wanted!r}.", hint=f"There is: {known}.")
    return found


def _written(path: Path, write: Callable[[Path], None]) -> None:
    write(path)
    print(f"{path} written.", file=sys.stderr)


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
        return _crashed(error)


def _drop_output() -> None:
    """Let what is still buffered go nowhere: Python would complain once more while closing stdout."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _code_of(left: SystemExit) -> int:
    if isinstance(left.__context__, BrokenPipeError):
        return EXIT_DONE
    if left.code == EXIT_INTERRUPTED:
        print("Stopped.", file=sys.stderr)
    return left.code if isinstance(left.code, int) else EXIT_DONE


def _crashed(error: Exception) -> int:
    """Tell a bug: the traceback on stderr, and a report in the crash folder that a person may hand on."""
    try:
        from gridbot import cli_account

        told, report = cli_account.report_crash(_home(), error)
    except (GridbotError, ImportError) as refused:
        # What is broken may be what would have reported it.
        told, report = "".join(traceback.format_exception(error)), f"No report could be written: {refused}"
    print(f"{told}{report}", file=sys.stderr)
    return EXIT_BUG
