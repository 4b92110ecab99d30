"""How values are written on the screen and how codes are said in words; it computes nothing.

Times are UTC. A missing value is written as a dash, never as zero.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from gridbot.core.orders import OrderState
from gridbot.core.rules import Instrument, Wish
from gridbot.core.state import Level, Phase, RangeState
from gridbot.core.units import Mode, TimeMs, plain_text
from gridbot.gui.numbers import grouped, in_style, plain

NONE = "-"

MODE_WORDS = {Mode.DEMO: "DEMO", Mode.DRY: "DRY RUN - no real orders", Mode.LIVE: "LIVE - real money"}

ORDER_WORDS = {
    OrderState.PLANNED: "about to be sent",
    OrderState.INTENT: "about to be sent",
    OrderState.SENT: "sent, not yet confirmed",
    OrderState.OPEN: "open",
    OrderState.PARTIAL: "partly filled",
    OrderState.UNKNOWN: "sent, not yet confirmed - checking",
    OrderState.CANCEL_INTENT: "cancelling",
    OrderState.CANCEL_SENT: "cancelling",
    OrderState.CANCEL_UNKNOWN: "cancel not confirmed - checking",
    OrderState.QUARANTINED: "unclear - set aside, being checked",
    OrderState.FILLED: "filled",
    OrderState.CANCELED: "cancelled",
    OrderState.EXPIRED: "expired",
    OrderState.REJECTED: "refused by the exchange",
    OrderState.NOT_SENT: "not sent",
    OrderState.ABSENT: "never arrived",
}

UNCONFIRMED = frozenset({OrderState.UNKNOWN, OrderState.CANCEL_UNKNOWN, OrderState.QUARANTINED})
"""States in which nobody knows for certain what the exchange did."""

RANGE_WORDS = {
    RangeState.WARMING_UP: "warming up",
    RangeState.WAITING: "waiting for its trigger price",
    RangeState.TRADING: "trading",
    RangeState.FULL: "all cells hold coins",
    RangeState.LIMITED: "buying limited",
    RangeState.BELOW_RANGE: "price below the grid",
    RangeState.CROWDED: "slots too near to held cells",
    RangeState.STOPPED: "stopped",
}

WISH_WORDS = {Wish.RUN: "run", Wish.PAUSE: "paused", Wish.SELL_ONLY: "sell only"}
PHASE_WORDS = {Phase.EXITING: "selling everything", Phase.STOPPED: "stopped"}

LEVEL_WORDS = {
    Level.GREEN: "All limits are kept.",
    Level.YELLOW: "Something is unusual; trading goes on.",
    Level.ORANGE: "Nothing new is bought.",
    Level.RED: "Trading is stopped by a limit.",
    Level.BLACK: "Trading is stopped.",
}

ACTION_WORDS = {
    "deny": "the order is not sent",
    "no_new_buys": "nothing new is bought",
    "kill": "trading stops",
    "wait": "further orders wait",
}

LIMIT_WORDS = {
    "max_symbol_exposure": "Exposure of one market",
    "max_total_exposure": "Exposure in all",
    "max_asset_concentration": "Coins of one currency",
    "max_open_orders": "Open orders",
    "max_drawdown": "Drawdown from the peak",
    "max_daily_loss": "Loss today (UTC)",
    "max_var": "Value at risk (95 %, one day)",
    "max_creates_per_10s": "New orders in 10 s",
    "max_error_rate": "Failed requests in 60 s",
    "max_clock_skew_ms": "Clock against the exchange",
    "max_quote_age_ms": "Age of the price",
    "max_spread": "Spread",
    "price_collar": "Price beyond the middle",
    "max_order_value": "Value of one order",
    "integrity": "Books agree with the exchange",
}

COUNTED = frozenset({"max_open_orders", "max_creates_per_10s"})


def limit_figure(code: str, figure: Decimal | None) -> str:
    """Return a limit's figure in its unit: a count, milliseconds, or a fraction as percent."""
    if figure is None or code == "integrity":
        return NONE
    if code in COUNTED:
        return in_style(f"{figure:,f}")
    return f"{grouped(figure, 0)} ms" if code.endswith("_ms") else percent(figure)


def percent(fraction: Decimal | None, *, signed: bool = False, places: int = 2) -> str:
    """Return a fraction as percent."""
    if fraction is None:
        return NONE
    return f"{grouped(fraction * 100, places, signed=signed)} %"


def money(amount: Decimal | None, asset: str = "", *, signed: bool = False) -> str:
    """Return an amount with two decimals, or with more where it is small."""
    if amount is None:
        return NONE
    places = 2 if abs(amount) >= 1 or amount == 0 else 4 if abs(amount) >= Decimal("0.01") else 8
    return f"{grouped(amount, places, signed=signed)} {asset}".rstrip()


def places_of(tick: Decimal) -> int:
    """Return how many decimals a step such as 0.010 has."""
    exponent = tick.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def price(amount: Decimal | None, instrument: Instrument | None) -> str:
    """Return a price with the market's own decimals."""
    if amount is None:
        return NONE
    if instrument is None:
        return in_style(f"{amount:,f}")
    return grouped(amount, places_of(instrument.tick_size))


def reading(price: float) -> str:
    """Return a price read off the chart, with as many decimals as its size deserves."""
    return grouped(price, 2) if abs(price) >= 100 else in_style(f"{price:,.6g}")


def bare(amount: Decimal | None) -> str:
    """Return a number as another program reads it: digits and a point, no separators, no trailing zeros."""
    return "" if amount is None else plain_text(amount)


def quantity(amount: Decimal | None, instrument: Instrument | None = None) -> str:
    """Return a quantity of base currency: with the market's own decimals, so that a column of them is aligned.

    Without the market it has as many decimals as it needs.
    """
    if amount is None:
        return NONE
    if instrument is None:
        return plain(Decimal(bare(amount)))
    return grouped(amount, max(places_of(instrument.lot_size), places_of(amount)))


def moment(time: TimeMs | int | None) -> str:
    """Return date and time, UTC."""
    return NONE if not time else f"{datetime.fromtimestamp(time / 1000, UTC):%Y-%m-%d %H:%M:%S}"


def iso(time: TimeMs | int) -> str:
    """Return date and time as ISO 8601 with milliseconds, UTC."""
    return datetime.fromtimestamp(time / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(time: TimeMs | int | None) -> str:
    """Return the time of day, UTC."""
    return NONE if not time else f"{datetime.fromtimestamp(time / 1000, UTC):%H:%M:%S}"


def age(milliseconds: int | None) -> str:
    """Return how old something is."""
    if milliseconds is None:
        return "no data yet"
    seconds = milliseconds / 1000
    if seconds < 10:
        return f"{grouped(seconds, 1)} s ago"
    if seconds < 120:
        return f"{seconds:.0f} s ago"
    return f"{seconds / 60:.0f} min ago" if seconds < 7200 else f"{seconds / 3600:.0f} h ago"


def lasting(milliseconds: int) -> str:
    """Return how long something has lasted, as it is counted while one waits: 12 s, 3 min."""
    seconds = milliseconds // 1000
    return f"{seconds} s" if seconds < 120 else span(milliseconds)


def span(milliseconds: int) -> str:
    """Return how long something took."""
    minutes = milliseconds // 60_000
    if minutes < 1:
        return f"{milliseconds / 1000:.0f} s"
    if minutes < 120:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def counted(number: int, noun: str, plural: str = "") -> str:
    """Return "1 order", "2 orders"; `plural` where it is not the noun with an s."""
    return f"{in_style(f'{number:,}')} {noun if number == 1 else plural or f'{noun}s'}"


def size(count: int) -> str:
    """Return a number of bytes as a person says it."""
    for unit, step in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= step:
            return f"{grouped(count / step, 1)} {unit}"
    return counted(count, "byte")
