"""What each exchange can do, as data: how it wants our ids, what its error codes prove, how far its lists reach.

Each cell is held by a test that captures the request which ccxt would send. An exchange without a row of its own is
traded under the strictest assumptions, and whoever trades there is told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from gridbot.adapters.exchange.unified import CallFailed, Proof
from gridbot.core.units import FeeCurrency
from gridbot.core.values import value
from gridbot.errors import Refusal


class IdForm(StrEnum):
    """How an exchange takes our order ids."""

    AS_IT_IS = "as_it_is"
    """18 letters and digits, unchanged."""
    NONE = "none"
    """Not at all: orders are recognised by side, price and amount, one unresolved create a market."""


@value
class Capability:
    """One exchange. Names of parameters are those that go into `params` of the unified method; None is impossible.

    Attributes:
        id: ccxt's name, or firi
        name: for people
        proven: whether the row was looked into; False is the generic one
        id_form: how our ids are written there
        create_id: the parameter that carries our id in create_order
        fetch_id: the one by which fetch_order finds an order by our id
        cancel_id: the one by which cancel_order does
        post_only: parameters that make a limit order post-only; None where it must be emulated by the price
        taker: parameters that make a limit order trade at once or never (IOC)
        trades_page: the most trades that one answer holds
        trades_window_ms: the longest range of time that one request for trades may cover
        max_open_orders: per market, as documented
        cancel_all: whether one request cancels a market's orders
        dead_man: the unified method that arms a timer which cancels all, "" for none; the kill switch's client has it
        cancels_per_s: the documented rate of cancels, for the kill switch
        fee_currency: in which asset the fee of a buy is taken unless the trade says otherwise
        certified: error codes that prove that an order never reached the book, and what they mean; where a code stands
            for several things, the code, a blank and the exchange's own words
        needs_passphrase: whether a key has a third part
        notes: what a person should know, whole sentences
    """

    id: str
    name: str
    proven: bool
    id_form: IdForm
    create_id: str | None
    fetch_id: str | None
    cancel_id: str | None
    post_only: Mapping[str, object] | None
    taker: Mapping[str, object] | None
    trades_page: int
    trades_window_ms: int | None
    max_open_orders: int | None
    cancel_all: bool
    dead_man: str
    cancels_per_s: float
    fee_currency: FeeCurrency
    certified: Mapping[str, Refusal]
    needs_passphrase: bool = False
    notes: tuple[str, ...] = ()

    @property
    def caution(self) -> str:
        """What to know before trading at an exchange that nobody looked into, "" for one that was."""
        return "" if self.proven else f"gridbot knows {self.name} only in general. {' '.join(self.notes)}"

    def refusal(self, failed: CallFailed) -> Refusal | None:
        """Return why an order was refused for certain, None if that is not certain."""
        if failed.proof is not Proof.ANSWERED:
            return None
        return self.certified.get(f"{failed.code} {failed.detail}") or self.certified.get(failed.code)
