"""The kill switch's own way to the exchange: a synchronous class of ccxt, made ready beforehand, that waits for nobody.

Everything that takes time or can fail is done while nothing is wrong: the import, the instance, the markets. A press
then costs one request to see what rests, and one for each cancel.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.ccxt_answers import check_rows
from gridbot.adapters.exchange.ccxt_failures import CURRENT, MALFORMED, ON_THE_WIRE, Attempt, Conversation, failure
from gridbot.adapters.exchange.ccxt_loading import synchronous_class
from gridbot.adapters.exchange.ccxt_wire import build, check_body, without_nothing
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.forms import read_foreign
from gridbot.adapters.exchange.spelling import order_named
from gridbot.adapters.exchange.turns import Urgency
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, Unified
from gridbot.core.commands import CancelOrder
from gridbot.core.events import OrderRef
from gridbot.core.units import ZERO, GridId, OrderId, Price, Symbol
from gridbot.errors import OutcomeUnknown, VenueUnavailable
from gridbot.ports import Known, OrderReport

TIMEOUT_S = 5.0
"""A hung connection costs no more than this; what it was about is asked again."""


class CcxtKill:
    """Satisfies KillVenue, for one thread at a time. It is made, and `arm`ed with the markets, before it is needed.

    `known` returns the orders of a market that we know: where the exchange has no ids of ours they are told by it.
    """

    def __init__(
        self,
        capability: Capability,
        *,
        base_url: str | None,
        key: ExchangeKey,
        budget: Budget,
        known: Known = lambda _: (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._capability = capability
        self._budget = budget
        self._known = known
        self._sleep = sleep
        self._next_cancel = 0.0
        exchange = build(synchronous_class(capability.id), base_url=base_url, key=key, budget=budget)
        exchange.enableRateLimit = False
        exchange.timeout = int(TIMEOUT_S * 1_000)
        # At DEBUG it writes down each address, and with it the signature.
        logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
        # A signed request goes where it was meant to go, or nowhere.
        exchange.session.max_redirects = 0
        self._exchange = exchange
        self._fetch2, self._on_rest_response = exchange.fetch2, exchange.on_rest_response
        exchange.fetch2, exchange.on_rest_response = self._ask, self._hear
        self._errors = _raised()

    def arm(self, markets: Mapping[str, Unified]) -> None:
        """Take over the markets that the trader's client has read, so that a stop need not ask for them."""
        self._exchange.set_markets(list(markets.values()))

    # -------------------------------------------------------------------------------- KillVenue

    def open_orders(self, symbol: Symbol) -> Sequence[OrderReport]:
        """Return every order that rests in a market, ours or not; raises VenueUnavailable."""
        try:
            told = self._call("fetch_open_orders", Urgency.READ, lambda: self._exchange.fetch_open_orders(symbol))
            known: dict[str, OrderRef] = {each.venue_id: each.ref for each in self._known(symbol) if each.venue_id}
            rows = check_rows(self._capability.id, "fetch_open_orders", told, symbol)
            return [_report(row, symbol, known) for row in rows]
        except CallFailed as failed:
            raise VenueUnavailable(failed.message, hint="gridbot keeps asking.") from None

    def cancel(self, order: CancelOrder) -> None:
        """Cancel by the exchange's id, or by ours while that is not known; an order that is gone is no error."""
        params: dict[str, object] = {}
        if order.venue_id is None:
            if self._capability.id_form is IdForm.NONE or self._capability.cancel_id is None:
                raise VenueUnavailable(
                    f"{self._capability.name} has not told its id of order {order.ref.id}, and cancels by no other.",
                    hint="gridbot looks for it among the orders that rest.",
                )
            params[self._capability.cancel_id] = order.ref.id
        venue_id, params = order_named(self._capability.id, order.venue_id or "", params)
        self._pace()
        try:
            self._call(
                "cancel_order",
                Urgency.CANCEL,
                lambda: self._exchange.cancel_order(venue_id, order.symbol, params),
            )
        except CallFailed as failed:
            if failed.cause is Cause.NOT_FOUND and failed.proof is Proof.ANSWERED:
                return
            error = VenueUnavailable if failed.proof is Proof.NOT_SENT else OutcomeUnknown
            raise error(failed.message, hint="gridbot keeps cancelling until nothing rests.") from None

    def set_dead_man(self, seconds: int) -> None:
        """Let the exchange cancel everything unless this is called again in time; 0 takes the timer away.

        Raises VenueUnavailable, also where the exchange has no such timer.
        """
        if not self._capability.dead_man:
            raise VenueUnavailable(
                f"{self._capability.name} has no timer that cancels orders by itself.",
                hint="Orders stay at the exchange when this machine is cut off; cancel them on its own page then.",
            )
        method = getattr(self._exchange, self._capability.dead_man)
        params = {"product": "SPOT"} if self._capability.id == "bybit" else {}
        try:
            self._call("dead_man", Urgency.READ, lambda: method(seconds * 1_000, params))
        except CallFailed as failed:
            raise VenueUnavailable(failed.message, hint="gridbot tries again.") from None

    # --------------------------------------------------------------------------------- the parts

    def _pace(self) -> None:
        """Keep to the exchange's documented rate: what it turns away would have to be cancelled again."""
        now = time.monotonic()
        if self._next_cancel > now + 1:
            self._sleep(self._next_cancel - now - 1)
        self._next_cancel = max(self._next_cancel, now) + 1 / self._capability.cancels_per_s

    def _call(self, name: str, urgency: Urgency, work: Callable[[], Any]) -> Any:
        conversation = Conversation(name, urgency)
        token = CURRENT.set(conversation)
        try:
            return work()
        except self._errors as error:
            failed = failure(self._capability.id, conversation, error)
        finally:
            CURRENT.reset(token)
        raise failed

    def _ask(
        self,
        path: str,
        api: Any = "public",
        method: str = "GET",
        params: Any = None,
        config: Mapping[str, Any] | None = None,
    ) -> Any:
        """Stand in for fetch2, through which ccxt sends everything."""
        params, config = without_nothing(params), config or {}
        signed = "public" not in str(api).lower()
        conversation, attempt = CURRENT.get(), Attempt(method, signed, sent=True)
        if conversation is not None:
            conversation.attempts.append(attempt)
            if conversation.call != "dead_man":
                cost = self._exchange.calculate_rate_limiter_cost(api, method, path, params, config)
                self._budget.spend_for_kill(float(cost))
        token = ON_THE_WIRE.set(attempt)
        try:
            answer = self._fetch2(path, api, method, params, config)
            check_body(answer)
            attempt.is_good = True
            return answer
        except self._errors as error:
            attempt.sent = not _was_never_sent(error)
            raise
        finally:
            ON_THE_WIRE.reset(token)

    def _hear(self, code: int, reason: str, url: str, method: str, headers: Any, body: str, *rest: Any) -> str:
        attempt = ON_THE_WIRE.get()
        text: str = self._on_rest_response(code, reason, url, method, headers, body, *rest)
        if attempt is not None:
            attempt.status, attempt.headers, attempt.body = code, headers, text
        return text


def _report(row: Unified, symbol: Symbol, known: Mapping[str, OrderRef]) -> OrderReport:
    """Return an order that rests. One that is not ours is named by its client id, or by the exchange's own."""
    told = read_foreign(row, symbol)
    ref = known.get(told.id) or OrderRef(GridId(""), 0, OrderId(told.client_id or told.id))
    price = Price(ZERO) if told.price is None else told.price
    return OrderReport(ref, told.id, symbol, told.side, price, told.quantity, told.filled, True)


def _was_never_sent(error: BaseException | None) -> bool:
    """Tell whether there was no connection to send anything over; also CallFailed, which comes before any."""
    from requests.exceptions import ConnectTimeout
    from urllib3.exceptions import NameResolutionError, NewConnectionError

    while error is not None:
        if isinstance(error, CallFailed):
            return error.proof is Proof.NOT_SENT
        reason = getattr(error.args[0], "reason", None) if error.args else None
        if isinstance(error, ConnectTimeout) or isinstance(reason, NewConnectionError | NameResolutionError):
            return True
        error = error.__cause__
    return False


def _raised() -> tuple[type[Exception], ...]:
    """Return everything that a call of ccxt's synchronous class may raise."""
    from ccxt.base.errors import BaseError

    return (CallFailed, BaseError, OSError, *MALFORMED)
