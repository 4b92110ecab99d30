"""One exchange is imported and no other; whoever imports ccxt elsewhere finds what the real package has."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_loading import streaming_class, synchronous_class
from gridbot.adapters.exchange.redirect import redirected
from gridbot.errors import ConfigError
from tests.adapters.exchange.capturing import KEY

ROOT = Path(__file__).resolve().parents[3]
_COUNT = """
import json, sys
print(json.dumps([name for name in sys.modules if name.startswith("ccxt")]))
"""


def modules_after(program: str) -> set[str]:
    """Return the modules of ccxt that a fresh process has after a program."""
    done = subprocess.run(
        [sys.executable, "-c", program + _COUNT], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_one_exchange_is_loaded_and_not_a_hundred() -> None:
    loaded = modules_after(
        "from gridbot.adapters.exchange.ccxt_client import CcxtClient\n"
        "from gridbot.adapters.exchange.budget import Budget\n"
        "client = CcxtClient('binance', base_url=None, key=None, budget=Budget())\n"
        "assert client.has('watchTrades')\n"
    )
    exchanges = {name for name in loaded if name.split(".")[-1] in {"binance", "kraken", "okx", "bybit", "alpaca"}}
    assert exchanges == {"ccxt.async_support.binance", "ccxt.pro.binance", "ccxt.abstract.binance"}
    assert len(loaded) < 30


def test_nothing_of_ccxt_is_loaded_by_naming_a_client_or_reading_the_table() -> None:
    program = "import gridbot.adapters.exchange.ccxt_client, gridbot.adapters.exchange.ccxt_kill\n"
    assert modules_after(program + "import gridbot.adapters.exchange.capability_table\n") == set()


def test_after_that_ccxt_looks_as_it_always_does() -> None:
    loaded = modules_after(
        "from gridbot.adapters.exchange.ccxt_loading import streaming_class, synchronous_class\n"
        "one, other = streaming_class('binanceus'), synchronous_class('kraken')\n"
        "import ccxt, ccxt.async_support as rest\n"
        "from ccxt import pro, NetworkError, Exchange, Precise\n"
        "assert pro.binanceus is one and ccxt.kraken is other and issubclass(other, Exchange)\n"
        "assert issubclass(one, pro.binance) and issubclass(rest.binanceus, rest.binance)\n"
        "assert not issubclass(one, other) and rest.Exchange is not Exchange\n"
        "assert issubclass(ccxt.RequestTimeout, NetworkError) and rest.kraken is not ccxt.kraken\n"
        "assert not hasattr(ccxt, 'no_such_thing')\n"
    )
    assert "ccxt.async_support.okx" not in loaded


def test_a_ccxt_that_is_there_already_is_used() -> None:
    loaded = modules_after(
        "import ccxt.pro\n"
        "from gridbot.adapters.exchange.ccxt_loading import streaming_class\n"
        "assert streaming_class('okx') is ccxt.pro.okx\n"
    )
    assert "ccxt.pro.kraken" in loaded


@pytest.mark.parametrize("name", ["nowhere", "", "base", "../binance", "Exchange"])
def test_an_exchange_that_nobody_knows_is_a_mistake_in_the_configuration(name: str) -> None:
    client = CcxtClient(name, base_url=None, key=None, budget=Budget())
    with pytest.raises(ConfigError, match="no exchange"):
        client.has("watchTrades")


def test_an_exchange_without_streams_still_has_its_requests() -> None:
    client = CcxtClient("btcmarkets", base_url=None, key=None, budget=Budget())
    assert client.has("fetchOrderBook") and not client.has("watchTrades")


EVERY = [
    "binance",
    "kraken",
    "coinbase",
    "bybit",
    "okx",
    "kucoin",
    "bitget",
    "gate",
    "bitstamp",
    "bitfinex",
    "whitebit",
]


@pytest.mark.parametrize("exchange_id", EVERY)
def test_no_address_of_a_redirected_class_is_left_as_it_was(exchange_id: str) -> None:
    client = CcxtClient(exchange_id, base_url="http://127.0.0.1:4321", key=KEY, budget=Budget())
    exchange = client._made()
    assert exchange.implode_hostname is not None
    left = [url for url in _addresses(exchange.urls["api"]) if "127.0.0.1" not in url]
    assert not left


def _addresses(urls: object) -> list[str]:
    if isinstance(urls, dict):
        return [url for each in urls.values() for url in _addresses(each)]
    return [urls] if isinstance(urls, str) else []


def test_paths_are_kept_where_they_decide() -> None:
    described = {
        "id": "bybit",
        "urls": {"api": {"public": "https://api.{hostname}/v5?x=1", "ws": {"a": "wss://s.x/v5"}}},
    }
    assert redirected(described, "http://localhost:1/") == {
        "urls": {"api": {"public": "http://localhost:1/v5?x=1", "ws": {"a": "ws://localhost:1/v5"}}},
        "hostname": "localhost:1",
    }
    assert redirected(described, "https://own.example")["urls"]["api"]["ws"]["a"] == "wss://own.example/v5"


@pytest.mark.parametrize("load", [streaming_class, synchronous_class])
@pytest.mark.parametrize("figure", ["1E+999999999", "1e-999999999", "-0.5E+5000"])
def test_a_figure_beyond_all_measure_is_none_to_ccxt(load: Callable[[str], Any], figure: str) -> None:
    load("binance")
    precise = importlib.import_module("ccxt.base.precise").Precise
    assert precise.string_mul("1E-18", "70250.25") == "0.00000000000007025025"
    with pytest.raises(ValueError, match="beyond all measure"):
        precise.string_add(figure, "1")
