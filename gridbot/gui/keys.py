"""The window's keys work wherever the focus is, also in a dialog: none is modal, so none can keep STOP away."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget


def add_keys(window: QWidget, acts: Iterable[tuple[str, str, Callable[[], object]]]) -> None:
    """Give a window its keys: what each is for, the keys, and what they do."""
    for title, keys, act in acts:
        action = QAction(title, window)
        action.setShortcut(QKeySequence(keys))
        action.setShortcutContext(Qt.ShortcutContext.ApplicationShortcut)
        action.triggered.connect(lambda _checked=False, do=act: do())
        window.addAction(action)
