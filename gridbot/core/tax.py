"""Sales against what the coins cost, by FIFO or by average cost, to the last digit: nothing is lost between the rows.

Each market keeps its own coins, in the order in which the books took the trades in. What buys cost includes their fees
in quote; a fee taken in the coin itself makes the coins that came fewer and the ones that went more. Coins that no buy
of gridbot's brought (an opening balance, a deposit) have no cost here, and what was sold of them is told apart; those
that a grid was given when it began have the cost that its user stated.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from decimal import Decimal
from heapq import merge

from gridbot.core.chronicle import FillRow, GivenRow, TransferRow
from gridbot.core.ledger import add, split, subtract
from gridbot.core.units import ZERO, Asset, CostMethod, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.core.values import value


@value
class Disposal:
    """One sale, or the part of it that took one purchase. Money in `quote`; `quantity` in base, with a fee in base.

    `cost` (with the fees of buying) is None for coins that gridbot did not buy, and `acquired` for those and for coins
    that a grid was given. With average cost, `acquired` is that of the first coins since nothing was held.
    """

    time: TimeMs
    symbol: Symbol
    quote: Asset
    trade: TradeId
    quantity: Quantity
    acquired: TimeMs | None
    proceeds: Decimal
    fee: Decimal
    cost: Decimal | None

    @property
    def gain(self) -> Decimal | None:
        """Proceeds less the fee of selling and the cost; None where the cost is not known."""
        return None if self.cost is None else subtract(subtract(self.proceeds, self.fee), self.cost)


@value
class Total:
    """The sums of some disposals in one quote currency."""

    proceeds: Decimal = ZERO
    fee: Decimal = ZERO
    cost: Decimal = ZERO
    gain: Decimal = ZERO


@value
class Holding:
    """What is left of what was bought in a market: `quantity` in base, `cost` in quote."""

    symbol: Symbol
    base: Asset
    quote: Asset
    quantity: Decimal
    cost: Decimal


@value
class TaxYear:
    """A year of disposals. `unknown` are the sums of those whose cost is not known, apart from `totals`.

    `other_fees` were taken in an asset that is neither base nor quote; no gain contains them.
    """

    year: int
    method: CostMethod
    disposals: tuple[Disposal, ...]
    totals: dict[Asset, Total]
    unknown: dict[Asset, Total]
    holdings: tuple[Holding, ...]
    transfers: tuple[TransferRow, ...]
    other_fees: dict[Asset, Decimal]


@value
class _Lot:
    """Coins that were bought together; `time` is None for those that a grid was given."""

    time: TimeMs | None
    quantity: Decimal
    cost: Decimal


class _Pool:
    """What a market's buys brought and its sells have not taken yet."""

    def __init__(self, first: FillRow | GivenRow, method: CostMethod) -> None:
        self._first = first
        self._method = method
        self._lots: deque[_Lot] = deque()

    def bought(self, fill: FillRow) -> None:
        in_base = fill.fee if fill.fee_asset == fill.base else ZERO
        in_quote = fill.fee if fill.fee_asset == fill.quote else ZERO
        self._add(_Lot(fill.time, subtract(fill.quantity, in_base), add(fill.worth, in_quote)))

    def was_given(self, given: GivenRow) -> None:
        self._add(_Lot(None, given.quantity, given.cost))

    def _add(self, lot: _Lot) -> None:
        if self._method is CostMethod.AVERAGE and self._lots:
            held = self._lots.pop()
            lot = _Lot(held.time, add(held.quantity, lot.quantity), add(held.cost, lot.cost))
        self._lots.append(lot)

    def sold(self, fill: FillRow) -> list[Disposal]:
        in_base = fill.fee if fill.fee_asset == fill.base else ZERO
        rest = add(fill.quantity, in_base)
        proceeds, fee = fill.worth, fill.fee if fill.fee_asset == fill.quote else ZERO
        found: list[Disposal] = []
        while rest:
            lot = self._lots.popleft() if self._lots else None
            piece = rest if lot is None else min(rest, lot.quantity)
            cost = None if lot is None else split(lot.cost, part=piece, whole=lot.quantity)
            if lot is not None and cost is not None and piece < lot.quantity:
                self._lots.appendleft(_Lot(lot.time, subtract(lot.quantity, piece), subtract(lot.cost, cost)))
            earned, paid = split(proceeds, part=piece, whole=rest), split(fee, part=piece, whole=rest)
            acquired = None if lot is None else lot.time
            sold = Quantity(piece)
            found.append(Disposal(fill.time, fill.symbol, fill.quote, fill.trade, sold, acquired, earned, paid, cost))
            proceeds, fee, rest = subtract(proceeds, earned), subtract(fee, paid), subtract(rest, piece)
        return found

    def left(self) -> Holding:
        quantity = cost = ZERO
        for lot in self._lots:
            quantity, cost = add(quantity, lot.quantity), add(cost, lot.cost)
        return Holding(self._first.symbol, self._first.base, self._first.quote, quantity, cost)


def tax_year(
    fills: Iterable[FillRow],
    transfers: Iterable[TransferRow],
    *,
    given: Iterable[GivenRow] = (),
    year: int,
    method: CostMethod,
    year_of: Callable[[TimeMs], int],
) -> TaxYear:
    """Return one year; `fills` and `given` are all that there ever were, in the order of the books."""
    pools: dict[Symbol, _Pool] = {}
    disposals: list[Disposal] = []
    other_fees: dict[Asset, Decimal] = {}
    both: tuple[Iterable[FillRow | GivenRow], ...] = (given, fills)
    for row in merge(*both, key=lambda each: each.sequence):
        when = year_of(row.time)
        if when > year:
            continue
        pool = pools.setdefault(row.symbol, _Pool(row, method))
        if isinstance(row, GivenRow):
            pool.was_given(row)
            continue
        if row.fee and when == year and row.fee_asset not in (row.base, row.quote):
            other_fees[row.fee_asset] = add(other_fees.get(row.fee_asset, ZERO), row.fee)
        if row.side is Side.BUY:
            pool.bought(row)
            continue
        sold = pool.sold(row)
        if when == year:
            disposals += sold
    totals: dict[Asset, Total] = {}
    unknown: dict[Asset, Total] = {}
    for each in disposals:
        sums = unknown if each.cost is None else totals
        sums[each.quote] = _with(sums.get(each.quote, Total()), each)
    left = tuple(holding for holding in (pool.left() for pool in pools.values()) if holding.quantity or holding.cost)
    moved = tuple(row for row in transfers if year_of(row.time) == year)
    return TaxYear(year, method, tuple(disposals), totals, unknown, left, moved, other_fees)


def _with(total: Total, disposal: Disposal) -> Total:
    return Total(
        add(total.proceeds, disposal.proceeds),
        add(total.fee, disposal.fee),
        add(total.cost, disposal.cost or ZERO),
        add(total.gain, disposal.gain or ZERO),
    )
