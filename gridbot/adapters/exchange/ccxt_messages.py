"""What comes in over ccxt's websockets: nothing is swallowed, and each message is taken in when its turn comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import aiohttp

from gridbot.adapters.exchange.ccxt_failures import CURRENT, MALFORMED
from gridbot.adapters.exchange.precedence import Precedence

_TERMINATED = '"eventStreamTerminated"'
"""Binance's word for the end of an account's stream. ccxt takes note of it and wakes nobody."""


class Messages:
    """Stands between one instance's connections and the instance; one without streams is left as it is.

    `precedence` says whose turn it is; without one each message is taken in as it comes.
    """

    def __init__(self, exchange: Any, precedence: Precedence | None, *, of_account: bool) -> None:
        self._exchange = exchange
        self._precedence = precedence
        self._of_account = of_account
        self._urls: dict[str, set[str]] = {}
        """The connections that each call has used."""
        self._connect = getattr(exchange, "client", None)
        if self._connect is not None:
            exchange.client = self._connected

    def forget(self, call: str) -> set[str]:
        """Return the connections that a call has used; from now on it may open them anew."""
        return self._urls.pop(call, set())

    def forget_all(self) -> None:
        """Forget every connection, and what waits of it."""
        self._urls.clear()
        if self._precedence is not None and not self._of_account:
            self._precedence.forget()

    def _connected(self, url: str) -> Any:
        """Stand in for `client`: return the connection to `url`, watched over from now on."""
        assert self._connect is not None
        conversation = CURRENT.get()
        used = set[str]() if conversation is None else self._urls.setdefault(conversation.call, set())
        if url in used and url not in self._exchange.clients:
            # It ended while nobody waited, and ccxt would connect anew as if nothing had been missed.
            raise ConnectionResetError("the stream was cut off")
        used.add(url)
        client = self._connect(url)
        if "handle_text_or_binary_message" not in vars(client):
            hear = client.handle_text_or_binary_message
            client.handle_text_or_binary_message = lambda data: self._came(client, hear, data)
        return client

    def _came(self, client: Any, hear: Callable[[Any], None], data: Any) -> None:
        def take_in() -> None:
            # What a connection told that was let go since is asked for when its stream begins anew.
            if self._exchange.clients.get(client.url) is client:
                _hear(client, hear, data)

        if self._precedence is None:
            take_in()
        elif self._of_account:
            self._precedence.account(take_in)
        else:
            self._precedence.market(take_in)


def _hear(client: Any, hear: Callable[[Any], None], data: Any) -> None:
    """Let the instance take a message in. What it would swallow ends the stream: it would fall silent or go on with a
    gap, without a word."""
    try:
        if isinstance(data, str) and _TERMINATED in data:
            raise ConnectionResetError("the exchange ended the stream")
        hear(data)
    except raised() as error:
        client.on_error(error)


def raised() -> tuple[type[Exception], ...]:
    """Return everything that a call of ccxt may raise; its own errors are known once it is loaded."""
    from ccxt.base.errors import BaseError

    return (BaseError, aiohttp.ClientError, TimeoutError, OSError, *MALFORMED)
