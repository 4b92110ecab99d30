"""Files that a person brings: the configuration, candles and trades."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from gridbot.adapters import config_files
from gridbot.adapters.market_files.candle_files import load_candles, save_candles
from gridbot.adapters.market_files.trade_files import load_trades
from gridbot.config import default_config, parse_config, parse_grid_or_app
from gridbot.core.units import Symbol
from gridbot.errors import CandleFileError, ConfigError
from gridbot.sim.generated_market import GeneratedMarket
from tests.fuzz.target import Meet, Target, simply

EXAMPLE = Path(__file__).resolve().parents[2] / "config.example.json"
_GRID = {
    "symbol": "BTC/USDT",
    "investment": "10000",
    "spacing": {"mode": "fraction", "fraction": "0.004"},
    "signal": {"timeframe": "5m"},
    "trend": {"timeframe": "5m", "policy": {"up": {"calm": None, "spike": 2}}},
    "held": {"quantity": "0.1", "cost": "9"},
    "instrument": {"tick_size": "0.01"},
}


@cache
def _configurations() -> tuple[bytes, ...]:
    return EXAMPLE.read_bytes(), default_config().to_json().encode(), json.dumps(_GRID).encode()


def _configuration(folder: Path) -> Meet:
    path = folder / "config.json"

    def meet(content: bytes) -> bool:
        path.write_bytes(content)
        try:
            text = config_files.read_text(path)
            config = parse_grid_or_app(text, source=path.name)
        except ConfigError as refused:
            assert "config.json" in refused.message and refused.hint
            refused.message.encode()
            return False
        assert config.to_rules() == parse_config(config.to_json(), source="x").to_rules()
        return True

    return meet


# --------------------------------------------------------------------------------- candles and trades


@cache
def _parquet() -> tuple[bytes, ...]:
    with TemporaryDirectory() as name:
        path = Path(name) / "candles.parquet"
        save_candles(path, GeneratedMarket(7).candles(0, 30))
        return (path.read_bytes(),)


@cache
def _csv() -> tuple[bytes, ...]:
    rows = [f"{1_700_000_040_000 + i * 60_000},10.5,11.25,9.75,10.75,3.5" for i in range(8)]
    head = "open_time,open,high,low,close,volume"
    plain = "\n".join([head, *rows, ""])
    return plain.encode(), plain.replace(",", ";").encode(), plain.replace("\n", "\r\n").upper().encode()


@cache
def _trades() -> tuple[bytes, ...]:
    rows = [f"{1_700_000_040_000 + i * 100},{'buy' if i % 2 else 'sell'},10.5,0.25,{i}" for i in range(8)]
    return ("\n".join(["time,side,price,amount,id", *rows, ""]).encode(),)


def _candles(folder: Path) -> Meet:
    path = folder / "candles.file"

    def meet(content: bytes) -> bool:
        path.write_bytes(content)
        try:
            candles = load_candles(path)
        except CandleFileError as refused:
            assert path.name in refused.message
            return False
        assert len(candles) >= 2 and bool((np.diff(candles.open_time) > 0).all())
        assert bool((candles.low > 0).all()) and bool(np.isfinite(candles.high).all())
        assert bool((candles.low <= candles.close).all()) and bool((candles.close <= candles.high).all())
        return True

    return meet


def _trade_file(folder: Path) -> Meet:
    path = folder / "trades.file"

    def meet(content: bytes) -> bool:
        path.write_bytes(content)
        try:
            trades = load_trades(path, Symbol("BTC/USDT"))
        except CandleFileError as refused:
            assert path.name in refused.message
            return False
        assert trades and all(each.price > 0 and each.price.is_finite() and each.amount > 0 for each in trades)
        return True

    return meet


FILE_TARGETS = (
    Target("configuration", 110, _configurations, simply(_configuration)),
    Target("candles, CSV", 12, _csv, simply(_candles)),
    Target("candles, Parquet", 12, _parquet, simply(_candles)),
    Target("trades, CSV", 6, _trades, simply(_trade_file)),
)
