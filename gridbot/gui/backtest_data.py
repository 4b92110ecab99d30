"""Which candles are tested on: an exchange's, a file's, or the demo market's, and over which period."""

from __future__ import annotations

from decimal import Decimal

from PySide6.QtCore import QDate, QDateTime, Qt, QTimer, QTimeZone, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QComboBox, QDateEdit, QFileDialog, QHBoxLayout, QLineEdit, QWidget

from gridbot.core.candles import timeframe_ms
from gridbot.core.units import Symbol, TimeMs
from gridbot.gui.backtest_fields import AmountField, Note, Section, narrow
from gridbot.gui.backtest_words import TIMEFRAMES
from gridbot.gui.form import CalmComboBox
from gridbot.gui.parts import button
from gridbot.shell.research_desk import CandleChoice, DataKind

_KINDS = (
    ("An exchange's past", DataKind.EXCHANGE),
    ("The demo market", DataKind.DEMO),
    ("A file", DataKind.FILE),
)
_PERIODS: dict[DataKind, tuple[tuple[str, int], ...]] = {
    DataKind.EXCHANGE: (
        ("The last 30 days", 30),
        ("The last 90 days", 90),
        ("The last 180 days", 180),
        ("The last year", 365),
        ("The last two years", 730),
        ("From a day to a day", 0),
    ),
    DataKind.DEMO: (
        ("90 days", 90),
        ("180 days", 180),
        ("A year", 365),
        ("Two years", 730),
        ("From a day to a day", 0),
    ),
    DataKind.FILE: (("The whole file", -1), ("From a day to a day", 0)),
}
_USUAL = {DataKind.EXCHANGE: 90, DataKind.DEMO: 180, DataKind.FILE: -1}
DEMO_BEGIN = QDate(2024, 1, 1)
"""The generated market begins here."""
_MOST_SEED = Decimal(2**63 - 1)
_UTC = QTimeZone(QTimeZone.Initialization.UTC)
_DAY_MS = 86_400_000


class CalmDateEdit(QDateEdit):
    """A date that scrolling past does not change."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()


class DataSection(Section):
    """Where candles come from, and which of them.

    Signals:
        edited: something is another than before.
    """

    edited = Signal()

    def __init__(self) -> None:
        super().__init__("Candles")
        self.base_url: str | None = None
        self.home = ""
        self._filled: DataKind | None = None
        self.kind = _combo("Candles from", _KINDS)
        self.exchange = CalmComboBox()
        self.exchange.setAccessibleName("Exchange")
        self.exchange.setEditable(True)
        narrow(self.exchange)
        self.exchange.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self._typed = QLineEdit()
        self._typed.setAccessibleName("Exchange")
        # It stands inside the box, which has the frame.
        self._typed.setStyleSheet("QLineEdit { border: 0; padding: 0; min-height: 0; background: transparent; }")
        self.exchange.setLineEdit(self._typed)
        self.timeframe = _combo("Candle length", [(each, timeframe_ms(each)) for each in TIMEFRAMES])
        self.path = QLineEdit()
        self.path.setAccessibleName("Candle file")
        self.path.setPlaceholderText("Parquet or CSV")
        self.seed = AmountField("Seed", Decimal(7), self._changed, most=_MOST_SEED, whole=True)
        self.period = _combo("Period", ())
        self.first, self.last = _date("From"), _date("Up to and with")
        self.note = Note("About the candles")
        self._add_rows()
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(0)
        self._soon.timeout.connect(self.edited)
        self.kind.activated.connect(lambda _index: self._kind_chosen())
        for box in (self.timeframe, self.period, self.exchange):
            box.activated.connect(lambda _index: self._changed())
        self._typed.textEdited.connect(lambda _text: self._changed())
        self.path.textChanged.connect(lambda _text: self._changed())
        for date in (self.first, self.last):
            date.dateChanged.connect(lambda _date: self._changed())
        self._kind_chosen()

    def _add_rows(self) -> None:
        self.add("Candles from", self.kind)
        self._exchange_row = self.add(
            "Exchange", self.exchange, tip="Its public prices are asked for; no key is needed, and none is used."
        )
        self._timeframe_row = self.add(
            "Candle length",
            self.timeframe,
            tip="Shorter candles know more of what happened in between, and take longer to download.",
        )
        chooser = QWidget()
        line = QHBoxLayout(chooser)
        line.setContentsMargins(0, 0, 0, 0)
        line.addWidget(self.path, 1)
        line.addWidget(
            button("", self._choose_file, name="Choose the candle file", tip="Choose a file of candles.", icon="folder")
        )
        chooser.setFocusProxy(self.path)
        self._path_row = self.add("File", chooser, tip="Columns open_time (ms UTC), open, high, low, close and volume.")
        self._seed_row = self.add("Seed", self.seed, tip="The same number makes the same market, every time.")
        self.add("Period", self.period)
        self._first_row, self._last_row = self.add("From", self.first), self.add("Up to and with", self.last)
        self.add_wide(self.note)

    # -------------------------------------------------------------------------------- what is chosen

    def choice(self, symbol: str) -> CandleChoice:
        """Return what is chosen, for a market."""
        kind = self.chosen_kind()
        first, until = self._span(kind)
        place = self.exchange_id() if kind is DataKind.EXCHANGE else self.path.text().strip()
        seed = self.seed.amount()
        return CandleChoice(
            kind=kind,
            symbol=Symbol(symbol),
            place="" if kind is DataKind.DEMO else place,
            base_url=self.base_url if kind is DataKind.EXCHANGE and place == self.home else None,
            timeframe=int(self.timeframe.currentData()) if kind is DataKind.EXCHANGE else 60_000,
            seed=int(seed or 0) if kind is DataKind.DEMO else 0,
            first=first,
            until=until,
        )

    def chosen_kind(self) -> DataKind:
        """Return where the candles come from."""
        # Qt keeps the text of a text, and not that it was one of several.
        return DataKind(self.kind.currentData())

    def exchange_id(self) -> str:
        """Return the exchange's id: of the chosen name, or as it was typed."""
        text = self.exchange.currentText().strip()
        at = self.exchange.findText(text, Qt.MatchFlag.MatchFixedString)
        return str(self.exchange.itemData(at)) if at >= 0 else text.lower()

    def wrong(self) -> str:
        """Return what is wrong as a sentence, "" for nothing."""
        kind = self.chosen_kind()
        if kind is DataKind.FILE and not self.path.text().strip():
            return "Choose a file of candles."
        if kind is DataKind.EXCHANGE and not self.exchange_id():
            return "Choose an exchange."
        if kind is DataKind.DEMO and (said := self.seed.complaint()):
            return said
        if self.period.currentData() == 0 and self.first.date() > self.last.date():
            return "The period ends before it begins."
        return ""

    def show_choice(self, choice: CandleChoice) -> None:
        """Put a choice into the fields."""
        self.kind.setCurrentIndex(self.kind.findData(choice.kind))
        self._kind_chosen()
        if choice.kind is DataKind.EXCHANGE:
            self.choose_exchange(choice.place)
            self.timeframe.setCurrentIndex(max(0, self.timeframe.findData(choice.timeframe)))
        elif choice.kind is DataKind.FILE:
            self.path.setText(choice.place)
        else:
            self.seed.set_amount(Decimal(choice.seed))
        if choice.first is not None and choice.until is not None:
            self.period.setCurrentIndex(self.period.findData(0))
            self.first.setDate(_date_of(choice.first))
            self.last.setDate(_date_of(choice.until - 1))
        self._show_rows()

    def choose_exchange(self, exchange: str) -> None:
        """Choose an exchange by its id, also before their names are known."""
        at = self.exchange.findData(exchange)
        if at >= 0:
            self.exchange.setCurrentIndex(at)
        else:
            self.exchange.setEditText(exchange)

    def name_exchanges(self, exchanges: tuple[tuple[str, str], ...]) -> None:
        """Offer these exchanges, as (id, name); the chosen one stays chosen."""
        before = self.exchange_id()
        self.exchange.clear()
        for id_, name in exchanges:
            self.exchange.addItem(name, id_)
        self.choose_exchange(before)

    # --------------------------------------------------------------------------------------- inside

    def _span(self, kind: DataKind) -> tuple[TimeMs | None, TimeMs | None]:
        days = self.period.currentData()
        if days == -1:
            return None, None
        if days == 0:
            return _ms(self.first.date()), _ms(self.last.date().addDays(1))
        if kind is DataKind.DEMO:
            return _ms(DEMO_BEGIN), _ms(DEMO_BEGIN.addDays(days))
        # Up to midnight, so that the same wish tomorrow morning finds what was downloaded today.
        today = QDateTime.currentDateTimeUtc().date()
        return _ms(today.addDays(-days)), _ms(today)

    def _kind_chosen(self) -> None:
        kind = self.chosen_kind()
        if kind is not self._filled:
            self._filled = kind
            self.period.clear()
            for text, days in _PERIODS[kind]:
                self.period.addItem(text, days)
            self.period.setCurrentIndex(self.period.findData(_USUAL[kind]))
        self._changed()

    def _changed(self) -> None:
        self._show_rows()
        self._soon.start()

    def _show_rows(self) -> None:
        kind = self.chosen_kind()
        self._exchange_row.show(kind is DataKind.EXCHANGE)
        self._timeframe_row.show(kind is DataKind.EXCHANGE)
        self._path_row.show(kind is DataKind.FILE)
        self._seed_row.show(kind is DataKind.DEMO)
        dated = self.period.currentData() == 0
        self._first_row.show(dated)
        self._last_row.show(dated)

    def _choose_file(self) -> None:
        dialog = QFileDialog(self, "Choose a file of candles", "", "Candles (*.parquet *.csv);;All files (*)")
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(self.path.setText)
        dialog.open()


def _combo(name: str, choices: object) -> CalmComboBox:
    made = CalmComboBox()
    made.setAccessibleName(name)
    narrow(made)
    assert isinstance(choices, list | tuple)
    for text, data in choices:
        made.addItem(text, data)
    return made


def _date(name: str) -> CalmDateEdit:
    made = CalmDateEdit(QDate.currentDate())
    made.setAccessibleName(f"{name} (UTC)")
    made.lineEdit().setAccessibleName(f"{name} (UTC)")
    made.setDisplayFormat("yyyy-MM-dd")
    made.setCalendarPopup(True)
    made.setDateRange(QDate(2009, 1, 3), QDate(2100, 1, 1))
    return made


def _ms(date: QDate) -> TimeMs:
    return TimeMs(date.startOfDay(_UTC).toMSecsSinceEpoch())


def _date_of(time: int) -> QDate:
    return QDate(1970, 1, 1).addDays(time // _DAY_MS)
