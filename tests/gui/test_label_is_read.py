"""What a label shows is what a screen reader can read, also where the label has a name of its own."""

from __future__ import annotations

from PySide6.QtGui import QAccessible
from pytestqt.qtbot import QtBot

from gridbot.gui.parts import button, label, set_text


def test_a_named_label_tells_its_name_and_its_text(qtbot: QtBot) -> None:
    made = label("DEMO", name="Mode")
    qtbot.addWidget(made)
    read = QAccessible.queryAccessibleInterface(made)
    assert read.text(QAccessible.Text.Name) == "Mode"
    assert read.text(QAccessible.Text.Description) == "DEMO"
    set_text(made, "LIVE")
    assert read.text(QAccessible.Text.Description) == "LIVE"


def test_a_label_without_a_name_is_its_text(qtbot: QtBot) -> None:
    made = label("Step 1 of 3")
    qtbot.addWidget(made)
    assert QAccessible.queryAccessibleInterface(made).text(QAccessible.Text.Name) == "Step 1 of 3"


def test_a_button_that_says_something_else_than_its_name_is_read_with_what_it_says(qtbot: QtBot) -> None:
    made = button("Next", lambda: None)
    qtbot.addWidget(made)
    set_text(made, "Start the grid")
    assert (made.accessibleName(), made.accessibleDescription()) == ("Next", "Start the grid")
    set_text(made, "Next")
    assert made.accessibleDescription() == ""
