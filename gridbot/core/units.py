"""The words for quantities and names; every unit is said here once."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import NewType

Price = NewType("Price", Decimal)
"""Quote currency for one unit of base."""
Quantity = NewType("Quantity", Decimal)
"""Units of base currency."""
Money = NewType("Money", Decimal)
"""Units of quote currency."""
TimeMs = NewType("TimeMs", int)
"""Milliseconds since the Unix epoch, UTC."""

GridId = NewType("GridId", str)
Symbol = NewType("Symbol", str)
"""As ccxt writes it: BASE/QUOTE."""
Asset = NewType("Asset", str)
OrderId = NewType("OrderId", str)
"""Ours; also the client id that the venue sees."""
VenueOrderId = NewType("VenueOrderId", str)
TradeId = NewType("TradeId", str)

ZERO = Decimal(0)
ONE = Decimal(1)


class Side(StrEnum):
    """Which way an order trades."""

    BUY = "buy"
    SELL = "sell"


class FeeCurrency(StrEnum):
    """Where the venue takes the fee of a buy."""

    QUOTE = "quote"
    BASE = "base"


class FillRule(StrEnum):
    """When a resting order is taken to be filled by a price path."""

    THROUGH = "through"
    TOUCH = "touch"


class Mode(StrEnum):
    """Which pair of feed and venue the engine runs on."""

    DEMO = "demo"
    DRY = "dry"
    LIVE = "live"


class CostMethod(StrEnum):
    """Which coins a sale takes first, for a tax report."""

    FIFO = "fifo"
    AVERAGE = "average"


def plain_text(number: Decimal) -> str:
    """Return a number as another program reads it: digits and a point, no separators, no trailing zeros."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
