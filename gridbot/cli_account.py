"""What the command line takes out of gridbot's folder for a person: fills, log lines, the report of a crash."""

from __future__ import annotations

import os
import traceback
from pathlib import Path

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.notes_archive import NotesArchive
from gridbot.adapters.logbook.crash_reports import write_crash_report
from gridbot.adapters.logbook.log_export import LogFileExporter, Wanted
from gridbot.adapters.logbook.log_files import CURRENT
from gridbot.adapters.progress_bar import ProgressBar
from gridbot.adapters.result_files import write_history_csv
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap_history import HistoryRoom
from gridbot.cli_app import known_secrets
from gridbot.core.units import Mode
from gridbot.errors import EnvironmentProblem
from gridbot.shell.history_desk import ExportHistory

REPORTED_BYTES = 60_000
"""How much of the log's end goes into a crash report."""


def write_fills(home: Home, target: Path, *, mode: Mode, account: str) -> tuple[int, int]:
    """Write an account's fills as CSV; return how many, and how many damaged lines of the history were left out."""
    disk = SystemDisk()
    archive = NotesArchive(disk, AccountFolder(disk, home.root, mode=mode, account=account).archive)
    return write_history_csv(target, archive.fills()), archive.damaged


def write_history(home: Home, wish: ExportHistory, mode: Mode, account: str) -> int:
    """Write what `wish` asks for of an account's past, caught up first; return how many rows. GridbotError."""
    with ProgressBar("Reading the history") as progress:

        def tell(_sentence: str, share: float | None) -> None:
            if share is not None:
                progress.report(round(share * 1000), 1000)

        return HistoryRoom(home, mode=mode, account=account).written(wish, tell).rows


def write_logs(home: Home, target: Path, *, levels: frozenset[str], text: str) -> int:
    """Write the log lines that pass, as CSV if the file's name ends so; return how many. EnvironmentProblem."""
    exporter = LogFileExporter(home.logs)
    kind = "csv" if target.suffix.lower() == ".csv" else "jsonl"

    with ProgressBar("Exporting") as progress:
        for done, total in exporter.export(target, Wanted(levels=levels, text=text), format=kind):
            progress.report(done, total)
    return exporter.lines


def report_crash(home: Home, error: Exception) -> tuple[str, str]:
    """Return the traceback of a bug, without secrets, and a sentence about its report, which is written here."""
    mask = known_secrets()
    told = mask.text("".join(traceback.format_exception(error)))
    try:
        path = write_crash_report(home.crashes, error, clock=SystemClock(), mask=mask, lines=_newest_lines(home))
    except EnvironmentProblem as refused:
        return told, refused.message
    return told, f"This is a bug. A report without secrets is in {path}."


def _newest_lines(home: Home) -> list[str]:
    """Return the end of the log, as far as it can be read."""
    try:
        with (home.logs / CURRENT).open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(-min(REPORTED_BYTES, size), os.SEEK_END)
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []
