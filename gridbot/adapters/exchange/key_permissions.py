"""What a key may do, in the exchange's own words, where it has a page for that; nothing is guessed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.key_check import KeyRights
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

UNTOLD = KeyRights(None, None, None)


async def read_permissions(client: CcxtClient) -> KeyRights:
    """Ask the exchange what the client's key may do; None for what it does not tell. Raises CallFailed."""
    asked = _PAGES.get(client.id)
    if asked is None:
        return UNTOLD
    method, read = asked
    answer = await client.request(method, {})
    try:
        return read(answer)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError):
        # What was answered names the key, so it must not stand in a chain of errors.
        pass
    raise CallFailed(f"What {client.id} says about the key cannot be read.", proof=Proof.SILENT, cause=Cause.MALFORMED)


def _flag(told: Mapping[str, Any], name: str) -> bool:
    held = told[name]
    if not isinstance(held, bool):
        raise TypeError(name)
    return held


def _binance(told: Any) -> KeyRights:
    return KeyRights(
        _flag(told, "enableReading"),
        _flag(told, "enableSpotAndMarginTrading"),
        _flag(told, "enableWithdrawals"),
    )


def _bybit(told: Any) -> KeyRights:
    result = told["result"]
    may = result["permissions"]
    writes = int(result["readOnly"]) == 0
    return KeyRights(True, writes and "SpotTrade" in may["Spot"], writes and "Withdraw" in may["Wallet"])


def _okx(told: Any) -> KeyRights:
    return _listed(_words(told["data"][0]["perm"]), reads={"read_only"}, trades={"trade"}, withdraws={"withdraw"})


def _kucoin(told: Any) -> KeyRights:
    words = _words(told["data"]["permission"])
    return _listed(words, reads={"general"}, trades={"trade", "spot"}, withdraws={"withdrawal", "withdraw"})


def _coinbase(told: Any) -> KeyRights:
    return KeyRights(_flag(told, "can_view"), _flag(told, "can_trade"), _flag(told, "can_transfer"))


def _kraken(told: Any) -> KeyRights:
    held = told["result"]["permissions"]
    if not isinstance(held, Sequence) or isinstance(held, str) or not all(isinstance(each, str) for each in held):
        raise TypeError("permissions")
    words = [each.lower() for each in held]
    return KeyRights(
        any("query" in each for each in words),
        any("trade" in each and "query" not in each for each in words),
        any("withdraw" in each for each in words),
    )


def _bitfinex(told: Any) -> KeyRights:
    may = {scope: (bool(reads), bool(writes)) for scope, reads, writes in told}
    return KeyRights(may["orders"][0] and may["wallets"][0], may["orders"][1], may["withdraw"][1])


def _words(told: str) -> set[str]:
    return {each.strip().lower() for each in told.split(",")}


def _listed(words: set[str], *, reads: set[str], trades: set[str], withdraws: set[str]) -> KeyRights:
    return KeyRights(bool(words & reads), bool(words & trades), bool(words & withdraws))


_PAGES: Mapping[str, tuple[str, Callable[[Any], KeyRights]]] = {
    "binance": ("sapi_get_account_apirestrictions", _binance),
    "bitfinex": ("private_post_auth_r_permissions", _bitfinex),
    "bybit": ("private_get_v5_user_query_api", _bybit),
    "coinbase": ("v3_private_get_brokerage_key_permissions", _coinbase),
    "kraken": ("private_post_getapikeyinfo", _kraken),
    "kucoin": ("private_get_user_api_key", _kucoin),
    "okx": ("private_get_account_config", _okx),
}
"""ccxt's name of the page, and how it is read. Bitget, gate and bitstamp have none that says it."""
