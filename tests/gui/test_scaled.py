"""On a screen of 125 to 200 % everything is as large as it should be, sharp, and STOP is in sight."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOOK = """
import json, sys
from PySide6.QtCore import QSize
from PySide6.QtWidgets import QApplication
app = QApplication([])
from gridbot.core.units import Mode
from gridbot.gui.measures import SMALLEST
from gridbot.gui.window import TITLES, Window
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.test_nothing_is_cut import cut, outside, settle
facade = FakeFacade(mode=Mode.DRY)
facade.live(60, before=True)
window = Window(facade, MemoryStore())
window.drain.stop()
window.show()
found = {}
for number, title in enumerate(TITLES):
    window.tabs.setCurrentIndex(number)
    settle(window, QSize(1024, 640))
    found[title] = cut(window) + outside(window)
picture = window.grab()
stop = window.frame.stop
print(json.dumps({
    "ratio": picture.devicePixelRatio(), "width": picture.width(), "size": [window.width(), window.height()],
    "stop": window.rect().contains(stop.mapTo(window, stop.rect().bottomRight())), "found": found,
}))
window.leave()
"""


@pytest.mark.parametrize("scale", [1.25, 1.5, 2.0])
def test_a_scaled_screen_shows_every_word_of_the_window(scale: float) -> None:
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", LOOK], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["ratio"] == scale and told["width"] == round(1024 * scale)
    assert told["size"] == [1024, 640] and told["stop"]
    assert not any(told["found"].values()), told["found"]
