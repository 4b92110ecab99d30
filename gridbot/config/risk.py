"""The account's limits and breakers (execution.md, "Limits and breakers"); a plain number is a breaker's limit."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from gridbot.config.fields import Amount, ConfigModel, Contradiction, Currency, Whole, plain, refuse, wrong
from gridbot.core import rules
from gridbot.core.units import Asset

ONE_HOUR_MS = 3_600_000
EXCHANGE_SPARE = 10
"""So many orders of what an exchange lets rest in a market are left for what a person places by hand."""


class BreakerConfig(ConfigModel):
    """A limit, what happens beyond it, and where to warn before it."""

    limit: Amount = Field(gt=0, description="The breaker trips beyond this.")
    warn: Amount | None = Field(
        default=None, gt=0, description="Beyond this nothing new is bought; null is no warning."
    )
    action: rules.Action = Field(
        default=rules.Action.NO_NEW_BUYS,
        description="What tripping does: deny the order, buy nothing new, or kill.",
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        if self.warn is not None and self.warn >= self.limit:
            reason = f"must be under the limit, which is {plain(self.limit)}; give both, or null for no warning"
            yield Contradiction((("warn",), ("limit",)), plain(self.warn), reason)

    def to_rules(self) -> rules.Breaker:
        """Return the core's value."""
        return rules.Breaker(limit=self.limit, warn=self.warn, action=self.action)


class FractionBreaker(BreakerConfig):
    """A breaker whose figures are fractions."""

    limit: Amount = Field(gt=0, le=1, description="The limit, as a fraction.")


class OrderLimit(FractionBreaker):
    """A figure that each order is held against. What is over it was never sent, so there is nothing to do but deny."""

    def _contradictions(self) -> Iterator[Contradiction]:
        yield from super()._contradictions()
        if self.action is not rules.Action.DENY:
            reason = "must be deny: an order over this figure is not sent, and nothing else is wrong"
            yield Contradiction((("action",),), self.action.value, reason)
        if self.warn is not None:
            reason = "must be null: an order is over this figure or it is not"
            yield Contradiction((("warn",),), plain(self.warn), reason)


class MillisecondsBreaker(BreakerConfig):
    """A breaker whose figures are milliseconds."""

    limit: Amount = Field(gt=0, le=ONE_HOUR_MS, description="The limit, in milliseconds.")


def allowed_orders(wanted: int, exchange_orders: int | None) -> int:
    """Return how many orders may be open in a market: the setting, or what its exchange lets us where that is less."""
    return wanted if exchange_orders is None else min(wanted, max(1, exchange_orders - EXCHANGE_SPARE))


def _fraction(limit: str, *, warn: str | None = None, action: rules.Action = rules.Action.DENY) -> FractionBreaker:
    return FractionBreaker(limit=Decimal(limit), warn=None if warn is None else Decimal(warn), action=action)


def _milliseconds(limit: int) -> MillisecondsBreaker:
    return MillisecondsBreaker(limit=Decimal(limit), action=rules.Action.NO_NEW_BUYS)


_BREAKERS = (
    "max_symbol_exposure",
    "max_total_exposure",
    "max_asset_concentration",
    "max_order_value",
    "max_spread",
    "price_collar",
    "max_quote_age_ms",
    "max_clock_skew_ms",
    "max_drawdown",
    "max_daily_loss",
    "max_var",
    "max_error_rate",
)


class RiskConfig(ConfigModel):
    """Limits and breakers. Fractions are of the account's equity, unless their description says otherwise."""

    equity_asset: Currency | None = Field(
        default=None, description="The currency in which equity is measured; null is the quote currency."
    )
    max_symbol_exposure: FractionBreaker = Field(
        default=_fraction("0.20"),
        description="Coins, resting buys, unresolved orders and the new order of one market, as a fraction of equity.",
    )
    max_total_exposure: FractionBreaker = Field(
        default=_fraction("0.80"), description="The same over all markets, as a fraction of equity."
    )
    max_asset_concentration: FractionBreaker = Field(
        default=_fraction("0.25", action=rules.Action.NO_NEW_BUYS),
        description="Coins of one currency, as a fraction of equity; clears under 0.9 of the limit.",
    )
    min_order_value: Amount | None = Field(
        default=None, ge=0, description="The smallest order, in quote currency; null is the exchange's own minimum."
    )
    max_order_value: OrderLimit = Field(
        default=OrderLimit(limit=Decimal("0.10"), action=rules.Action.DENY),
        description="The largest order, as a fraction of equity.",
    )
    max_open_orders: Whole = Field(
        default=200,
        ge=1,
        le=10_000,
        description="Open orders per market; where the exchange's own cap less 10 is lower, that counts.",
    )
    max_creates_per_10s: Whole = Field(
        default=20, ge=1, le=10_000, description="New orders in any 10 seconds; more of them wait."
    )
    max_spread: FractionBreaker = Field(
        default=_fraction("0.005"), description="Ask less bid, as a fraction of their middle; beyond it no buy."
    )
    price_collar: OrderLimit = Field(
        default=OrderLimit(limit=Decimal("0.02"), action=rules.Action.DENY),
        description="How far a price may lie beyond the middle on the crossing side, as a fraction of it.",
    )
    max_quote_age_ms: MillisecondsBreaker = Field(
        default=_milliseconds(15_000), description="How old the live price may be, in milliseconds."
    )
    max_clock_skew_ms: MillisecondsBreaker = Field(
        default=_milliseconds(1_000), description="How far this clock may be from the exchange's, in milliseconds."
    )
    max_drawdown: FractionBreaker = Field(
        default=_fraction("0.20", warn="0.10", action=rules.Action.KILL),
        description="Equity under its peak, as a fraction of the peak.",
    )
    max_daily_loss: FractionBreaker = Field(
        default=_fraction("0.05", warn="0.03", action=rules.Action.KILL),
        description="Equity lost since 00:00 UTC, as a fraction.",
    )
    max_var: FractionBreaker = Field(
        default=_fraction("0.05", action=rules.Action.NO_NEW_BUYS),
        description="Value at risk, 95 %, one day, from at least 30 days of equity, as a fraction.",
    )
    max_error_rate: FractionBreaker = Field(
        default=_fraction("0.20", action=rules.Action.NO_NEW_BUYS),
        description="Failed requests of all in 60 seconds (10 at least), as a fraction.",
    )

    @field_validator(*_BREAKERS, mode="before")
    @classmethod
    def _filled_in(cls, raw: Any, info: ValidationInfo) -> Any:
        """Return the breaker with what the file leaves out taken from its default."""
        if isinstance(raw, BreakerConfig):
            return raw
        default: BreakerConfig = cls.model_fields[info.field_name or ""].default
        if isinstance(raw, dict):
            return {**default.model_dump(), **raw}
        if isinstance(raw, (str, int, float, Decimal)) and not isinstance(raw, bool):
            return {**default.model_dump(), "limit": raw}
        raise wrong('must be a number, or an object such as {"limit": "0.20", "warn": "0.10", "action": "kill"}')

    def to_rules(self, *, exchange_orders: int | None = None) -> rules.RiskRules:
        """Return the core's value; `exchange_orders` is the exchange's own cap of a market, if it tells one."""
        return rules.RiskRules(
            equity_asset=None if self.equity_asset is None else Asset(self.equity_asset),
            max_symbol_exposure=self.max_symbol_exposure.to_rules(),
            max_total_exposure=self.max_total_exposure.to_rules(),
            max_asset_concentration=self.max_asset_concentration.to_rules(),
            min_order_value=self.min_order_value,
            max_order_value=self.max_order_value.to_rules(),
            max_open_orders=allowed_orders(self.max_open_orders, exchange_orders),
            max_creates_per_10s=self.max_creates_per_10s,
            max_spread=self.max_spread.to_rules(),
            price_collar=self.price_collar.to_rules(),
            max_quote_age_ms=self.max_quote_age_ms.to_rules(),
            max_clock_skew_ms=self.max_clock_skew_ms.to_rules(),
            max_drawdown=self.max_drawdown.to_rules(),
            max_daily_loss=self.max_daily_loss.to_rules(),
            max_var=self.max_var.to_rules(),
            max_error_rate=self.max_error_rate.to_rules(),
        )
