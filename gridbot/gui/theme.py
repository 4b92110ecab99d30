"""The palette of `palette.py` put on the application: Fusion, a `QPalette` of our own, and the style sheet.

Qt's own colour scheme switch is ignored on plain X11 and offscreen, so a `QPalette` is set instead.
"""

from __future__ import annotations

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontInfo, QFontMetricsF, QPalette
from PySide6.QtWidgets import QApplication

from gridbot.gui.flash import set_flash_colour
from gridbot.gui.palette import EDGES, PAIRS, Colours, Theme, Trading, colours_of, contrast
from gridbot.gui.style_sheet import style_sheet

__all__ = ("EDGES", "PAIRS", "Colours", "Theme", "Trading", "apply", "colours_of", "contrast", "tabular")
_STYLED = "gridbot-styled"
_EQUAL_FIGURES = ("Segoe UI", "Noto Sans", "DejaVu Sans", "Liberation Sans", "Arial")
"""Families whose figures are all of one width, looked for where the desktop's own has none such."""


def apply(app: QApplication, colours: Colours) -> None:
    """Give the application this palette."""
    sheet = style_sheet(colours, QFontInfo(app.font()).pixelSize())
    if app.styleSheet() != sheet:  # a style sheet set anew styles every widget anew
        if app.property(_STYLED) is None:  # each setting of a style polishes every widget anew
            app.setStyle("Fusion")
            app.setFont(tabular(app.font()))
            app.setProperty(_STYLED, True)
        app.setPalette(_palette(colours))
        app.setStyleSheet(sheet)
        set_flash_colour(colours.flash)


def tabular(font: QFont) -> QFont:
    """Return the font with figures of one width: by its own feature, else another family, else the fixed font."""
    made = QFont(font)
    made.setFeature(QFont.Tag("tnum"), 1)
    known = set(QFontDatabase.families())
    for family in (made.family(), *(each for each in _EQUAL_FIGURES if each in known)):
        made.setFamily(family)
        metrics = QFontMetricsF(made)
        if len({round(metrics.horizontalAdvance(figure * 8)) for figure in "0123456789"}) == 1:
            return made
    made.setFamily(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family())
    return made


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
        role.ToolTipBase: c.tip,
        role.ToolTipText: c.tip_text,
        role.Highlight: c.selection,
        role.HighlightedText: c.text,
        role.Accent: c.focus,
        role.Link: c.focus,
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
