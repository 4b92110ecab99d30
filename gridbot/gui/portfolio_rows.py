"""The tables of the Portfolio tab: what an account has, what each day, week and grid earned, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal

from gridbot.core.chronicle import StopRow, TransferRow, TripRow
from gridbot.core.portfolio import Profit
from gridbot.core.units import ZERO, Asset, TimeMs
from gridbot.core.values import value
from gridbot.gui import words
from gridbot.gui.figures import places_of_asset
from gridbot.gui.numbers import grouped
from gridbot.gui.own_money import own_money
from gridbot.gui.rows_model import Column
from gridbot.shell.facade import View
from gridbot.shell.history_desk import GridName

_EPOCH = date(1970, 1, 1)


def ink_of(amount: Decimal | None) -> str:
    """Return the colour of a profit or loss."""
    return "" if not amount else "up" if amount > ZERO else "down"


@value
class BalanceRow:
    """One asset of the account. `worth` is in the asset that the account is measured in, None without a price.

    `own` is that worth in the user's own currency as it is written, "" where there is none.
    """

    asset: Asset
    total: Decimal
    in_orders: Decimal
    worth: Decimal | None
    unit: str
    own: str = ""

    @property
    def free(self) -> Decimal:
        """What no order has taken; never less than nothing, though fees are reserved with care."""
        return max(self.total - self.in_orders, ZERO)


def balance_rows(view: View) -> list[BalanceRow]:
    """Return the account's balances with their worth at the middle of bid and ask."""
    unit = view.snapshot.equity_asset or Asset("")
    prices = {str(unit): Decimal(1)}
    for market in view.markets:
        base, _, quote = market.symbol.partition("/")
        if quote == unit and market.bid is not None and market.ask is not None:
            prices[base] = (market.bid + market.ask) / 2
    rows = []
    for each in view.snapshot.balances:
        worth = each.total * prices[each.asset] if each.asset in prices else None
        own = own_money(worth, unit, view.rates).text
        rows.append(BalanceRow(each.asset, each.total, each.in_orders, worth, unit, own))
    return rows


def _amount(amount: Decimal, asset: str) -> str:
    return grouped(amount, places_of_asset(asset))


BALANCE_COLUMNS: tuple[Column[BalanceRow], ...] = (
    Column(title="Asset", text=lambda b: b.asset, order=lambda b: b.asset, width=52),
    Column(
        title="Free",
        text=lambda b: _amount(b.free, b.asset),
        order=lambda b: b.free,
        width=90,
        right=True,
        bare=lambda b: words.bare(b.free),
        flash=True,
    ),
    Column(
        title="In orders",
        text=lambda b: _amount(b.in_orders, b.asset),
        order=lambda b: b.in_orders,
        width=90,
        right=True,
        bare=lambda b: words.bare(b.in_orders),
        flash=True,
    ),
    Column(
        title="Total",
        text=lambda b: _amount(b.total, b.asset),
        order=lambda b: b.total,
        width=90,
        right=True,
        bare=lambda b: words.bare(b.total),
        flash=True,
    ),
    Column(
        title="Worth",
        text=lambda b: words.NONE if b.worth is None else _amount(b.worth, b.unit),
        order=lambda b: b.worth,
        width=100,
        right=True,
        bare=lambda b: words.bare(b.worth),
        tip=lambda b: " ".join(filter(None, (words.NONE if b.worth is None else _amount(b.worth, b.unit), b.own))),
    ),
)


@value
class ProfitRow:
    """What one day, week or grid earned: `begin` is its day number, or its place among the grids."""

    begin: int
    name: str
    profit: Profit


def day_rows(by_day: dict[int, Profit]) -> list[ProfitRow]:
    """Return the days, by their date."""
    return [ProfitRow(day, f"{_EPOCH + timedelta(days=day):%Y-%m-%d %a}", each) for day, each in by_day.items()]


def week_rows(by_week: dict[int, Profit]) -> list[ProfitRow]:
    """Return the weeks, by ISO year and number and their Monday."""
    rows = []
    for monday, each in by_week.items():
        begin = _EPOCH + timedelta(days=monday)
        year, week, _ = begin.isocalendar()
        rows.append(ProfitRow(monday, f"{year}-W{week:02} ({begin:%d %b})", each))
    return rows


def grid_rows(by_grid: dict[str, Profit], names: Iterable[GridName]) -> list[ProfitRow]:
    """Return the grids, by their name and market, the worst first."""
    markets = {str(name.id): str(name.symbol) for name in names}
    worst_first = sorted(by_grid.items(), key=lambda item: item[1].realised)
    return [
        ProfitRow(place, f"{id_} ({markets[id_]})" if id_ in markets else id_ or "of no grid", each)
        for place, (id_, each) in enumerate(worst_first)
    ]


PROFIT_COLUMNS: tuple[Column[ProfitRow], ...] = (
    Column(title="Time or grid", text=lambda p: p.name, order=lambda p: p.begin, width=170),
    Column(
        title="Profit",
        text=lambda p: words.money(p.profit.realised, signed=True),
        order=lambda p: p.profit.realised,
        width=116,
        right=True,
        bare=lambda p: words.bare(p.profit.realised),
        ink=lambda p: ink_of(p.profit.realised),
    ),
    Column(
        title="Round trips",
        text=lambda p: str(p.profit.trips),
        order=lambda p: p.profit.trips,
        width=100,
        right=True,
    ),
    Column(title="Fills", text=lambda p: str(p.profit.fills), order=lambda p: p.profit.fills, width=60, right=True),
)


def _earned(amount: Decimal, asset: str) -> str:
    """Return a profit with the decimals of its currency, so that a column of them is aligned; a tiny one with more."""
    places = places_of_asset(asset)
    return grouped(amount, places if not amount or abs(amount) >= Decimal(1).scaleb(-places) else 8, signed=True)


TRIP_COLUMNS: tuple[Column[TripRow], ...] = (
    Column(
        title="Closed (UTC)",
        text=lambda t: words.moment(t.time),
        order=lambda t: t.time,
        width=152,
        bare=lambda t: words.iso(t.time),
    ),
    Column(title="Grid", text=lambda t: t.grid, order=lambda t: t.grid, width=80),
    Column(
        title="Profit",
        text=lambda t: _earned(t.profit, t.quote),
        order=lambda t: t.profit,
        width=112,
        right=True,
        bare=lambda t: words.bare(t.profit),
        ink=lambda t: ink_of(t.profit),
    ),
    Column(
        title="Quantity",
        text=lambda t: words.quantity(t.quantity),
        order=lambda t: t.quantity,
        width=86,
        right=True,
        bare=lambda t: words.bare(t.quantity),
    ),
    Column(
        title="Bought at",
        text=lambda t: words.price(t.buy_price, None),
        order=lambda t: t.buy_price,
        width=86,
        right=True,
        bare=lambda t: words.bare(t.buy_price),
    ),
    Column(
        title="Sold at",
        text=lambda t: words.price(t.sell_price, None),
        order=lambda t: t.sell_price,
        width=86,
        right=True,
        bare=lambda t: words.bare(t.sell_price),
    ),
    Column(
        title="Held for",
        text=lambda t: words.span(t.time - t.opened),
        order=lambda t: t.time - t.opened,
        width=80,
        right=True,
    ),
)


@value
class EventRow:
    """Money that came or went, or trading that stopped or went on."""

    sequence: int
    time: TimeMs
    what: str
    amount: Decimal | None
    asset: str
    detail: str


def event_rows(transfers: Iterable[TransferRow], stops: Iterable[StopRow]) -> list[EventRow]:
    """Return transfers, stops and releases, oldest first."""
    rows = [EventRow(row.sequence, row.time, _kind(row), row.amount, row.asset, row.id) for row in transfers] + [
        EventRow(row.sequence, row.time, "Stopped" if row.killed else "Released", None, "", row.reason) for row in stops
    ]
    return sorted(rows, key=lambda row: row.sequence)


def _kind(row: TransferRow) -> str:
    if row.id.startswith(("accepted-", "dust-")):
        return "Taken over"
    return "Deposit" if row.amount > ZERO else "Withdrawal"


EVENT_COLUMNS: tuple[Column[EventRow], ...] = (
    Column(
        title="Time (UTC)",
        text=lambda e: words.moment(e.time),
        order=lambda e: e.sequence,
        width=152,
        bare=lambda e: words.iso(e.time),
    ),
    Column(title="What", text=lambda e: e.what, order=lambda e: e.what, width=84),
    Column(
        title="Amount",
        text=lambda e: "" if e.amount is None else f"{words.quantity(e.amount)} {e.asset}",
        order=lambda e: e.amount,
        width=120,
        right=True,
        bare=lambda e: words.bare(e.amount),
    ),
    Column(title="In detail", text=lambda e: e.detail, order=lambda e: e.detail, width=160),
)
