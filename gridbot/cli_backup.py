"""The commands that save everything into one file and put it back: backup and restore."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import app, gridbot_home
from gridbot.errors import EnvironmentProblem

if TYPE_CHECKING:
    from gridbot.adapters.files.backup_file import Manifest
    from gridbot.adapters.files.restoring import Plan

CONFIRM = "RESTORE"


@app.command()
def backup(
    to: Annotated[Path | None, typer.Option(metavar="FILE", help="Else gridbot-backup-<time>.zip here.")] = None,
    with_logs: Annotated[bool, typer.Option("--with-logs", help="Take the log files along as well.")] = False,
) -> None:
    """Save configuration, accounts and history into one file; gridbot may run meanwhile."""
    from gridbot.adapters.files.backup_file import write_backup
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.restore_page import counted, stamp
    from gridbot.adapters.system_clock import SystemClock
    from gridbot.bootstrap import read_account

    home, now = gridbot_home(), SystemClock().now_ms()
    if not home.root.is_dir():
        raise EnvironmentProblem(f"There is nothing to back up: {home.root} is not there.")
    home.refuse_half_restored(SystemDisk())
    target = (to or Path(f"gridbot-backup-{stamp(now)}.zip")).absolute()
    manifest = write_backup(SystemDisk(), home.root, target, now=now, load=read_account, with_logs=with_logs)
    for copy in manifest.accounts:
        print(f"  {copy.account.folder}: event {copy.sequence:,}, digest {copy.digest[:12]}")
    print(f"{target} written and read again: {counted(len(manifest.files), 'file')}.")


@app.command()
def restore(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The backup; without it an interrupted restore is finished.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Put a backup back; what is there now is kept in a folder beside it."""
    from gridbot.adapters.files import restoring
    from gridbot.adapters.files.backup_file import open_backup
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.kill_latch import KillLatchFile
    from gridbot.adapters.files.restore_page import stamp
    from gridbot.adapters.system_clock import SystemClock
    from gridbot.bootstrap import read_account

    home, disk, clock = gridbot_home(), SystemDisk(), SystemClock()
    if file is None:
        print(f"The restore is finished; what was there before is in {restoring.finish(disk, home)}.")
        return
    home.refuse_half_restored(disk)
    restoring.refuse_if_running(disk, home.root)
    opened = open_backup(file.absolute())
    plan = restoring.plan_restore(disk, home, opened, read_account)
    print(_page(opened.path, opened.manifest, plan))
    if not yes:
        _ask()
    kept = restoring.begin(disk, home, opened, stamp=stamp(clock.now_ms()), stop=plan.stop, clock=clock)
    print(f"Restored. What was there before is in {kept}; delete it when you miss nothing.")
    if KillLatchFile(disk, home.root, clock).latched() is not None:
        print("Trading is stopped by the KILL file, as it was; a restore never releases it.")


def _page(path: Path, manifest: Manifest, plan: Plan) -> str:
    from gridbot.adapters.files.restore_page import restore_sentences

    first, *accounts = restore_sentences(path, manifest, plan)
    last = "Order ids will begin with a new number of this installation, so that none comes again."
    return "\n".join([first, *(f"  {each}" for each in accounts), last])


def _ask() -> None:
    print(f"Type {CONFIRM} to put it in the place of what is there: ", end="", flush=True)
    if sys.stdin.readline().strip() != CONFIRM:
        raise EnvironmentProblem("Nothing was changed.", hint=f"Type {CONFIRM}, or use --yes in a script.")
