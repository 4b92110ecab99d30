"""The whole configuration file of the application (execution.md, "Configuration of the application")."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from enum import Enum
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gridbot.config.fields import (
    Address,
    Amount,
    ConfigModel,
    Contradiction,
    Currency,
    Name,
    SecretName,
    Switch,
    Whole,
    refuse,
)
from gridbot.config.grid import GridConfig, id_of_symbol
from gridbot.config.risk import RiskConfig
from gridbot.core import rules
from gridbot.core.units import Mode

SCHEMA = 1
"""The newest form of the file that this program knows."""


class Notice(Enum):
    """What a notification may be sent about."""

    FILL = "fill"
    ROUND_TRIP = "round_trip"
    BREAKER = "breaker"
    KILL = "kill"
    UNKNOWN = "unknown"
    ERROR = "error"
    IDLE = "idle"


class ExchangeConfig(ConfigModel):
    """Where the grids trade."""

    id: Name = Field(default="binance", description="The exchange, by its ccxt name, or firi.")
    base_url: Address | None = Field(
        default=None, description="Another address of the exchange's API; null is the usual one."
    )
    fee: Amount | None = Field(
        default=None,
        ge=0,
        lt=Decimal("0.1"),
        description="The fee as a fraction of what is traded (0.005 is half a percent), for an exchange that does not "
        "tell it: firi. null is what it published last, 0.005.",
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.fee is not None and self.id != "firi":
            reason = f"is for firi, which does not tell its fee; {self.id} tells what your account pays"
            refuse([Contradiction((("fee",), ("id",)), json.dumps(str(self.fee)), reason, "null")])
        return self


class OrdersConfig(ConfigModel):
    """How orders are sent."""

    max_order_age_h: Amount | None = Field(
        default=None, gt=0, le=87_600, description="Place an order anew after this many hours; null is never."
    )
    dead_man_s: Whole | None = Field(
        default=None,
        ge=15,
        le=3_600,
        description="Let the exchange cancel every order of the account, also those that are not gridbot's, when it "
        "has heard nothing of gridbot for so many seconds (live, where the exchange has such a timer); null is never.",
    )
    post_only: Switch = Field(
        default=True, description="Refuse to trade at once, so that every grid order pays the maker's fee."
    )


class DemoConfig(ConfigModel):
    """The generated market that needs no exchange."""

    seed: Whole = Field(default=7, ge=0, le=2**63 - 1, description="The same seed gives the same market.")
    speed: Whole = Field(default=600, ge=1, le=1_000_000, description="How many times faster than real time it runs.")
    equity: Amount = Field(default=Decimal("50000"), gt=0, description="The account's money at the start, in quote.")
    candles: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="A file of candles or of trades, Parquet or CSV, to replay instead of the generated market; its "
        "columns tell which. It is taken for the market of the first grid.",
    )


class LoggingConfig(ConfigModel):
    """What is written to the log files, and how long it is kept."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="The least important entries that are written."
    )
    rotate_mb: Whole = Field(default=50, ge=1, le=10_000, description="Begin a new file at this size, in megabytes.")
    keep_days: Whole = Field(default=30, ge=1, le=36_500, description="Delete log files older than this many days.")


class NotificationsConfig(ConfigModel):
    """Who is told what."""

    urls_secret: SecretName | None = Field(
        default=None, description="The name of the stored secret that holds the notification addresses; null is none."
    )
    events: tuple[Notice, ...] = Field(default=tuple(Notice), description="What is worth a notification.")

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        repeated = {event.value for event in self.events if self.events.count(event) > 1}
        reason = "must name each event once"
        refuse(Contradiction((("events",),), name, reason) for name in sorted(repeated))
        return self


class AppConfig(ConfigModel):
    """The configuration file."""

    schema_version: Whole = Field(
        default=SCHEMA, alias="schema", ge=1, le=SCHEMA, description="The form of this file; leave it as it is."
    )
    mode: Mode = Field(
        default=Mode.DEMO,
        description="demo: a generated market. dry: the real market, orders only simulated. live: real orders.",
    )
    account: Name = Field(default="default", description="The account's name; each keeps its state in its own folder.")
    exchange: ExchangeConfig = Field(default=ExchangeConfig(), description="Where the grids trade.")
    grids: tuple[GridConfig, ...] = Field(default=(), description="The grids.")
    risk: RiskConfig = Field(default=RiskConfig(), description="Limits and breakers of the account.")
    orders: OrdersConfig = Field(default=OrdersConfig(), description="How orders are sent.")
    demo: DemoConfig = Field(default=DemoConfig(), description="The generated market.")
    logging: LoggingConfig = Field(default=LoggingConfig(), description="The log files.")
    notifications: NotificationsConfig = Field(default=NotificationsConfig(), description="Who is told what.")
    heartbeat_url_secret: SecretName | None = Field(
        default=None, description="The name of the stored secret that holds an address to call while all is well."
    )
    new_grid: Literal["balanced", "classic", "wide"] = Field(
        default="balanced", description="What a new grid begins with: one of the three presets."
    )
    account_currency: Currency | None = Field(
        default=None,
        description="A currency of your own, such as NOK or EUR: money is shown in it "
        "too, by the exchange's own markets; null is none.",
    )
    update_address: Address | None = Field(
        default=None,
        description="An address that tells the newest version of gridbot, asked once a day; null asks nobody.",
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        first: dict[str, int] = {}
        for index, grid in enumerate(self.grids):
            # Ids name files and notes; some file systems do not tell capitals from small letters.
            earlier = first.setdefault(grid.id.lower(), index)
            if earlier == index:
                continue
            involved: list[tuple[str | int, ...]] = [("grids", index, "id"), ("grids", earlier, "id")]
            for place in (index, earlier):
                if self.grids[place].id == id_of_symbol(self.grids[place].symbol):
                    involved.append(("grids", place, "symbol"))
            reason = f"is the id of grids[{earlier}] too; give each grid an id of its own"
            yield Contradiction(tuple(involved), json.dumps(grid.id), reason, f"{grid.id}-{index + 1}")

    def grid(self, grid_id: str) -> GridConfig | None:
        """Return the grid of this id, or None."""
        return next((grid for grid in self.grids if grid.id == grid_id), None)

    def to_rules(self, *, exchange_orders: int | None = None) -> rules.Rules:
        """Return what the engine works by, the account's limits always included.

        `exchange_orders` is the exchange's own cap on the open orders of a market, None where it tells none.
        """
        age_h = self.orders.max_order_age_h
        return rules.Rules(
            mode=self.mode,
            grids=tuple(grid.to_rules() for grid in self.grids),
            risk=self.risk.to_rules(exchange_orders=exchange_orders),
            post_only=self.orders.post_only,
            max_order_age_ms=None if age_h is None else int((age_h * 3_600_000).to_integral_value()),
        )

    def to_data(self) -> dict[str, Any]:
        """Return the configuration as plain JSON values, amounts as text; of a grid, see `GridConfig.to_data`."""
        data = self.model_dump(mode="json", by_alias=True)
        data["grids"] = [grid.to_data() for grid in self.grids]
        return data

    def to_json(self) -> str:
        """Return the configuration as canonical JSON that reads back as an equal one."""
        return json.dumps(self.to_data(), indent=2, ensure_ascii=False) + "\n"
