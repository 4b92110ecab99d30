"""What the commands that run over candles have in common: amounts, days, the grid of a file, and files written."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.core.units import FillRule
from gridbot.errors import ConfigError

if TYPE_CHECKING:
    from gridbot.config import AppConfig, GridConfig

CandlesOption = Annotated[Path, typer.Option(metavar="FILE", help="Candles, as Parquet or CSV.")]
ConfigOption = Annotated[Path, typer.Option(metavar="FILE", help="A whole configuration, or a single grid.")]
GridOption = Annotated[str | None, typer.Option(metavar="ID", help="Which grid, where the file has several.")]
FillsOption = Annotated[
    FillRule, typer.Option(help="Fill an order when the price goes beyond it, or as soon as it is touched.")
]
LatencyOption = Annotated[int, typer.Option(min=0, help="How long an order is on its way, in milliseconds.")]
JsonOption = Annotated[Path | None, typer.Option(metavar="OUT", help="Write the whole result as JSON.")]
RiskOption = Annotated[bool, typer.Option("--risk", help="Apply the account's limits and breakers as well.")]
EquityOption = Annotated[
    str | None, typer.Option(metavar="AMOUNT", help="With --risk: the account's money; else the investment.")
]
FirstOption = Annotated[datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="Begin on this day, UTC.")]
UntilOption = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%d"], help="End before this day, UTC.")]
_MOST_DIGITS = 30
"""No setting is as large, or as small, as a number with more digits."""


def day_ms(day: datetime | None) -> int | None:
    """Return the beginning of a day in ms UTC."""
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp() * 1000)


def number(option: str, text: str) -> Decimal:
    """Return a finite number; typer.BadParameter."""
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("NaN")
    if not found.is_finite():
        raise typer.BadParameter(f"{text!r} is no number", param_hint=option)
    if abs(found.adjusted()) > _MOST_DIGITS:
        raise typer.BadParameter(f"{text!r} is beyond all measure", param_hint=option)
    return found


def money(option: str, text: str | None, *, risk: bool) -> Decimal | None:
    """Return the account's money, which means something only beside its limits; typer.BadParameter."""
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal(0)
    if not amount.is_finite() or amount <= 0:
        raise typer.BadParameter(f"it must be an amount above 0 such as 10000, not {text!r}", param_hint=option)
    if not risk:
        raise typer.BadParameter("it has a meaning only together with --risk", param_hint=option)
    return amount


def settings_and_grid(config: Path, grid: str | None) -> tuple[AppConfig, GridConfig]:
    """Return what a file says, and the grid of it that is meant; ConfigError."""
    from gridbot.adapters import config_files
    from gridbot.config import parse_grid_or_app

    settings = parse_grid_or_app(config_files.read_text(config), source=str(config))
    return settings, _chosen_grid(settings, grid, source=config)


def _chosen_grid(settings: AppConfig, wanted: str | None, *, source: Path) -> GridConfig:
    """Return the grid that is meant; ConfigError where that is not clear."""
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


def written(path: Path, write: Callable[[Path], None]) -> None:
    """Write a file, and say so."""
    write(path)
    print(f"{path} written.", file=sys.stderr)
