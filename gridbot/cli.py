"""The command line: reads arguments, calls the rooms, and turns every ending into a sentence and an exit code.

0 done, 2 the user must change something, 1 a bug (traceback and a crash report), 130 stopped with Ctrl-C. Nothing heavy
is imported before the command that needs it is known.
"""

from __future__ import annotations

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
from gridbot.core.units import FillRule
from gridbot.errors import ConfigError, GridbotError, IllegalTransition, LedgerError

if TYPE_CHECKING:
    from gridbot.config import AppConfig, GridConfig

EXIT_DONE, EXIT_BUG, EXIT_USER_MUST_ACT, EXIT_INTERRUPTED = 0, 1, 2, 130
PROGRESS_AFTER_S = 0.5
"""A shorter wait needs no progress bar, and drawing one costs 50 ms before the first result."""

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
}
app.add_typer(_GROUPS["config"], name="config")


@app.callback()
def window(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version and leave.")] = False,
) -> None:
    """A grid that trades: in a window, without one, and in a backtest."""
    if version:
        print(f"gridbot {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())


def _home() -> Path:
    """Return the folder of everything that gridbot keeps; it need not exist."""
    moved = os.environ.get("GRIDBOT_HOME")
    if moved:
        return Path(moved).expanduser()
    import platformdirs

    return Path(platformdirs.user_data_dir("gridbot", appauthor=False))


# --------------------------------------------------------------------------------------------- config

ConfigFile = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Else config.json in gridbot's folder.")]


def _config_file(file: Path | None) -> Path:
    return _home() / "config.json" if file is None else file


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
    from gridbot.adapters.candle_files import load_candles
    from gridbot.research.backtest import run_backtest
    from gridbot.research.summary import summary

    columns = load_candles(candles)
    with _Progress(f"{len(columns):,} candles") as progress:
        result = run_backtest(
            columns,
            rules,
            fills=fills,
            latency_ms=latency_ms,
            risk=settings.risk.to_rules() if risk else None,
            equity=opening,
            progress=progress.report,
        )
    print(summary(result, source=candles.name), flush=True)
    if json is not None or csv is not None:
        from gridbot.adapters.result_files import write_fills_csv, write_json

        plain = result.to_plain()
        if json is not None:
            _written(json, lambda path: write_json(path, plain))
        if csv is not None:
            _written(csv, lambda path: write_fills_csv(path, plain["fills"]))


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


class _Progress:
    """A bar on stderr, if that is a terminal and the work takes long enough to be worth one."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._started = time.perf_counter()
        self._draw: Callable[[int, int], None] | None = None
        self._stop: Callable[[], None] | None = None
        self._wanted = sys.stderr.isatty()

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stop is not None:
            self._stop()

    def report(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps are done."""
        if not self._wanted:
            return
        if self._draw is None and time.perf_counter() - self._started >= PROGRESS_AFTER_S:
            self._open(total)
        if self._draw is not None:
            self._draw(done, total)

    def _open(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import Progress

        bar = Progress(console=Console(stderr=True), transient=True)
        task = bar.add_task(self._title, total=total)
        bar.start()
        self._stop = bar.stop
        self._draw = lambda done, _total: bar.update(task, completed=done)


# ------------------------------------------------------------------------------------------ the frame


def _crashed(error: Exception) -> int:
    """Tell a bug on stderr."""
    traceback.print_exception(error)
    return EXIT_BUG


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
        # Whoever read our output had enough. Python would complain once more while closing stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_DONE
    except (LedgerError, IllegalTransition) as error:
        # These are errors to a caller that can still refuse to trade. Here they are what a bug looks like.
        return _crashed(error)
    except GridbotError as error:
        print(error.message, file=sys.stderr)
        if error.hint:
            print(error.hint, file=sys.stderr)
        return EXIT_USER_MUST_ACT
    except Exception as error:  # noqa: BLE001 - the outermost frame: whatever escapes is reported, not lost
        return _crashed(error)


def _code_of(left: SystemExit) -> int:
    if isinstance(left.__context__, BrokenPipeError):
        return EXIT_DONE
    if left.code == EXIT_INTERRUPTED:
        print("Stopped.", file=sys.stderr)
    return left.code if isinstance(left.code, int) else EXIT_DONE
