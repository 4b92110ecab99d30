"""The guide: every page is there, every link leads somewhere, the search finds, the window walks back and forth."""

from __future__ import annotations

import re

import pytest
from PySide6.QtCore import QUrl
from pytestqt.qtbot import QtBot

from gridbot.gui.guide_pages import FOLDER, TOPICS, page, pages, search
from gridbot.gui.help_window import TAB_TOPICS, HelpWindow
from gridbot.gui.theme import Theme, Trading, colours_of

LIGHT = colours_of(Theme.LIGHT, Trading.GREEN_RED)
DARK = colours_of(Theme.DARK, Trading.GREEN_RED)


@pytest.fixture
def helped(qtbot: QtBot) -> HelpWindow:
    window = HelpWindow(LIGHT)
    qtbot.addWidget(window)
    return window


def test_every_page_is_in_the_list_and_has_a_heading_and_something_to_say() -> None:
    assert {path.stem for path in FOLDER.glob("*.md")} == set(TOPICS)
    for each in pages():
        assert each.text.startswith(f"# {each.title}\n") and each.title
        assert len(each.text) > 300


@pytest.mark.parametrize("topic", TOPICS)
def test_a_link_leads_to_a_page_of_the_guide(topic: str) -> None:
    links = re.findall(r"\]\(([^)]+)\)", page(topic).text)
    assert all(link.removesuffix(".md") in TOPICS for link in links), links


def test_each_tab_has_its_page() -> None:
    assert set(TAB_TOPICS.values()) <= set(TOPICS)
    with pytest.raises(KeyError):
        page("nowhere")


def test_a_search_takes_all_words_and_shows_the_line_without_marks() -> None:
    (found, *_) = search("value RISK")
    assert found.page.topic == "risk" and not re.search(r"[*`|#]", found.line)
    assert [each.page.topic for each in search("ctrl+shift+k stop")][:1] == ["stop"]
    assert list(search("  ")) == [] and list(search("xyzzy")) == []


def test_the_window_opens_at_a_page_and_walks_back_and_forth(helped: HelpWindow) -> None:
    helped.present("risk")
    assert helped.topic() == "risk" and "The Risk tab" in helped.text.toPlainText()
    helped._follow(QUrl("stop.md"))
    assert helped.topic() == "stop"
    helped.back.click()
    assert helped.topic() == "risk" and helped.forward.isEnabled()
    helped.forward.click()
    assert helped.topic() == "stop"
    helped.show_topic("a page that is none")
    assert helped.topic() == TOPICS[0]


def test_a_search_narrows_the_list_and_escape_brings_it_back_and_then_closes(helped: HelpWindow) -> None:
    helped.present("start")
    helped.search_box.setText("drawdown")
    assert 0 < helped.list.count() < len(TOPICS)
    helped.list.setCurrentRow(0)
    assert "drawdown" in helped.text.toPlainText().lower()
    helped.search_box.setText("xyzzy")
    assert helped.list.count() == 0 and "Try fewer" in helped._found.text()
    helped._leave()
    assert helped.list.count() == len(TOPICS) and helped.isVisible()
    helped._leave()
    assert not helped.isVisible()


def test_both_themes_write_the_page_in_their_colours(helped: HelpWindow) -> None:
    helped.show_topic("market")
    helped.set_colours(DARK)
    assert helped.text.document().defaultStyleSheet().find(DARK.accent) > 0
    assert "The Market tab" in helped.text.toPlainText()
