"""What all tabs are made of: icons that follow the theme, lights that go out, words that are explained, empty pages."""

from __future__ import annotations

import re
import sysconfig
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from gridbot import assets_folder as folder_module
from gridbot.assets_folder import assets_folder
from gridbot.gui import flash
from gridbot.gui.empty_state import EmptyOver, EmptyState
from gridbot.gui.flash import FADE_MS, FlashLabel, flasher
from gridbot.gui.glossary import GLOSSARY, explained, meaning
from gridbot.gui.icons import icon, picture, put_icon, tint
from gridbot.gui.measures import SPACE
from gridbot.gui.parts import button
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.style_sheet import style_sheet
from gridbot.gui.table import Table
from gridbot.gui.theme import EDGES, Theme, Trading, colours_of, contrast, tabular
from gridbot.gui.window import TITLES, Window

LIGHT = colours_of(Theme.LIGHT, Trading.GREEN_RED)
DARK = colours_of(Theme.DARK, Trading.GREEN_RED)
ICONS = sorted((assets_folder() / "icons").glob("*.svg"))


# --------------------------------------------------------------------------------------- colours, measures


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_edges_and_focus_rings_can_be_seen(colours: object) -> None:
    ratios = {(edge, ground): contrast(getattr(colours, edge), getattr(colours, ground)) for edge, ground in EDGES}
    assert not {pair: ratio for pair, ratio in ratios.items() if ratio < 3}


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_the_style_sheet_is_read_by_qt_and_names_only_pictures_that_are_there(
    qtbot: QtBot, colours: object, capfd: pytest.CaptureFixture[str]
) -> None:
    sheet = style_sheet(colours, 12)  # type: ignore[arg-type]
    whole = QWidget()
    qtbot.addWidget(whole)
    whole.setStyleSheet(sheet)
    whole.show()
    assert "Could not parse" not in capfd.readouterr().err
    pictures = re.findall(r'url\("([^"]+)"\)', sheet)
    assert pictures and all(Path(each).is_file() for each in pictures)


def test_the_scale_of_distances_grows_and_is_of_fours() -> None:
    assert tuple(SPACE) == (4, 8, 12, 16, 24)


def test_all_figures_are_of_one_width(qtbot: QtBot) -> None:
    metrics = QFontMetricsF(tabular(QFont("a family that nobody has")))
    assert len({round(metrics.horizontalAdvance(figure * 8)) for figure in "0123456789"}) == 1


# --------------------------------------------------------------------------------------------------- icons


@pytest.mark.parametrize("path", ICONS, ids=lambda path: path.stem)
def test_an_icon_is_of_the_one_style_and_takes_its_colour(qtbot: QtBot, path: Path) -> None:
    root = ET.parse(path).getroot()
    assert (root.get("viewBox"), root.get("stroke"), root.get("fill")) == ("0 0 20 20", "currentColor", "none")
    drawn = picture(path.stem, "#ff0000", 32).toImage()
    colours = {
        drawn.pixelColor(x, y).name() for x in range(32) for y in range(32) if drawn.pixelColor(x, y).alpha() == 255
    }
    assert colours == {"#ff0000"}


@pytest.mark.parametrize("title", TITLES)
def test_each_tab_has_its_icon(title: str) -> None:
    assert assets_folder() / "icons" / f"{title.lower()}.svg" in ICONS


def test_an_icon_of_a_button_follows_the_theme(qtbot: QtBot) -> None:
    whole = QWidget()
    qtbot.addWidget(whole)
    tint(whole, LIGHT)
    made = button("Add", lambda: None, icon="add")
    made.setParent(whole)
    assert inks(made) == {LIGHT.text}
    tint(whole, DARK)
    assert inks(made) == {DARK.text}
    put_icon(made, "remove")
    assert inks(made) == {DARK.text}, "also one that comes later"


def inks(made: QPushButton) -> set[str]:
    image: QImage = made.icon().pixmap(32, 32).toImage()
    pixels = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


def test_the_chosen_tab_has_another_colour() -> None:
    made = icon("market", "#111111", chosen="#eeeeee")
    off = made.pixmap(20, 20).toImage()
    on = made.pixmap(20, 20, made.Mode.Normal, made.State.On).toImage()
    assert off != on


def test_the_pictures_are_found_in_a_frozen_application_and_in_an_installed_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (assets_folder() / "gridbot.svg").is_file()
    monkeypatch.setattr("sys._MEIPASS", str(tmp_path), raising=False)
    assert assets_folder() == tmp_path / "assets"
    monkeypatch.delattr("sys._MEIPASS")
    monkeypatch.setattr(folder_module, "__file__", str(tmp_path / "site-packages" / "gridbot" / "assets_folder.py"))
    assert assets_folder() == Path(sysconfig.get_path("data")) / "share" / "gridbot" / "assets"


# --------------------------------------------------------------------------------------------------- lights


@pytest.fixture
def figure(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> FlashLabel:
    made = FlashLabel("-")
    qtbot.addWidget(made)
    made.show()
    qtbot.waitExposed(made)
    monkeypatch.setattr(flash, "_desktop_moves", lambda: True)
    flash.set_flashing(True)
    return made


def test_a_number_is_lit_when_it_changes_and_the_light_goes_out(figure: FlashLabel, qtbot: QtBot) -> None:
    figure.setText("1.00")
    assert flasher().brightness(figure, "text") == 0, "the first number is no change"
    figure.setText("2.00")
    assert flasher().brightness(figure, "text") > 0
    qtbot.waitUntil(lambda: not flasher().busy(), timeout=10 * FADE_MS)
    assert flasher().brightness(figure, "text") == 0


def test_a_number_that_changes_all_the_time_is_not_lit_all_the_time(figure: FlashLabel, qtbot: QtBot) -> None:
    figure.setText("1.00")
    figure.setText("2.00")
    qtbot.waitUntil(lambda: not flasher().busy(), timeout=10 * FADE_MS)
    figure.setText("3.00")
    assert not flasher().busy()


def test_nothing_is_lit_where_a_person_or_the_desktop_wants_none(
    figure: FlashLabel, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure.setText("1.00")
    flash.set_flashing(False)
    figure.setText("2.00")
    assert not flasher().busy()
    flash.set_flashing(True)
    monkeypatch.setattr(flash, "_desktop_moves", lambda: False)
    figure.setText("3.00")
    assert not flasher().busy()


def test_a_cell_is_lit_when_its_figure_changes_and_no_other(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flash, "_desktop_moves", lambda: True)
    flash.set_flashing(True)
    columns: list[Column[tuple[str, int]]] = [
        Column(title="Name", text=lambda row: row[0], order=lambda row: row[0], width=80),
        Column(title="N", text=lambda row: str(row[1]), order=lambda row: row[1], width=80, flash=True),
    ]
    model = RowsModel(columns, key=lambda row: row[0])
    table = Table(model, name="Figures")
    qtbot.addWidget(table)
    model.replace([("a", 1), ("b", 2)])
    table.show()
    qtbot.waitExposed(table)
    model.replace([("a", 1), ("b", 3)])
    bright = {key: flasher().brightness(table.viewport(), (key, 1)) > 0 for key in ("a", "b")}
    assert bright == {"a": False, "b": True}
    flash.set_flash_colour("#ffe08a")
    painted = table.viewport().grab().toImage()
    cell = table.visualRect(model.index(0 if texts_of(model)[0] == "b" else 1, 1))
    assert painted.pixelColor(cell.left() + 2, cell.center().y()) != QColor("#ffffff")


def texts_of(model: RowsModel[tuple[str, int]]) -> list[str]:
    return [str(model.data(model.index(row, 0))) for row in range(model.rowCount())]


# ---------------------------------------------------------------------------------------- words, empty pages


def test_each_word_is_explained_in_whole_sentences_without_itself() -> None:
    for word, said in GLOSSARY.items():
        assert said[:1].isupper() and said.endswith("."), word
        assert len(said) < 260, f"{word}: too long for a tooltip"


def test_a_word_is_explained_to_the_eye_and_to_a_screen_reader(qtbot: QtBot) -> None:
    made = explained(QLabel("Drawdown"), "drawdown")
    qtbot.addWidget(made)
    assert made.toolTip() == meaning("drawdown") and made.toolTip().startswith("Drawdown: How far")
    assert max(map(len, made.toolTip().splitlines())) <= 72
    assert made.accessibleDescription() == GLOSSARY["drawdown"]


def test_an_empty_page_says_why_and_what_to_do(qtbot: QtBot) -> None:
    done: list[str] = []
    page = EmptyState("No grids", LIGHT)
    qtbot.addWidget(page)
    page.resize(400, 300)
    page.show()
    page.say("grid", "There is no grid yet.", "Add a grid…", lambda: done.append("add"))
    assert page.sentence() == "There is no grid yet." and page.action.isVisible()
    QTest.mouseClick(page.action, Qt.MouseButton.LeftButton)
    assert done == ["add"]
    page.say("loading", "The first prices are on their way.")
    assert not page.action.isVisible()


@pytest.mark.parametrize("width", [240, 420, 900])
def test_a_long_sentence_of_an_empty_page_is_never_cut(qtbot: QtBot, width: int) -> None:
    page = EmptyState("Offline", DARK)
    qtbot.addWidget(page)
    page.say("offline", "There is no connection to the exchange. What you see is from before; nothing new is sent.")
    page.resize(width, 260)
    page.show()
    qtbot.waitExposed(page)
    QApplication.processEvents()
    said = next(each for each in page.findChildren(QLabel) if each.text() == page.sentence())
    assert said.height() >= said.heightForWidth(said.width())


def test_an_empty_table_says_so_only_while_it_is_empty(qtbot: QtBot) -> None:
    column: Column[str] = Column(title="Name", text=str, order=str, width=80)
    model = RowsModel([column], key=str)
    table = Table(model, name="Names")
    qtbot.addWidget(table)
    table.resize(300, 200)
    over = EmptyOver(table, "No names", LIGHT)
    over.say("empty", "Nobody is here.")
    table.show()
    assert over.isVisible() and over.geometry() == table.viewport().rect()
    model.append(["a"])
    assert not over.isVisible()
    model.set_filter("nobody")
    assert over.isVisible()


def test_the_window_has_no_icon_that_cannot_be_drawn(window: Window) -> None:
    for number in range(window.tabs.count()):
        assert not window.tabs.tabIcon(number).isNull()
