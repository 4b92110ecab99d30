"""Every colour of the window, light and dark, and nothing else: palettes of our own on the Fusion style.

Qt's own colour scheme switch is ignored on plain X11 and offscreen, so a `QPalette` is set instead. Text colours keep
a contrast of at least 4.5:1 to what they stand on (WCAG 2.1, 1.4.3); a test computes it for every pair in `PAIRS`.
"""

from __future__ import annotations

from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

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
    up: str
    down: str
    ema_fast: str
    ema_slow: str
    average: str


_LIGHT = Colours(
    dark=False,
    window="#f3f4f6",
    base="#ffffff",
    alternate="#f7f8fa",
    text="#1a1d21",
    muted="#545c69",
    border="#c3c9d2",
    outline="#828a96",
    grid="#e6e9ee",
    button="#e9ebef",
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
    up="#137a3c",
    down="#c0302b",
    ema_fast="#8a5a00",
    ema_slow="#6d3fb3",
    average="#0c6b78",
)

_DARK = Colours(
    dark=True,
    window="#16191d",
    base="#1c2025",
    alternate="#20252b",
    text="#e7e9ec",
    muted="#a6aeba",
    border="#3b424d",
    outline="#727c8a",
    grid="#2a3038",
    button="#2a3038",
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
    *(("text", ground) for ground in ("window", "base", "alternate", "button")),
    *(("muted", ground) for ground in ("window", "base", "alternate")),
    *(("error", ground) for ground in ("window", "base")),
    *((line, "base") for line in ("notice", "up", "down", "ema_fast", "ema_slow", "average")),
    *((line, "alternate") for line in ("up", "down")),
    *((f"{ground}_text", ground) for ground in ("accent", "danger", "warning", "caution", "good")),
)
"""Which colour is written on which."""


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


def apply(app: QApplication, colours: Colours) -> None:
    """Give the application this palette."""
    sheet = _sheet(colours)
    if app.styleSheet() != sheet:  # a style sheet set anew styles every widget anew
        app.setStyle("Fusion")
        palette = _palette(colours)
        app.setPalette(palette)
        # Fusion draws a control's outline 1.4 times darker than its window, which no eye sees on a dark one.
        palette.setColor(QPalette.ColorRole.Window, QColor(colours.outline).lighter(140))
        for kind in ("QCheckBox", "QRadioButton", "QLineEdit", "QComboBox", "QAbstractScrollArea"):
            app.setPalette(palette, kind)  # type: ignore[arg-type]  # PySide says bytes and takes only str
        app.setStyleSheet(sheet)


def _palette(c: Colours) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for which, colour in {
        role.Window: c.window,
        role.WindowText: c.text,
        role.Base: c.base,
        role.AlternateBase: c.alternate,
        role.Text: c.text,
        role.PlaceholderText: c.muted,
        role.Button: c.button,
        role.ButtonText: c.text,
        role.ToolTipBase: c.base,
        role.ToolTipText: c.text,
        role.Highlight: c.accent,
        role.HighlightedText: c.accent_text,
        role.Accent: c.accent,
        role.Link: c.accent,
        role.BrightText: c.error,
        role.Light: c.border,
        role.Midlight: c.grid,
        role.Mid: c.border,
        role.Dark: c.border,
        role.Shadow: c.border,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.Text, role.WindowText, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(c.muted))
    return palette


def _sheet(c: Colours) -> str:
    """Return the style sheet. Widgets choose by their `role` property; see `set_role`."""
    chips = "\n".join(
        f'QLabel[role="{name}"] {{ background: {ground}; color: {ink}; border: 1px solid {edge}; }}'
        for name, ground, ink, edge in (
            ("demo", c.accent, c.accent_text, c.accent),
            ("dry", c.warning, c.warning_text, c.warning),
            ("live", c.base, c.text, c.danger),
            ("green", c.good, c.good_text, c.good),
            ("yellow", c.warning, c.warning_text, c.warning),
            ("orange", c.caution, c.caution_text, c.caution),
            ("red", c.danger, c.danger_text, c.danger),
            ("black", "#000000", "#ffffff", c.muted),
        )
    )
    names = ", ".join(
        f'QLabel[role="{n}"]' for n in ("demo", "dry", "live", "green", "yellow", "orange", "red", "black")
    )
    return f"""
{names} {{ border-radius: 4px; padding: 4px 10px; font-weight: 600; }}
{chips}
QLabel[role="live"] {{ border: 3px solid {c.danger}; }}
QLabel[role="muted"] {{ color: {c.muted}; }}
QLabel[role="error"] {{ color: {c.error}; }}
QLabel[role="heading"] {{ font-weight: 600; }}
QLabel[role="figure"] {{ font-size: 17px; font-weight: 600; }}
QPushButton[role="stop"] {{ background: {c.danger}; color: {c.danger_text}; font-weight: 700;
    border: 2px solid {c.danger}; border-radius: 4px; padding: 6px 14px; }}
QPushButton[role="stop"]:hover, QPushButton[role="stop"]:pressed {{ border-color: {c.text}; }}
QPushButton[role="stop"]:focus {{ border: 2px solid {c.text}; }}
QPushButton[role="primary"] {{ background: {c.accent}; color: {c.accent_text}; font-weight: 600;
    border: 1px solid {c.accent}; border-radius: 4px; padding: 5px 14px; }}
QPushButton[role="primary"]:disabled {{ background: {c.button}; color: {c.muted}; border-color: {c.border}; }}
QPushButton[role="primary"]:focus {{ border-color: {c.text}; }}
QPushButton[role="toggle"] {{ border: 1px solid {c.border}; border-radius: 3px; padding: 4px 8px;
    background: {c.button}; color: {c.text}; }}
QPushButton[role="toggle"]:checked {{ background: {c.accent}; color: {c.accent_text}; border-color: {c.accent}; }}
QPushButton[role="toggle"]:disabled {{ color: {c.muted}; }}
QPushButton[role="toggle"]:focus {{ border-color: {c.text}; }}
QFrame[role="card"] {{ background: {c.base}; border: 1px solid {c.border}; border-radius: 6px; }}
QFrame[role="stopped"] {{ background: {c.danger}; border-radius: 4px; }}
QFrame[role="stopped"] QLabel {{ color: {c.danger_text}; font-weight: 600; }}
QFrame[role="problem"] {{ background: {c.warning}; border-radius: 4px; }}
QFrame[role="problem"] QLabel {{ color: {c.warning_text}; }}
QLineEdit[wrong="true"], QComboBox[wrong="true"], QPlainTextEdit[wrong="true"] {{ border: 2px solid {c.error}; }}
QToolTip {{ background: {c.base}; color: {c.text}; border: 1px solid {c.border}; padding: 3px; }}
QHeaderView::section {{ background: {c.button}; color: {c.text}; border: 0; border-right: 1px solid {c.border};
    border-bottom: 1px solid {c.border}; padding: 4px 6px; }}
QTableView::item {{ padding: 0 5px; }}
QListWidget::item {{ padding: 4px 6px; }}
QTableView {{ gridline-color: {c.grid}; border: 1px solid {c.border}; }}
QScrollArea {{ border: 0; }}
"""
