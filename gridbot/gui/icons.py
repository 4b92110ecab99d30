"""Our own line icons (assets/icons), tinted for the theme; drawn once for each colour and kept."""

from __future__ import annotations

from functools import cache

from PySide6.QtCore import QByteArray, QFile, QIODevice, QSize, Qt
from PySide6.QtGui import QGuiApplication, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QWidget

from gridbot.assets_folder import assets_folder
from gridbot.gui.measures import ICON, ICON_SMALL, S
from gridbot.gui.palette import Colours


@cache
def icon(name: str, colour: str, *, chosen: str = "", disabled: str = "") -> QIcon:
    """Return the icon `assets/icons/<name>.svg` in a colour (#rrggbb).

    Args:
        name: the file's name without its ending.
        colour: what the lines are drawn with.
        chosen: their colour while the tab or button is chosen; "" is the same.
        disabled: their colour while it cannot be used; "" leaves it to the style.
    """
    made = QIcon()
    for size in _sizes():
        made.addPixmap(picture(name, colour, size), QIcon.Mode.Normal, QIcon.State.Off)
        if chosen:
            made.addPixmap(picture(name, chosen, size), QIcon.Mode.Normal, QIcon.State.On)
        if disabled:
            made.addPixmap(picture(name, disabled, size), QIcon.Mode.Disabled, QIcon.State.Off)
    return made


@cache
def picture(name: str, colour: str, size: int) -> QPixmap:
    """Return an icon as a pixmap of `size` pixels."""
    drawn = QPixmap(size, size)
    drawn.fill(Qt.GlobalColor.transparent)
    painter = QPainter(drawn)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _renderer(name, colour).render(painter)
    painter.end()
    return drawn


@cache
def _lines(name: str) -> str:
    file = QFile(str(assets_folder() / "icons" / f"{name}.svg"))
    if not file.open(QIODevice.OpenModeFlag.ReadOnly):
        raise FileNotFoundError(f"There is no icon {name}: {file.fileName()}")
    return bytes(file.readAll().data()).decode()


_NAME = "icon-name"
_ON = {"primary": "accent_text", "stop": "danger_text"}
"""Colours of lines on a button of a role; on the others they are those of its text."""
_now: list[Colours] = []


def _sizes() -> list[int]:
    """Return the pixels of a small icon and a larger one on each screen that is there."""
    ratios = {screen.devicePixelRatio() for screen in QGuiApplication.screens()} or {1.0}
    return sorted({round(size * ratio) for size in (ICON_SMALL, ICON) for ratio in ratios})


@cache
def _renderer(name: str, colour: str) -> QSvgRenderer:
    return QSvgRenderer(QByteArray(_lines(name).replace("currentColor", colour).encode()))


def put_icon(button: QAbstractButton, name: str) -> None:
    """Give a button an icon that follows the theme: `tint` draws it anew whenever the colours change."""
    if button.property(_NAME) == name:
        return
    button.setProperty(_NAME, name)
    # Wider than the lines, which stand in its middle: else they would touch the text.
    button.setIconSize(QSize(ICON_SMALL + S, ICON_SMALL))
    if _now:
        _draw(button, _now[-1])


def tint(root: QWidget, colours: Colours) -> None:
    """Draw the icons of all buttons below `root` in these colours, and those that are made later too."""
    _now[:] = [colours]
    for each in root.findChildren(QAbstractButton):
        if each.property(_NAME):
            _draw(each, colours)


def _draw(button: QAbstractButton, colours: Colours) -> None:
    colour = str(getattr(colours, _ON.get(str(button.property("role")), "text")))
    chosen = colours.accent_text if button.property("role") in ("toggle", "chip") else ""
    button.setIcon(icon(str(button.property(_NAME)), colour, chosen=chosen, disabled=colours.muted))
