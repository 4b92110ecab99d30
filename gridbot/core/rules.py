"""What the user wants, as values that the engine works by. Validation of a file is config.py's; these are its result.

Names and defaults are those of GRID_STRATEGY.md ("Every setting") and of the configuration file.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from gridbot.core.units import ZERO, Asset, FeeCurrency, GridId, Mode, Price, Quantity, Symbol
from gridbot.core.values import value


class SpacingMode(StrEnum):
    """What the distance between slots is measured by."""

    ATR = "atr"
    FRACTION = "fraction"
    ABSOLUTE = "absolute"


class Progression(StrEnum):
    """Whether slots are a constant amount or a constant ratio apart."""

    ARITHMETIC = "arithmetic"
    GEOMETRIC = "geometric"


class Action(StrEnum):
    """What a breaker does when it trips."""

    DENY = "deny"
    NO_NEW_BUYS = "no_new_buys"
    KILL = "kill"


@value
class Instrument:
    """What the venue accepts for one market. Fees are fractions of the traded value."""

    symbol: Symbol
    base: Asset
    quote: Asset
    tick_size: Decimal
    lot_size: Decimal
    min_qty: Decimal
    min_notional: Decimal
    maker_fee: Decimal
    taker_fee: Decimal
    fee_currency: FeeCurrency = FeeCurrency.QUOTE

    def price_floor(self, raw: Decimal) -> Price:
        """Return the highest price on the tick that is not above `raw`."""
        return Price(raw // self.tick_size * self.tick_size)

    def price_ceil(self, raw: Decimal) -> Price:
        """Return the lowest price on the tick that is not under `raw`."""
        # Decimal's // drops the fraction towards zero, so rounding up needs its own look at the rest.
        floor = raw // self.tick_size * self.tick_size
        return Price(floor if floor == raw else floor + self.tick_size)

    def quantity_floor(self, raw: Decimal) -> Quantity:
        """Return the largest quantity on the lot that is not above `raw` (in base)."""
        return Quantity(raw // self.lot_size * self.lot_size)

    def quantity_ceil(self, raw: Decimal) -> Quantity:
        """Return the smallest quantity on the lot that is not under `raw` (in base)."""
        floor = raw // self.lot_size * self.lot_size
        return Quantity(floor if floor == raw else floor + self.lot_size)

    def tradable(self, *, quantity: Decimal, price: Decimal) -> bool:
        """Tell whether the venue takes an order of this size (in base) at this price."""
        return quantity >= self.min_qty and quantity * price >= self.min_notional


@value
class SpacingRules:
    """How far apart the slots lie. `min_profit`, `fraction` and `respace` are fractions; `absolute` is in quote."""

    mode: SpacingMode = SpacingMode.ATR
    multiplier: Decimal = Decimal("1.0")
    fraction: Decimal = Decimal("0.02")
    absolute: Decimal | None = None
    progression: Progression = Progression.ARITHMETIC
    min_profit: Decimal = Decimal("0.001")
    respace: Decimal = Decimal("0.25")
    trail_down: bool = False


@value
class SignalRules:
    """Where the ATR is read. `timeframe` in ms; `exchange` and `symbol` name another market, or None for the grid's."""

    timeframe: int = 14_400_000
    atr_period: int = 14
    spike_multiple: float = 1.5
    atr_jump: float = 0.30
    exchange: str | None = None
    symbol: Symbol | None = None


@value
class PolicyRow:
    """The last slot that may be bought in one trend, calm and in a spike. None is all, -1 is half of the levels."""

    calm: int | None
    spike: int | None


HALF = -1
"""In a PolicyRow: half of the grid's levels, rounded down."""


@value
class Policy:
    """Which slots may be bought, by trend (strategy section 3)."""

    neutral: PolicyRow = PolicyRow(None, None)
    up: PolicyRow = PolicyRow(None, 2)
    down: PolicyRow = PolicyRow(HALF, 0)


@value
class TrendRules:
    """Where the EMAs are read. `timeframe` in ms; `threshold` is a fraction."""

    timeframe: int = 14_400_000
    ema_fast: int = 20
    ema_slow: int = 50
    threshold: float = 0.01
    policy: Policy = Policy()


@value
class HeldCoins:
    """Coins that the user already owns and gives to a new grid: quantity in base, cost in quote for all of it."""

    quantity: Quantity
    cost: Decimal


class Wish(StrEnum):
    """What the user wants a grid to do."""

    RUN = "run"
    PAUSE = "pause"
    SELL_ONLY = "sell_only"


@value
class GridRules:
    """One grid. `investment` in quote; `stop_loss` and `take_profit_total` are fractions of it.

    With `reinvest` what the grid has earned is laid out too, at each new laying.
    """

    id: GridId
    symbol: Symbol
    investment: Decimal
    levels: int = 10
    wish: Wish = Wish.RUN
    take_profit: Decimal = Decimal("1.0")
    spacing: SpacingRules = SpacingRules()
    signal: SignalRules = SignalRules()
    trend: TrendRules = TrendRules()
    stop_loss: Decimal | None = None
    take_profit_total: Decimal | None = None
    trigger_price: Price | None = None
    held: HeldCoins | None = None
    instrument: Instrument | None = None
    reinvest: bool = False

    def capital(self, realised: Decimal) -> Decimal:
        """Return the quote currency that the grid may tie up, fees included, once it has earned `realised`.

        A loss takes nothing away: the investment is what the user allowed.
        """
        return self.investment + realised if self.reinvest and realised > 0 else self.investment

    def budget(self, realised: Decimal = ZERO) -> Decimal:
        """Return the quote currency that one cell may tie up, fee included."""
        return self.capital(realised) / self.levels


@value
class Breaker:
    """A breaker with a limit, an optional warning and what it does. Fractions unless its name ends in a unit."""

    limit: Decimal
    warn: Decimal | None = None
    action: Action = Action.NO_NEW_BUYS


@value
class RiskRules:
    """Limits and breakers of the account (execution.md, the table). Fractions are of the account's equity."""

    equity_asset: Asset | None = None
    max_symbol_exposure: Breaker = Breaker(Decimal("0.20"), None, Action.DENY)
    max_total_exposure: Breaker = Breaker(Decimal("0.80"), None, Action.DENY)
    max_asset_concentration: Breaker = Breaker(Decimal("0.25"))
    min_order_value: Decimal | None = None
    max_order_value: Breaker = Breaker(Decimal("0.10"), None, Action.DENY)
    max_open_orders: int = 200
    max_creates_per_10s: int = 20
    max_spread: Breaker = Breaker(Decimal("0.005"), None, Action.DENY)
    price_collar: Breaker = Breaker(Decimal("0.02"), None, Action.DENY)
    max_quote_age_ms: Breaker = Breaker(Decimal(15_000))
    max_clock_skew_ms: Breaker = Breaker(Decimal(1_000))
    max_drawdown: Breaker = Breaker(Decimal("0.20"), Decimal("0.10"), Action.KILL)
    max_daily_loss: Breaker = Breaker(Decimal("0.05"), Decimal("0.03"), Action.KILL)
    max_var: Breaker = Breaker(Decimal("0.05"))
    max_error_rate: Breaker = Breaker(Decimal("0.20"))


@value
class Rules:
    """All that the engine works by on one account. `risk` None switches the account's limits off (plain backtests)."""

    mode: Mode
    grids: tuple[GridRules, ...]
    risk: RiskRules | None
    post_only: bool = True
    max_order_age_ms: int | None = None
