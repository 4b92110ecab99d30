"""One grid of the configuration file (strategy section 10) and how it becomes the core's rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from gridbot.config.fields import (
    Amount,
    ConfigModel,
    Contradiction,
    Market,
    Name,
    PolicyCell,
    Real,
    Switch,
    Timeframe,
    Whole,
    refuse,
)
from gridbot.core import rules
from gridbot.core.candles import timeframe_ms
from gridbot.core.units import Asset, FeeCurrency, GridId, Price, Quantity, Symbol


class SpacingConfig(ConfigModel):
    """How far apart the slots lie."""

    mode: rules.SpacingMode = Field(
        default=rules.SpacingMode.ATR,
        description="What the distance between slots is measured by: the market's ATR, a fraction of the price, "
        "or an absolute amount.",
    )
    multiplier: Amount = Field(
        default=Decimal("1.0"), gt=0, le=1000, description="With mode atr: how many ATR lie between two slots."
    )
    fraction: Amount = Field(
        default=Decimal("0.02"),
        gt=0,
        lt=1,
        description="With mode fraction: the distance between slots as a fraction of the anchor price (0.02 is 2 %).",
    )
    absolute: Amount | None = Field(
        default=None, gt=0, description="With mode absolute: the distance between slots, in quote currency."
    )
    progression: rules.Progression = Field(
        default=rules.Progression.ARITHMETIC,
        description="Slots a constant amount apart (arithmetic) or a constant ratio apart (geometric).",
    )
    min_profit: Amount = Field(
        default=Decimal("0.001"),
        ge=0,
        le=1,
        description="The smallest net profit of one round trip, both fees paid, as a fraction of its cost. "
        "The distance between slots is never under what earns it.",
    )
    respace: Amount = Field(
        default=Decimal("0.25"),
        ge=0,
        le=1_000_000,
        description="The slots are laid anew when the market's spacing differs from theirs by more than this fraction.",
    )
    trail_down: Switch = Field(
        default=False, description="Whether the slots also follow the price down while a cell is free."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        if self.mode is rules.SpacingMode.ABSOLUTE and self.absolute is None:
            reason = "must be given, because spacing.mode is absolute"
            yield Contradiction((("absolute",), ("mode",)), "null", reason)

    def to_rules(self) -> rules.SpacingRules:
        """Return the core's value."""
        return rules.SpacingRules(
            mode=self.mode,
            multiplier=self.multiplier,
            fraction=self.fraction,
            absolute=self.absolute,
            progression=self.progression,
            min_profit=self.min_profit,
            respace=self.respace,
            trail_down=self.trail_down,
        )


class SignalConfig(ConfigModel):
    """Where the volatility is read."""

    timeframe: Timeframe = Field(default="4h", description="The bars in which the ATR is read.")
    atr_period: Whole = Field(default=14, ge=1, le=1000, description="The ATR's period, in bars.")
    spike_multiple: Real = Field(
        default=1.5,
        gt=0,
        le=1_000_000,
        description="A spike is an ATR above this many times the mean of its last 30 values.",
    )
    atr_jump: Real = Field(
        default=0.30,
        gt=0,
        le=1_000_000,
        description="The circuit breaker: buying stops when the ATR changes by more than this fraction in one bar.",
    )
    exchange: Name | None = Field(
        default=None, description="Read the ATR on this other exchange; null is the one that is traded on."
    )
    symbol: Market | None = Field(
        default=None, description="Read the ATR of this other market; null is the grid's own market."
    )

    def to_rules(self) -> rules.SignalRules:
        """Return the core's value; the timeframe in ms."""
        return rules.SignalRules(
            timeframe=timeframe_ms(self.timeframe),
            atr_period=self.atr_period,
            spike_multiple=self.spike_multiple,
            atr_jump=self.atr_jump,
            exchange=self.exchange,
            symbol=None if self.symbol is None else Symbol(self.symbol),
        )


def _last_slot(cell: int | Literal["half"] | None) -> int | None:
    return rules.HALF if cell == "half" else cell


class NeutralRow(ConfigModel):
    """The last slot that may be bought while there is no trend."""

    calm: PolicyCell = Field(default=None, description="The last slot bought with no trend and no spike; null is all.")
    spike: PolicyCell = Field(default=None, description="The last slot bought with no trend in a spike; null is all.")


class UpRow(ConfigModel):
    """The last slot that may be bought in an upward trend."""

    calm: PolicyCell = Field(default=None, description="The last slot bought in an upward trend; null is all.")
    spike: PolicyCell = Field(
        default=2, description="The last slot bought in an upward trend with a spike; null is all."
    )


class DownRow(ConfigModel):
    """The last slot that may be bought in a downward trend."""

    calm: PolicyCell = Field(
        default="half",
        description="The last slot bought in a downward trend; null is all, half is half of the levels.",
    )
    spike: PolicyCell = Field(
        default=0, description="The last slot bought in a downward trend with a spike; 0 is none."
    )


class PolicyConfig(ConfigModel):
    """Which slots may be bought, by trend and volatility (strategy section 3)."""

    neutral: NeutralRow = Field(default=NeutralRow(), description="With no trend.")
    up: UpRow = Field(default=UpRow(), description="In an upward trend.")
    down: DownRow = Field(default=DownRow(), description="In a downward trend.")


class TrendConfig(ConfigModel):
    """Where the trend is read, and what may be bought in it."""

    timeframe: Timeframe = Field(default="4h", description="The bars in which the two averages are read.")
    ema_fast: Whole = Field(default=20, ge=1, le=5000, description="The fast average's period, in bars.")
    ema_slow: Whole = Field(default=50, ge=2, le=5000, description="The slow average's period, in bars.")
    threshold: Real = Field(
        default=0.01,
        ge=0,
        lt=1,
        description="There is a trend when the fast average is more than this fraction above or below the slow one.",
    )
    down_trend_buys: Whole | None = Field(
        default=None,
        ge=0,
        le=200,
        description="A short way to set policy.down.calm: the last slot bought in a downward trend. "
        "null is half of the levels.",
    )
    policy: PolicyConfig = Field(
        default=PolicyConfig(), description="The last slot that may be bought, by trend and volatility."
    )

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        refuse(self._contradictions())
        return self

    def _contradictions(self) -> Iterator[Contradiction]:
        if self.ema_fast >= self.ema_slow:
            reason = f"must be smaller than ema_slow, which is {self.ema_slow}"
            yield Contradiction((("ema_fast",), ("ema_slow",)), str(self.ema_fast), reason)
        explicit = "calm" in self.policy.down.model_fields_set
        if self.down_trend_buys is not None and explicit and self.policy.down.calm != self.down_trend_buys:
            reason = f"says something else than policy.down.calm, which is {json.dumps(self.policy.down.calm)}"
            paths = (("down_trend_buys",), ("policy", "down", "calm"))
            yield Contradiction(paths, str(self.down_trend_buys), f"{reason}; give one of the two")

    def to_rules(self) -> rules.TrendRules:
        """Return the core's value; the timeframe in ms."""
        policy, calm = self.policy, self.policy.down.calm
        if self.down_trend_buys is not None:
            calm = self.down_trend_buys
        return rules.TrendRules(
            timeframe=timeframe_ms(self.timeframe),
            ema_fast=self.ema_fast,
            ema_slow=self.ema_slow,
            threshold=self.threshold,
            policy=rules.Policy(
                neutral=rules.PolicyRow(_last_slot(policy.neutral.calm), _last_slot(policy.neutral.spike)),
                up=rules.PolicyRow(_last_slot(policy.up.calm), _last_slot(policy.up.spike)),
                down=rules.PolicyRow(_last_slot(calm), _last_slot(policy.down.spike)),
            ),
        )


class InstrumentConfig(ConfigModel):
    """What the venue accepts. Needed only where no exchange can be asked, in a backtest on a file."""

    tick_size: Amount = Field(default=Decimal("0.01"), gt=0, description="The step of prices, in quote currency.")
    lot_size: Amount = Field(default=Decimal("0.00001"), gt=0, description="The step of quantities, in base currency.")
    min_qty: Amount = Field(default=Decimal("0.00001"), ge=0, description="The smallest quantity, in base currency.")
    min_notional: Amount = Field(
        default=Decimal("5"), ge=0, description="The smallest value of an order, in quote currency."
    )
    maker_fee: Amount = Field(
        default=Decimal("0.001"), ge=0, lt=Decimal("0.5"), description="The fee of a resting order, as a fraction."
    )
    taker_fee: Amount = Field(
        default=Decimal("0.001"),
        ge=0,
        lt=Decimal("0.5"),
        description="The fee of an order that trades at once, as a fraction.",
    )
    fee_currency: FeeCurrency = Field(
        default=FeeCurrency.QUOTE, description="Whether the fee of a buy is taken in quote or in base currency."
    )

    def to_rules(self, symbol: Symbol) -> rules.Instrument:
        """Return the core's value for the market `symbol`, which is BASE/QUOTE."""
        base, quote = symbol.split("/")
        return rules.Instrument(
            symbol=symbol,
            base=Asset(base),
            quote=Asset(quote),
            tick_size=self.tick_size,
            lot_size=self.lot_size,
            min_qty=self.min_qty,
            min_notional=self.min_notional,
            maker_fee=self.maker_fee,
            taker_fee=self.taker_fee,
            fee_currency=self.fee_currency,
        )


class HeldConfig(ConfigModel):
    """Coins that the user already has and gives to the grid."""

    quantity: Amount = Field(gt=0, description="Coins that you already have and give to the grid, in base currency.")
    cost: Amount = Field(gt=0, description="What all of these coins cost you, in quote currency.")


class GridConfig(ConfigModel):
    """One grid. Only `symbol` and `investment` must be given."""

    id: Name = Field(
        default="",
        description="The grid's name, unique in the file.",
        json_schema_extra={"default_text": "the symbol in lower case with a dash"},
    )
    enabled: Switch = Field(default=True, description="false pauses the grid: it buys nothing, its sells stay.")
    sell_only: Switch = Field(
        default=False,
        description="true buys no more, keeps the sells, and stops when all is sold. A paused grid stays paused.",
    )
    symbol: Market = Field(description="The market, as BASE/QUOTE.")
    levels: Whole = Field(default=10, ge=1, le=200, description="How many cells the investment is divided into.")
    investment: Amount = Field(gt=0, description="The most that the grid may ever tie up, fees included, in quote.")
    take_profit: Amount = Field(
        default=Decimal("1.0"), gt=0, le=1000, description="How many spacings above its buy each cell sells."
    )
    spacing: SpacingConfig = Field(default=SpacingConfig(), description="How far apart the slots lie.")
    signal: SignalConfig = Field(default=SignalConfig(), description="Where the volatility is read.")
    trend: TrendConfig = Field(default=TrendConfig(), description="Where the trend is read.")
    stop_loss: Amount | None = Field(
        default=None,
        gt=0,
        le=1,
        description="Sell everything and stop at a total loss of this fraction of the investment; null is never.",
    )
    take_profit_total: Amount | None = Field(
        default=None,
        gt=0,
        le=1_000_000,
        description="Sell everything and stop at a total profit of this fraction of the investment; null is never.",
    )
    trigger_price: Amount | None = Field(
        default=None, gt=0, description="Wait until the price first touches this, in quote currency; null is at once."
    )
    held: HeldConfig | None = Field(default=None, description="Coins that you already have; null is none.")
    reinvest: Switch = Field(
        default=False,
        description="true lays out what the grid has earned as well: each new laying divides the investment and the "
        "grid profit so far among the cells. What rests or is held already stays as large as it is.",
    )
    instrument: InstrumentConfig | None = Field(
        default=None,
        description="What the venue accepts. Needed only for a backtest on a file; otherwise the exchange is asked.",
    )

    @model_validator(mode="before")
    @classmethod
    def _named(cls, data: Any) -> Any:
        """Give a grid without an id the one that follows from its symbol."""
        if isinstance(data, dict) and data.get("id") is None and isinstance(data.get("symbol"), str):
            return {**data, "id": id_of_symbol(data["symbol"])}
        return data

    def to_rules(self) -> rules.GridRules:
        """Return the core's value."""
        symbol = Symbol(self.symbol)
        held = self.held
        return rules.GridRules(
            id=GridId(self.id),
            symbol=symbol,
            investment=self.investment,
            levels=self.levels,
            wish=self._wish(),
            take_profit=self.take_profit,
            spacing=self.spacing.to_rules(),
            signal=self.signal.to_rules(),
            trend=self.trend.to_rules(),
            stop_loss=self.stop_loss,
            take_profit_total=self.take_profit_total,
            trigger_price=None if self.trigger_price is None else Price(self.trigger_price),
            held=None if held is None else rules.HeldCoins(Quantity(held.quantity), held.cost),
            instrument=None if self.instrument is None else self.instrument.to_rules(symbol),
            reinvest=self.reinvest,
        )

    def _wish(self) -> rules.Wish:
        if not self.enabled:
            return rules.Wish.PAUSE
        return rules.Wish.SELL_ONLY if self.sell_only else rules.Wish.RUN

    def to_data(self) -> dict[str, Any]:
        """Return the grid as plain JSON values, amounts as text; a policy at its default is left out.

        Written out, its down/calm would contradict the `down_trend_buys` that somebody adds by hand.
        """
        data = self.model_dump(mode="json")
        policy = self.trend.policy
        if policy.down.calm == DownRow().calm:
            del data["trend"]["policy"]["down"]["calm"]
        if policy == PolicyConfig():
            del data["trend"]["policy"]
        return data

    def to_json(self) -> str:
        """Return the grid as canonical JSON that reads back as an equal grid."""
        return json.dumps(self.to_data(), indent=2, ensure_ascii=False) + "\n"


def id_of_symbol(symbol: str) -> str:
    """Return the id of a grid that was given none: BTC/USDT is btc-usdt."""
    return re.sub(r"[^a-z0-9-]", "", symbol.lower().replace("/", "-"))[:40]
