"""Every size and form of the application's icon, drawn by Qt from the one SVG."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

SIZES = (16, 22, 24, 32, 48, 64, 128, 256, 512)
ICO_SIZE, ICNS_SIZE = 256, 512


def draw_icons(source: Path, target: Path) -> None:
    """Write hicolor/<size>/apps/gridbot.png with the SVG, gridbot.ico for Windows and gridbot.icns for macOS."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication([])
    drawing = QSvgRenderer(str(source))
    if not drawing.isValid():
        raise SystemExit(f"{source} is no picture that Qt can draw.")

    def drawn(size: int) -> QImage:
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        drawing.render(painter)
        painter.end()
        return image

    shutil.rmtree(target, ignore_errors=True)
    wanted = {target / f"hicolor/{size}x{size}/apps/gridbot.png": size for size in SIZES}
    wanted |= {target / "gridbot.ico": ICO_SIZE, target / "gridbot.icns": ICNS_SIZE}
    for path, size in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        if not drawn(size).save(str(path)):
            raise SystemExit(f"Qt cannot write {path}.")
    scalable = target / "hicolor/scalable/apps/gridbot.svg"
    scalable.parent.mkdir(parents=True)
    shutil.copyfile(source, scalable)
    application.quit()
