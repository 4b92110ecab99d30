"""The commands that look at an account without touching it: status, and what may be exported."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from gridbot.cli_app import GROUPS, AccountOption, ModeOption, app, chosen_account, gridbot_home
from gridbot.core.units import CostMethod

LOG_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})


@app.command()
def status(
    json: Annotated[bool, typer.Option("--json", help="As JSON, for a program.")] = False,
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Tell how an account stands, from its files alone."""
    from gridbot.bootstrap import account_status, read_account
    from gridbot.shell.status import besides, status_page

    chosen, name = chosen_account(mode, account)
    plain = account_status(gridbot_home(), mode=chosen, account=name)
    if json:
        import json as text

        print(text.dumps(plain, indent=2))
    else:
        from gridbot.adapters.files.disk import SystemDisk
        from gridbot.adapters.files.kept_files import AccountName
        from gridbot.adapters.files.problem_file import ProblemFile

        disk, root, one = SystemDisk(), gridbot_home().root, AccountName(chosen, name)
        state, _ = read_account(disk, root, one)
        print(status_page(plain, besides(state, ProblemFile(disk, root / one.folder).read())))


@GROUPS["export"].command("fills")
def export_fills(
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to, as CSV.")],
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Write every fill of an account as CSV."""
    from gridbot import cli_account

    chosen, name = chosen_account(mode, account)
    count, damaged = cli_account.write_fills(gridbot_home(), to, mode=chosen, account=name)
    if damaged:
        print(f"{damaged} damaged lines of the history were passed over.", file=sys.stderr)
    print(f"{to} written: {count:,} fills.")


@GROUPS["export"].command("round-trips")
def export_round_trips(
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to, as CSV.")],
    grid: Annotated[str, typer.Option(metavar="NAME", help="Only the round trips of this grid.")] = "",
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Write every round trip of an account as CSV."""
    from gridbot import cli_account
    from gridbot.core.units import GridId
    from gridbot.shell.history_desk import Exported, ExportHistory, Scope

    scope = Scope(grid=GridId(grid)) if grid else None
    wish = ExportHistory(Exported.TRIPS, to, scope=scope)
    count = cli_account.write_history(gridbot_home(), wish, *chosen_account(mode, account))
    print(f"{to} written: {count:,} round trips.")


@GROUPS["export"].command("tax")
def export_tax(
    year: Annotated[int, typer.Option(min=2009, max=9999, help="Which year.")],
    to: Annotated[Path, typer.Option(metavar="FILE", help="Where to, as CSV.")],
    method: Annotated[CostMethod, typer.Option(help="Which coins a sale takes first.")] = CostMethod.FIFO,
    local_days: Annotated[
        bool, typer.Option("--local-days", help="Cut the year by this machine's clock and not by UTC.")
    ] = False,
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Write a year's sales with what the coins cost, by FIFO or average cost: arithmetic, no tax advice."""
    from gridbot import cli_account
    from gridbot.shell.history_desk import Exported, ExportHistory

    wish = ExportHistory(Exported.TAX, to, year=year, method=method, local_days=local_days)
    count = cli_account.write_history(gridbot_home(), wish, *chosen_account(mode, account))
    print(f"{to} written: {count:,} disposals of {year}.")


@GROUPS["export"].command("state")
def export_state(
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to; else to the screen.")] = None,
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Write an account's whole state as canonical JSON; the SHA-256 of these bytes is the digest."""
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.kept_files import AccountName
    from gridbot.adapters.files.whole import save_whole
    from gridbot.bootstrap import read_account
    from gridbot.core.codec import canonical, state_to_plain

    disk = SystemDisk()
    state, sequence = read_account(disk, gridbot_home().root, AccountName(*chosen_account(mode, account)))
    content = canonical(state_to_plain(state))
    if to is None:
        sys.stdout.write(content.decode())
    else:
        save_whole(disk, to.absolute(), content)
        print(f"{to} written: the state after event {sequence:,}.")


@GROUPS["export"].command("logs")
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
    print(f"{to} written: {cli_account.write_logs(gridbot_home(), to, levels=levels, text=text):,} lines.")
