"""Where ccxt's unified parameters do not arrive at an exchange: what it is given instead, as seen in its requests."""

from __future__ import annotations

from collections.abc import Mapping


def order_named(exchange_id: str, venue_id: str, params: Mapping[str, object]) -> tuple[str | None, dict[str, object]]:
    """Return the id and the parameters by which ccxt cancels an order; without an id of the exchange's, by ours."""
    left = dict(params)
    if exchange_id == "gate" and not venue_id and "clientOrderId" in left:
        # ccxt translates the parameter for fetch_order only; the exchange takes our id in the place of its own.
        return f"t-{left.pop('clientOrderId')}", left
    return venue_id or None, left


def trades_spanned(exchange_id: str, since: int | None, params: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters of a request for trades, so that its beginning and its end are told to the exchange."""
    left = dict(params)
    if exchange_id == "bitfinex" and "until" in left:
        # ccxt ends every span now.
        left["end"] = left.pop("until")
    elif exchange_id == "bitstamp":
        # ccxt takes the newest and leaves out what is older; times are whole seconds.
        until = left.pop("until", None)
        if since is not None:
            left["since_timestamp"] = since // 1_000
        if isinstance(until, int):
            left["until_timestamp"] = -(-until // 1_000)
    return left
