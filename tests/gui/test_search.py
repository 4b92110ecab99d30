"""Searches in the Backtest tab: their states while one runs, the list, and the page of one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QPalette
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from gridbot.core.values import evolve
from gridbot.gui import theme
from gridbot.gui.backtest_tab import SEARCHES
from gridbot.gui.chart_small import SmallPlot
from gridbot.gui.grid_dialog import GridDialog
from gridbot.gui.window import Window
from gridbot.shell.errands import Desks, Refused, Standing
from gridbot.shell.research_desk import RunTrial
from gridbot.shell.search_desk import (
    DeleteSearches,
    Knob,
    ListSearches,
    OpenSearch,
    RestoreSearches,
    Try,
)
from tests.gui.conftest import Opened
from tests.gui.fake_facade import FakeFacade, MemoryStore
from tests.gui.fake_research import FakeResearch
from tests.gui.fake_search import CHOSEN, FakeSearch, held_out, kept, score, walked, whole
from tests.gui.finding import dialog, texts
from tests.gui.searching import Made, form, look, opened_page
from tests.gui.test_everything_is_reachable import unnamed
from tests.gui.test_nothing_is_cut import cut, outside, settle

# ------------------------------------------------------------------------------------------- its states


def test_a_window_that_cannot_reach_the_room_says_so(searching: Made) -> None:
    room = searching(None)
    assert "cannot reach" in room.search.empty.sentence() and room.search.empty.isVisibleTo(room)
    assert not room.setup.optimise.isEnabled() and "cannot reach" in room.setup.optimise.toolTip()
    assert room.setup.run.isEnabled(), "single backtests have a room of their own"


def test_at_first_it_says_what_searches_are_for(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    assert search.asked == [ListSearches()] and room.toggles[SEARCHES].text() == "Searches"
    assert "No search is kept yet" in room.search.list.empty.sentence()
    assert room.search.list.empty.isVisibleTo(room) and not room.search.list.open.isEnabled()


def test_while_it_runs_it_says_how_far_it_is_and_backtests_go_on(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    room.show_part(0)
    form(room).start.click()
    under_way = room.search.list.under_way
    assert room.parts.currentIndex() == SEARCHES and under_way.isVisibleTo(room) and under_way.bar.maximum() == 0
    assert room.toggles[SEARCHES].text() == "Searches (under way)"
    search.now = Standing(0.37, "Round 2 of 6, trying settings: 74 of 200.")
    look(room)
    assert under_way.said.text() == "Round 2 of 6, trying settings: 74 of 200." and under_way.bar.value() == 370
    assert room.toggles[SEARCHES].text() == "Searches (37 %)"
    assert not room.setup.optimise.isEnabled() and "under way" in room.setup.walk.toolTip()
    room.setup.run.click()
    research = room._context.desks.research
    assert isinstance(research, FakeResearch) and any(isinstance(wish, RunTrial) for wish in research.asked)
    under_way.cancel.click()
    assert len(search.given_up) == 1
    room.setup.say("You cancelled the backtest.")
    search.end(Refused("It was given up.", given_up=True))
    look(room)
    assert "You cancelled the search." in room.search.list.note.text() and not under_way.isVisibleTo(room)
    assert room.setup.optimise.isEnabled() and room.toggles[SEARCHES].text() == "Searches"
    assert room.setup.said.text() == "You cancelled the backtest.", "the one room does not take the other's word away"


def test_what_went_wrong_is_a_sentence_and_the_next_search_can_begin(searching: Made) -> None:
    search = FakeSearch()
    room = searching(search)
    form(room).start.click()
    search.end(Refused("A process of the search was ended by the system.", "Take a shorter period."))
    look(room)
    assert room.search.list.note.text().endswith("by the system. Take a shorter period.")
    form(room).start.click()
    assert len(search.wanted()) == 2 and not room.search.list.note.text()


def test_what_was_found_is_shown_and_stands_in_the_list(searching: Made) -> None:
    search = FakeSearch(kept(1))
    room = searching(search)
    form(room).start.click()
    search.found(kept(2, held_out("-0.05")))
    look(room)
    page = room.search.page
    assert page.isVisibleTo(room) and page.headline.text().startswith("On 54 days that it had not seen: -5.00 %.")
    page.back.click()
    assert texts(room.search.list.model, "Unseen") == ["-5.00 %", "+2.10 %"]
    assert room.toggles[SEARCHES].text() == "Searches (2)"


def test_a_search_that_ends_while_one_looks_elsewhere_is_announced(searching: Made) -> None:
    search = FakeSearch(kept(1))
    room = searching(search)
    form(room).start.click()
    room.show_part(0)
    search.now = Standing(0.5, "Trying settings: 4 of 8.")
    look(room)
    room.search._ask(ListSearches())
    look(room)
    assert room.toggles[SEARCHES].text() == "Searches (50 %)", "what else comes in does not hide how far it is"
    search.found(kept(2))
    look(room)
    assert room.parts.currentIndex() == 0 and room.toggles[SEARCHES].text() == "Searches (1 new)"
    room.show_part(SEARCHES)
    assert room.toggles[SEARCHES].text() == "Searches (2)" and room.search.page.isVisibleTo(room)


# ------------------------------------------------------------------------------------------- kept searches


def test_kept_searches_stand_newest_first_and_are_opened_by_key(searching: Made) -> None:
    room = searching(FakeSearch(kept(3, *walked("0.02", "-0.01", "0.03")), kept(1)))
    table, model = room.search.list.table, room.search.list.model
    assert texts(model, "Plan") == ["60 d, then 20 d", "30 % kept back"]
    assert texts(model, "Promised") == ["+6.00 %", "+3.52 %"] and texts(model, "Rounds") == ["2 of 3", "1 of 1"]
    table.setCurrentIndex(model.index(1, 0))
    table.activated.emit(table.currentIndex())
    look(room)
    assert room.search.page.search is not None and room.search.page.search.search.id == "search-1"


def test_a_deleted_search_can_be_put_back(searching: Made) -> None:
    search = FakeSearch(kept(2), kept(1))
    room = searching(search)
    page = room.search.list
    page.table.selectRow(0)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    look(room)
    assert DeleteSearches(("search-2",)) in search.asked and page.model.rowCount() == 1
    assert page.undo.text() == "Undo: put 1 search back"
    page.undo.click()
    look(room)
    assert RestoreSearches(("search-2",)) in search.asked and page.model.rowCount() == 2
    assert not page.undo.isVisibleTo(room)


def test_what_cannot_be_read_is_said_and_the_others_are_there(searching: Made) -> None:
    search = FakeSearch(kept(1))
    search.troubles = ("a: The search a.json is damaged and is left out.", "b: newer")
    room = searching(search)
    note = room.search.list.note
    assert "a.json is damaged" in note.text() and "1 more" in note.text() and room.search.list.model.rowCount() == 1
    search.damaged = True
    room.search.list.table.selectRow(0)
    room.search.list.open.click()
    look(room)
    assert OpenSearch("search-1") in search.asked and "A kept search is damaged" in note.text()
    assert room.search.list.isVisibleTo(room)


# ------------------------------------------------------------------------------------------- one search


def test_the_page_says_first_what_was_unseen(searching: Made) -> None:
    page = opened_page(searching, FakeSearch(kept(1))).search.page
    assert page.headline.text() == "On 54 days that it had not seen: +2.10 %. While choosing it looked like +8.40 %."
    assert page.headline.palette().color(QPalette.ColorRole.WindowText).name() == page._context.colours.up
    cards = {title: (card.figure(), card.note()) for title, card in page.cards.cards.items()}
    assert cards["Unseen"] == ("+2.10 %", "on 54 days") and cards["Promised"][0] == "+3.52 %"
    assert cards["Came true"] == ("57.30 %", "by the year") and cards["Buy and hold"][0] == "+10.00 %"
    assert all(card.toolTip() for card in page.cards.cards.values())
    assert page.chosen.text().startswith("It chose ATR multiple 0.75 instead of 1")
    assert texts(page.rounds, "Unseen") == ["+2.10 %"] and texts(page.rounds, "Judged on") == ["2024-05-06, 54 days"]
    words = [each.text() for each in page.doubts.findChildren(QLabel)]
    assert any("judged once" in each for each in words)


def test_a_loss_is_written_in_the_colour_of_one(searching: Made) -> None:
    page = opened_page(searching, FakeSearch(kept(1, held_out("-0.05")))).search.page
    for each in (page.headline, page.verdict):
        assert each.palette().color(QPalette.ColorRole.WindowText).name() == page._context.colours.down
    assert "lost money" in page.verdict.text() and "nothing here is a reason to change" in page.verdict.text()


def is_parted(plot: SmallPlot) -> bool:
    """Tell whether a part of a plot has another ground."""
    return plot._apart is not None


def test_the_course_sets_apart_what_was_chosen_on(searching: Made) -> None:
    room = opened_page(searching, FakeSearch(kept(2, *walked("0.02", "0.01")), kept(1)), 1)
    course = room.search.page.course
    assert [curve.name for curve in course._curves] == ["chosen", "present", "buy and hold", "while choosing"]
    assert is_parted(course) and "while choosing -" in course.reading(), "its end is unseen"
    apart = course.grab().toImage()
    course.set_apart(None)
    assert course.grab().toImage() != apart
    room.search._ask(OpenSearch("search-2"))
    look(room)
    assert not is_parted(course) and len(course._curves) == 3, "all of it is unseen"


def test_tries_can_be_sorted_and_say_why_some_were_refused(searching: Made) -> None:
    page = opened_page(searching, FakeSearch(kept(1))).search.page
    page.show_part(2)
    assert page.tries is not None and page.try_table is not None
    assert texts(page.tries, "ATR multiple") == ["0.75", "1", "0.5", "0.5"]
    assert texts(page.tries, "Remark") == [
        "Chosen",
        "What you have now",
        "Too few round trips to be chosen",
        "Refused: The cells are too small for the market.",
    ]
    page.try_table.sort_by(2, descending=True)
    assert texts(page.tries, "Levels") == ["12", "12", "10", "8"], "as numbers, not as letters"


def test_the_settings_of_another_search_stand_before_its_figures(searching: Made) -> None:
    other = kept(1, knobs=(Knob("trend.ema_fast", ("10", "20")), Knob("levels", ("8", "10"))))
    room = opened_page(searching, FakeSearch(kept(2), other))
    page = room.search.page
    room.search._ask(OpenSearch("search-1"))
    look(room)
    assert page.try_table is not None and page.tries is not None
    seen = [page.tries.columns[number].title for number in page.try_table.shown_columns()]
    assert seen[0] == "Place" and set(seen[1:3]) == {"EMA fast (bars)", "Levels"} and seen[3] == "Worth"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("stop_loss", ("0.2", "0.05", "", "0.1")),
        ("signal.timeframe", ("15m", "4h", "1h", "1d")),
        ("reinvest", ("true", "false")),
    ],
)
def test_tries_are_sorted_by_what_a_setting_means(searching: Made, path: str, wanted: tuple[str, ...]) -> None:
    search = FakeSearch(kept(1, knobs=(Knob(path, tuple(sorted(wanted))),)))
    search.tries = tuple(Try(((path, text),), score("0.01"), 1.0) for text in wanted)
    page = opened_page(searching, search).search.page
    assert page.tries is not None and page.try_table is not None
    page.try_table.sort_by(1, descending=False)
    shown = texts(page.tries, page.tries.columns[1].title)
    assert page.tries.columns[1].right is (path == "stop_loss"), "a number, also where one try goes without"
    assert (
        shown
        == {
            "stop_loss": ["5 %", "10 %", "20 %", "not set"],
            "signal.timeframe": ["15 minutes", "1 hour", "4 hours", "1 day"],
            "reinvest": ["off", "on"],
        }[path]
    )


def test_columns_are_remembered_from_one_search_to_the_next(searching: Made) -> None:
    room = opened_page(searching, FakeSearch(kept(2), kept(1)))
    page = room.search.page
    assert page.try_table is not None
    page.try_table._show_column(5, on=False)
    hidden = page.try_table
    room.search._ask(OpenSearch("search-1"))
    look(room)
    assert page.try_table is not hidden and page.try_table.isColumnHidden(5)
    assert page.try_table in room.tables() and page.round_table in room.tables()


def test_the_chosen_settings_open_the_form_of_the_grid(searching: Made) -> None:
    room = opened_page(searching, FakeSearch(kept(1)))
    room.search.page.use.click()
    opened = dialog(GridDialog)
    assert "btc-usdt" in opened.windowTitle() and opened.form.rows["levels"].text() == "12"
    assert opened.form.rows["spacing.multiplier"].text() == "0.75"


def test_a_selected_try_can_be_backtested_with_a_word_of_warning(searching: Made) -> None:
    room = opened_page(searching, FakeSearch(kept(1)))
    page = room.search.page
    page.show_part(2)
    assert page.try_table is not None
    page.try_table.selectRow(2)
    assert "nothing judged them on unseen days" in page.try_note.text()
    page.load.click()
    assert room.setup.grid.form.rows["levels"].text() == "8", "as it was tried, not as it was chosen"
    for judged in (0, 1):
        page.try_table.selectRow(judged)
        assert not page.try_note.text(), "what was chosen and what one has were both judged"
    page.try_table.selectRow(3)
    assert not page.use.isEnabled() and "could not be tried" in page.try_note.text()
    page.show_part(0)
    assert page.use.isEnabled() and page.acting() == CHOSEN


def test_where_nothing_was_chosen_there_is_nothing_to_use(searching: Made) -> None:
    search = FakeSearch(kept(1, evolve(held_out(), chosen=None, seen=None, unseen=None), refused=9))
    search.tries = (Try(CHOSEN, None, None, "The cells are too small."),)
    page = opened_page(searching, search).search.page
    assert "No combination could be tried" in page.headline.text()
    assert not page.use.isEnabled() and not page.load.isEnabled() and not page.cards.isVisibleTo(page)
    assert [curve.name for curve in page.course._curves] == ["present", "buy and hold"]


def test_each_part_is_painted_in_both_themes(searching: Made) -> None:
    room = opened_page(searching, FakeSearch(kept(1)))
    for chosen in (theme.Theme.LIGHT, theme.Theme.DARK):
        room._context.colours = theme.colours_of(chosen, theme.Trading.GREEN_RED)
        room.set_colours()
        pictures = []
        for number in range(4):
            room.search.page.show_part(number)
            pictures.append(room.grab().toImage())
        assert all(one != other for one, other in pairwise(pictures))


def test_no_word_is_cut_and_every_control_has_a_name(opened: Opened, facade: FakeFacade) -> None:
    window: Window = opened(facade)
    window.context.desks = Desks(research=FakeResearch(), search=FakeSearch())
    window.tabs.setCurrentWidget(window.backtest)
    room = window.backtest.room
    room.search.page.show_search(whole(kept(1, held_out("-0.05"))), others=())
    room.show_part(SEARCHES)
    room.search._pages.setCurrentWidget(room.search.page)
    found = {}
    for width, height in ((960, 600), (1440, 900)):
        settle(window, QSize(width, height))
        for number in range(4):
            room.search.page.show_part(number)
            QApplication.processEvents()
            # The line of particulars is cut with dots where it has no room, and whole in its tooltip.
            short = [each for each in cut(room.search) if not each.startswith("Elided")] + outside(window)
            if short:
                found[width, number] = short
    assert not found and not unnamed(room)


def test_the_searches_columns_are_remembered_by_the_window(qtbot: QtBot, facade: FakeFacade) -> None:
    store = MemoryStore()
    window = Window(facade, store, Desks(research=FakeResearch(), search=FakeSearch(kept(1))))
    qtbot.addWidget(window)
    window.drain.stop()
    window.tabs.setCurrentWidget(window.backtest)
    assert window.backtest.room.search.list.table in window._tables()
    window.leave()
