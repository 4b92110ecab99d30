"""Each system's entry is made as that system reads it, and taken away by the same switch."""

from __future__ import annotations

import plistlib
import sys
from pathlib import Path

import pytest

from gridbot.adapters.autostart import DesktopEntry, LaunchAgent, RunKey, autostart_for
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.whole import save_whole
from gridbot.errors import EnvironmentProblem
from gridbot.ports import Autostart


class Values:
    """The registry's values in memory."""

    def __init__(self) -> None:
        self.held: dict[str, str] = {"Other": "stays"}

    def read(self, name: str) -> str | None:
        return self.held.get(name)

    def write(self, name: str, text: str) -> None:
        self.held[name] = text

    def remove(self, name: str) -> None:
        self.held.pop(name, None)


def goes_on_and_off(entry: Autostart) -> None:
    assert not entry.is_on()
    entry.switch(on=False)
    for _ in range(2):
        entry.switch(on=True)
        assert entry.is_on()
    entry.switch(on=False)
    assert not entry.is_on() and entry.place


def test_each_way_is_switched_on_and_off(tmp_path: Path) -> None:
    values = Values()
    goes_on_and_off(DesktopEntry(SystemDisk(), tmp_path / "a", ["gridbot"], {}, save_whole))
    goes_on_and_off(LaunchAgent(SystemDisk(), tmp_path / "b", ["gridbot"], {}, save_whole))
    goes_on_and_off(RunKey(values, ["gridbot"], {}))
    assert values.held == {"Other": "stays"}
    assert not list((tmp_path / "a").iterdir()) and not list((tmp_path / "b").iterdir())


def test_a_desktop_entry_quotes_what_it_must(tmp_path: Path) -> None:
    command = ["programs of mine/gridbot", "-m", "50%", 'a"b$c']
    entry = DesktopEntry(SystemDisk(), tmp_path, command, {"GRIDBOT_HOME": "/data/grid bot"}, save_whole)
    entry.switch(on=True)
    lines = (tmp_path / "gridbot.desktop").read_text("utf-8").splitlines()
    assert lines[0] == "[Desktop Entry]" and "Type=Application" in lines
    run = next(line for line in lines if line.startswith("Exec="))
    assert run == r'Exec=env "GRIDBOT_HOME=/data/grid bot" "programs of mine/gridbot" -m 50%% "a\\"b\\$c"'


def test_an_entry_that_the_desktop_has_hidden_counts_as_off(tmp_path: Path) -> None:
    entry = DesktopEntry(SystemDisk(), tmp_path, ["gridbot"], {}, save_whole)
    entry.switch(on=True)
    path = tmp_path / "gridbot.desktop"
    path.write_text(path.read_text("utf-8") + "Hidden=true\n", "utf-8")
    assert not entry.is_on()
    entry.switch(on=True)
    assert entry.is_on()


def test_an_agent_is_a_property_list(tmp_path: Path) -> None:
    LaunchAgent(SystemDisk(), tmp_path, ["/Applications/gridbot"], {"GRIDBOT_HOME": "/x"}, save_whole).switch(on=True)
    told = plistlib.loads((tmp_path / "gridbot.plist").read_bytes())
    assert told["ProgramArguments"] == ["/Applications/gridbot"] and told["RunAtLoad"] is True
    assert told["EnvironmentVariables"] == {"GRIDBOT_HOME": "/x"}


def test_windows_is_given_a_quoted_command_and_no_folder_of_ones_own() -> None:
    values = Values()
    RunKey(values, [r"C:\Program Files\gridbot.exe"], {}).switch(on=True)
    assert values.held["gridbot"] == r'"C:\Program Files\gridbot.exe"'
    with pytest.raises(EnvironmentProblem, match="GRIDBOT_HOME"):
        RunKey(values, ["gridbot"], {"GRIDBOT_HOME": "x"}).switch(on=True)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps it in the registry")
def test_each_system_gets_its_own_way(tmp_path: Path) -> None:
    def made(platform: str, config: Path | None = None) -> Autostart | None:
        disk = SystemDisk()
        return autostart_for(
            platform, disk=disk, save=save_whole, user=tmp_path, config=config, command=["gridbot"], variables={}
        )

    linux, chosen, mac = made("linux"), made("linux", tmp_path / "x"), made("darwin")
    assert linux is not None and linux.place == str(tmp_path / ".config" / "autostart" / "gridbot.desktop")
    assert chosen is not None and chosen.place == str(tmp_path / "x" / "autostart" / "gridbot.desktop")
    assert mac is not None and mac.place == str(tmp_path / "Library" / "LaunchAgents" / "gridbot.plist")
    assert made("plan9") is None
