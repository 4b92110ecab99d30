"""What stands where there is nothing to show: an icon, one sentence that says why, and at most one thing to do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from gridbot.gui.icons import picture
from gridbot.gui.measures import ICON_LARGE, L, M, S
from gridbot.gui.parts import button, label, set_text
from gridbot.gui.theme import Colours

_WIDTH = 420
"""Pixels of a sentence before it goes on in the next line."""


class EmptyState(QWidget):
    """Shown instead of content that is not there: not yet, not any more, or not reachable.

    The name of the sentence for a screen reader is given, because a tab may have several.
    """

    def __init__(self, name: str, colours: Colours) -> None:
        super().__init__()
        self._colours = colours
        self._icon = "empty"
        self._act: Callable[[], object] | None = None
        self._picture = QLabel()
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setFixedSize(QSize(ICON_LARGE + S, ICON_LARGE + S))
        self._sentence = label("", role="muted", name=name, wrap=True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._sentence.setMaximumWidth(_WIDTH)
        self.action: QPushButton = button("", self._do, name=f"{name}: what to do")
        self.action.hide()
        # Not centred by the layout: that would take a wrapped sentence for one line and cut the others.
        middle = QVBoxLayout()
        middle.setSpacing(M)
        middle.addStretch()
        middle.addWidget(self._picture, 0, Qt.AlignmentFlag.AlignHCenter)
        words = QHBoxLayout()
        words.addStretch(1)
        words.addWidget(self._sentence, 100)
        words.addStretch(1)
        middle.addLayout(words)
        middle.addWidget(self.action, 0, Qt.AlignmentFlag.AlignHCenter)
        middle.addStretch()
        row = QHBoxLayout(self)
        row.setContentsMargins(L, S, L, S)
        row.addStretch(1)
        row.addLayout(middle, 8)
        row.addStretch(1)
        self.set_colours(colours)

    def say(self, icon: str, sentence: str, action: str = "", act: Callable[[], object] | None = None) -> None:
        """Show an icon of assets/icons, a whole sentence, and a button if there is something to do about it."""
        if icon != self._icon:
            self._icon = icon
            self._draw()
        set_text(self._sentence, sentence)
        self._act = act
        set_text(self.action, action)
        self.action.setAccessibleName(action or self._sentence.accessibleName())
        self.action.setVisible(bool(action))

    def sentence(self) -> str:
        """Return what stands there."""
        return self._sentence.text()

    def set_colours(self, colours: Colours) -> None:
        """Draw the icon in these colours."""
        self._colours = colours
        self._draw()

    def _draw(self) -> None:
        ratio = self.devicePixelRatioF()
        drawn = picture(self._icon, self._colours.muted, round(ICON_LARGE * ratio)).copy()
        drawn.setDevicePixelRatio(ratio)
        self._picture.setPixmap(drawn)

    def _do(self) -> None:
        if self._act is not None:
            self._act()


class EmptyOver(EmptyState):
    """Lies over a table or list for as long as that has no rows."""

    def __init__(self, view: QAbstractItemView, name: str, colours: Colours) -> None:
        super().__init__(name, colours)
        self._view = view
        self.setParent(view.viewport())
        view.viewport().installEventFilter(self)
        model = view.model()
        for change in (model.rowsInserted, model.rowsRemoved, model.modelReset, model.layoutChanged):
            change.connect(self.look)
        self.look()

    def look(self) -> None:
        """Show this exactly while there are no rows."""
        self.setGeometry(self._view.viewport().rect())
        self.setVisible(self._view.model().rowCount() == 0)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize:
            self.setGeometry(self._view.viewport().rect())
        return super().eventFilter(watched, event)
