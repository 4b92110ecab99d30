"""The window's only measures: distances, radii, letters. Whoever lays something out takes them from here."""

from __future__ import annotations

from PySide6.QtCore import QSize

XS, S, M, L, XL = SPACE = 4, 8, 12, 16, 24
"""Pixels between things: within a group, in a row, around content, between groups, around a page."""

RADIUS_CONTROL, RADIUS_CARD = 5, 8
"""Pixels of rounding: of what is clicked or typed into, and of what holds other things."""

SMALLER, HEADING, FIGURE, TITLE = -1, 1, 5, 7
"""Pixels by which letters differ from the desktop's own: notes, headings, a card's figure, a page's title."""

CONTROL_HEIGHT = 28
"""Pixels that a button or a field is high at least."""

ICON_SMALL, ICON, ICON_LARGE = 16, 20, 32
"""Pixels of an icon: in buttons and tabs, alone, and over an empty page."""

SMALLEST = QSize(960, 600)
"""Pixels of the smallest window in which nothing is cut."""
