"""The configuration as it would be: the saved one with a person's edits, and all that is wrong with it. No Qt."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from gridbot.config import AppConfig, Change, changes, parse_config
from gridbot.errors import ConfigError, Mistake
from gridbot.gui.schema import Field, read_path, text_of, write_field


class Draft:
    """One draft over one saved configuration.

    Attributes:
        saved: the configuration that is in force, None if its text cannot be read.
        config: the draft as a configuration, None while something is wrong.
        mistakes: what is wrong, in the order of the file.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.saved: AppConfig | None = None
        self.config: AppConfig | None = None
        self.mistakes: tuple[Mistake, ...] = ()
        self._data: dict[str, Any] = {}
        self._broken: str | None = None
        self.load(text)

    def load(self, text: str) -> None:
        """Begin anew from the text in force."""
        self.text, self._broken = text, None
        try:
            self.saved = parse_config(text, source="The configuration")
        except ConfigError as error:
            self.saved, self.mistakes, self._broken = None, error.mistakes, text
            return
        self._data = self.saved.to_data()
        self._check()

    def edit(self, field: Field, text: str, *, grid: int | None = None) -> None:
        """Write one field; `grid` is the place of the grid that it belongs to."""
        write_field(self._data if grid is None else self._data["grids"][grid], field, text)
        self._broken = None
        self._check()

    def edit_text(self, text: str) -> None:
        """Take the whole as text; what cannot be read is kept as it is, with what is wrong."""
        self._broken = text
        self._check()
        if self.config is not None:
            self._data, self._broken = self.config.to_data(), None

    def as_text(self) -> str:
        """Return the draft as JSON text."""
        return json.dumps(self._data, indent=2, ensure_ascii=False) + "\n" if self._broken is None else self._broken

    def is_broken_text(self) -> bool:
        """Tell whether the draft is a text that the form cannot show."""
        return self._broken is not None

    def values(self, fields: tuple[Field, ...], *, grid: int | None = None) -> dict[str, str]:
        """Return the form's texts; a field that is not written has its default, in an object left out nothing."""
        data = self._data if grid is None else self._data["grids"][grid]
        texts: dict[str, str] = {}
        for field in fields:
            held = read_path(data, field.path)
            if held is None and field.group and read_path(data, field.group) is None:
                texts[field.path] = ""
            elif held is None and _key_is_missing(data, field.path):
                texts[field.path] = field.default
            else:
                texts[field.path] = text_of(held)
        return texts

    def grids(self) -> list[str]:
        """Return the ids of the draft's grids."""
        return [text_of(grid.get("id")) for grid in self._data.get("grids", []) if isinstance(grid, dict)]

    def changes(self) -> tuple[Change, ...]:
        """Return what the draft would change."""
        return () if self.saved is None or self.config is None else changes(self.saved, self.config)

    def is_touched(self) -> bool:
        """Tell whether anything was edited, right or wrong."""
        return self.config is None or bool(self.changes())

    def by_field(self, mistakes: tuple[Mistake, ...], *, grid: int | None = None) -> dict[str, Mistake]:
        """Return the mistakes of one grid, or those outside of the grids, by the form's path."""
        prefix = "" if grid is None else f"grids[{grid}]."
        return {
            mistake.path.removeprefix(prefix): mistake
            for mistake in reversed(mistakes)
            if mistake.path.startswith(prefix)
        }

    def _check(self) -> None:
        try:
            self.config = parse_config(self.as_text(), source="The configuration")
            self.mistakes = ()
        except ConfigError as error:
            self.config, self.mistakes = None, error.mistakes or (Mistake(path="", value="", reason=error.message),)


def _key_is_missing(data: Mapping[str, Any], path: str) -> bool:
    parent, _, key = path.rpartition(".")
    holder = read_path(data, parent) if parent else data
    return not isinstance(holder, dict) or key not in holder
