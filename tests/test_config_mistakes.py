"""What is wrong with a configuration is told all at once, in plain words, and without the secrets in it."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from gridbot.config import (
    AppConfig,
    parse_config,
    parse_grid_or_app,
)
from gridbot.errors import ConfigError, Mistake

GRID = {"symbol": "BTC/USDT", "investment": "10000"}


def app(**keys: Any) -> str:
    return json.dumps({"grids": [GRID], **keys})


def grid(**keys: Any) -> str:
    return json.dumps({**GRID, **keys})


def mistakes_of(text: str) -> tuple[Mistake, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_grid_or_app(text, source="config.json")
    assert caught.value.mistakes
    return caught.value.mistakes


def only_mistake(text: str) -> Mistake:
    (mistake,) = mistakes_of(text)
    return mistake


def test_every_mistake_of_a_file_is_told_at_once() -> None:
    text = json.dumps(
        {
            "mode": "liv",
            "grids": [
                {**GRID, "investment": "1,234", "levels": 201, "spacing": {"mode": "absolute", "multiplyer": 1}},
                {**GRID, "trend": {"ema_fast": 60}, "levels": "ten", "id": "btc-usdt", "signal": {"timeframe": "4H"}},
                7,
                {"id": "eth", "symbol": "ETH/USDT"},
            ],
            "risk": {"max_drawdown": "0.05", "max_var": {"limit": 2}},
            "demo": {"seed": True, "equity": 0},
            "logging": [],
            "colour": "red",
        }
    )
    found = {mistake.path: mistake for mistake in mistakes_of(text)}
    assert set(found) == {
        "mode",
        "colour",
        "grids[0].investment",
        "grids[0].levels",
        "grids[0].spacing.absolute",
        "grids[0].spacing.multiplyer",
        "grids[1].trend.ema_fast",
        "grids[1].levels",
        "grids[1].id",
        "grids[1].signal.timeframe",
        "grids[2]",
        "grids[3].investment",
        "risk.max_drawdown.warn",
        "risk.max_var.limit",
        "demo.seed",
        "demo.equity",
        "logging",
    }
    assert found["mode"].suggestion == "live"
    assert found["grids[0].levels"].reason == "must be at most 200"
    assert found["grids[0].spacing.multiplyer"].suggestion == "multiplier"
    assert found["grids[1].signal.timeframe"].suggestion == "4h"
    assert found["grids[1].trend.ema_fast"].reason == "must be smaller than ema_slow, which is 50"
    assert all(mistake.reason and mistake.value for mistake in found.values())


def test_the_message_names_the_file_and_holds_each_mistake_as_a_sentence() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config('{"grids": [{"symbol": "BTC/USDT", "investment": 0, "lvels": 3}]}', source="my.json")
    assert caught.value.message == (
        "my.json has 2 mistakes:\n"
        "  grids[0].investment: must be above 0 (found 0).\n"
        "  grids[0].lvels: is not a known key here (found 3). Did you mean 'levels'?"
    )
    assert caught.value.hint


@pytest.mark.parametrize(
    ("keys", "path", "words"),
    [
        ({"investment": "NaN"}, "investment", "number"),
        ({"investment": "Infinity"}, "investment", "number"),
        ({"investment": float("nan")}, "investment", "finite"),
        ({"investment": float("inf")}, "investment", "finite"),
        ({"investment": -1}, "investment", "above 0"),
        ({"investment": True}, "investment", "number"),
        ({"investment": None}, "investment", "empty"),
        ({"investment": []}, "investment", "number"),
        ({"investment": "1e999"}, "investment", "18 digits before"),
        ({"investment": "0.0000000000000000001"}, "investment", "18 after"),
        ({"investment": "12345678901234567890123456789"}, "investment", "28 digits"),
        ({"investment": "\u0661\u0662"}, "investment", "number"),
        ({"levels": 10.0}, "levels", "whole"),
        ({"levels": "1.5"}, "levels", "whole"),
        ({"levels": False}, "levels", "number"),
        ({"enabled": 1}, "enabled", "true or false"),
        ({"symbol": "BTC/BTC"}, "symbol", "two different"),
        ({"symbol": "BTC/USDT:USDT"}, "symbol", "spot market"),
        ({"symbol": 5}, "symbol", "text"),
        ({"id": "../x"}, "id", "short name"),
        ({"id": "con"}, "id", "short name"),
        ({"spacing": {"multiplier": 0}}, "spacing.multiplier", "above 0"),
        ({"spacing": {"fraction": 1}}, "spacing.fraction", "under 1"),
        ({"spacing": "wide"}, "spacing", "object"),
        ({"signal": {"timeframe": "5x"}}, "signal.timeframe", "15m, 4h or 1d"),
        ({"signal": {"atr_jump": float("nan")}}, "signal.atr_jump", "finite"),
        ({"trend": {"ema_fast": 50}}, "trend.ema_fast", "smaller than ema_slow"),
        ({"trend": {"policy": {"down": {"calm": "most"}}}}, "trend.policy.down.calm", "half"),
        ({"trend": {"policy": {"down": {"calm": 201}}}}, "trend.policy.down.calm", "0 to 200"),
        ({"trend": {"policy": {"up": {"calm": True}}}}, "trend.policy.up.calm", "slot number"),
        (
            {"trend": {"down_trend_buys": 3, "policy": {"down": {"calm": "half"}}}},
            "trend.down_trend_buys",
            "give one of the two",
        ),
        ({"stop_loss": "1.5"}, "stop_loss", "at most 1"),
        ({"held": {"quantity": "1"}}, "held.cost", "required"),
        ({"instrument": {"fee_currency": "third"}}, "instrument.fee_currency", "quote or base"),
    ],
)
def test_a_wrong_value_is_refused_with_its_path_and_a_plain_reason(keys: Any, path: str, words: str) -> None:
    mistake = only_mistake(grid(**keys))
    assert mistake.path == path
    assert words in mistake.reason
    assert "pydantic" not in mistake.reason.lower() and "input" not in mistake.reason.lower()


@pytest.mark.parametrize("text", ["1,234", "1.234,56", "1 234", "1'234", "1_000", "1,5"])
def test_a_separator_that_reads_two_ways_is_refused_and_not_guessed(text: str) -> None:
    mistake = only_mistake(grid(investment=text))
    assert "thousands or decimals" in mistake.reason
    assert mistake.suggestion == ""


def test_a_percentage_is_refused_with_the_fraction_it_means() -> None:
    mistake = only_mistake(grid(stop_loss="20%"))
    assert (mistake.path, mistake.suggestion) == ("stop_loss", "0.2")


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"account": "a/b"}, "account"),
        ({"exchange": {"base_url": "http://example.org"}}, "exchange.base_url"),
        ({"exchange": {"base_url": "https://["}}, "exchange.base_url"),
        ({"risk": {"max_spread": 1.5}}, "risk.max_spread"),
        ({"risk": {"max_spread": None}}, "risk.max_spread"),
        ({"risk": {"max_drawdown": {"warn": "0.2", "limit": "0.1"}}}, "risk.max_drawdown.warn"),
        ({"risk": {"max_var": {"action": "sell"}}}, "risk.max_var.action"),
        ({"risk": {"max_quote_age_ms": -5}}, "risk.max_quote_age_ms"),
        ({"risk": {"max_open_orders": 0}}, "risk.max_open_orders"),
        ({"notifications": {"events": ["fill", "fill"]}}, "notifications.events"),
        ({"notifications": {"events": ["fill", "tweet"]}}, "notifications.events[1]"),
        ({"logging": {"level": "LOUD"}}, "logging.level"),
        ({"grids": {}}, "grids"),
        ({"schema": 0}, "schema"),
    ],
)
def test_a_wrong_value_of_the_application_is_refused(keys: Any, path: str) -> None:
    assert only_mistake(app(**keys)).path == path


def test_two_grids_may_share_a_market_but_not_an_id() -> None:
    two = parse_config(json.dumps({"grids": [{**GRID, "id": "a"}, {**GRID, "id": "b"}]}), source="x")
    assert [one.id for one in two.grids] == ["a", "b"]
    mistake = only_mistake(json.dumps({"grids": [GRID, {**GRID, "id": "BTC-usdt"}]}))
    assert mistake.path == "grids[1].id"
    assert "grids[0]" in mistake.reason


def test_a_contradiction_with_a_value_that_is_itself_wrong_is_not_told() -> None:
    found = mistakes_of(grid(trend={"ema_fast": "x", "ema_slow": 10}))
    assert [mistake.path for mistake in found] == ["trend.ema_fast"]


def test_a_key_written_twice_is_a_mistake_wherever_it_stands() -> None:
    text = '{"grids": [{"symbol": "BTC/USDT", "investment": "1", "spacing": {"respace": 1, "respace": 2}}]}'
    mistake = only_mistake(text)
    assert mistake.path == "grids[0].spacing.respace"
    assert mistake.value == "2"
    assert "more than once" in mistake.reason


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{"mode": "demo"\n "account": "x"}', "line 2, column 2"),
        ('{\n  "mode": demo\n}', "line 2, column 11"),
        ('{"grids": [', "line 1, column 12"),
        ('{"mode": "demo"} x', "line 1, column 18"),
        ("\n\n", "the whole file"),
        ("[" * 100_000, "the whole file"),
        ('{"demo": {"seed": ' + "9" * 5_000 + "}}", "the whole file"),
    ],
)
def test_what_is_no_json_is_told_by_line_and_column(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, source="config.json")
    assert [mistake.path for mistake in caught.value.mistakes] == [place]


def test_a_byte_order_mark_is_no_mistake() -> None:
    assert parse_config("\ufeff{}", source="x") == AppConfig()


def test_a_file_of_a_newer_gridbot_is_refused_without_other_reproaches() -> None:
    with pytest.raises(ConfigError, match="newer gridbot") as caught:
        parse_config('{"schema": 2, "planets": []}', source="config.json")
    assert [mistake.path for mistake in caught.value.mistakes] == ["schema"]


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ({"exchange": {"id": "binance", "api_key": "hunter2"}}, "exchange.api_key"),
        ({"exchange": {"id": "binance", "apiSecret": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"}}, "exchange.apiSecret"),
        ({"notifications": {"urls_secret": "tgram://hunter2"}}, "notifications.urls_secret"),
        ({"heartbeat_url_secret": "https://example.org/hunter2"}, "heartbeat_url_secret"),
        ({"heartbeat_url_secret": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"}, "heartbeat_url_secret"),
        ({"exchange": {"base_url": "https://me:hunter2@example.org"}}, "exchange.base_url"),
        ({"demo": {"candles": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv"}}, "demo.candles"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_never_repeated(keys: Any, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config(app(**keys), source="config.json")
    assert [mistake.path for mistake in caught.value.mistakes] == [path]
    assert "secret" in caught.value.mistakes[0].reason
    assert "hunter2" not in caught.value.message and "vmPUZE6" not in caught.value.message


def test_a_secret_beside_a_syntax_error_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config('{"api": "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv" "x": 1}', source="config.json")
    assert "vmPUZE6" not in caught.value.message


def test_names_of_secrets_and_paths_of_candles_are_no_secrets() -> None:
    keys = {
        "notifications": {"urls_secret": "notification-addresses"},
        "heartbeat_url_secret": "heartbeat",
        "demo": {"candles": "data/candles/binance_BTC-USDT_1m_2025Q2Q3.parquet"},
    }
    assert parse_config(app(**keys), source="x").heartbeat_url_secret == "heartbeat"


def test_of_two_likely_keys_the_one_with_fewer_letters_to_change_is_named() -> None:
    assert only_mistake(app(risk={"mai_order_value": "0.1"})).suggestion == "max_order_value"


def test_half_of_a_surrogate_pair_is_refused_in_printable_words() -> None:
    mistake = only_mistake('{"risk": {"equity_asset": "\\ud800"}}')
    assert mistake.path == "risk.equity_asset"
    assert mistake.sentence().encode("utf-8")


@pytest.mark.parametrize("key", ["max_order_value", "price_collar"])
def test_what_is_held_against_single_orders_can_only_deny(key: str) -> None:
    text = json.dumps({"grids": [], "risk": {key: {"limit": "0.05", "action": "kill"}}})
    with pytest.raises(ConfigError) as refused:
        parse_config(text, source="test")
    (mistake,) = refused.value.mistakes
    assert mistake.path == f"risk.{key}.action"
    assert "deny" in mistake.reason


def test_a_fee_is_configured_only_where_the_exchange_does_not_tell_it() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_config('{"exchange": {"id": "kraken", "fee": "0.001"}}', source="test")
    (mistake,) = caught.value.mistakes
    assert mistake.path == "exchange.fee" and "kraken tells" in mistake.reason
    config = parse_config('{"exchange": {"id": "firi", "fee": "0.004"}}', source="test")
    assert config.exchange.fee == Decimal("0.004")
