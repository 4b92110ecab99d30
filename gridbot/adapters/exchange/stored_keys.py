"""An exchange's key in the store of secrets, one for each account; or of the environment, for one run."""

from __future__ import annotations

import re
from collections.abc import Mapping

import orjson

from gridbot.adapters.exchange.capability_table import capability_of
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.errors import EnvironmentProblem
from gridbot.ports import SecretStore

_PEM = re.compile(r"(-----BEGIN [A-Z ]+-----)(.*)(-----END [A-Z ]+-----)", re.DOTALL)
_BARE = frozenset({"firi"})
"""Exchanges whose key is one text alone, without a secret beside it."""
API_KEY, API_SECRET, API_PASSPHRASE = "GRIDBOT_API_KEY", "GRIDBOT_API_SECRET", "GRIDBOT_API_PASSPHRASE"


def secret_name(exchange: str, account: str) -> str:
    """Return the name under which the key of an account is kept."""
    return f"exchange.{exchange}.{account}"


def exchange_key(store: SecretStore, exchange: str, account: str, environment: Mapping[str, str]) -> ExchangeKey | None:
    """Return the key of an account: the stored one, else the environment's; None without any. EnvironmentProblem."""
    kept = store.read(secret_name(exchange, account))
    if kept is not None:
        return _read(kept, exchange, account)
    key, secret = environment.get(API_KEY, ""), environment.get(API_SECRET, "")
    if not key and not secret:
        return None
    if not key or (not secret and needs_secret(exchange)):
        there, missing = (API_KEY, API_SECRET) if key else (API_SECRET, API_KEY)
        raise EnvironmentProblem(f"{there} is set and {missing} is not.", hint="A key needs both: set the other too.")
    return ExchangeKey(key, secret, environment.get(API_PASSPHRASE, ""))


def needs_secret(exchange: str) -> bool:
    """Tell whether a key of this exchange has a secret beside it."""
    return exchange not in _BARE


def made_key(exchange: str, key: str, secret: str, passphrase: str = "") -> ExchangeKey:
    """Return a key of what a person typed; EnvironmentProblem where a part is missing or not copied well."""
    parts = {"key": key.strip(), "secret": _unescaped(secret.strip())}
    for name, text in parts.items():
        if not text and (name == "key" or needs_secret(exchange)):
            raise EnvironmentProblem(
                f"The {name} is missing, so nothing was changed.", hint="Copy it from the exchange."
            )
        pem = text.startswith("-----BEGIN")
        if not text.isprintable() and not pem:
            raise EnvironmentProblem(f"The {name} has a line break or a sign that cannot be seen.", hint=_COPY)
        if (" " in text and not pem) or not text.isascii():
            raise EnvironmentProblem(f"The {name} has a space or a letter that no key has.", hint=_COPY)
    if not passphrase.strip() and capability_of(exchange).needs_passphrase:
        raise EnvironmentProblem(
            "The passphrase is missing, so nothing was changed.", hint="You chose it with the key."
        )
    if parts["key"] == parts["secret"]:
        raise EnvironmentProblem("The key and the secret are the same text.", hint=_COPY)
    return ExchangeKey(parts["key"], parts["secret"], passphrase.strip())


_COPY = "Copy it once more from the exchange, and nothing beside it. Nothing was changed."


def _unescaped(text: str) -> str:
    r"""Return a PEM text line by line: it may come with \n or with spaces between its lines."""
    found = _PEM.fullmatch(text.replace("\\n", "\n"))
    return text if found is None else "\n".join([found[1], *found[2].split(), found[3]])


def store_key(store: SecretStore, exchange: str, account: str, key: ExchangeKey) -> None:
    """Keep the key of an account, in the place of any that was there. EnvironmentProblem."""
    plain = {"schema": 1, "key": key.key, "secret": key.secret, "passphrase": key.passphrase}
    store.write(secret_name(exchange, account), orjson.dumps(plain).decode())


def _read(kept: str, exchange: str, account: str) -> ExchangeKey:
    try:
        plain = orjson.loads(kept)
    except orjson.JSONDecodeError:
        plain = None
    if not isinstance(plain, dict) or plain.get("schema") != 1:
        raise _unreadable(exchange, account)
    parts = [plain.get(part) for part in ("key", "secret", "passphrase")]
    key, secret, passphrase = (part if isinstance(part, str) else None for part in parts)
    if not key or secret is None or passphrase is None or not (secret or not needs_secret(exchange)):
        raise _unreadable(exchange, account)
    return ExchangeKey(key, secret, passphrase)


def _unreadable(exchange: str, account: str) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"What is stored as the key of {exchange} (account {account}) is none that this gridbot can read.",
        hint=f"Store it again: `gridbot exchange key set --exchange {exchange} --account {account}`.",
    )
