"""The commands about a configuration file: check, show, begin one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gridbot.cli_app import GROUPS, gridbot_home
from gridbot.errors import ConfigError

ConfigFile = Annotated[Path | None, typer.Argument(metavar="[FILE]", help="Else config.json in gridbot's folder.")]


def _config_file(file: Path | None) -> Path:
    return gridbot_home().config if file is None else file


@GROUPS["config"].command("check")
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


@GROUPS["config"].command("show")
def config_show(file: ConfigFile = None) -> None:
    """Show a configuration with every default filled in."""
    from gridbot.adapters import config_files
    from gridbot.config import parse_grid_or_app

    path = _config_file(file)
    print(parse_grid_or_app(config_files.read_text(path), source=str(path)).to_json(), end="")


@GROUPS["config"].command("init")
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
