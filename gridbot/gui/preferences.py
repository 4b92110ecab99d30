"""What the window remembers about itself (ui.json): read leniently, because a damaged preference must not stop it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from gridbot.gui.numbers import Writing
from gridbot.gui.theme import Theme, Trading


class PreferenceStore(Protocol):
    """Where preferences are kept; bootstrap hands in the one that writes ui.json under GRIDBOT_HOME."""

    def load(self) -> Mapping[str, object]:
        """Return what was saved last, empty at the first start."""
        ...

    def save(self, preferences: Mapping[str, object]) -> None:
        """Save; raises EnvironmentProblem when the disk refuses."""
        ...


class Preferences:
    """The preferences in memory.

    Attributes:
        theme, trading: the colours.
        geometry: the window's place as Qt gives it, in base64; empty at the first start.
        timeframe: the chart's candles, in ms.
        hidden_panes, crosshair: which panes of the chart are not shown, and whether its crosshair is.
        tab: the tab that was open.
        widths: column widths in pixels, by table.
        columns: how a person arranged a table's columns (`Table.arrangement`), by table.
        welcomed: whether the first steps were shown.
        numbers: whose way of writing numbers is used.
        flash: whether numbers are lit for a moment when they change.
        fill_sound, alarm_sound: whether there is a sound for a fill, and for what needs a person.
    """

    def __init__(self, saved: Mapping[str, object]) -> None:
        self.theme = Theme(_one_of(saved.get("theme"), [each.value for each in Theme], Theme.SYSTEM.value))
        names = [each.name for each in Trading]
        self.trading = Trading[_one_of(saved.get("trading"), names, Trading.GREEN_RED.name)]
        self.geometry = _text(saved.get("geometry"))
        self.timeframe = _whole(saved.get("timeframe"), 900_000)
        self.hidden_panes = _texts(saved.get("hidden_panes"))
        self.crosshair = saved.get("crosshair") is not False
        self.tab = _whole(saved.get("tab"), 0)
        self.welcomed = saved.get("welcomed") is True
        self.numbers = Writing(_one_of(saved.get("numbers"), [each.value for each in Writing], Writing.SYSTEM.value))
        self.flash = saved.get("flash") is not False
        self.fill_sound = saved.get("fill_sound") is True
        self.alarm_sound = saved.get("alarm_sound") is True
        self.widths: dict[str, list[int]] = {}
        widths = saved.get("widths")
        for table, columns in (widths if isinstance(widths, dict) else {}).items():
            if isinstance(columns, list) and all(isinstance(width, int) and 0 < width < 5000 for width in columns):
                self.widths[str(table)] = list(columns)
        self.columns: dict[str, dict[str, list[str]]] = {}
        arranged = saved.get("columns")
        for table, lists in (arranged if isinstance(arranged, dict) else {}).items():
            if isinstance(lists, dict):
                self.columns[str(table)] = {str(name): _texts(titles) for name, titles in lists.items()}

    def as_data(self) -> dict[str, object]:
        """Return what is to be saved, as JSON values."""
        return {
            "theme": self.theme.value,
            "trading": self.trading.name,
            "geometry": self.geometry,
            "timeframe": self.timeframe,
            "hidden_panes": self.hidden_panes,
            "crosshair": self.crosshair,
            "tab": self.tab,
            "widths": self.widths,
            "columns": self.columns,
            "welcomed": self.welcomed,
            "numbers": self.numbers.value,
            "flash": self.flash,
            "fill_sound": self.fill_sound,
            "alarm_sound": self.alarm_sound,
        }


def _one_of(raw: object, known: list[str], otherwise: str) -> str:
    return raw if isinstance(raw, str) and raw in known else otherwise


def _text(raw: object) -> str:
    return raw if isinstance(raw, str) else ""


def _whole(raw: object, otherwise: int) -> int:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) and raw >= 0 else otherwise


def _texts(raw: object) -> list[str]:
    return [each for each in raw if isinstance(each, str)] if isinstance(raw, list) else []
