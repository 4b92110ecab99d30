"""What one act did, in the order in which the user is told of it; whoever stores it stores all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum

from gridbot.sandbox.records import Order, TapeTrade, Trade, Transfer


class Execution(StrEnum):
    """Why the user is told of an order."""

    NEW = "NEW"
    TRADE = "TRADE"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"
    TRADE_PREVENTION = "TRADE_PREVENTION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """An order as it was after one thing happened to it, and the trade, if that was one."""

    execution: Execution
    order: Order
    trade: Trade | None = None


@dataclass(slots=True)
class Effect:
    """Everything that one request, or one trade on the market, changed.

    `moved` is what came from outside or went, `transfers` what is told of that.
    """

    reports: list[Report] = field(default_factory=list)
    tape: list[TapeTrade] = field(default_factory=list)
    assets: set[str] = field(default_factory=set)
    moved: dict[str, Decimal] = field(default_factory=dict)
    transfers: list[Transfer] = field(default_factory=list)
    orders: dict[int, Order] = field(default_factory=dict)

    def tell(self, execution: Execution, order: Order, trade: Trade | None = None) -> None:
        """Add what happened to an order, as it stands now."""
        self.orders[order.id] = order
        self.reports.append(Report(execution=execution, order=replace(order), trade=trade))

    @property
    def trades(self) -> list[Trade]:
        """The user's own fills."""
        return [report.trade for report in self.reports if report.trade is not None]
