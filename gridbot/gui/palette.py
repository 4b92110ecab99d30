"""Every colour of the window, light and dark, and nothing else.

Text colours keep a contrast of at least 4.5:1 to what they stand on (WCAG 2.1, 1.4.3), and what shows a control's edge
or its focus at least 3:1 (1.4.11); a test computes it for every pair in `PAIRS` and `EDGES`.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication

from gridbot.core.values import value


class Theme(StrEnum):
    """Which palette is used; SYSTEM follows the desktop."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class Trading(StrEnum):
    """The colours of up and down, of buying and selling."""

    GREEN_RED = "green up, red down"
    RED_GREEN = "red up, green down"
    BLUE_ORANGE = "blue up, orange down (safe for colour-blind eyes)"


@value
class Colours:
    """One palette, as #rrggbb. A name that ends in `_text` is written on the colour before it."""

    dark: bool
    window: str
    base: str
    alternate: str
    text: str
    muted: str
    border: str
    outline: str
    grid: str
    button: str
    accent: str
    accent_text: str
    danger: str
    danger_text: str
    warning: str
    warning_text: str
    caution: str
    caution_text: str
    good: str
    good_text: str
    error: str
    notice: str
    accent_hover: str
    danger_hover: str
    focus: str
    ring: str
    hover: str
    selection: str
    flash: str
    tip: str
    tip_text: str
    up: str
    down: str
    ema_fast: str
    ema_slow: str
    average: str


_LIGHT = Colours(
    dark=False,
    window="#f4f5f8",
    base="#ffffff",
    alternate="#f8f9fb",
    text="#1a1d21",
    muted="#525b69",
    border="#d3d8e0",
    outline="#7d8794",
    grid="#e7eaef",
    button="#ffffff",
    accent="#1d5dbf",
    accent_text="#ffffff",
    danger="#b3261e",
    danger_text="#ffffff",
    warning="#ffcf5c",
    warning_text="#332500",
    caution="#a84e00",
    caution_text="#ffffff",
    good="#17713a",
    good_text="#ffffff",
    error="#a3211a",
    notice="#8a5a00",
    accent_hover="#174ea3",
    danger_hover="#96201a",
    focus="#1d5dbf",
    ring="#000000",
    hover="#e9ecf2",
    selection="#e4edfc",
    flash="#ffe08a",
    tip="#20262e",
    tip_text="#f2f4f7",
    up="#137a3c",
    down="#c0302b",
    ema_fast="#8a5a00",
    ema_slow="#6d3fb3",
    average="#0c6b78",
)

_DARK = Colours(
    dark=True,
    window="#12151a",
    base="#191d23",
    alternate="#1d2229",
    text="#e7e9ec",
    muted="#a6aeba",
    border="#303843",
    outline="#737f90",
    grid="#272d36",
    button="#232932",
    accent="#2f6fd0",
    accent_text="#ffffff",
    danger="#c4302b",
    danger_text="#ffffff",
    warning="#e5b13a",
    warning_text="#241a00",
    caution="#b45309",
    caution_text="#ffffff",
    good="#1f7a45",
    good_text="#ffffff",
    error="#ff8a80",
    notice="#f0b429",
    accent_hover="#2963bb",
    danger_hover="#b12b26",
    focus="#6ea8ff",
    ring="#ffffff",
    hover="#2c333e",
    selection="#1e3555",
    flash="#6b5514",
    tip="#eef1f5",
    tip_text="#1a1d21",
    up="#4cc38a",
    down="#ff7b72",
    ema_fast="#f0b429",
    ema_slow="#b79cff",
    average="#4fd1d9",
)

_UP_DOWN = {
    (Trading.GREEN_RED, False): (_LIGHT.up, _LIGHT.down),
    (Trading.GREEN_RED, True): (_DARK.up, _DARK.down),
    (Trading.RED_GREEN, False): (_LIGHT.down, _LIGHT.up),
    (Trading.RED_GREEN, True): (_DARK.down, _DARK.up),
    (Trading.BLUE_ORANGE, False): ("#0a64ad", "#a94e00"),
    (Trading.BLUE_ORANGE, True): ("#62b0f5", "#ff9f45"),
}

PAIRS = (
    *(("text", ground) for ground in ("window", "base", "alternate", "button", "hover", "selection", "flash", "grid")),
    *(("muted", ground) for ground in ("window", "base", "alternate", "button", "hover")),
    *(("error", ground) for ground in ("window", "base", "alternate", "button")),
    *((line, "base") for line in ("notice", "up", "down", "ema_fast", "ema_slow", "average")),
    *((line, ground) for line in ("up", "down", "notice") for ground in ("window", "alternate", "selection")),
    *(("muted", ground) for ground in ("selection",)),
    *((f"{ground}_text", ground) for ground in ("accent", "danger", "warning", "caution", "good", "tip")),
    ("accent_text", "accent_hover"),
    ("danger_text", "danger_hover"),
)
"""Which colour is written on which."""

EDGES = (
    *((edge, ground) for edge in ("outline", "focus") for ground in ("window", "base", "alternate")),
    *(("ring", ground) for ground in ("accent", "danger")),
)
"""Which colour shows an edge or a focus on which; the ring of a filled button is `ring`."""


def colours_of(theme: Theme, trading: Trading) -> Colours:
    """Return the palette of `theme`; SYSTEM asks Qt what the desktop prefers, and is light where it does not know."""
    dark = theme is Theme.DARK
    if theme is Theme.SYSTEM:
        dark = QGuiApplication.styleHints().colorScheme() is Qt.ColorScheme.Dark
    chosen = _DARK if dark else _LIGHT
    up, down = _UP_DOWN[trading, dark]
    fields = {name: getattr(chosen, name) for name in Colours.__slots__}  # type: ignore[attr-defined]
    return Colours(**{**fields, "up": up, "down": down})


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours, 1 to 21 (WCAG 2.1, relative luminance)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
