"""The key to an account at an exchange: held in memory only, and never shown by accident."""

from __future__ import annotations

from gridbot.core.values import value


@value
class ExchangeKey:
    """What an exchange gave its user: key, secret, and the passphrase where it wants one (okx, kucoin, bitget)."""

    key: str
    secret: str
    passphrase: str = ""

    def __repr__(self) -> str:
        return "ExchangeKey(hidden)"

    __str__ = __repr__
