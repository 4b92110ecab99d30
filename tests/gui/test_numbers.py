"""Numbers are written as a person chose, read as that person writes them, and never guessed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from gridbot.config import AppConfig
from gridbot.gui import numbers, words
from gridbot.gui.backtest_fields import AmountField
from gridbot.gui.chart_overlay import short_amount
from gridbot.gui.display_page import DisplayPage
from gridbot.gui.form import FormPage
from gridbot.gui.numbers import NumberStyle, Writing, grouped, plain, read_number, style_of, whole, written
from gridbot.gui.plot_ticks import value_ticks
from gridbot.gui.schema import fields_of
from gridbot.gui.settings_draft import Draft
from gridbot.gui.window import Window
from gridbot.shell.facade import SaveConfig
from tests.gui.fake_facade import FakeFacade, two_grids
from tests.gui.finding import said, texts

CHOSEN = [Writing.ENGLISH, Writing.GERMAN, Writing.NORWEGIAN]
NBSP = "\u00a0"


@pytest.fixture(autouse=True)
def _style_is_put_back() -> Iterator[None]:
    before = numbers.style()
    yield
    numbers.use(before)


@pytest.mark.parametrize(
    ("writing", "large", "price", "share"),
    [
        (Writing.ENGLISH, "1,234,567.89", "+0.50", "12.34 %"),
        (Writing.GERMAN, "1.234.567,89", "+0,50", "12,34 %"),
        (Writing.NORWEGIAN, f"1{NBSP}234{NBSP}567,89", "+0,50", "12,34 %"),
    ],
)
def test_numbers_are_written_as_chosen(writing: Writing, large: str, price: str, share: str) -> None:
    numbers.use(style_of(writing))
    assert grouped(Decimal("1234567.891"), 2) == large
    assert grouped(Decimal("0.5"), 2, signed=True) == price
    assert words.percent(Decimal("0.12345")) == share
    assert words.money(Decimal("-1234567.891"), "USDT") == f"-{large} USDT"
    assert words.bare(Decimal("1234.50")) == "1234.5", "another program gets a point, whatever is chosen"


@pytest.mark.parametrize("writing", CHOSEN)
@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("1234", "1234"),
        ("0,005", "0.005"),
        ("0.005", "0.005"),
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        ("1234,567", "1234.567"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1.234.567", "1234567"),
        ("1,234,567", "1234567"),
        ("1 234,5", "1234.5"),
        (f"1{NBSP}234{NBSP}567", "1234567"),
        ("1'234.5", "1234.5"),
        ("-3,25", "-3.25"),
        ("\u22123.25", "-3.25"),
        (" 7 ", "7"),
    ],
)
def test_what_has_one_meaning_is_read_in_every_style(writing: Writing, typed: str, meant: str) -> None:
    numbers.use(style_of(writing))
    assert read_number(typed) == numbers.Reading(Decimal(meant))


@pytest.mark.parametrize(
    ("writing", "typed", "remedy"),
    [
        (Writing.ENGLISH, "1,234", "could mean 1.234 or 1234: write 1.2340 or 1234."),
        (Writing.GERMAN, "1,234", "could mean 1,234 or 1234: write 1,2340 or 1234."),
        (Writing.GERMAN, "1.234", "could mean 1,234 or 1234: write 1,2340 or 1234."),
        (Writing.NORWEGIAN, "1.234", "could mean 1,234 or 1234: write 1,2340 or 1234."),
        (Writing.NORWEGIAN, "12,000", "could mean 12,000 or 12000: write 12,0000 or 12000."),
    ],
)
def test_what_could_be_two_numbers_is_refused_with_both_ways_to_write_it(
    writing: Writing, typed: str, remedy: str
) -> None:
    numbers.use(style_of(writing))
    assert read_number(typed) == numbers.Reading(None, remedy, twofold=True)


def test_in_english_a_point_is_the_decimal_sign_however_many_digits_follow() -> None:
    numbers.use(style_of(Writing.ENGLISH))
    assert read_number("1.234").number == Decimal("1.234")


@pytest.mark.parametrize("writing", CHOSEN)
@pytest.mark.parametrize("typed", ["", "abc", "1e5", "1.", "1,2,3", "1 23", "1.234.56", "12,34,567", "--1", "1,234."])
def test_what_is_no_number_is_refused_with_the_way_to_write_one(writing: Writing, typed: str) -> None:
    numbers.use(style_of(writing))
    reading = read_number(typed)
    assert reading.number is None and "write" in reading.complaint and reading.complaint.endswith(".")


amounts = st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False, places=8)


@pytest.mark.parametrize("writing", CHOSEN)
@given(amount=amounts, places=st.integers(0, 8))
def test_a_field_reads_back_what_it_shows(writing: Writing, amount: Decimal, places: int) -> None:
    numbers.use(style_of(writing))
    rounded = round(amount, places) if places else Decimal(int(amount))
    assert read_number(written(rounded)).number == rounded


@pytest.mark.parametrize("writing", CHOSEN)
@given(amount=amounts, places=st.integers(1, 8))
def test_what_the_screen_shows_is_read_as_that_number_or_refused(
    writing: Writing, amount: Decimal, places: int
) -> None:
    numbers.use(style_of(writing))
    reading = read_number(grouped(amount, places))
    assert reading.number in (None, Decimal(f"{amount:.{places}f}"))


def test_the_desktops_own_way_never_makes_two_numbers_one() -> None:
    system = style_of(Writing.SYSTEM)
    assert system.decimal in (".", ",") and system.group != system.decimal and len(system.group) == 1


@pytest.mark.parametrize(("writing", "shown"), [(Writing.GERMAN, "0,0123"), (Writing.ENGLISH, "0.0123")])
def test_a_quantity_needs_no_zeros_where_no_market_asks_for_them(writing: Writing, shown: str) -> None:
    numbers.use(style_of(writing))
    assert words.quantity(Decimal("0.01230")) == shown == plain(Decimal("0.0123"))


def test_quantities_of_a_market_have_its_decimals_so_that_they_stand_under_each_other() -> None:
    instrument = FakeFacade().grids[0].market.instrument
    shown = [words.quantity(Decimal(each), instrument) for each in ("1.5", "0.12345", "12")]
    assert len({len(each.partition(".")[2]) for each in shown}) == 1


# ------------------------------------------------------------------------------------------ in the forms


@pytest.fixture
def page(window: Window) -> FormPage:
    fields = [field for field in fields_of(AppConfig) if field.path.startswith("risk.")]
    made = FormPage([("", fields)])
    draft = Draft(two_grids().to_json())

    def edited(path: str, text: str) -> None:
        draft.edit(made.rows[path].field, text)
        made.show_mistakes(draft.by_field(draft.mistakes))

    made.edited.connect(edited)
    made.setParent(window)
    made.set_values(draft.values(tuple(fields)))
    return made


def editor(page: FormPage, path: str) -> QLineEdit:
    found = page.rows[path].editor
    assert isinstance(found, QLineEdit)
    return found


@pytest.mark.parametrize("writing", [Writing.GERMAN, Writing.NORWEGIAN])
def test_a_field_shows_and_takes_the_decimal_comma(page: FormPage, writing: Writing) -> None:
    numbers.use(style_of(writing))
    page.set_values({"risk.max_spread.limit": "0.0075"})
    field = editor(page, "risk.max_spread.limit")
    assert field.text() == "0,75", "percent, as its name says"
    field.clear()
    QTest.keyClicks(field, "0,42")
    assert page.values()["risk.max_spread.limit"] == "0.0042", "the configuration has a point, whoever types"
    assert page.rows["risk.max_spread.limit"].note.text() == page.rows["risk.max_spread.limit"].field.description


@pytest.mark.parametrize(
    ("writing", "typed"), [(Writing.ENGLISH, "1,234"), (Writing.GERMAN, "1.234"), (Writing.NORWEGIAN, "1,234")]
)
def test_a_field_says_beside_it_that_a_number_could_be_two(page: FormPage, writing: Writing, typed: str) -> None:
    numbers.use(style_of(writing))
    field, row = editor(page, "risk.min_order_value"), page.rows["risk.min_order_value"]
    field.clear()
    QTest.keyClicks(field, typed)
    assert "could mean" in row.note.text() and "or 1234: write" in row.note.text()
    assert field.property("wrong") == "true"
    field.clear()
    QTest.keyClicks(field, "1234")
    assert page.values()["risk.min_order_value"] == "1234" and field.property("wrong") == "false"


def test_another_way_of_writing_is_applied_to_the_tables_at_once(window: Window) -> None:
    window.tabs.setCurrentWidget(window.orders)
    assert any("." in each for each in texts(window.orders.open, "Price"))
    page = DisplayPage(window.context)
    page.setParent(window)
    page.changed.connect(window.settings.display_changed)
    page.numbers.setCurrentIndex(page.numbers.findText("German"))
    page.numbers.activated.emit(page.numbers.currentIndex())
    assert numbers.style() == NumberStyle(",", ".")
    assert all("," in each for each in texts(window.orders.open, "Price"))
    assert window.context.preferences.numbers is Writing.GERMAN


# ------------------------------------------------------------------------------------ every kind of field

WRITTEN = [
    *((Writing.GERMAN, text) for text in ("1.234,56", "1234,56")),
    *((Writing.NORWEGIAN, text) for text in ("1 234,56", f"1{NBSP}234,56", "1\u202f234,56", "1234,56")),
    *((Writing.ENGLISH, text) for text in ("1,234.56", "1234.56")),
]


@pytest.mark.parametrize(("writing", "typed"), WRITTEN)
def test_a_number_of_the_style_is_read_right_in_every_kind_of_field(
    window: Window, page: FormPage, writing: Writing, typed: str
) -> None:
    numbers.use(style_of(writing))
    amount = editor(page, "risk.min_order_value")
    amount.setText(typed)
    assert page.values()["risk.min_order_value"] == "1234.56"
    share = editor(page, "risk.max_var.limit")
    share.setText(f"{typed} %")
    assert page.values()["risk.max_var.limit"] == "12.3456"
    tried = AmountField("Money", None, list)
    tried.setParent(window)
    tried.setText(typed)
    assert tried.amount() == Decimal("1234.56") and not tried.complaint()


@pytest.mark.parametrize(("writing", "typed"), [(w, t.replace("56", "00")) for w, t in WRITTEN])
def test_a_limit_written_in_the_table_is_read_in_the_style_too(
    window: Window, facade: FakeFacade, writing: Writing, typed: str
) -> None:
    numbers.use(style_of(writing))
    window.drain.take()
    panel = window.risk.limits
    window.tabs.setCurrentWidget(window.risk)
    limit = next(each for each in facade.view().snapshot.limits if each.code == "max_quote_age_ms")
    panel.edited(limit, "limit", typed)
    window.drain.take()
    assert facade.config.risk.max_quote_age_ms.limit == 1234


@pytest.mark.parametrize("writing", CHOSEN)
def test_what_could_be_two_numbers_is_refused_in_every_kind_of_field(
    window: Window, page: FormPage, facade: FakeFacade, writing: Writing
) -> None:
    numbers.use(style_of(writing))
    for path in ("risk.min_order_value", "risk.max_var.limit", "risk.max_open_orders"):
        editor(page, path).setText("1,234")
        assert "could mean" in page.rows[path].note.text()
    tried = AmountField("Money", None, list)
    tried.setParent(window)
    tried.setText("1,234")
    assert tried.amount() is None and "could mean" in tried.complaint()
    window.tabs.setCurrentWidget(window.risk)
    limit = next(each for each in facade.view().snapshot.limits if each.code == "max_drawdown")
    window.risk.limits.edited(limit, "limit", "1,234")
    assert "could mean" in said(window.risk, "About the limits") and not facade.requests(SaveConfig)


def _without_a_style(path: Path) -> list[str]:
    """Return where a module groups thousands by itself, as Python does and not as a person chose."""
    tree, styled = ast.parse(path.read_text("utf-8")), set[int]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) == "in_style":
            styled |= {id(each) for each in ast.walk(node)}
    found = []
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.FormattedValue)
            and isinstance(node.format_spec, ast.JoinedStr)
            and id(node) not in styled
        ):
            texts = [each.value for each in node.format_spec.values if isinstance(each, ast.Constant)]
            if any("," in str(each) for each in texts):
                found.append(f"{path.name}:{node.lineno}")
    return found


def test_no_module_of_the_window_groups_thousands_by_itself() -> None:
    paths = sorted((Path(numbers.__file__).parent).glob("*.py"))
    assert len(paths) > 50
    assert not [place for path in paths for place in _without_a_style(path)]


@pytest.mark.parametrize(("writing", "wanted"), [(Writing.GERMAN, "12.000"), (Writing.ENGLISH, "12,000")])
def test_axes_counts_and_previews_are_written_as_chosen(writing: Writing, wanted: str) -> None:
    numbers.use(style_of(writing))
    assert value_ticks(11_500, 12_400, 1)[-1][1] == wanted == whole(12_000) == short_amount(12_000.0)
