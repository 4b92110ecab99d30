"""By how much books and account may be apart: what people moved, and the trades that no journal can book."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderFilled, Transferred
from gridbot.core.ledger import Account
from gridbot.core.state import State
from gridbot.core.units import Asset, Side, Symbol
from tests.simulation.exchange import TrueVenue
from tests.simulation.market import Market


class Gaps:
    """[I10] Holds what the program says of balances, and what it booked, to what truly happened.

    `strange` tells whether no journal can book a trade: its order was sent after the copy that was put back, or was
    carried out twice and traded more than was ordered.
    """

    def __init__(
        self,
        venue: TrueVenue,
        markets: Mapping[Symbol, Market],
        *,
        strange: Callable[[OrderFilled], bool],
        fail: Callable[[str, str], None],
    ) -> None:
        self._venue = venue
        self._first: dict[str, Decimal] = {str(asset): amount for asset, amount in venue.holdings().items()}
        self._strange = strange
        self._fail = fail
        self._dust: dict[str, Decimal] = {}
        for instrument in (market.instrument for market in markets.values()):
            for asset, step in ((instrument.base, instrument.lot_size), (instrument.quote, instrument.tick_size)):
                self._dust[asset] = min(self._dust.get(asset, step), step)
        self._instruments = {symbol: market.instrument for symbol, market in markets.items()}

    def accepted(self, assets: Iterable[Asset], state: State) -> None:
        """A person has taken the exchange's word for these: as much as is forgotten or was moved is booked, no more.

        `state` is that of the journal.
        """
        moved = self._moved()
        for asset in assets:
            booked = self._accepted(asset, state.accounts.get(asset, Account()))
            if not self._same(asset, moved.get(asset, Decimal(0)), booked):
                self._fail("I10", f"{booked:f} {asset} are accepted, {moved.get(asset, Decimal(0)):f} were moved")

    def is_short(self, asset: Asset, state: State) -> bool:
        """Tell whether people took more of an asset than the journal, whose state this is, has been told of."""
        moved = self._moved().get(asset, Decimal(0))
        return moved < self._accepted(asset, state.accounts.get(asset, Account()))

    def explain(self, refused: PlaceLimit | None, state: State) -> bool:
        """Tell whether an order could not be paid because people took what it was to be paid with."""
        if refused is None:
            return False
        instrument = self._instruments[refused.symbol]
        return self.is_short(instrument.quote if refused.side is Side.BUY else instrument.base, state)

    def transferred(self, event: Transferred) -> None:
        """Something is booked that is no trade: the exchange tells of it, a person accepts it, or it is dust."""
        if event.id.startswith("accepted-") or self._same(event.asset, event.amount, Decimal(0)):
            return
        told = (movement.amount for _, movement in self._venue.moves if movement.id == event.id)
        if event.amount not in told:
            self._fail("I10", f"{event.amount:f} {event.asset} are booked as {event.id}, and nobody said so")

    def closed(self, state: State) -> None:
        """After a quiet time books and account are equal, and nothing was accepted but what is so."""
        held, moved = self._venue.holdings(), self._moved()
        for asset, account in state.accounts.items():
            true, lost = held.get(asset, Decimal(0)), moved.get(asset, Decimal(0))
            if asset not in self._dust:
                # No grid trades it: nobody asks how much there is, and nobody misses the fees of forgotten trades.
                if account.total + lost - self._accepted(asset, account) != true:
                    self._fail(
                        "I10", f"the books hold {account.total:f} {asset}, the venue {true:f}, {lost:f} forgotten"
                    )
                continue
            if not self._same(asset, account.total, true):
                self._fail("I10", f"the books hold {account.total:f} {asset}, the venue {true:f}")
            accepted = self._accepted(asset, account)
            if not self._same(asset, accepted, lost):
                self._fail(
                    "I10", f"{accepted:f} {asset} were accepted, and {lost:f} are forgotten or were moved by hand"
                )

    def _accepted(self, asset: str, account: Account) -> Decimal:
        """Return what was taken over as the venue had it: as transfers, and with books that were opened anew.

        A copy from before the books were opened has them begin with what the venue holds then (seed 9080).
        """
        return account.transferred + account.opening - self._first.get(asset, Decimal(0))

    def _same(self, asset: Asset, one: Decimal, other: Decimal) -> bool:
        return abs(one - other) <= self._dust.get(asset, Decimal(0))

    def _moved(self) -> dict[str, Decimal]:
        """Return what people moved, and trades that no journal can book, by asset."""
        sums: dict[str, Decimal] = {}
        for _, moved in self._venue.moves:
            sums[moved.asset] = sums.get(moved.asset, Decimal(0)) + moved.amount
        orders = self._venue.orders()
        for trade in self._venue.fills:
            if not self._strange(trade):
                continue
            order = orders[trade.ref.id].order
            way = 1 if order.side is Side.BUY else -1
            instrument = self._instruments[order.symbol]
            for asset, amount in (
                (instrument.base, way * trade.quantity),
                (instrument.quote, -way * trade.quantity * trade.price),
                (trade.fee_asset, -trade.fee),
            ):
                sums[asset] = sums.get(asset, Decimal(0)) + amount
        return sums
