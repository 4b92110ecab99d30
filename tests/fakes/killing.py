"""A synchronous venue that answers badly by a seed, and the loop that drives a kill procedure against it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from random import Random

from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import OrderReport
from gridbot.shell.kill_procedure import Answer, Done, Listed, ListOrders, NoAnswer, Request, SendCancel, Steps, Wait

BTC, ETH = Symbol("BTC/USDT"), Symbol("ETH/USDT")


def resting(id_: str, symbol: Symbol = BTC) -> OrderReport:
    ref = OrderRef(GridId("btc"), 1, OrderId(id_))
    price, quantity = Price(Decimal(100)), Quantity(Decimal(1))
    return OrderReport(
        ref, VenueOrderId(f"v-{id_}"), symbol, Side.BUY, price, quantity, Quantity(Decimal(0)), open=True
    )


def cancel_of(report: OrderReport) -> CancelOrder:
    return CancelOrder(report.ref, report.symbol, report.venue_id)


class ShakyVenue:
    """A KillVenue. `lose` of its requests fail, before or after their effect; `late` orders come to rest one by one."""

    def __init__(self, orders: Sequence[OrderReport], *, seed: int = 0, lose: float = 0.0) -> None:
        self.book = {order.ref.id: order for order in orders}
        self.cancelled: list[str] = []
        self.listed: list[Symbol] = []
        self.late: list[OrderReport] = []
        self.away = self.lose_cancels = False
        self._random, self.lose = Random(seed), lose

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        self.listed.append(symbol)
        if self.away or self._random.random() < self.lose:
            raise VenueUnavailable("The exchange is away.")
        found = [order for order in self.book.values() if order.symbol == symbol]
        if self.late:
            order = self.late.pop()
            self.book[order.ref.id] = order
        return found

    def cancel(self, order: CancelOrder) -> None:
        self.cancelled.append(order.ref.id)
        if self.away or self.lose_cancels or self._random.random() < self.lose / 2:
            raise OutcomeUnknown("The request was lost on its way.")
        self.book.pop(order.ref.id, None)
        if self._random.random() < self.lose / 2:
            raise OutcomeUnknown("The answer was lost on its way.")


def answer_to(request: Request, venue: ShakyVenue, *, latch: Answer) -> Answer:
    try:
        match request:
            case ListOrders():
                return Listed(tuple(venue.open_orders(request.symbol)))
            case SendCancel():
                venue.cancel(request.order)
                return Done()
            case Wait():
                return Done()
            case _:
                return latch
    except (OutcomeUnknown, VenueUnavailable) as error:
        return NoAnswer(error.message)


def drive(steps: Steps, venue: ShakyVenue, *, most: int = 5_000, latch: Answer | None = None) -> list[Request]:
    """Answer a procedure's requests until it ends; return them all. More than `most` is a failure."""
    asked = [next(steps)]
    while len(asked) <= most:
        try:
            asked.append(steps.send(answer_to(asked[-1], venue, latch=latch or Done())))
        except StopIteration:
            return asked
    raise AssertionError(f"no end after {most} requests: {asked[-5:]}")
