"""The table of limits: each row in one unit and with one precision, and what of it a person may change here."""

from __future__ import annotations

from decimal import Decimal

from gridbot.config.risk import BreakerConfig, MillisecondsBreaker, OrderLimit, RiskConfig
from gridbot.core.limit_views import LimitView
from gridbot.core.rules import Action
from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.glossary import meaning
from gridbot.gui.rows_model import Column

TITLES = {
    **words.LIMIT_WORDS,
    "min_order_value": "Smallest order",
    "atr_jump": "Jump of the ATR, bar to bar",
    "spike": "ATR against its mean of 30 bars",
    "integrity": "Books against the exchange",
}
_WORDS = {
    "max_symbol_exposure": "exposure",
    "max_total_exposure": "exposure",
    "max_asset_concentration": "concentration",
    "max_drawdown": "drawdown",
    "max_var": "VaR",
    "max_clock_skew_ms": "clock skew",
    "max_quote_age_ms": "quote age",
    "max_spread": "spread",
    "price_collar": "price collar",
    "atr_jump": "ATR",
    "spike": "volatility spike",
}
ACTIONS = {
    Action.DENY.value: "the order is not sent",
    Action.NO_NEW_BUYS.value: "nothing new is bought",
    Action.KILL.value: "trading stops",
    "wait": "further orders wait",
    "fewer_slots": "fewer slots buy",
}
GUARDS = {"atr_jump": "signal.atr_jump", "spike": "signal.spike_multiple"}
"""A grid's own guards, and the fields of its form that they are set by; such a row is of the grid that it names."""
SEVERITY = (Action.DENY.value, Action.NO_NEW_BUYS.value, Action.KILL.value)
"""What a breaker may do, from the loosest to the strictest."""
_COUNTS = frozenset({"max_open_orders", "max_creates_per_10s"})
_ORDER = tuple(TITLES)


@value
class Editable:
    """What a person may change of a limit: `warn` and `actions` where it has them."""

    warn: bool
    actions: tuple[str, ...]


def _editable() -> dict[str, Editable]:
    found = {}
    for code, field in RiskConfig.model_fields.items():
        if isinstance(field.default, BreakerConfig):
            only_denies = isinstance(field.default, OrderLimit)
            found[code] = Editable(not only_denies, () if only_denies else SEVERITY)
        elif code in _COUNTS or code == "min_order_value":
            found[code] = Editable(False, ())
    return found


EDITABLE = _editable()
"""The limits that are settings of the account. A grid's own guards are changed with the grid."""
_MS = frozenset(
    code for code, field in RiskConfig.model_fields.items() if isinstance(field.default, MillisecondsBreaker)
)


def figure(view: LimitView, amount: Decimal | None) -> str:
    """Return a figure of a limit in its unit."""
    if amount is None or view.code == "integrity":
        return words.NONE
    return written(view.code, amount, view.scope)


def written(code: str, amount: Decimal, scope: str = "") -> str:
    """Return a figure in the unit of its limit; `scope` tells the currency of an order's value."""
    if code in _COUNTS:
        return numbers.grouped(amount, 0)
    if code in _MS:
        return f"{numbers.grouped(amount, 0)} ms"
    if code == "spike":
        return f"{numbers.grouped(amount, 2)} x"
    if code == "min_order_value":
        return f"{numbers.grouped(amount, 2)} {scope.partition('/')[2]}".rstrip()
    return words.percent(amount)


def edited_text(code: str, amount: Decimal | None) -> str:
    """Return a figure as its field shows it: in the limit's unit, without the unit."""
    if amount is None:
        return ""
    return numbers.written(shown(code, amount))


def shown(code: str, amount: Decimal) -> Decimal:
    """Return the figure in the unit that a person writes it in: percent where it is a fraction."""
    plain = code in _COUNTS or code in _MS or code == "min_order_value"
    return Decimal(words.bare(amount if plain else amount * 100))


def taken(code: str, number: Decimal) -> Decimal:
    """Return what a person wrote as the configuration has it."""
    plain = code in _COUNTS or code in _MS or code == "min_order_value"
    return number if plain else number / 100


def unit_of(code: str) -> str:
    """Return the unit in which a limit is written."""
    if code in _COUNTS:
        return "orders"
    if code in _MS:
        return "milliseconds"
    return "quote currency" if code == "min_order_value" else "percent"


def state(view: LimitView) -> str:
    """Return whether a limit is kept, in words."""
    if view.tripped:
        return view.sentence or "Beyond the limit."
    if view.code == "integrity":
        return "They agree."
    if view.now is not None:
        return "Kept."
    if view.code in ("min_order_value", "max_order_value", "price_collar"):
        return "Each order is held against it."
    return "Known after 30 days." if view.code == "max_var" else "Not measured yet."


def _tip(view: LimitView) -> str:
    word = _WORDS.get(view.code)
    return f"{view.code}\n{meaning(word)}" if word else view.code


def _share(view: LimitView) -> Decimal | None:
    """Return how near a limit is, which is what figures of several units sort by."""
    return None if view.now is None or not view.limit else view.now / view.limit


LIMIT_COLUMNS: tuple[Column[LimitView], ...] = (
    Column(
        title="Limit",
        text=lambda v: TITLES.get(v.code, v.code),
        order=lambda v: _ORDER.index(v.code) if v.code in _ORDER else len(_ORDER),
        width=200,
        tip=_tip,
        about="What is watched. Sorted by this, the limits stand in their own order.",
    ),
    Column(title="Of", text=lambda v: v.scope or "account", order=lambda v: v.scope, width=88),
    Column(
        title="Now",
        text=lambda v: figure(v, v.now),
        order=_share,
        width=82,
        right=True,
        bare=lambda v: words.bare(v.now),
        ink=lambda v: "error" if v.tripped else "",
        about="Where it stands. Sorted by this, what is nearest to its limit comes first.",
        flash=lambda v: v.code not in _MS,
    ),
    Column(
        title="Warns at",
        text=lambda v: figure(v, v.warn),
        order=lambda v: v.warn,
        width=82,
        right=True,
        bare=lambda v: words.bare(v.warn),
        about="Beyond this nothing new is bought, before the limit itself is reached.",
        flash=True,
    ),
    Column(
        title="Limit at",
        text=lambda v: figure(v, v.limit),
        order=lambda v: v.limit,
        width=84,
        right=True,
        bare=lambda v: words.bare(v.limit),
        flash=True,
    ),
    Column(title="Beyond it", text=lambda v: ACTIONS.get(v.action, v.action), order=lambda v: v.action, width=156),
    Column(
        title="State",
        text=state,
        order=lambda v: v.tripped,
        width=160,
        ink=lambda v: "error" if v.tripped else "muted",
    ),
    Column(
        title="Last trip (UTC)",
        text=lambda v: words.moment(v.last_trip),
        order=lambda v: v.last_trip,
        width=152,
        bare=lambda v: words.iso(v.last_trip) if v.last_trip else "",
    ),
)
WARN, LIMIT, ACTION = 3, 4, 5
"""The columns that can be edited."""
