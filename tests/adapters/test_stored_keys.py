"""The key of an account: kept as one secret, read whole or refused, and the environment's where none is kept."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.stored_keys import exchange_key, secret_name, store_key
from gridbot.errors import EnvironmentProblem
from tests.fakes.kept_secrets import SecretsInMemory

KEY = ExchangeKey("canary-of-the-key", "canary-of-the-secret", "canary-of-the-part")


def test_each_account_of_each_exchange_has_its_own() -> None:
    store = SecretsInMemory()
    store_key(store, "okx", "default", KEY)
    assert exchange_key(store, "okx", "default", {}) == KEY
    assert exchange_key(store, "okx", "other", {}) is None and exchange_key(store, "kraken", "default", {}) is None
    assert list(store.kept) == ["exchange.okx.default"] == [secret_name("okx", "default")]


@given(key=st.text(min_size=1), secret=st.text(min_size=1), passphrase=st.text())
def test_any_text_survives(key: str, secret: str, passphrase: str) -> None:
    store = SecretsInMemory()
    given_key = ExchangeKey(key, secret, passphrase)
    store_key(store, "binance", "default", given_key)
    assert exchange_key(store, "binance", "default", {}) == given_key


def test_the_environment_is_asked_where_nothing_is_kept() -> None:
    store, names = SecretsInMemory(), ("GRIDBOT_API_KEY", "GRIDBOT_API_SECRET", "GRIDBOT_API_PASSPHRASE")
    environment = dict(zip(names, (KEY.key, KEY.secret, KEY.passphrase), strict=True))
    assert exchange_key(store, "okx", "default", environment) == KEY
    del environment["GRIDBOT_API_PASSPHRASE"]
    assert exchange_key(store, "binance", "default", environment) == ExchangeKey(KEY.key, KEY.secret)
    store_key(store, "binance", "default", ExchangeKey("kept", "one"))
    assert exchange_key(store, "binance", "default", environment) == ExchangeKey("kept", "one")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"GRIDBOT_API_KEY": "k"}, "GRIDBOT_API_KEY is set and GRIDBOT_API_SECRET is not"),
        ({"GRIDBOT_API_SECRET": "s", "GRIDBOT_API_KEY": ""}, "GRIDBOT_API_SECRET is set and GRIDBOT_API_KEY is not"),
    ],
)
def test_half_a_key_is_refused(environment: dict[str, str], sentence: str) -> None:
    with pytest.raises(EnvironmentProblem, match=sentence):
        exchange_key(SecretsInMemory(), "binance", "default", environment)


def test_firi_has_one_text_alone() -> None:
    assert exchange_key(SecretsInMemory(), "firi", "default", {"GRIDBOT_API_KEY": "k"}) == ExchangeKey("k", "")


@pytest.mark.parametrize(
    "kept",
    [
        "",
        "null",
        "[]",
        "canary-of-the-secret",
        '{"schema": 2, "key": "canary-of-the-secret", "secret": "s", "passphrase": ""}',
        '{"schema": 1, "key": "", "secret": "canary-of-the-secret", "passphrase": ""}',
        '{"schema": 1, "key": "k", "secret": "", "passphrase": "canary-of-the-secret"}',
        '{"schema": 1, "key": "k", "secret": "canary-of-the-secret"}',
        '{"schema": 1, "key": 7, "secret": "canary-of-the-secret", "passphrase": ""}',
    ],
)
def test_what_is_no_key_is_refused_without_quoting_it(kept: str) -> None:
    store = SecretsInMemory({"exchange.binance.default": kept})
    with pytest.raises(EnvironmentProblem, match="none that this gridbot can read") as refused:
        exchange_key(store, "binance", "default", {})
    assert "canary" not in refused.value.message + refused.value.hint
