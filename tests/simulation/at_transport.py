"""The limits as they stand when a create truly leaves: [I13], [I14], [I15], [I17], by what rests and what was shown.

The journal's own moment is judged in `own_books`; here counts what the venue has, what is under way and when it is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import Event, Marked, Quote
from gridbot.core.state import State
from gridbot.core.units import Side, Symbol
from gridbot.sim.matching import Resting
from tests.simulation.exchange import TrueVenue
from tests.simulation.machine import Machine
from tests.simulation.order_proof import MARK_MS
from tests.simulation.own_books import WINDOW_MS, Fail, OwnBooks, crosses, over

SLACK_MS = 5_000
"""What a slow disk and a queue may add to a price that has grown older since the newest mark."""


class AtTransport:
    """Judges creates as they leave. `shown` is what the world shows of a market now, as old as it is.

    Attributes:
        lenient: marks may be long past
    """

    def __init__(
        self,
        *,
        venue: TrueVenue,
        machine: Machine,
        shown: Callable[[Symbol], Quote | None],
        booked: Callable[[str], bool],
        fail: Fail,
    ) -> None:
        self._venue = venue
        self._machine = machine
        self._shown = shown
        self._booked = booked
        self._fail = fail
        self.lenient = False
        self._left: deque[int] = deque()
        self._fresh: list[tuple[str, str, Symbol, PlaceLimit]] = []
        self._seen = 0
        self._basis: object | None = None
        self._skew_ms = machine.skew_ms
        self._shown_quotes: dict[Symbol, deque[Quote]] = {}

    def creating(
        self,
        order: PlaceLimit,
        *,
        resting: Iterable[Resting],
        flying: Mapping[str, PlaceLimit],
        books: OwnBooks,
        state: State,
        forgotten: Callable[[str], bool],
    ) -> None:
        """Judge a create; `resting` and `flying` are ours in every market, less what no journal answers for."""
        risk = state.rules.risk
        id_ = order.ref.id
        if risk is None:
            return
        now = self._machine.true_ms()
        if self._machine.skew_ms != self._skew_ms:
            # Ten seconds are those of the machine's clock, which somebody has set.
            self._skew_ms = self._machine.skew_ms
            self._left.clear()
        while self._left and self._left[0] <= now - WINDOW_MS:
            self._left.popleft()
        if len(self._left) >= risk.max_creates_per_10s:
            self._fail("I14", f"{len(self._left)} creates left in the 10 s before it", id_)
        self._left.append(now)
        rests: dict[str, Resting] = {one.order.ref.id: one for one in resting}
        others = [one.order for one in rests.values()] + [one for key, one in flying.items() if key not in rests]
        mine = [one for one in others if one.symbol == order.symbol]
        if len(mine) >= risk.max_open_orders:
            self._fail("I14", f"{len(mine)} orders are open or under way, the limit is {risk.max_open_orders}", id_)
        for one in mine:
            if crosses(order, one):
                self._fail("I17", f"it would trade with our own {one.ref.id} at {one.price:f}", id_)
        if order.side is Side.BUY:
            self._look_at_price(order, int(risk.max_quote_age_ms.limit))
            self._sum_up(order, rests, [one for one in others if one.ref.id not in rests], books, forgotten)

    def _look_at_price(self, order: PlaceLimit, limit_ms: int) -> None:
        """[I15] whatever the marks said, the world has shown a price of this market not long ago."""
        quote = self._shown(order.symbol)
        if quote is not None and quote.age_ms > limit_ms + MARK_MS + SLACK_MS:
            self._fail("I15", f"a buy leaves though no price came for {quote.age_ms} ms", order.ref.id)

    def _sum_up(
        self,
        order: PlaceLimit,
        rests: Mapping[str, Resting],
        flying: Iterable[PlaceLimit],
        books: OwnBooks,
        forgotten: Callable[[str], bool],
    ) -> None:
        """[I13] by the prices, the coins and the equity that the newest buy was allowed by."""
        basis = books.basis
        if basis is None:
            return
        if basis is not self._basis:
            # What the journal had booked by then is in its coins; what was traded since counts at its order's price.
            self._basis = basis
            self._fresh = [one for one in self._fresh if not self._booked(one[0])]
        orders = self._venue.orders()
        for trade in self._venue.fills[self._seen :]:
            true = orders.get(trade.ref.id)
            if self._venue.doubles.has(trade.ref.id):
                continue  # It and its double are one order to whoever does not know of it yet, and count once.
            if true is not None and true.order.side is Side.BUY and not self._booked(trade.trade_id):
                bought = PlaceLimit(
                    trade.ref,
                    trade.symbol,
                    Side.BUY,
                    true.order.price,
                    trade.quantity,
                    True,
                    False,
                    true.order.price,
                )
                self._fresh.append((trade.trade_id, trade.ref.id, trade.symbol, bought))
        self._seen = len(self._venue.fills)
        buys = [(order.symbol, order.price * order.quantity)]
        buys += [
            (one.order.symbol, one.leaves * one.order.price) for one in rests.values() if one.order.side is Side.BUY
        ]
        buys += [(one.symbol, one.quantity * one.price) for one in flying if one.side is Side.BUY]
        buys += [(s, b.quantity * b.price) for _, id_, s, b in self._fresh if not forgotten(id_)]
        for invariant, sentence in over(basis, buys, order):
            self._fail(invariant, sentence, order.ref.id)

    def was_shown(self, quote: Quote) -> None:
        """The world shows a price to a process."""
        self._shown_quotes.setdefault(quote.symbol, deque()).append(quote)

    def follow(self, event: Event) -> None:
        """[I15] a mark of the journal holds prices that the world has shown lately, as old as it says."""
        if type(event) is not Marked or self.lenient:
            return
        for quote in event.quotes:
            shown = self._shown_quotes.get(quote.symbol)
            while shown and not _same(shown[0], quote):
                shown.popleft()
            if not shown:
                sentence = f"a mark holds {quote.bid} of {quote.symbol}, {quote.age_ms} ms old, which was never shown"
                self._fail("I15", sentence, None)


def _same(one: Quote, other: Quote) -> bool:
    """Tell whether two quotes are alike; no two that are no number are equal otherwise."""
    return one == other or (one.age_ms, str(one.bid), str(one.ask)) == (other.age_ms, str(other.bid), str(other.ask))
