"""How an incoming order meets the book: a plan of fills in price-time priority, made before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from gridbot.core.units import ZERO, Side
from gridbot.sandbox.market import Level, Market, opposite
from gridbot.sandbox.records import Kind, Order, Prevention, TimeInForce


@dataclass(slots=True)
class Take:
    """The plan of a taker: fills against the crowd as (price, quantity), own orders that give way, and its own end.

    `prevented` says that the taker ends because it met an order of the same account.
    """

    fills: list[tuple[Decimal, Decimal]] = field(default_factory=list)
    gave_way: list[Order] = field(default_factory=list)
    prevented: bool = False

    @property
    def quantity(self) -> Decimal:
        """Base that trades."""
        return sum((quantity for _, quantity in self.fills), ZERO)

    @property
    def cost(self) -> Decimal:
        """Quote that trades."""
        return sum((price * quantity for price, quantity in self.fills), ZERO)


def crosses(order: Order, market: Market) -> bool:
    """Return whether the order would trade at once."""
    best = market.best(opposite(order.side))
    if order.kind is Kind.MARKET or not best:
        return order.kind is Kind.MARKET
    return order.price >= best if order.side is Side.BUY else order.price <= best


def plan_take(order: Order, market: Market) -> Take:
    """Return what `order` takes from the book; a FOK that cannot be filled whole takes nothing."""
    plan = Take()
    rest, budget = order.leaves, order.quote_quantity
    for level in market.levels(opposite(order.side)):
        if order.kind is not Kind.MARKET and not _within(order, level.price):
            break
        for chunk in _queue(level):
            wanted = _wanted(order, market, level.price, rest=rest, budget=budget)
            if wanted <= ZERO:
                return plan
            if isinstance(chunk, Order):
                if order.prevention is not Prevention.EXPIRE_TAKER:
                    plan.gave_way.append(chunk)
                if order.prevention is not Prevention.EXPIRE_MAKER:
                    plan.prevented = True
                    return _whole(order, plan)
                continue
            quantity = min(wanted, chunk)
            plan.fills.append((level.price, quantity))
            rest -= quantity
            budget -= level.price * quantity
    return _whole(order, plan)


def _whole(order: Order, plan: Take) -> Take:
    if order.time_in_force is TimeInForce.FOK and plan.quantity < order.quantity:
        return Take()
    return plan


def _within(order: Order, price: Decimal) -> bool:
    return price <= order.price if order.side is Side.BUY else price >= order.price


def _wanted(order: Order, market: Market, price: Decimal, *, rest: Decimal, budget: Decimal) -> Decimal:
    if order.kind is Kind.MARKET and order.quote_quantity > ZERO:
        return budget // (price * market.rules.lot_size) * market.rules.lot_size
    return rest


def _queue(level: Level) -> Iterator[Decimal | Order]:
    """Yield who stands at one price, the first to trade first: parts of the crowd, and the user's orders."""
    passed = ZERO
    for order in level.own:
        before = min(order.ahead, level.crowd) - passed
        if before > ZERO:
            yield before
            passed += before
        yield order
    if level.crowd > passed:
        yield level.crowd - passed
