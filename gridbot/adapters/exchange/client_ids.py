"""How an order of ours is named in a request, where the parameter alone does not do: gate puts `t-` before every id."""

from __future__ import annotations

from collections.abc import Mapping


def named(exchange_id: str, venue_id: str, params: Mapping[str, object]) -> tuple[str | None, dict[str, object]]:
    """Return the id and the parameters by which ccxt cancels an order; without an id of the exchange's, by ours."""
    left = dict(params)
    if exchange_id == "gate" and not venue_id and "clientOrderId" in left:
        # ccxt translates the parameter for fetch_order only; the exchange takes the id in the other's place.
        return f"t-{left.pop('clientOrderId')}", left
    return venue_id or None, left
