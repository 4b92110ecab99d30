"""The kill switch's own way to Firi: synchronous, one connection, ahead of everybody in the queue before Firi's door.

Firi keeps no ids of ours. An order is ours if the engine knows Firi's number of it, or if it is the only one that looks
like a create of ours whose answer was lost; where two look so, nothing is flat until a person has cancelled one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Literal

import requests
from urllib3.exceptions import NewConnectionError

from gridbot.adapters.exchange import firi_errors, firi_forms
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.firi import FIRI_URL, KEY_HEADER, PAGES
from gridbot.adapters.exchange.firi_pace import FiriPace, Rank
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified
from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, VenueOrderId
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import Known, KnownOrder, OrderReport

TIMEOUT_S = 5.0
SKEW_MS = 60_000
"""Firi's clock and ours may differ by so much: an order of ours may be dated before it was sent."""


class FiriKill:
    """Satisfies KillVenue, for one thread. `pace` is shared with the trader's client, `known` is the engine's."""

    def __init__(
        self,
        *,
        base_url: str | None,
        key: ExchangeKey,
        pace: FiriPace,
        known: Known,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._address = (base_url or FIRI_URL).rstrip("/")
        self._key = key
        self._pace = pace
        self._known = known
        self._timeout_s = timeout_s
        self._session = requests.Session()
        # Neither a proxy nor a password out of the surroundings: the request goes where it was meant to go.
        self._session.trust_env = False

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order that rests in a market, ours or not; raises VenueUnavailable."""
        try:
            answer = self._ask("GET", f"/v2/orders/{firi_forms.market_id(symbol)}", {"count": str(PAGES[-1])})
            told = [firi_forms.order_form(row, symbol) for row in firi_forms.rows_of(answer, "orders")]
        except CallFailed as failed:
            raise VenueUnavailable(failed.message, hint="gridbot keeps asking.") from failed
        resting = [order for order in told if order["status"] == "open"]
        if len(told) >= PAGES[-1] or len({order["id"] for order in resting}) != len(resting):
            raise VenueUnavailable("Firi's list of orders is not whole.", hint="gridbot keeps asking.")
        refs = self._refs(resting, symbol)
        return [_report(order, symbol, refs.get(order["id"])) for order in resting]

    def cancel(self, order: CancelOrder) -> None:
        """Cancel by Firi's number; an order that is gone is no error."""
        if order.venue_id is None or not (order.venue_id.isascii() and order.venue_id.isdigit()):
            raise VenueUnavailable(
                f"Firi has not told its number of order {order.ref.id}, and cancels by no other.",
                hint="gridbot looks for it among the orders that rest.",
            )
        path = f"/v2/orders/{order.venue_id}/{firi_forms.market_id(order.symbol)}/detailed"
        try:
            firi_forms.cancelled_form(self._ask("DELETE", path), order.venue_id, order.symbol)
        except CallFailed as failed:
            if failed.cause is Cause.NOT_FOUND and failed.proof is Proof.ANSWERED:
                return
            error = VenueUnavailable if failed.proof is Proof.NOT_SENT else OutcomeUnknown
            raise error(failed.message, hint="gridbot keeps cancelling until nothing rests.") from failed

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    # ------------------------------------------------------------------------------------ whose it is

    def _refs(self, resting: Sequence[Unified], symbol: Symbol) -> Mapping[str, OrderRef]:
        """Return our orders among those that rest, by Firi's number; VenueUnavailable where nobody can tell."""
        known = self._known(symbol)
        refs: dict[str, OrderRef] = {each.venue_id: each.ref for each in known if each.venue_id is not None}
        for lost in (each for each in known if each.unresolved and each.venue_id is None):
            alike = [order["id"] for order in resting if order["id"] not in refs and _looks_like(order, lost)]
            if len(alike) > 1:
                raise VenueUnavailable(
                    f"{len(alike)} orders at Firi look like order {lost.ref.id}: {', '.join(sorted(alike))}.",
                    hint="Cancel the one that is gridbot's, or all of them, on Firi's own page.",
                )
            refs |= {id_: lost.ref for id_ in alike}
        return refs

    # -------------------------------------------------------------------------------------- the parts

    def _ask(self, method: Literal["GET", "DELETE"], path: str, query: Mapping[str, str] | None = None) -> object:
        self._pace.turn_in_thread(Rank.KILL)
        until = time.monotonic() + self._timeout_s
        try:
            with self._session.request(
                method,
                self._address + path,
                params=query,
                headers={KEY_HEADER: self._key.key, "Accept": "application/json"},
                timeout=self._timeout_s,
                allow_redirects=False,
                stream=True,
            ) as answer:
                parts = []
                # The timeout is for each piece; what comes drop by drop must end as well.
                for part in answer.iter_content(65_536):
                    parts.append(part)
                    if time.monotonic() > until:
                        raise firi_errors.no_answer(f"{self._timeout_s:g} seconds went by")
                status, retry_after = answer.status_code, answer.headers.get("Retry-After")
        except (requests.RequestException, OSError) as error:
            if _was_never_sent(error):
                raise firi_errors.not_sent("no connection came about") from None
            raise firi_errors.no_answer("the connection ended, or nothing came") from None
        try:
            return firi_errors.read_answer(
                status=status, body=b"".join(parts), retry_after=retry_after, hidden=self._key.key
            )
        except CallFailed as failure:
            if failure.cause in {Cause.RATE, Cause.BANNED}:
                self._pace.hold(failure.retry_after_s or 0.0)
            raise


def _looks_like(order: Unified, lost: KnownOrder) -> bool:
    return (
        order["side"] == lost.side.value
        and Decimal(order["price"]) == lost.price
        and Decimal(order["amount"]) == lost.quantity
        and order["timestamp"] > lost.created - SKEW_MS
    )


def _report(order: Unified, symbol: Symbol, ref: OrderRef | None) -> OrderReport:
    """Return an order that rests. No id of ours has a colon."""
    return OrderReport(
        ref or OrderRef(GridId(""), 0, OrderId(f"venue:{order['id']}")),
        VenueOrderId(order["id"]),
        symbol,
        Side(order["side"]),
        Price(Decimal(order["price"])),
        Quantity(Decimal(order["amount"])),
        Quantity(Decimal(order["filled"])),
        True,
    )


def _was_never_sent(error: BaseException) -> bool:
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.InvalidURL | requests.exceptions.MissingSchema):
        return True
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(reason, NewConnectionError)
