"""A change of one limit: whether it loosens, what it then allows, and the configuration with it. It computes only."""

from __future__ import annotations

import json
from decimal import Decimal

from gridbot.config import Change, loosened, parse_config
from gridbot.config.risk import BreakerConfig
from gridbot.core.units import Asset
from gridbot.core.values import value
from gridbot.gui import numbers, words
from gridbot.gui.limit_rows import ACTIONS, TITLES, written

Figure = Decimal | str | None
"""A limit or warning (None is no warning), or what a breaker does."""

_ALLOWS = {
    "max_symbol_exposure": "One market may then hold up to {new} of the account{money}.",
    "max_total_exposure": "All markets together may then hold up to {new} of the account{money}.",
    "max_asset_concentration": "The coins of one currency may then be {new} of the account{money} before no more of "
    "it is bought.",
    "max_order_value": "A single order may then be worth {new} of the account{money}.",
    "max_open_orders": "On one market {new} orders may then be open.",
    "max_creates_per_10s": "In any 10 seconds {new} new orders may then leave.",
    "max_spread": "Buys are then sent while bid and ask are up to {new} apart.",
    "price_collar": "An order may then lie up to {new} beyond the middle, on the side that trades at once.",
    "max_quote_age_ms": "Buys are then sent on prices that are up to {new} old.",
    "max_clock_skew_ms": "Buys are then sent while this clock is up to {new} off the exchange's.",
    "max_drawdown": "The account may then fall {new} from its peak{money} before this limit acts.",
    "max_daily_loss": "The account may then lose {new} in a day{money} before this limit acts.",
    "max_var": "A usual bad day may then cost {new} of the account{money} before this limit acts.",
    "max_error_rate": "Buys are then sent while up to {new} of the requests fail.",
    "min_order_value": "Orders may then be as small as {new}.",
}
_OF_EQUITY = frozenset(
    {"max_symbol_exposure", "max_total_exposure", "max_asset_concentration", "max_order_value"}
    | {"max_drawdown", "max_daily_loss", "max_var"}
)


@value
class LimitChange:
    """One field (`limit`, `warn` or `action`) of the limit `code`, from what it is to what it shall be."""

    code: str
    field: str
    old: Figure
    new: Figure

    def loosens(self) -> bool:
        """Tell whether it allows what was not allowed before."""
        path = f"risk.{self.code}" if self.field == "limit" else f"risk.{self.code}.{self.field}"
        old, new = (None if figure is None else str(figure) for figure in (self.old, self.new))
        return bool(loosened([Change(path=path, old=old, new=new)]))

    def back(self) -> LimitChange:
        """Return the change that undoes this one."""
        return LimitChange(self.code, self.field, self.new, self.old)

    def sentence(self, quote: str = "") -> str:
        """Return what changes: old -> new."""
        what = {"limit": "limit", "warn": "warning", "action": "what happens beyond it"}[self.field]
        return f"{TITLES[self.code]}, {what}: {self._said(self.old, quote)} -> {self._said(self.new, quote)}"

    def allows(self, equity: Decimal | None, asset: Asset | None) -> str:
        """Return what it then allows, in words and where it can be told in money."""
        new = self._said(self.new, "")
        if self.field == "action":
            return f"Beyond the limit, {new}; until now, {self._said(self.old, '')}."
        if self.field == "warn":
            return (
                "No warning then comes before the limit." if self.new is None else f"The warning then comes at {new}."
            )
        if self.new is None:
            return "Only the exchange's own smallest order then counts."
        return _ALLOWS[self.code].format(new=new, money=self._money(equity, asset))

    def _said(self, figure: Figure, quote: str) -> str:
        if figure is None:
            return "the exchange's" if self.code == "min_order_value" else "none"
        if self.field == "action":
            return ACTIONS[str(figure)]
        return written(self.code, Decimal(figure), f"/{quote}" if quote else "")

    def _money(self, equity: Decimal | None, asset: Asset | None) -> str:
        if self.code not in _OF_EQUITY or equity is None or self.new is None:
            return ""
        after = words.money(Decimal(self.new) * equity, asset or "")
        if self.old is None:
            return f", about {after}"
        return f", about {after} instead of {numbers.grouped(Decimal(self.old) * equity, 2)}"


def configured(text: str, code: str, field: str) -> Figure:
    """Return what a configuration says of a limit."""
    held = getattr(parse_config(text, source="The configuration").risk, code)
    if isinstance(held, BreakerConfig):
        if field == "action":
            return held.action.value
        return held.warn if field == "warn" else held.limit
    return None if held is None else Decimal(held)


def changed_config(text: str, change: LimitChange) -> str:
    """Return the configuration with one limit changed, and nothing else; ConfigError where that cannot be."""
    config = parse_config(text, source="The configuration")
    held, data = getattr(config.risk, change.code), json.loads(text)
    new = words.bare(change.new) if isinstance(change.new, Decimal) else change.new
    risk = data.setdefault("risk", {})
    if isinstance(held, BreakerConfig):
        risk[change.code] = {**json.loads(held.model_dump_json()), change.field: new}
    elif change.code == "min_order_value":
        risk[change.code] = new
    else:
        risk[change.code] = int(new) if new is not None and str(new).isdecimal() else new
    return parse_config(json.dumps(data), source="The settings").to_json()
