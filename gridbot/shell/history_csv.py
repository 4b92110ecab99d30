"""The past as tables for other programs: every digit, every time in UTC, and nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from gridbot.core.chronicle import FillRow, TripRow
from gridbot.core.tax import Disposal, TaxYear, Total
from gridbot.core.units import Asset, CostMethod, TimeMs
from gridbot.core.values import value
from gridbot.shell.history_desk import Spelling

Cell = str | int | Decimal | None
Tell = Callable[[str, float | None], None]
FILL_COLUMNS = (
    *("time", "time_utc", "grid", "cell", "side", "price", "quantity", "fee", "fee_currency", "liquidity", "order"),
    *("trade", "market", "realised", "currency"),
)
TRIP_COLUMNS = (
    *("closed", "closed_utc", "opened_utc", "grid", "market", "cell", "slot", "quantity", "buy_price", "sell_price"),
    *("profit", "currency"),
)
_SLICE = 2_000
_METHODS = {CostMethod.FIFO: "first in, first out (FIFO)", CostMethod.AVERAGE: "average cost"}
_RUNS = ("=", "+", "-", "@", "\t")
"""What a cell may begin with that a spreadsheet takes for a formula."""


class _Sheet:
    """Rows as the chosen spelling writes them."""

    def __init__(self, spelling: Spelling) -> None:
        self._spelling = spelling
        self._text = io.StringIO()
        self._ending = "\r\n" if spelling.excel else "\n"
        self._writer = csv.writer(self._text, delimiter=spelling.separator, lineterminator=self._ending)

    def row(self, cells: Iterable[Cell]) -> None:
        self._writer.writerow([self._cell(cell) for cell in cells])

    def remark(self, sentence: str) -> None:
        """Write a line for people: programs know it by its #."""
        self._writer.writerow([sentence if self._spelling.excel else f"# {sentence}"])

    def section(self, title: str) -> None:
        """Begin a table behind an empty line."""
        self._text.write(self._ending)
        self.remark(title)

    def time(self, time: int) -> str:
        moment = datetime.fromtimestamp(time / 1000, UTC)
        if self._spelling.excel:
            return moment.strftime("%Y-%m-%d %H:%M:%S")
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def content(self) -> bytes:
        """Return the file; a spreadsheet knows by the mark at its beginning that it is UTF-8."""
        return self._text.getvalue().encode("utf-8-sig" if self._spelling.excel else "utf-8")

    def _cell(self, cell: Cell) -> str:
        if cell is None:
            return ""
        if isinstance(cell, Decimal):
            return f"{cell:f}".replace(".", self._spelling.decimal)
        if self._spelling.excel and isinstance(cell, str) and cell.startswith(_RUNS):
            return f"'{cell}"
        return str(cell)


def fills_csv(fills: Sequence[FillRow], spelling: Spelling, tell: Tell) -> bytes:
    """Return fills as a table; `tell` hears how far it is, and may raise to end it."""
    sheet = _Sheet(spelling)
    sheet.row(FILL_COLUMNS)
    for place, fill in enumerate(fills):
        if place % _SLICE == 0:
            tell(f"{place:,} of {len(fills):,} fills written", place / len(fills))
        liquidity = "taker" if fill.taker else "maker"
        sheet.row(
            (
                *(fill.time, sheet.time(fill.time), fill.grid, fill.cell, fill.side.value, fill.price, fill.quantity),
                *(fill.fee, fill.fee_asset, liquidity, fill.order, fill.trade, fill.symbol, fill.realised, fill.quote),
            )
        )
    return sheet.content()


def trips_csv(trips: Sequence[TripRow], spelling: Spelling, tell: Tell) -> bytes:
    """Return round trips as a table."""
    sheet = _Sheet(spelling)
    sheet.row(TRIP_COLUMNS)
    for place, trip in enumerate(trips):
        if place % _SLICE == 0:
            tell(f"{place:,} of {len(trips):,} round trips written", place / len(trips))
        sheet.row(
            (
                *(trip.time, sheet.time(trip.time), sheet.time(trip.opened), trip.grid, trip.symbol, trip.cell),
                *(trip.slot, trip.quantity, trip.buy_price, trip.sell_price, trip.profit, trip.quote),
            )
        )
    return sheet.content()


@value
class TaxHead:
    """What a tax report must say of itself: whose it is, in which days its year was cut, and what is not in it.

    `until` is the time of the newest event that is known (ms UTC), `kept_since` that of the oldest one which is kept,
    None where that is the account's first.
    """

    account: str
    mode: str
    days: str
    kept_since: TimeMs | None
    until: TimeMs


def tax_csv(report: TaxYear, head: TaxHead, spelling: Spelling, tell: Tell) -> bytes:
    """Return a year as a report: what it is, totals, disposals, what is left, transfers, fees in other assets."""
    sheet = _Sheet(spelling)
    for sentence in _preface(report, head, sheet):
        sheet.remark(sentence)
    sheet.section("Totals")
    sheet.row(("currency", "proceeds", "fees_of_selling", "cost_with_fees_of_buying", "gain"))
    for quote, total in sorted(report.totals.items()):
        sheet.row((quote, total.proceeds, total.fee, total.cost, total.gain))
    if report.unknown:
        _unknown(sheet, report.unknown)
    sheet.section("Disposals")
    sheet.row(
        (
            *("sold_utc", "acquired_utc", "market", "quantity", "proceeds", "fees_of_selling"),
            *("cost_with_fees_of_buying", "gain", "currency", "trade"),
        )
    )
    for place, each in enumerate(report.disposals):
        if place % _SLICE == 0:
            tell(f"{place:,} of {len(report.disposals):,} disposals written", place / len(report.disposals))
        sheet.row(_disposal(sheet, each))
    _rest(sheet, report)
    return sheet.content()


def _preface(report: TaxYear, head: TaxHead, sheet: _Sheet) -> Iterable[str]:
    yield f"gridbot: sales of the year {report.year}, by {_METHODS[report.method]}"
    yield f"Account {head.account} ({head.mode}). The year is cut by {head.days}; all times in this file are UTC."
    yield f"It was made from what had happened up to {sheet.time(head.until)}."
    if head.mode != "live":
        yield "THIS ACCOUNT IS SIMULATED: nothing in this file was really bought or sold."
    yield (
        "This is arithmetic and no tax advice: which method, which days and which of these rows count where you live, "
        "a person must say who knows."
    )
    yield (
        "It holds what gridbot traded for this account, and nothing that was bought, sold, mined, lent or received "
        "elsewhere. It is in the currency of each market and is not converted into another."
    )
    yield (
        "Each market keeps its own coins, in the order in which gridbot booked the trades. Cost contains the fees of "
        "buying that were taken in the currency of the market. A fee that was taken in the coin itself makes the coins "
        "that were bought fewer, and the coins that were sold more."
    )
    if report.method is CostMethod.AVERAGE:
        yield "The date of acquisition is that of the first coins since nothing was held."
    yield (
        "Coins that gridbot did not buy (there from the beginning, or deposited) have no known cost: their sales have "
        "no gain here, and are totalled apart. Coins that a grid was given when it began have the cost that was stated "
        "then, and no date. Deposits and withdrawals change no cost."
    )
    if head.kept_since is not None:
        yield (
            f"The journals of this account are kept from {sheet.time(head.kept_since)} on. What was bought before is "
            "not known here."
        )


def _unknown(sheet: _Sheet, unknown: dict[Asset, Total]) -> None:
    sheet.section("Sales of coins whose cost is not known here (in no gain)")
    sheet.row(("currency", "proceeds", "fees_of_selling"))
    for quote, total in sorted(unknown.items()):
        sheet.row((quote, total.proceeds, total.fee))


def _disposal(sheet: _Sheet, each: Disposal) -> tuple[Cell, ...]:
    acquired = None if each.acquired is None else sheet.time(each.acquired)
    return (
        *(sheet.time(each.time), acquired, each.symbol, each.quantity, each.proceeds, each.fee, each.cost, each.gain),
        *(each.quote, each.trade),
    )


def _rest(sheet: _Sheet, report: TaxYear) -> None:
    sheet.section(f"Held at the end of {report.year} of what gridbot bought")
    sheet.row(("market", "coin", "quantity", "cost_with_fees_of_buying", "currency"))
    for left in report.holdings:
        sheet.row((left.symbol, left.base, left.quantity, left.cost, left.quote))
    sheet.section(f"Deposits (positive) and withdrawals of {report.year}, and differences taken over from the exchange")
    sheet.row(("time_utc", "asset", "amount", "id"))
    for row in report.transfers:
        sheet.row((sheet.time(row.time), row.asset, row.amount, row.id))
    sheet.section(f"Fees of {report.year} that were taken in an asset of neither side of the market (in no gain)")
    sheet.row(("asset", "amount"))
    for asset, amount in sorted(report.other_fees.items()):
        sheet.row((asset, amount))
