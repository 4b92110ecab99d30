"""What of the past is worth a row: fills, round trips, transfers, stops, and now and then the account's worth.

One event and the states around it give its rows, and nothing else does, so that the same journal always gives the same
history. Amounts are the very ones that the books moved by: summed up, they are the books again.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from gridbot.core.commands import FillBooked, KillChanged, Note, RoundTripClosed
from gridbot.core.events import Event, Marked, OrderFilled, Transferred
from gridbot.core.ledger import Account, Accounts, multiply, subtract
from gridbot.core.state import State
from gridbot.core.units import ZERO, Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.core.values import value

MINUTE_MS = 60_000


@value
class FillRow:
    """One trade of an order of ours. `realised` (quote) is what the grid's profit changed by.

    `grid` is "" for a trade that came when its grid was gone: the account has it, no grid does.
    """

    sequence: int
    time: TimeMs
    grid: GridId
    symbol: Symbol
    base: Asset
    quote: Asset
    cell: int
    order: OrderId
    trade: TradeId
    side: Side
    price: Price
    quantity: Quantity
    fee: Decimal
    fee_asset: Asset
    taker: bool
    realised: Decimal

    @property
    def worth(self) -> Decimal:
        """Price times quantity, in quote, before fees."""
        return multiply(self.price, self.quantity)


@value
class TripRow:
    """A lot that was bought and sold to the end. `profit` in `quote` after quote fees, `quantity` in base."""

    sequence: int
    time: TimeMs
    grid: GridId
    symbol: Symbol
    quote: Asset
    cell: int
    slot: int
    opened: TimeMs
    buy_price: Price
    sell_price: Price
    quantity: Quantity
    profit: Decimal


@value
class TransferRow:
    """A deposit (positive), a withdrawal, or a difference that the books took over from the exchange.

    `worth` is what it changed the account's worth by, in the asset that this is measured in; None where no price told.
    """

    sequence: int
    time: TimeMs
    id: str
    asset: Asset
    amount: Decimal
    worth: Decimal | None


@value
class GivenRow:
    """Coins that the user gave a grid when it began: `quantity` in base, `cost` in quote as he stated it."""

    sequence: int
    time: TimeMs
    grid: GridId
    symbol: Symbol
    base: Asset
    quote: Asset
    quantity: Decimal
    cost: Decimal


@value
class SampleRow:
    """What the account was worth at the end of a minute, or at the newest mark in it.

    `scope` names the assets that counted: where another comes in, worth jumps without a profit.
    """

    minute: int
    sequence: int
    time: TimeMs
    equity: Decimal
    asset: Asset
    scope: str


@value
class StopRow:
    """Trading was stopped (`killed`), or released by a person."""

    sequence: int
    time: TimeMs
    killed: bool
    kind: str
    reason: str


@value
class Rows:
    """The rows of some events, each kind in order."""

    fills: tuple[FillRow, ...] = ()
    trips: tuple[TripRow, ...] = ()
    transfers: tuple[TransferRow, ...] = ()
    samples: tuple[SampleRow, ...] = ()
    stops: tuple[StopRow, ...] = ()
    given: tuple[GivenRow, ...] = ()


class Chronicle:
    """Collects the rows of events that follow each other."""

    def __init__(self) -> None:
        self._fills: list[FillRow] = []
        self._trips: list[TripRow] = []
        self._transfers: list[TransferRow] = []
        self._samples: dict[int, SampleRow] = {}
        self._stops: list[StopRow] = []
        self._given: list[GivenRow] = []

    def take(self, sequence: int, event: Event, before: State, after: State, notes: Sequence[Note]) -> None:
        """Take one event, the states around it and the notes that it left."""
        if isinstance(event, OrderFilled):
            self._take_fill(sequence, event, before, after, notes)
        elif isinstance(event, Transferred):
            self._take_transfer(sequence, event, before, after)
        if after.grids is not before.grids:
            self._take_given(sequence, event.time, before, after)
        for note in notes:
            if isinstance(note, KillChanged):
                self._stops.append(StopRow(sequence, note.time, note.killed, note.kind.value, note.reason))
        if isinstance(event, Marked | Transferred) and after.risk.equity is not None:
            self._measure(sequence, event.time, after)

    def rows(self) -> Rows:
        """Return what was collected."""
        samples = tuple(self._samples.values())
        fills, trips, transfers = tuple(self._fills), tuple(self._trips), tuple(self._transfers)
        return Rows(fills, trips, transfers, samples, tuple(self._stops), tuple(self._given))

    def _take_fill(self, sequence: int, event: OrderFilled, before: State, after: State, notes: Sequence[Note]) -> None:
        booked = next((note for note in notes if isinstance(note, FillBooked)), None)
        if booked is None:
            self._take_stray(sequence, event, before, after)
            return
        grid = after.grids[booked.grid]
        instrument = grid.instrument
        if instrument is None:
            raise ValueError(f"grid {booked.grid} traded without an instrument")
        realised = subtract(grid.tally.realised, before.grids[booked.grid].tally.realised)
        self._fills.append(
            FillRow(
                sequence,
                booked.time,
                booked.grid,
                instrument.symbol,
                instrument.base,
                instrument.quote,
                booked.cell,
                booked.order,
                booked.trade,
                booked.side,
                booked.price,
                booked.quantity,
                booked.fee,
                booked.fee_asset,
                booked.taker,
                realised,
            )
        )
        for note in notes:
            if isinstance(note, RoundTripClosed):
                self._trips.append(
                    TripRow(
                        sequence,
                        note.time,
                        note.grid,
                        instrument.symbol,
                        instrument.quote,
                        note.cell,
                        note.slot,
                        note.opened,
                        note.buy_price,
                        note.sell_price,
                        note.quantity,
                        note.profit,
                    )
                )

    def _take_stray(self, sequence: int, event: OrderFilled, before: State, after: State) -> None:
        """A trade whose grid is gone moves the account all the same; one that was known moves nothing."""
        retired, instrument = before.retired.get(event.ref.id), before.instruments.get(event.symbol)
        if after.accounts == before.accounts or retired is None or instrument is None:
            return
        self._fills.append(
            FillRow(
                sequence,
                event.time,
                GridId(""),
                event.symbol,
                instrument.base,
                instrument.quote,
                event.ref.cell,
                event.ref.id,
                event.trade_id,
                retired.order.side,
                event.price,
                event.quantity,
                event.fee,
                event.fee_asset,
                retired.order.taker,
                ZERO,
            )
        )

    def _take_transfer(self, sequence: int, event: Transferred, before: State, after: State) -> None:
        if not event.amount or after.accounts == before.accounts:
            return
        was, now = before.risk.equity, after.risk.equity
        worth = None if was is None or now is None or now == was else now - was
        self._transfers.append(TransferRow(sequence, event.time, event.id, event.asset, event.amount, worth))

    def _take_given(self, sequence: int, time: TimeMs, before: State, after: State) -> None:
        for id_, grid in after.grids.items():
            old, instrument = before.grids.get(id_), grid.instrument
            if old is None or instrument is None or grid.tally.contributed == old.tally.contributed:
                continue
            quantity = subtract(grid.tally.inventory, old.tally.inventory)
            cost = subtract(grid.tally.contributed, old.tally.contributed)
            self._given.append(
                GivenRow(sequence, time, id_, instrument.symbol, instrument.base, instrument.quote, quantity, cost)
            )

    def _measure(self, sequence: int, time: TimeMs, state: State) -> None:
        asset, equity = _measured_in(state), state.risk.equity
        if asset is None or equity is None:
            return
        counted = {name for each in state.instruments.values() for name in (each.base, each.quote)}
        minute = time // MINUTE_MS
        self._samples[minute] = SampleRow(minute, sequence, time, equity, asset, ",".join(sorted(counted)))


def _measured_in(state: State) -> Asset | None:
    """Return the asset that the account's worth is in: the configured one, else the quote of the first grid."""
    if state.rules.risk is not None and state.rules.risk.equity_asset is not None:
        return state.rules.risk.equity_asset
    return next((grid.instrument.quote for grid in state.grids.values() if grid.instrument is not None), None)


def unaccounted(rows: Rows, before: Accounts, after: Accounts) -> tuple[Asset, ...]:
    """Return the assets that moved otherwise between two moments than the rows of that time say; there must be none."""
    told = dict(before)

    def book(asset: Asset, *, traded: Decimal = ZERO, fee: Decimal = ZERO, transferred: Decimal = ZERO) -> None:
        told[asset] = told.get(asset, Account()).moved(traded=traded, fee=fee, transferred=transferred)

    for fill in rows.fills:
        buying = fill.side is Side.BUY
        book(fill.base, traded=fill.quantity if buying else -fill.quantity)
        book(fill.quote, traded=-fill.worth if buying else fill.worth)
        if fill.fee:
            book(fill.fee_asset, fee=fill.fee)
    for row in rows.transfers:
        book(row.asset, transferred=row.amount)
    return tuple(asset for asset in sorted({*told, *after}) if _movements(told, asset) != _movements(after, asset))


def _movements(accounts: Accounts, asset: Asset) -> tuple[Decimal, Decimal, Decimal]:
    account = accounts.get(asset, Account())
    return account.traded, account.fees, account.transferred
