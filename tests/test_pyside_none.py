"""Guards the PySide6 pin: a version that loses a reference to None at each void call aborts the process."""

from __future__ import annotations

import sys

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

CALLS = 10_000
# Other code of the process may take or give back a few references meanwhile; a leak is one a call.
STRAY = 200


def references_lost_by(call: object) -> int:
    assert callable(call)
    before = sys.getrefcount(None)
    for _ in range(CALLS):
        call()
    return before - sys.getrefcount(None)


def test_a_void_call_of_a_plain_object_keeps_the_references_to_none(qapp: object) -> None:
    target = QObject()
    assert abs(references_lost_by(lambda: target.setObjectName("a"))) < STRAY


def test_a_void_call_of_a_widget_keeps_the_references_to_none(qtbot: QtBot) -> None:
    label = QLabel()
    qtbot.addWidget(label)
    assert abs(references_lost_by(lambda: label.setText("a"))) < STRAY
    assert abs(references_lost_by(label.update)) < STRAY


def test_a_void_call_of_a_timer_keeps_the_references_to_none(qapp: object) -> None:
    timer = QTimer()
    assert abs(references_lost_by(timer.stop)) < STRAY
