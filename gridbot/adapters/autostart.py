"""Starting gridbot at login: one small entry of the user's own, on each system, made and taken away by one switch."""

from __future__ import annotations

import plistlib
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from gridbot.errors import EnvironmentProblem
from gridbot.ports import Autostart, Disk

NAME = "gridbot"
Save = Callable[[Disk, Path, bytes], None]
"""Writes a file durably and whole."""
_RUN_KEY = r"Software\Microsoft\Windows\CurrentVersion\Run"


class DesktopEntry:
    """Linux: a file in the autostart folder, as freedesktop.org has it."""

    def __init__(
        self, disk: Disk, folder: Path, command: Sequence[str], variables: Mapping[str, str], save: Save
    ) -> None:
        self._disk, self._save = disk, save
        self._path = folder / "gridbot.desktop"
        self._command = [
            *(["env", *(f"{key}={text}" for key, text in variables.items())] if variables else []),
            *command,
        ]

    @property
    def place(self) -> str:
        """Where the entry is."""
        return str(self._path)

    def is_on(self) -> bool:
        """Tell whether gridbot starts at login."""
        content = self._disk.read(self._path)
        return content is not None and b"Hidden=true" not in content.splitlines()

    def switch(self, *, on: bool) -> None:
        """Make the entry, or take it away."""
        if not on:
            self._disk.remove(self._path)
            return
        self._disk.make_folder(self._path.parent)
        lines = (
            "[Desktop Entry]",
            "Type=Application",
            "Name=gridbot",
            "Comment=A grid that trades",
            f"Exec={' '.join(_in_entry(each) for each in self._command)}",
            "Terminal=false",
            "X-GNOME-Autostart-enabled=true",
        )
        self._save(self._disk, self._path, ("\n".join(lines) + "\n").encode())


class LaunchAgent:
    """macOS: a property list of the user's own agents."""

    def __init__(
        self, disk: Disk, folder: Path, command: Sequence[str], variables: Mapping[str, str], save: Save
    ) -> None:
        self._disk, self._save = disk, save
        self._path = folder / "gridbot.plist"
        self._command, self._variables = list(command), dict(variables)

    @property
    def place(self) -> str:
        """Where the entry is."""
        return str(self._path)

    def is_on(self) -> bool:
        """Tell whether gridbot starts at login."""
        return self._disk.read(self._path) is not None

    def switch(self, *, on: bool) -> None:
        """Make the entry, or take it away."""
        if not on:
            self._disk.remove(self._path)
            return
        self._disk.make_folder(self._path.parent)
        agent: dict[str, object] = {"Label": NAME, "ProgramArguments": self._command, "RunAtLoad": True}
        if self._variables:
            agent["EnvironmentVariables"] = self._variables
        self._save(self._disk, self._path, plistlib.dumps(agent))


class RunValues(Protocol):
    """The values below a key of the registry that Windows runs at login."""

    def read(self, name: str) -> str | None:
        """Return a value, None if there is none."""
        ...

    def write(self, name: str, text: str) -> None:
        """Set a value; EnvironmentProblem if the system does not allow it."""
        ...

    def remove(self, name: str) -> None:
        """Take a value away; nothing happens if there is none."""
        ...


class RunKey:
    """Windows: a value of the user's own Run key."""

    def __init__(self, values: RunValues, command: Sequence[str], variables: Mapping[str, str]) -> None:
        self._values = values
        self._command, self._variables = list(command), dict(variables)

    @property
    def place(self) -> str:
        """Where the entry is."""
        return rf"HKEY_CURRENT_USER\{_RUN_KEY}"

    def is_on(self) -> bool:
        """Tell whether gridbot starts at login."""
        return self._values.read(NAME) is not None

    def switch(self, *, on: bool) -> None:
        """Make the entry, or take it away."""
        if not on:
            self._values.remove(NAME)
        elif self._variables:
            raise EnvironmentProblem(
                "Windows cannot hand a folder of your own choice (GRIDBOT_HOME) to a program that it starts at login.",
                hint="Set GRIDBOT_HOME among your user's variables in the system settings, or use the usual folder.",
            )
        else:
            self._values.write(NAME, " ".join(f'"{each}"' if " " in each else each for each in self._command))


if sys.platform == "win32":
    import winreg

    class Registry:
        """Satisfies RunValues with the user's own registry."""

        def read(self, name: str) -> str | None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:
                    return str(winreg.QueryValueEx(key, name)[0])
            except OSError:
                return None

        def write(self, name: str, text: str) -> None:
            try:
                with winreg.CreateKey(winreg.HKEY_CURRENT_USER, _RUN_KEY) as key:
                    winreg.SetValueEx(key, name, 0, winreg.REG_SZ, text)
            except OSError as error:
                raise EnvironmentProblem(f"Windows does not let gridbot start at login: {error}.") from error

        def remove(self, name: str) -> None:
            try:
                with winreg.OpenKey(winreg.HKEY_CURRENT_USER, _RUN_KEY, 0, winreg.KEY_SET_VALUE) as key:
                    winreg.DeleteValue(key, name)
            except FileNotFoundError:
                return


def autostart_for(
    platform: str,
    *,
    disk: Disk,
    save: Save,
    user: Path,
    config: Path | None,
    command: Sequence[str],
    variables: Mapping[str, str],
) -> Autostart | None:
    """Return the way of this system, None where none is known.

    `user` is the user's own folder, `config` the one of XDG_CONFIG_HOME where that is set; `variables` are handed to
    the program that is started.
    """
    if sys.platform == "win32" and platform == "win32":
        return RunKey(Registry(), command, variables)
    if platform == "darwin":
        return LaunchAgent(disk, user / "Library" / "LaunchAgents", command, variables, save)
    if platform.startswith("linux"):
        return DesktopEntry(disk, (config or user / ".config") / "autostart", command, variables, save)
    return None


def _in_entry(argument: str) -> str:
    """Return an argument as the Exec line of a desktop entry has it."""
    doubled = argument.replace("%", "%%")
    if shlex.quote(argument) == argument:
        return doubled
    for sign in ("\\", '"', "`", "$"):
        doubled = doubled.replace(sign, "\\" + sign)
    # The value of a key is unescaped once more before it is taken apart.
    return '"' + doubled.replace("\\", "\\\\") + '"'
