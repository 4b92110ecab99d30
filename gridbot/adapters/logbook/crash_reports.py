"""A crash leaves one file that a person may hand on: what failed, where, on what machine; nothing secret in it."""

from __future__ import annotations

import os
import platform
import sys
import traceback
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from gridbot import __version__
from gridbot.adapters.logbook.log_files import timestamp
from gridbot.adapters.logbook.masking import Mask
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Clock

_LIBRARIES = ("PySide6-Essentials", "SQLAlchemy", "ccxt", "duckdb", "numpy", "orjson", "pydantic", "structlog")
_LAST_LINES = 200


def write_crash_report(folder: Path, error: BaseException, *, clock: Clock, mask: Mask, lines: Iterable[str]) -> Path:
    """Write the report of `error` with the newest of the log's `lines` and return its path; EnvironmentProblem.

    A traceback shows code, never the values of variables; every line passes the mask all the same, and the user's
    home folder is written as ``~``.
    """
    now = timestamp(clock.now_ms())
    path = folder / f"crash-{now.replace(':', '').replace('-', '')}-{os.getpid()}.txt"
    text = mask.text("\n".join(_report(now, error, lines))).replace(str(Path.home()), "~") + "\n"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as refused:
        reason = (refused.strerror or str(refused)).lower()
        raise EnvironmentProblem(f"The crash report {path} cannot be written: {reason}.") from refused
    return path


def _report(now: str, error: BaseException, lines: Iterable[str]) -> list[str]:
    return [
        f"gridbot {__version__} crashed at {now}.",
        "This is a mistake in the program. The file holds no keys and no amounts but those in the log lines below.",
        "",
        f"Python {sys.version.split()[0]} on {platform.platform()} ({platform.machine()})",
        *(f"{name} {_version(name)}" for name in _LIBRARIES),
        "",
        *"".join(traceback.format_exception(error)).splitlines(),
        "",
        "The last lines of the log:",
        *list(lines)[-_LAST_LINES:],
    ]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed as a package"
