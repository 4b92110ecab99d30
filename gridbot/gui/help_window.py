"""The user guide in a window of its own: pages at the left, a search above them, links that lead from page to page."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import (
    QColor,
    QDesktopServices,
    QKeySequence,
    QShortcut,
    QTextBlockFormat,
    QTextCursor,
    QTextDocument,
    QTextTable,
)
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QSplitter, QTextBrowser, QVBoxLayout, QWidget

from gridbot.gui.guide_pages import TOPICS, page, pages, search
from gridbot.gui.parts import button, label, search_field, set_text
from gridbot.gui.theme import Colours

TAB_TOPICS = {
    "Market": "market",
    "Risk": "risk",
    "Orders": "orders",
    "Logs": "logs",
    "Settings": "settings",
    "Backtest": "backtest",
    "Portfolio": "portfolio",
}
"""Which page F1 opens over a tab."""
_TOPIC = Qt.ItemDataRole.UserRole
LINE_HEIGHT, GAP_PX, CELL_PX = 140, 10, 7
"""Lines are set at this percentage of their height, paragraphs and cells with so many pixels around them."""


class HelpWindow(QWidget):
    """Shows one page at a time and remembers the way; it is a window beside the main one and covers no STOP for good.

    Attributes:
        text: the page.
        list: the pages, or what a search found.
    """

    def __init__(self, colours: Colours, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setWindowTitle("gridbot - Help")
        self.setAccessibleName("Help")
        self.resize(980, 680)
        self._topic = ""
        self._behind: list[str] = []
        self._ahead: list[str] = []
        self.list = QListWidget()
        self.list.setAccessibleName("Pages of the guide")
        self.list.setWordWrap(True)
        self.text = QTextBrowser()
        self.text.setAccessibleName("Page")
        self.text.setOpenLinks(False)
        self.search_box = search_field("Search the guide", "Search the guide", self._search)
        self.back = button("Back", self._go_back, name="Back")
        self.forward = button("Forward", self._go_forward, name="Forward")
        self._found = label("", role="muted", name="What the search found", wrap=True)
        self._build()
        self.list.currentItemChanged.connect(lambda item, _before: self._picked(item))
        self.text.anchorClicked.connect(self._follow)
        for keys, act in (("Alt+Left", self._go_back), ("Alt+Right", self._go_forward), ("Escape", self._leave)):
            QShortcut(QKeySequence(keys), self, act)
        QShortcut(QKeySequence("Ctrl+F"), self, self.search_box.setFocus)
        self.set_colours(colours)
        self._list_pages()
        self.show_topic(TOPICS[0])

    def _build(self) -> None:
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(12, 12, 8, 12)
        column.setSpacing(8)
        column.addWidget(self.search_box)
        column.addWidget(self._found)
        column.addWidget(self.list, 1)
        right = QWidget()
        whole = QVBoxLayout(right)
        whole.setContentsMargins(8, 12, 12, 12)
        whole.setSpacing(8)
        way = QHBoxLayout()
        way.addWidget(self.back)
        way.addWidget(self.forward)
        way.addStretch()
        whole.addLayout(way)
        whole.addWidget(self.text, 1)
        split = QSplitter()
        split.setChildrenCollapsible(False)
        split.addWidget(left)
        split.addWidget(right)
        split.setSizes([260, 720])
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(split)

    def set_colours(self, colours: Colours) -> None:
        """Write in these colours."""
        self._colours = colours
        self.text.document().setDefaultStyleSheet(
            f"a {{ color: {colours.accent}; }} code {{ background: {colours.alternate}; }}"
        )
        if self._topic:
            self._write()

    def topic(self) -> str:
        """Return the topic of the page that is shown."""
        return self._topic

    def show_topic(self, topic: str) -> None:
        """Show a page; one that the guide does not have is its first page."""
        wanted = topic if topic in TOPICS else TOPICS[0]
        if wanted != self._topic:
            if self._topic:
                self._behind.append(self._topic)
                self._ahead.clear()
            self._turn_to(wanted)

    def present(self, topic: str) -> None:
        """Show a page, in front."""
        self.show_topic(topic)
        self.show()
        self.raise_()
        self.activateWindow()

    def _turn_to(self, topic: str) -> None:
        self._topic = topic
        self._write()
        for number in range(self.list.count()):
            if self.list.item(number).data(_TOPIC) == topic:
                self.list.blockSignals(True)
                self.list.setCurrentRow(number)
                self.list.blockSignals(False)
        self.back.setEnabled(bool(self._behind))
        self.forward.setEnabled(bool(self._ahead))

    def _write(self) -> None:
        self.text.setMarkdown(page(self._topic).text)
        document = self.text.document()
        document.setDocumentMargin(18)
        _set_in_type(document, self._colours)
        self.text.verticalScrollBar().setValue(0)

    def _list_pages(self) -> None:
        self._fill([(each.topic, each.title) for each in pages()])
        set_text(self._found, "")
        self._found.setVisible(False)

    def _fill(self, rows: list[tuple[str, str]]) -> None:
        self.list.blockSignals(True)
        self.list.clear()
        for topic, text in rows:
            item = QListWidgetItem(text)
            item.setData(_TOPIC, topic)
            self.list.addItem(item)
            if topic == self._topic:
                self.list.setCurrentItem(item)
        self.list.blockSignals(False)

    def _search(self, wanted: str) -> None:
        if not wanted.strip():
            self._list_pages()
            return
        found = list(search(wanted))
        self._fill([(each.page.topic, f"{each.page.title}\n{each.line}") for each in found])
        pages_found = "1 page has" if len(found) == 1 else f"{len(found)} pages have"
        set_text(self._found, f"{pages_found} it." if found else "No page has all of these words. Try fewer of them.")
        self._found.setVisible(True)

    def _picked(self, item: QListWidgetItem | None) -> None:
        if item is not None:
            self.show_topic(str(item.data(_TOPIC)))

    def _follow(self, link: QUrl) -> None:
        if link.scheme() in {"http", "https"}:
            QDesktopServices.openUrl(link)
            return
        topic = link.path().removesuffix(".md")
        if topic and topic != self._topic:
            self.show_topic(topic)
        if link.fragment():
            self.text.scrollToAnchor(link.fragment())

    def _go_back(self) -> None:
        if self._behind:
            self._ahead.append(self._topic)
            self._turn_to(self._behind.pop())

    def _go_forward(self) -> None:
        if self._ahead:
            self._behind.append(self._topic)
            self._turn_to(self._ahead.pop())

    def _leave(self) -> None:
        if self.search_box.text():
            self.search_box.clear()
        else:
            self.close()


def _set_in_type(document: QTextDocument, colours: Colours) -> None:
    """Give air to what Markdown sets tightly: between lines, between paragraphs, in cells."""
    for frame in document.rootFrame().childFrames():
        if isinstance(frame, QTextTable):
            ruled = frame.format().toTableFormat()
            ruled.setCellPadding(CELL_PX)
            ruled.setBorderCollapse(True)
            ruled.setBorderBrush(QColor(colours.border))
            ruled.setTopMargin(GAP_PX)
            ruled.setBottomMargin(GAP_PX)
            frame.setFormat(ruled)
    block = document.begin()
    while block.isValid():
        cursor = QTextCursor(block)
        spaced = block.blockFormat()
        spaced.setLineHeight(LINE_HEIGHT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        if cursor.currentTable() is None:
            spaced.setBottomMargin(GAP_PX)
        cursor.setBlockFormat(spaced)
        block = block.next()
