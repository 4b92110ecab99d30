"""A kept search asked for again: the form as it was, and a word about what the form cannot say."""

from __future__ import annotations

from decimal import Decimal

from gridbot.core.values import evolve
from gridbot.gui.backtest_tab import BacktestRoom
from gridbot.gui.search_dialog import SearchDialog
from gridbot.shell.errands import Refused
from gridbot.shell.search_desk import HoldOut, Knob, Objective, WalkForward
from tests.gui.fake_search import DAY, FakeSearch, kept, walked
from tests.gui.finding import dialog, said
from tests.gui.searching import Made, look, opened_page


def asked_again(room: BacktestRoom) -> SearchDialog:
    """Open the form as the search that is shown asked."""
    room.search.page.again.click()
    return dialog(SearchDialog)


def test_a_search_is_asked_for_again_as_it_was(searching: Made) -> None:
    knobs = (
        Knob("spacing.multiplier", ("0.5", "0.75", "1")),
        Knob("levels", ("8",)),
        Knob("reinvest", ("true",)),
        Knob("stop_loss", ("0.1", "0.2", "")),
    )
    first = kept(1, knobs=knobs, plan=HoldOut(Decimal("0.25")))
    first = evolve(first, search=evolve(first.search, objective=Objective.SHARPE, tries=50, seed=7, least_trips=3))
    search = FakeSearch(first)
    asked = asked_again(opened_page(searching, search))
    assert asked.windowTitle() == "Optimise" and not said(asked, "What is not as in that search")
    asked.start.click()
    assert search.wanted() == [first.search], "to the last part of it, its candles too"


def test_a_walk_is_asked_for_again_as_it_was(searching: Made) -> None:
    first = kept(1, *walked("0.01", "0.02"), plan=WalkForward(60 * DAY, 20 * DAY, anchored=True))
    search = FakeSearch(first)
    asked = asked_again(opened_page(searching, search))
    assert asked.windowTitle() == "Walk forward"
    asked.start.click()
    assert search.wanted() == [first.search]


def test_what_the_form_cannot_say_as_it_was_is_said(searching: Made) -> None:
    """`gridbot optimise --vary` takes any values of any setting."""
    knobs = (
        Knob("levels", ("4", "8", "20")),
        Knob("investment", ("1000", "2000")),
        Knob("take_profit", ("0.50", "1.0")),
    )
    search = FakeSearch(kept(1, knobs=knobs))
    asked = asked_again(opened_page(searching, search))
    assert said(asked, "What is not as in that search") == (
        "This form cannot ask for all that the search varied: Levels over 4, 8, 20; Investment over 1000, 2000."
    )
    assert [field.text() for field in asked.rows.rows["levels"].fields] == ["4", "20", "4"]
    asked.start.click()
    [wanted] = search.wanted()
    assert wanted.knobs == (Knob("levels", ("4", "8", "12", "16", "20")), Knob("take_profit", ("0.5", "1")))


def test_nothing_is_asked_for_again_while_a_search_is_under_way(searching: Made) -> None:
    search = FakeSearch(kept(1))
    room = opened_page(searching, search)
    asked_again(room).start.click()
    assert not room.search.page.again.isEnabled()
    search.end(Refused("It was given up.", given_up=True))
    look(room)
    assert room.search.page.again.isEnabled()


def test_a_search_whose_grid_is_none_any_more_says_so(searching: Made) -> None:
    first = kept(1)
    damaged = evolve(first, search=evolve(first.search, trial=evolve(first.search.trial, grid='{"levels": 0}')))
    room = opened_page(searching, FakeSearch(damaged))
    room.search.page.again.click()
    assert "levels" in room.search.list.note.text() and room.search.list.isVisibleTo(room)
