"""All that the engine can be told. Past tense, plain data, each with its time (ms UTC).

Raw quotes are not events: a price comes in only when it crosses something that is watched, or once a second as a mark.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from gridbot.core.candles import Bar
from gridbot.core.orders import Fact
from gridbot.core.rules import Instrument, Rules, Wish
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Symbol, TimeMs, TradeId, VenueOrderId
from gridbot.core.values import value


@value
class OrderRef:
    """Which order is meant: its id, and the place in the grid that it was made for."""

    grid: GridId
    cell: int
    id: OrderId


@value
class EpochStarted:
    """A process took over the account; `prefix` (18 characters less the 5 of the sequence) begins its order ids."""

    time: TimeMs
    prefix: str


@value
class RulesChanged:
    """The user's configuration, whole."""

    time: TimeMs
    rules: Rules


@value
class InstrumentChanged:
    """What the venue says about a market."""

    time: TimeMs
    instrument: Instrument


@value
class AccountOpened:
    """The balances (asset, amount) with which the account's books begin. A second one changes nothing."""

    time: TimeMs
    balances: tuple[tuple[Asset, Decimal], ...]


@value
class Transferred:
    """A deposit (positive) or withdrawal that the venue reports under its own id."""

    time: TimeMs
    id: str
    asset: Asset
    amount: Decimal


@value
class HistoryLoaded:
    """Closed bars of a market, oldest first, by timeframe (ms); indicators are built anew from them."""

    time: TimeMs
    market: Symbol
    bars: tuple[tuple[int, tuple[Bar, ...]], ...]


@value
class MarketReady:
    """History is loaded and the first valid quote is in: the first laying may happen, at `mid`."""

    time: TimeMs
    symbol: Symbol
    mid: Price


@value
class CandleClosed:
    """A base candle closed and something about it matters. `bars` are (timeframe ms, bar), oldest first."""

    time: TimeMs
    market: Symbol
    close: Price
    bars: tuple[tuple[int, Bar], ...]


@value
class PriceCrossed:
    """The price crossed a level that `watch` named; `price` is where it is now."""

    time: TimeMs
    symbol: Symbol
    level: Price
    price: Price


@value
class Quote:
    """A market at a mark: best bid and ask (quote per base) and the age of that knowledge in ms."""

    symbol: Symbol
    bid: Price
    ask: Price
    age_ms: int


@value
class Marked:
    """Once a second: the quotes, the clock's skew (ms, None unknown), and requests and failures of the last 60 s."""

    time: TimeMs
    quotes: tuple[Quote, ...]
    clock_skew_ms: int | None
    requests: int
    failures: int


@value
class OrderReported:
    """Anything learnt about an order that is not a fill."""

    time: TimeMs
    ref: OrderRef
    fact: Fact
    venue_id: VenueOrderId | None = None
    code: str = ""
    message: str = ""
    post_only: bool = False


@value
class OrderFilled:
    """One trade of an order of ours, by the venue's trade id. `fee` is in `fee_asset`."""

    time: TimeMs
    ref: OrderRef
    symbol: Symbol
    trade_id: TradeId
    price: Price
    quantity: Quantity
    fee: Decimal
    fee_asset: Asset


@value
class GridWished:
    """The user pauses, resumes or winds down a grid."""

    time: TimeMs
    grid: GridId
    wish: Wish


class Removal(StrEnum):
    """What becomes of the coins of a grid that is taken away."""

    SELL_ONLY = "sell_only"
    UNTRACK = "untrack"
    SELL_NOW = "sell_now"


@value
class GridRemoved:
    """The user takes a grid away."""

    time: TimeMs
    grid: GridId
    how: Removal


class KillKind(StrEnum):
    """Why trading was stopped."""

    MANUAL = "manual"
    DRAWDOWN = "drawdown"
    LOSS_LIMIT = "loss_limit"
    VAR_BREACH = "var_breach"
    EXPOSURE_BREACH = "exposure_breach"
    VOLATILITY_SPIKE = "volatility_spike"
    SYSTEM_ERROR = "system_error"
    INTEGRITY = "integrity"


@value
class KillRequested:
    """Stop: nothing but cancels may leave, until a person releases it."""

    time: TimeMs
    kind: KillKind
    reason: str
    liquidate: bool = False


@value
class KillReleased:
    """A person re-armed trading."""

    time: TimeMs
    by: str


Event = (
    EpochStarted
    | RulesChanged
    | InstrumentChanged
    | AccountOpened
    | Transferred
    | HistoryLoaded
    | MarketReady
    | CandleClosed
    | PriceCrossed
    | Marked
    | OrderReported
    | OrderFilled
    | GridWished
    | GridRemoved
    | KillRequested
    | KillReleased
)
