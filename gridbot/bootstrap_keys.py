"""Where the wiring finds the keys: the store of secrets of a folder, and what a person accepted about a key."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.key_check import KeyCheck, check_key
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.consent_file import AcceptedKeyFile
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.logbook.quiet_libraries import quiet_libraries
from gridbot.adapters.secrets.chosen_store import Ask, ChosenStore, choose_store
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.units import Mode
from gridbot.shell.key_desk import KeyPlace, KeyVerdict

_SHOWN, _ENOUGH = 4, 16
"""How many characters of a key are shown at most, and how long it must be for that."""


def secret_store(home: Home, environment: Mapping[str, str], mask: Mask, *, ask: Ask | None = None) -> ChosenStore:
    """Return the store of secrets of a folder; whatever is read from it is hidden by `mask` from then on.

    `ask` asks a person for a passphrase, where one is needed and can be asked.
    """
    # Nothing secret is used that did not come this way.
    quiet_libraries()
    return choose_store(
        home.root, environment=environment, disk=SystemDisk(), save=save_whole, ask=ask, learn=mask.learn
    )


def accepted_key(home: Home, account: str, key: str) -> AcceptedKeyFile:
    """Return where it is kept that a person accepted a live account's key although it can withdraw."""
    disk = SystemDisk()
    return AcceptedKeyFile(disk, AccountFolder(disk, home.root, mode=Mode.LIVE, account=account).folder, key)


def ending_of(key: ExchangeKey) -> str:
    """Return the last characters of a key; "" for a short one, and for one that is the whole secret by itself."""
    return key.key[-_SHOWN:] if key.secret and len(key.key) >= _ENOUGH else ""


def judged(found: KeyCheck, accepted: AcceptedKeyFile) -> KeyVerdict:
    """Return what a test means: a key that can withdraw is refused unless its user accepted just that key."""
    if found.rights.withdraw and not accepted.given():
        return KeyVerdict.WITHDRAWS
    return KeyVerdict.GOOD if found.rights.read and found.rights.trade is not False else KeyVerdict.FAILED


async def asked(place: KeyPlace, key: ExchangeKey, tell: Callable[[str], None]) -> KeyCheck:
    """Ask the exchange whether a key works and what it may do; each step is told. CallFailed, or ConfigError."""
    from gridbot.adapters.exchange.ccxt_client import CcxtClient
    from gridbot.adapters.exchange.key_check import KeyRights
    from gridbot.adapters.exchange.key_permissions import UNTOLD, read_permissions
    from gridbot.adapters.exchange.opening import open_client

    client = open_client(place.exchange, base_url=place.base_url, key=key)

    async def rights() -> KeyRights:
        return await read_permissions(client) if isinstance(client, CcxtClient) else UNTOLD

    try:
        return await check_key(client, rights, now_ms=SystemClock().now_ms, tell=tell)
    finally:
        await client.close()
