"""A configuration file becomes the core's rules, a form, a list of changes and its own documentation."""

from __future__ import annotations

import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from gridbot.config import (
    PRESETS,
    AppConfig,
    Change,
    GridConfig,
    InstrumentConfig,
    changes,
    default_config,
    field_mistakes,
    form_of,
    grid_from_form,
    parse_config,
    parse_grid_or_app,
    preset,
    schema_reference,
)
from gridbot.core import rules
from gridbot.core.units import Mode, Symbol
from gridbot.errors import ConfigError

ROOT = Path(__file__).resolve().parent.parent
SHARED_EXPECTED = ROOT.parent / "shared" / "data" / "expected"
GRID = {"symbol": "BTC/USDT", "investment": "10000"}


def app(**keys: Any) -> str:
    return json.dumps({"grids": [GRID], **keys})


def grid(**keys: Any) -> str:
    return json.dumps({**GRID, **keys})


def test_every_key_but_symbol_and_investment_has_the_cores_default() -> None:
    made = parse_grid_or_app(json.dumps(GRID), source="x").grids[0].to_rules()
    assert made == rules.GridRules(
        id=made.id, symbol=Symbol("BTC/USDT"), investment=Decimal(10_000), spacing=rules.SpacingRules()
    )
    assert made.id == "btc-usdt"
    assert AppConfig().to_rules() == rules.Rules(mode=Mode.DEMO, grids=(), risk=rules.RiskRules())


def test_the_sample_of_the_contract_reads_as_it_says() -> None:
    text = """{
      "id": "btc", "enabled": true, "symbol": "BTC/USDT", "levels": 10, "investment": "10000", "take_profit": "1.0",
      "spacing": {"mode": "atr", "multiplier": "1.0", "fraction": "0.02", "absolute": null,
                  "progression": "arithmetic", "min_profit": "0.001", "respace": "0.25", "trail_down": false},
      "signal": {"timeframe": "4h", "atr_period": 14, "spike_multiple": 1.5, "atr_jump": 0.30, "exchange": null,
                 "symbol": null},
      "trend": {"timeframe": "4h", "ema_fast": 20, "ema_slow": 50, "threshold": 0.01, "down_trend_buys": null},
      "stop_loss": null, "take_profit_total": null, "trigger_price": null,
      "instrument": {"tick_size": "0.01", "lot_size": "0.00001", "min_qty": "0.00001", "min_notional": "5",
                     "maker_fee": "0.001", "taker_fee": "0.001", "fee_currency": "quote"}}"""
    made = parse_grid_or_app(text, source="x").grids[0]
    assert made == preset("balanced").model_copy(update={"id": "btc", "instrument": InstrumentConfig()})
    instrument = made.to_rules().instrument
    assert instrument is not None
    assert (instrument.base, instrument.quote, instrument.tick_size) == ("BTC", "USDT", Decimal("0.01"))


def test_enabled_and_sell_only_become_the_wish() -> None:
    def wish(**keys: Any) -> rules.Wish:
        return parse_grid_or_app(grid(**keys), source="x").grids[0].to_rules().wish

    assert wish() is rules.Wish.RUN
    assert wish(enabled=False) is rules.Wish.PAUSE
    assert wish(sell_only=True) is rules.Wish.SELL_ONLY
    assert wish(sell_only=True, enabled=False) is rules.Wish.PAUSE


def test_held_coins_timeframes_and_order_age_reach_the_rules_in_their_units() -> None:
    text = grid(held={"quantity": "0.5", "cost": "30000"}, signal={"timeframe": "15m"}, trend={"timeframe": "1d"})
    made = parse_grid_or_app(text, source="x").grids[0].to_rules()
    assert made.held is not None
    assert (made.held.quantity, made.held.cost) == (Decimal("0.5"), Decimal(30_000))
    assert (made.signal.timeframe, made.trend.timeframe) == (900_000, 86_400_000)
    assert parse_config(app(orders={"max_order_age_h": "1.5"}), source="x").to_rules().max_order_age_ms == 5_400_000


def test_the_policy_takes_null_numbers_and_half_and_fills_in_what_is_left_out() -> None:
    text = grid(trend={"policy": {"neutral": {"spike": 4}, "up": {"spike": None}, "down": {"calm": 3}}})
    policy = parse_grid_or_app(text, source="x").grids[0].to_rules().trend.policy
    row = rules.PolicyRow
    assert policy == rules.Policy(neutral=row(None, 4), up=row(None, None), down=row(3, 0))


def test_down_trend_buys_is_a_short_way_to_set_down_calm_and_survives_a_round_trip() -> None:
    for trend in ({"down_trend_buys": 3}, {"down_trend_buys": 3, "policy": {"down": {"calm": 3, "spike": 1}}}):
        config = parse_config(json.dumps({"grids": [{**GRID, "trend": trend}]}), source="x")
        again = parse_config(config.to_json(), source="x")
        assert again == config
        assert again.to_rules().grids[0].trend.policy.down.calm == 3


def test_a_breaker_is_a_plain_number_or_an_object_and_keeps_the_rest_of_its_default() -> None:
    risk = {"max_spread": 0.01, "max_drawdown": {"limit": "0.30"}, "max_daily_loss": {"warn": None, "action": "deny"}}
    made = parse_config(app(risk=risk), source="x").to_rules().risk
    assert made is not None
    assert made.max_spread == rules.Breaker(Decimal("0.01"), None, rules.Action.DENY)
    assert made.max_drawdown == rules.Breaker(Decimal("0.30"), Decimal("0.10"), rules.Action.KILL)
    assert made.max_daily_loss == rules.Breaker(Decimal("0.05"), None, rules.Action.DENY)
    assert made.max_var == rules.RiskRules().max_var


def test_an_amount_is_read_exactly_from_text_and_a_float_by_its_shortest_text() -> None:
    def investment(raw: object) -> Decimal:
        return parse_grid_or_app(grid(investment=raw), source="x").grids[0].investment

    assert investment("10000.10") == Decimal("10000.10")
    assert investment(0.1) == Decimal("0.1")
    assert investment(7) == Decimal(7)
    assert investment("1e3") == Decimal(1000)


def test_the_presets_are_those_of_the_contract() -> None:
    classic, wide = preset("classic").to_rules(), preset("wide").to_rules()
    assert list(PRESETS) == ["balanced", "classic", "wide"]
    assert preset("balanced") == GridConfig(symbol="BTC/USDT", investment=Decimal(10_000))
    assert (classic.levels, classic.signal.timeframe, classic.take_profit) == (5, 3_600_000, Decimal("1.5"))
    assert classic.spacing.multiplier == Decimal("0.5")
    assert (wide.levels, wide.spacing, wide.signal) == (20, rules.SpacingRules(), rules.SignalRules())
    with pytest.raises(ConfigError, match="balanced, classic, wide") as caught:
        preset("calssic")
    assert "classic" in caught.value.hint


def test_the_default_limits_let_the_default_grid_trade() -> None:
    config = default_config("demo")
    made, equity = config.to_rules(), config.demo.equity
    (only,) = made.grids
    assert made.risk is not None
    assert (only.investment, equity, config.mode) == (Decimal(10_000), Decimal(50_000), Mode.DEMO)
    assert only.investment <= made.risk.max_symbol_exposure.limit * equity
    assert only.investment <= made.risk.max_total_exposure.limit * equity
    assert only.investment <= made.risk.max_asset_concentration.limit * equity
    assert only.budget() <= made.risk.max_order_value.limit * equity
    assert only.levels < made.risk.max_open_orders


def test_a_single_grid_and_a_whole_configuration_are_told_apart() -> None:
    assert parse_grid_or_app(grid(levels=4), source="x").grids[0].levels == 4
    assert parse_grid_or_app(app(mode="dry"), source="x").mode is Mode.DRY
    with pytest.raises(ConfigError) as of_a_grid:
        parse_grid_or_app('{"levels": 0}', source="x")
    assert [mistake.path for mistake in of_a_grid.value.mistakes] == ["symbol", "levels", "investment"]
    with pytest.raises(ConfigError) as of_an_app:
        parse_grid_or_app('{"grids": [{"symbol": "BTC/USDT"}]}', source="x")
    assert [mistake.path for mistake in of_an_app.value.mistakes] == ["grids[0].investment"]


@pytest.mark.parametrize(
    "name", ["default", "dense-geometric-40", "geometric-20", "hourly-12", "hourly-narrow-5", "touch-trail-down"]
)
def test_the_shared_configurations_are_read(name: str) -> None:
    path = SHARED_EXPECTED / f"config-{name}.json"
    if not path.is_file():
        pytest.skip("the shared data is not beside the project")
    data = json.loads(path.read_text("utf-8"))["grid"]
    made = parse_grid_or_app(json.dumps(data), source=name).grids[0].to_rules()
    assert made.levels == data["levels"]
    assert made.spacing.multiplier == Decimal(data["spacing"]["multiplier"])


def test_a_form_is_the_grid_as_texts_and_reads_back() -> None:
    for name in PRESETS:
        made = preset(name).model_copy(update={"instrument": InstrumentConfig()})
        form = form_of(made)
        assert all(isinstance(text, str) for text in form.values())
        assert form["spacing.absolute"] == "" and form["enabled"] == "true"
        assert grid_from_form(form) == made
        assert field_mistakes(form) == {}


def test_a_forms_mistakes_are_found_by_field() -> None:
    form = form_of(preset("balanced")) | {
        "investment": "1,000",
        "levels": "many",
        "symbol": "",
        "spacing.mode": "absolute",
        "trend.ema_fast": "70",
        "enabled": "perhaps",
    }
    found = field_mistakes(form)
    assert set(found) == {"investment", "levels", "symbol", "spacing.absolute", "trend.ema_fast", "enabled"}
    assert "thousands or decimals" in found["investment"].reason
    assert found["symbol"].reason == "must not be empty (null)"
    with pytest.raises(ConfigError) as caught:
        grid_from_form(form)
    assert {mistake.path for mistake in caught.value.mistakes} == set(found)


def test_a_form_may_be_nested_and_leave_keys_out() -> None:
    form = {"symbol": "ETH/USDT", "investment": " 500 ", "spacing": {"multiplier": "2"}, "held": "", "id": ""}
    made = grid_from_form(form)
    assert (made.id, made.investment, made.spacing.multiplier) == ("eth-usdt", Decimal(500), Decimal(2))


def test_changes_are_told_by_the_grids_id_and_amounts_as_numbers() -> None:
    old = default_config()
    wide = preset("wide").model_copy(update={"take_profit": Decimal("1.00"), "stop_loss": Decimal("0.1")})
    added = preset("classic", symbol="ETH/USDT")
    new = default_config("dry").model_copy(update={"grids": (added, wide)})
    assert changes(old, old) == ()
    assert changes(old, new) == (
        Change(path="mode", old="demo", new="dry"),
        Change(path="grids[btc-usdt].levels", old="10", new="20"),
        Change(path="grids[btc-usdt].stop_loss", old="null", new="0.1"),
        Change(path="grids[eth-usdt]", old=None, new="ETH/USDT, 5 levels, investment 10000"),
    )
    assert changes(new, old)[-1] == Change(path="grids[eth-usdt]", old="ETH/USDT, 5 levels, investment 10000", new=None)
    assert changes(preset("balanced"), preset("wide")) == (Change(path="levels", old="10", new="20"),)


def test_another_order_of_the_grids_is_a_change() -> None:
    one, two = preset("balanced"), preset("wide", symbol="ETH/USDT")
    old, new = AppConfig(grids=(one, two)), AppConfig(grids=(two, one))
    assert changes(old, new) == (Change(path="grids", old="btc-usdt, eth-usdt", new="eth-usdt, btc-usdt"),)


def test_every_key_is_explained() -> None:
    listed = schema_reference()
    assert all(setting.description.endswith(".") and setting.type for setting in listed)
    paths = [setting.path for setting in listed]
    assert len(paths) == len(set(paths))
    assert {"schema", "grids[].symbol", "grids[].trend.policy.down.calm", "risk.max_drawdown"} <= set(paths)
    required = {setting.path for setting in listed if setting.default == "required"}
    assert required == {"grids[].symbol", "grids[].investment", "grids[].held.quantity", "grids[].held.cost"}


def test_the_generated_files_are_up_to_date() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "generate_docs.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_example_is_the_configuration_of_a_first_start() -> None:
    assert parse_config((ROOT / "config.example.json").read_text("utf-8"), source="example") == default_config()
