"""The Typer app that every command registers on, and what the commands share: exit codes, the folder, the account."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from gridbot.core.units import Mode

if TYPE_CHECKING:
    from gridbot.adapters.files.home import Home
    from gridbot.adapters.logbook.masking import Mask
    from gridbot.config import AppConfig

EXIT_DONE, EXIT_BUG, EXIT_USER_MUST_ACT, EXIT_INTERRUPTED = 0, 1, 2, 130

app = typer.Typer(
    name="gridbot",
    help="A grid that trades: in a window, without one, and in a backtest.",
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
GROUPS = {
    "config": typer.Typer(help="Check, show or begin a configuration file.", rich_markup_mode=None),
    "exchange": typer.Typer(help="Exchanges, and the keys to your accounts there.", rich_markup_mode=None),
    "export": typer.Typer(help="Write log lines, fills or the state to a file.", rich_markup_mode=None),
    "key": typer.Typer(help="Keep, show or forget the key of an account.", rich_markup_mode=None),
    "notify": typer.Typer(help="Notifications to your phone or mailbox.", rich_markup_mode=None),
    "secret": typer.Typer(help="Keep or forget a secret that the configuration names.", rich_markup_mode=None),
}
for group in ("config", "exchange", "export", "notify", "secret"):
    app.add_typer(GROUPS[group], name=group)
GROUPS["exchange"].add_typer(GROUPS["key"], name="key")

ModeOption = Annotated[Mode | None, typer.Option(help="Else what the configuration says.")]
AccountOption = Annotated[str | None, typer.Option(metavar="NAME", help="Else what the configuration says.")]


def gridbot_home() -> Home:
    """Return the folder of everything that gridbot keeps; it need not exist."""
    from gridbot.adapters.files.home import resolve_home

    return resolve_home(os.environ.get("GRIDBOT_HOME"))


@cache
def known_secrets() -> Mask:
    """Return the mask of this process: every secret that it reads is taught to it, and a crash is told through it."""
    from gridbot.adapters.logbook.masking import Mask

    return Mask()


def settings_of(home: Home) -> AppConfig:
    """Return the configuration; at the first start, when there is none, one is written to begin with."""
    from gridbot.adapters import config_files
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.config import default_config

    if not home.config.exists():
        home.refuse_half_restored(SystemDisk())
        config_files.save(home.config, default_config())
    return config_files.load(home.config)


def chosen_account(mode: Mode | None, account: str | None) -> tuple[Mode, str]:
    """Return which account is meant; without a configuration file the defaults of one."""
    if mode is not None and account is not None:
        return mode, account
    from gridbot.adapters import config_files
    from gridbot.config import AppConfig

    path = gridbot_home().config
    settings = config_files.load(path) if path.exists() else AppConfig()
    return mode or settings.mode, account or settings.account


def begin_anew() -> NoReturn:
    """End this process and begin the same command again, as a packed application too."""
    arguments = sys.argv[1:] if hasattr(sys, "frozen") else sys.orig_argv[1:]
    command = [sys.executable, *arguments]
    if os.name == "nt":
        # There a process cannot become another one.
        subprocess.Popen(command)
        raise typer.Exit(EXIT_DONE)
    sys.stdout.flush()
    os.execv(sys.executable, command)
