"""Which changes of a configuration allow more risk than before: a person is asked before those are made."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation

from gridbot.config.changes import Change

_WEAKER = ("deny", "no_new_buys", "kill")
"""What a breaker does, from the mildest on."""
_NOT_SET = "null"
_NO_LIMITS = frozenset({"risk.equity_asset"})
_FLOORS = frozenset({"risk.min_order_value"})
"""Limits from below: to lower one allows more."""


def loosened(changed: Iterable[Change]) -> tuple[Change, ...]:
    """Return the changes that raise a limit or its warning, take one away, or let a breaker do less."""
    return tuple(each for each in changed if _is_looser(each))


def _is_looser(change: Change) -> bool:
    if change.path == "orders.dead_man_s":
        return change.old not in (None, _NOT_SET) and (change.new == _NOT_SET or _rises(change))
    if not change.path.startswith("risk.") or change.path in _NO_LIMITS:
        return False
    if change.old in (None, _NOT_SET):
        return False
    if change.new in (None, _NOT_SET):
        return True
    if change.path.endswith(".action"):
        return _rank(change.new) < _rank(change.old)
    return _falls(change) if change.path in _FLOORS else _rises(change)


def _rises(change: Change) -> bool:
    try:
        return Decimal(change.new or "") > Decimal(change.old or "")
    except InvalidOperation:
        return False


def _falls(change: Change) -> bool:
    return _rises(Change(path=change.path, old=change.new, new=change.old))


def _rank(action: str | None) -> int:
    return _WEAKER.index(action) if action in _WEAKER else len(_WEAKER)
