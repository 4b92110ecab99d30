"""By how much books and account are apart after an older copy was put back: the trades that no journal knows."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderFilled
from gridbot.core.rules import Instrument
from gridbot.core.units import Side


def moved(trades: Iterable[tuple[OrderFilled, PlaceLimit, Instrument]]) -> dict[str, Decimal]:
    """Return what these trades moved, by asset."""
    sums: dict[str, Decimal] = {}
    for trade, order, instrument in trades:
        way = 1 if order.side is Side.BUY else -1
        for asset, amount in (
            (instrument.base, way * trade.quantity),
            (instrument.quote, -way * trade.quantity * trade.price),
            (trade.fee_asset, -trade.fee),
        ):
            sums[asset] = sums.get(asset, Decimal(0)) + amount
    return sums
