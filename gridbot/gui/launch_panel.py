"""What a grid would do, beside its form: ready or not and why, the totals, a picture, each level to the last digit."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from PySide6.QtWidgets import QGridLayout, QLabel, QVBoxLayout, QWidget

from gridbot.core.launch import HeldLevel, LaunchReport, Level
from gridbot.core.launch_troubles import Trouble
from gridbot.core.rules import Instrument
from gridbot.gui import words
from gridbot.gui.context import Context
from gridbot.gui.ladder_picture import LadderPicture
from gridbot.gui.measures import XS, M, S
from gridbot.gui.numbers import grouped
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.rows_model import Column, RowsModel
from gridbot.gui.table import Table

_MOST_SENTENCES = 3


class _Row:
    """A level, or a cell that holds coins, with the market whose decimals it is written with."""

    __slots__ = ("held", "instrument", "level")

    def __init__(self, instrument: Instrument, level: Level | None, held: HeldLevel | None) -> None:
        self.instrument, self.level, self.held = instrument, level, held

    @property
    def slot(self) -> int:
        if self.level is not None:
            return self.level.number
        return 0 if self.held is None else self.held.slot

    @property
    def price(self) -> Decimal | None:
        return None if self.level is None else self.level.price

    @property
    def target(self) -> Decimal | None:
        return self.held.target if self.held is not None else None if self.level is None else self.level.target

    @property
    def quantity(self) -> Decimal | None:
        return self.held.quantity if self.held is not None else None if self.level is None else self.level.quantity

    @property
    def size(self) -> str:
        """The quantity with the market's own decimals, so that they stand under each other."""
        places = words.places_of(self.instrument.lot_size)
        return words.NONE if self.quantity is None else grouped(self.quantity, places)

    @property
    def profit(self) -> Decimal | None:
        return self.held.profit if self.held is not None else None if self.level is None else self.level.trip.profit

    @property
    def cost(self) -> Decimal | None:
        return self.held.cost if self.held is not None else None if self.level is None else self.level.trip.cost

    @property
    def share(self) -> Decimal | None:
        return None if self.level is None else self.level.trip.share

    @property
    def stands(self) -> str:
        """What stands there at once, in a few words."""
        if self.held is not None:
            return "holds coins, sells"
        if self.level is None:
            return words.NONE
        return "buys" if self.level.sends else _SHORT.get(self.level.code, self.level.code.replace("_", " "))

    @property
    def tip(self) -> str:
        return "" if self.level is None else self.level.sentence


_SHORT = {
    "held_nearby": "coins held near it",
    "under_minimum": "under the minimum",
    "not_under_price": "waits for the price",
    "beyond_limit": "waits, not allowed now",
    "no_free_cell": "waits for a free cell",
    "grid_waiting": "waits for the trigger",
    "grid_stopped": "not begun",
    "denied": "refused",
    "resting": "buys",
    "sending": "buys",
}

_COLUMNS: tuple[Column[_Row], ...] = (
    Column(title="#", text=lambda r: str(r.slot), order=lambda r: r.slot, width=48, right=True),
    Column(
        title="Buys at",
        text=lambda r: words.price(r.price, r.instrument),
        order=lambda r: r.price,
        width=84,
        right=True,
        bare=lambda r: words.bare(r.price),
    ),
    Column(
        title="Quantity",
        text=lambda r: r.size,
        order=lambda r: r.quantity,
        width=80,
        right=True,
        bare=lambda r: words.bare(r.quantity),
    ),
    Column(
        title="Sells at",
        text=lambda r: words.price(r.target, r.instrument),
        order=lambda r: r.target,
        width=84,
        right=True,
        bare=lambda r: words.bare(r.target),
    ),
    Column(
        title="Net profit",
        text=lambda r: words.money(r.profit, signed=True),
        order=lambda r: r.profit,
        width=82,
        right=True,
        bare=lambda r: words.bare(r.profit),
        ink=lambda r: "" if not r.profit else "up" if r.profit > 0 else "down",
        about="What one round trip earns after both fees, in the quote currency.",
    ),
    Column(
        title="%",
        text=lambda r: words.percent(r.share),
        order=lambda r: r.share,
        width=64,
        right=True,
        about="The net profit of one round trip as a part of what the buy costs.",
    ),
    Column(
        title="Cost",
        text=lambda r: words.money(r.cost),
        order=lambda r: r.cost,
        width=84,
        right=True,
        bare=lambda r: words.bare(r.cost),
        extra=True,
    ),
    Column(
        title="At first",
        text=lambda r: r.stands,
        order=lambda r: r.stands,
        width=96,
        tip=lambda r: r.tip,
        about="What stands at the level as soon as the grid begins.",
    ),
)

_FIGURES = ("All levels cost", "Orders at first", "Net profit a round trip", "Break-even fee")


class LaunchPanel(QWidget):
    """The preview of a grid."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context
        self.report: LaunchReport | None = None
        self._headline = label("", role="heading", name="Can the grid start", wrap=True)
        self._sentences = label("", role="error", name="What stands against a start", wrap=True)
        self._notices = label("", role="muted", name="What to know before the start", wrap=True)
        self.figures: dict[str, QLabel] = {}
        self._worst = label("", name="Worst case", wrap=True)
        self.picture = LadderPicture(context.colours)
        self.model: RowsModel[_Row] = RowsModel(_COLUMNS, key=lambda row: (row.level is None, row.slot))
        self.model.set_colours(context.colours)
        self.table = Table(self.model, name="Levels")
        self.table.sort_by(0, descending=False)
        self.table.setMinimumHeight(96)
        self._build()

    def _build(self) -> None:
        totals = QGridLayout()
        totals.setHorizontalSpacing(M)
        totals.setVerticalSpacing(2)
        for number, name in enumerate(_FIGURES):
            row, column = divmod(number, 2)
            self.figures[name] = label(words.NONE, name=name)
            totals.addWidget(label(name, role="muted"), row, column * 2)
            totals.addWidget(self.figures[name], row, column * 2 + 1)
        totals.setColumnStretch(1, 1)
        totals.setColumnStretch(3, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(S)
        box.addWidget(self._headline)
        box.addWidget(self._sentences)
        box.addWidget(self._notices)
        box.addLayout(totals)
        box.addWidget(self._worst)
        box.addWidget(self.picture)
        box.addWidget(self.table, 1)
        box.setContentsMargins(XS, 0, 0, 0)

    def headline(self) -> str:
        """Return whether the grid can start, in words."""
        return self._headline.text()

    def sentences(self) -> str:
        """Return what stands against it, and what is to be known."""
        return f"{self._sentences.text()}\n{self._notices.text()}".strip()

    def show_waiting(self, sentence: str) -> None:
        """Say what is waited for; what was shown stays until there is something newer."""
        set_role(self._headline, "heading")
        set_text(self._headline, sentence)

    def show_nothing(self, sentence: str) -> None:
        """Say why there is no preview."""
        self.report = None
        set_role(self._headline, "error")
        set_text(self._headline, sentence)
        self._say(self._sentences, ())
        self._say(self._notices, ())
        for figure in self.figures.values():
            set_text(figure, words.NONE)
        set_text(self._worst, "")
        self.picture.show_report(None, self._context.colours)
        self.model.replace(())

    def show_report(self, report: LaunchReport, *, running: bool) -> None:
        """Show what the grid would do; `running` says that it trades already."""
        self.report = report
        count = len(report.troubles)
        if count:
            set_text(self._headline, f"Not ready: {words.counted(count, 'thing')} to change.")
        else:
            set_text(self._headline, "These settings can be applied." if running else "Ready to start.")
        set_role(self._headline, "error" if count else "heading")
        self._say(self._sentences, report.troubles)
        self._say(self._notices, report.notices)
        self._show_totals(report)
        self.picture.show_report(report, self._context.colours)
        rows = [_Row(report.instrument, level, None) for level in report.levels]
        rows += [_Row(report.instrument, None, held) for held in report.held]
        self.model.replace(rows)

    def _say(self, place: QLabel, remarks: Sequence[Trouble]) -> None:
        more = len(remarks) - _MOST_SENTENCES
        lines = [each.sentence for each in remarks[:_MOST_SENTENCES]]
        set_text(place, "\n".join(lines + ([f"And {words.counted(more, 'more remark')}."] if more > 0 else [])))
        place.setVisible(bool(lines))

    def _show_totals(self, report: LaunchReport) -> None:
        quote, base = report.instrument.quote, report.instrument.base
        said = dict.fromkeys(_FIGURES, words.NONE)
        if report.levels:
            said["All levels cost"] = words.money(report.capital, quote)
            said["Net profit a round trip"] = _span([level.trip.profit for level in report.levels], quote)
        said["Orders at first"] = str(len(report.orders))
        if report.break_even_fee is not None:
            fee = words.percent(report.instrument.maker_fee, places=3)
            said["Break-even fee"] = f"{words.percent(report.break_even_fee, places=3)} (you pay {fee})"
        for name, text in said.items():
            set_text(self.figures[name], text)
        worst = report.worst
        if worst is None:
            set_text(self._worst, "")
            return
        price, coins = words.price(worst.price, report.instrument), words.quantity(worst.coins.normalize())
        outcome = "loss" if worst.loss >= 0 else "gain"
        set_text(
            self._worst,
            f"Worst case: at the lowest level, {price}, you hold {coins} {base}, worth "
            f"{words.money(worst.worth, quote)}: a {outcome} of {words.money(abs(worst.loss), quote)}. "
            "Below that it grows with every step.",
        )


def _span(amounts: list[Decimal], quote: str) -> str:
    low, high = words.money(min(amounts), signed=True), words.money(max(amounts), quote, signed=True)
    return high if low == high.removesuffix(f" {quote}") else f"{low} to {high}"
