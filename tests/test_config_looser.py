"""Which changes allow more risk, and which wait for the next start."""

from __future__ import annotations

import json

import pytest

from gridbot.config import Change, changes, default_config, loosened, parse_config, waiting, waits_for_start


@pytest.mark.parametrize(
    ("path", "old", "new", "looser"),
    [
        ("risk.max_drawdown.limit", "0.2", "0.3", True),
        ("risk.max_drawdown.limit", "0.3", "0.20", False),
        ("risk.max_drawdown.limit", "9", "10", True),
        ("risk.max_drawdown.warn", "0.1", "null", True),
        ("risk.max_drawdown.warn", "null", "0.1", False),
        ("risk.max_drawdown.action", "kill", "no_new_buys", True),
        ("risk.max_drawdown.action", "deny", "kill", False),
        ("risk.max_open_orders", "200", "201", True),
        ("risk.max_var", "0.05", None, True),
        ("risk.equity_asset", "USDT", "null", False),
        ("risk.min_order_value", "10", "20", False),
        ("risk.min_order_value", "20", "10", True),
        ("risk.min_order_value", "20", "null", True),
        ("orders.dead_man_s", "60", "null", True),
        ("orders.dead_man_s", "60", "120", True),
        ("orders.dead_man_s", "null", "60", False),
        ("demo.speed", "1", "600", False),
        ("mode", "demo", "live", False),
    ],
)
def test_more_risk_is_told_from_less(path: str, old: str | None, new: str | None, looser: bool) -> None:
    change = Change(path=path, old=old, new=new)
    assert loosened([change]) == ((change,) if looser else ())


def test_what_is_read_at_a_start_only_is_named_by_its_section() -> None:
    old = default_config()
    data = old.to_data()
    data["demo"]["speed"], data["demo"]["seed"], data["logging"]["level"] = 60, 9, "DEBUG"
    data["orders"]["dead_man_s"], data["orders"]["post_only"] = 60, False
    data["notifications"]["events"], data["account_currency"] = ["fill"], "EUR"
    new = parse_config(json.dumps(data), source="a test")
    assert set(waiting(changes(old, new))) == {"demo", "logging", "orders.dead_man_s"}
    assert waits_for_start("mode") and waits_for_start("exchange.id") and not waits_for_start("mode_of_something")
    assert not waits_for_start("update_address") and not waits_for_start("risk.max_drawdown.limit")
