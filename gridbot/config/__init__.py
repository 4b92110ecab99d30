"""What the user wants, as a file and as a form: read, checked whole, and turned into the core's rules. No I/O."""

from __future__ import annotations

from gridbot.config.app import AppConfig
from gridbot.config.at_start import waiting, waits_for_start
from gridbot.config.changes import Change, changes
from gridbot.config.first_steps import KNOWN_EXCHANGES, FirstChoices, first_config
from gridbot.config.forms import field_mistakes, form_of, grid_from_form, mistake_of_value
from gridbot.config.grid import GridConfig, InstrumentConfig
from gridbot.config.loosening import loosened
from gridbot.config.presets import PRESETS, default_config, preset
from gridbot.config.reading import parse_config, parse_grid_or_app
from gridbot.config.reference import Setting, schema_reference

__all__ = [
    "KNOWN_EXCHANGES",
    "PRESETS",
    "AppConfig",
    "Change",
    "FirstChoices",
    "GridConfig",
    "InstrumentConfig",
    "Setting",
    "changes",
    "default_config",
    "field_mistakes",
    "first_config",
    "form_of",
    "grid_from_form",
    "loosened",
    "mistake_of_value",
    "parse_config",
    "parse_grid_or_app",
    "preset",
    "schema_reference",
    "waiting",
    "waits_for_start",
]
