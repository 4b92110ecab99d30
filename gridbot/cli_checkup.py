"""What `gridbot doctor` looks at: the machine, the folder, and each account. Nothing is changed by looking."""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from gridbot import __version__
from gridbot.adapters import config_files
from gridbot.adapters.files.account_folder import LOCK
from gridbot.adapters.files.consent_file import ConsentFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import INSTALL, RESTORING, Home
from gridbot.adapters.files.journal_history import ARCHIVE, SNAPSHOT, journals_in
from gridbot.adapters.files.kept_files import CONFIG, TEMPORARY, WINDOW, AccountName, accounts
from gridbot.adapters.files.kill_latch import KillLatchFile
from gridbot.adapters.system_clock import SystemClock
from gridbot.bootstrap import is_held, read_account
from gridbot.core.codec import digest
from gridbot.core.units import Mode
from gridbot.core.values import value
from gridbot.errors import ConfigError, GridbotError, StateFileError

ACT, NOTE = "act", "note"
LEAST_FREE, LITTLE_FREE = 100_000_000, 1_000_000_000
"""Bytes under which trading is about to stop, and under which a person should know."""
FIRST_RELEASE_MS, FAR_FUTURE_MS = 1_767_225_600_000, 4_102_444_800_000
"""2026 and 2100: a clock that shows a time outside is wrong."""
PAUSE_S, MOST_DRIFT_MS, MOST_AHEAD_MS = 0.2, 500, 60_000
DISPLAY_PATIENCE_S = 30
_OPEN_A_DISPLAY = "from PySide6.QtGui import QGuiApplication; print(QGuiApplication([]).platformName())"


@value
class Finding:
    """Something that is not as it should be. `level` is act (a person must) or note; `mend` says how."""

    area: str
    level: str
    what: str
    mend: str


class Checkup:
    """Looks at everything once. `facts` is what was seen, `findings` what is wrong with it."""

    def __init__(self, home: Home) -> None:
        self.facts: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self._home, self._root = home, home.root
        self._disk = SystemDisk()

    def run(self) -> None:
        """Look at everything; what cannot be looked at is a finding."""
        for area, look in (
            ("versions", self._versions),
            ("folder", self._folder),
            ("disk", self._room),
            ("clock", self._clock),
            ("display", self._display),
            ("configuration", self._config),
            ("kill", self._latch),
            ("accounts", self._accounts),
            ("leftovers", self._leftovers),
        ):
            try:
                self.facts[area] = look()
            except GridbotError as error:
                self._find(area, ACT, error.message, error.hint)
            except OSError as error:
                self._find(area, ACT, f"It cannot be looked at: {error}.", "See to it that you may read the folder.")

    def _find(self, area: str, level: str, what: str, mend: str) -> None:
        self.findings.append(Finding(area, level, what, mend))

    # ------------------------------------------------------------------------------------ the machine

    def _versions(self) -> dict[str, str | None]:
        qt = _version("PySide6-Essentials")
        if qt is None:
            self._find("versions", ACT, "Qt is not installed, so no window can open.", "Install gridbot anew.")
        return {
            "gridbot": __version__,
            "python": platform.python_version(),
            "system": platform.platform(),
            "qt": qt,
            "ccxt": _version("ccxt"),
        }

    def _room(self) -> dict[str, int]:
        free = shutil.disk_usage(next(place for place in (self._root, *self._root.parents) if place.exists())).free
        if free < LITTLE_FREE:
            level = ACT if free < LEAST_FREE else NOTE
            what = f"{free / 1e6:,.0f} MB are free where {self._root} is."
            self._find("disk", level, what, "Make room: without it gridbot places no orders.")
        return {"free_bytes": free}

    def _clock(self) -> dict[str, Any]:
        clock = SystemClock()
        wall, steady = clock.now_ms(), clock.monotonic()
        asyncio.run(clock.sleep(PAUSE_S))
        drift = (clock.now_ms() - wall) - round((clock.monotonic() - steady) * 1000)
        mend = "Let the system set its clock by the network (NTP)."
        if not FIRST_RELEASE_MS <= wall < FAR_FUTURE_MS:
            self._find("clock", ACT, "The machine's clock shows a time that cannot be.", mend)
        if abs(drift) > MOST_DRIFT_MS:
            self._find("clock", ACT, f"The machine's clock jumped by {drift} ms while it was looked at.", mend)
        newest = max((_modified_ms(path) for path in self._own_files()), default=0)
        if newest - wall > MOST_AHEAD_MS:
            ahead = (newest - wall) / 60_000
            self._find("clock", ACT, f"The newest file is of a time {ahead:,.0f} minutes ahead of the clock.", mend)
        # Without an exchange to ask there is nothing to compare with.
        return {"now_ms": wall, "drift_ms": drift, "skew_ms": None}

    def _display(self) -> str | None:
        """Open a display in a process of its own, which Qt aborts where there is none."""
        if getattr(sys, "frozen", False):
            return None
        command = [sys.executable, "-c", _OPEN_A_DISPLAY]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DISPLAY_PATIENCE_S, check=False)
        except (OSError, subprocess.TimeoutExpired):
            done = None
        if done is not None and done.returncode == 0:
            return done.stdout.strip()
        mend = "`gridbot run` trades without one; for the window start gridbot on a desktop."
        self._find("display", NOTE, "No window can be opened here.", mend)
        return None

    # ------------------------------------------------------------------------------------- the folder

    def _folder(self) -> dict[str, Any]:
        if not self._root.is_dir():
            self._find("folder", NOTE, f"{self._root} is not there yet.", "The first start makes it.")
            return {"path": str(self._root), "there": False}
        self._home.refuse_half_restored(self._disk)
        if not os.access(self._root, os.W_OK | os.X_OK):
            mend = "Give yourself the right to write there, or choose another folder (GRIDBOT_HOME)."
            self._find("folder", ACT, f"{self._root} may not be written.", mend)
        if os.name == "posix":
            self._rights()
        return {"path": str(self._root), "there": True}

    def _rights(self) -> None:
        """Everybody else must be kept out: by the folder itself, and then a file's own rights are the second door."""
        shut = not _rights_of(self._root) & 0o077
        if not shut:
            self._find("folder", ACT, f"Others may look into {self._root}.", f"chmod 700 '{self._root}'")
        for path in self._own_files():
            if _rights_of(path) & 0o077:
                self._find("folder", NOTE if shut else ACT, f"Others may read {path}.", f"chmod 600 '{path}'")
        for account in accounts(self._disk, self._root):
            folder = self._root / account.folder
            if _rights_of(folder) & 0o077:
                self._find("folder", NOTE if shut else ACT, f"Others may look into {folder}.", f"chmod 700 '{folder}'")

    def _own_files(self) -> Iterator[Path]:
        yield from (path for name in (CONFIG, WINDOW, INSTALL) if (path := self._root / name).is_file())
        for account in accounts(self._disk, self._root):
            yield from (path for path in (self._root / account.folder).iterdir() if path.is_file())

    def _leftovers(self) -> list[str]:
        """Find what a crash left: harmless, but it takes room."""
        left = [self._root / name for name in self._disk.names(self._root) if name.startswith((".restore-", ".probe"))]
        places = (self._root, *(self._root / account.folder for account in accounts(self._disk, self._root)))
        for place in (*places, *(place / ARCHIVE for place in places[1:])):
            left += [place / name for name in self._disk.names(place) if name.endswith(TEMPORARY)]
        if RESTORING in self._disk.names(self._root):
            return []
        for path in left:
            self._find("leftovers", NOTE, f"{path} is left over from a crash.", "Delete it while gridbot is ended.")
        return [str(path) for path in left]

    def _config(self) -> str | None:
        path = self._home.config
        if not path.exists():
            self._find("configuration", NOTE, f"There is no {path}.", "`gridbot config init` writes one.")
            return None
        try:
            settings = config_files.load(path)
        except ConfigError as error:
            what = " ".join((error.message, *(mistake.sentence() for mistake in error.mistakes)))
            self._find("configuration", ACT, what, "`gridbot config check` shows all that is wrong.")
            return None
        return f"mode {settings.mode.value}, account {settings.account}, grids: {len(settings.grids)}"

    def _latch(self) -> dict[str, Any] | None:
        latched = KillLatchFile(self._disk, self._root, SystemClock()).latched()
        if latched is None:
            return None
        why = f": {latched.reason.rstrip('.')}" if latched.reason else ""
        what = f"Trading is stopped by the KILL file{why}."
        self._find("kill", ACT, what, "See to the cause, then `gridbot rearm`, or Reset… in the window.")
        return {"kind": None if latched.kind is None else latched.kind.value, "reason": latched.reason}

    # ----------------------------------------------------------------------------------- the accounts

    def _accounts(self) -> list[dict[str, Any]]:
        return [self._account(account) for account in accounts(self._disk, self._root)]

    def _account(self, account: AccountName) -> dict[str, Any]:
        folder = self._root / account.folder
        journals = [folder / name for name in journals_in(self._disk, folder).values()]
        seen: dict[str, Any] = {
            "mode": account.mode.value,
            "account": account.name,
            "running": is_held(self._disk, folder / LOCK),
            "sound": False,
            "sequence": None,
            "digest": None,
            "last_write_ms": max((_modified_ms(path) for path in (*journals, folder / SNAPSHOT)), default=None),
            "journal_bytes": sum(_size(path) for path in journals),
            "archive_bytes": sum(_size(path) for path in (folder / ARCHIVE).glob("*")),
            "resumes_by_itself": account.mode is not Mode.LIVE or ConsentFile(self._disk, folder).given(),
        }
        try:
            state, sequence = read_account(self._disk, self._root, account)
        except StateFileError as error:
            self._find("accounts", ACT, error.message, error.hint)
            return seen
        if state.kill is not None and self.facts.get("kill") is None:
            what = f"{account.folder} is stopped: {state.kill.reason.rstrip('.')}."
            self._find("accounts", ACT, what, "See to the cause, then `gridbot rearm`, or Reset… in the window.")
        return {**seen, "sound": True, "sequence": sequence, "digest": digest(state)}


def checkup_page(checkup: Checkup) -> Iterator[str]:
    """Yield what was seen and found, line by line, for a person."""
    facts = checkup.facts
    known = facts.get("versions", {})
    yield "versions       " + ", ".join(f"{name} {text}" for name, text in known.items() if text is not None)
    yield f"folder         {facts.get('folder', {}).get('path', 'unknown')}"
    if "disk" in facts:
        yield f"free           {_bytes(facts['disk']['free_bytes'])}"
    if "clock" in facts:
        yield f"clock          {_utc(facts['clock']['now_ms'])} UTC; its skew is not known without an exchange to ask"
    yield f"display        {facts.get('display') or 'none'}"
    yield f"configuration  {facts.get('configuration') or 'none that can be used'}"
    yield f"kill switch    {'not set' if facts.get('kill') is None else 'SET'}"
    for account in facts.get("accounts", []):
        yield f"account        {_account(account)}"
    yield ""
    for finding in checkup.findings:
        yield f"{'TO DO' if finding.level == ACT else 'note '}  {finding.what}"
        if finding.mend:
            yield f"       {finding.mend}"
    if any(finding.level == ACT for finding in checkup.findings):
        yield "Something needs you: see each TO DO."
    else:
        yield "All is well." if not checkup.findings else "All is well; the notes need nothing at once."


def _account(seen: dict[str, Any]) -> str:
    state = f"event {seen['sequence']:,}, digest {seen['digest'][:12]}" if seen["sound"] else "DAMAGED"
    written = "never" if not seen["last_write_ms"] else f"{_utc(seen['last_write_ms'])} UTC"
    return (
        f"{seen['mode']}/{seen['account']}: {'running' if seen['running'] else 'not running'}, {state}, last written "
        f"{written}, journal {_bytes(seen['journal_bytes'])}, archive {_bytes(seen['archive_bytes'])}"
    )


def _utc(time: int) -> str:
    return datetime.fromtimestamp(time / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _bytes(count: int) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= size:
            return f"{count / size:,.1f} {unit}"
    return f"{count} bytes"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _rights_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _modified_ms(path: Path) -> int:
    """Return when a file was written last (ms UTC), 0 for one that went away meanwhile."""
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except FileNotFoundError:
        return 0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
