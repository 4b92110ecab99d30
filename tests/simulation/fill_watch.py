"""[I7], [I8]: each trade that truly happened is booked once, as it was, and stands once in the history."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from decimal import Decimal
from pathlib import Path

import orjson

from gridbot.core.commands import FillBooked
from gridbot.core.events import OrderFilled
from gridbot.core.state import State
from tests.simulation.disk import VirtualDisk
from tests.simulation.exchange import TrueVenue


class FillWatch:
    """Holds what is booked to the venue's trades. `forgotten` tells of orders that no journal knows any more.

    What a double traded beyond what was ordered may be booked by nobody: a person takes the exchange's word for it.

    Attributes:
        booked: the ids of the trades that the journal has booked
    """

    def __init__(
        self, venue: TrueVenue, *, forgotten: Callable[[str], bool], fail: Callable[[str, str, str | None], None]
    ) -> None:
        self._venue = venue
        self._forgotten = forgotten
        self._fail = fail
        self.booked: set[str] = set()
        self._trades: dict[str, OrderFilled] = {}
        self._seen = 0
        self._strange: set[str] = set()

    def put_back(self, booked: Collection[str]) -> None:
        """The journal knows what it knew then."""
        self.booked = set(booked)

    def on_booked(self, note: FillBooked) -> None:
        """[I7] once, and as it was; [I9] never more than was ordered."""
        if note.trade in self.booked:
            self._fail("I7", f"trade {note.trade} is booked twice", note.order)
        self.booked.add(note.trade)
        for trade in self._venue.fills[self._seen :]:
            self._trades[trade.trade_id] = trade
        self._seen = len(self._venue.fills)
        true = self._trades.get(note.trade)
        if true is None:
            self._fail("I7", f"trade {note.trade} is booked and never happened", note.order)
        elif (true.price, true.quantity, true.fee, true.fee_asset, true.ref.id) != (
            note.price,
            note.quantity,
            note.fee,
            note.fee_asset,
            note.order,
        ):
            self._fail("I8", f"trade {note.trade} is booked as {note.quantity:f} at {note.price:f}", note.order)
        order = self._venue.orders().get(note.order)
        if order is not None and not 0 <= order.filled <= order.order.quantity:
            self._fail("I9", f"{order.filled:f} of {order.order.quantity:f} are filled", note.order)

    def on_event(self, event: OrderFilled, state: State) -> None:
        """[I9] a trade of an order that this start sent, and that was filled whole before, stops everything."""
        id_ = event.ref.id
        if not self._venue.doubles.has(id_) or event.trade_id in self.booked or event.trade_id in self._strange:
            return
        self._strange.add(event.trade_id)
        if id_.startswith(state.prefix) and state.kill is None:
            self._fail("I9", f"its double traded {event.quantity:f} more and trading goes on", id_)

    def is_strange(self, trade: OrderFilled) -> bool:
        """Tell whether no journal can book a trade: its order is forgotten, or was filled whole by its double's."""
        id_ = trade.ref.id
        if self._forgotten(id_):
            return True
        if not self._venue.doubles.has(id_) or trade.trade_id in self.booked:
            return False
        mine = (one.quantity for one in self._venue.fills if one.ref.id == id_ and one.trade_id in self.booked)
        true = self._venue.orders().get(id_)
        return true is not None and sum(mine, Decimal(0)) >= true.order.quantity

    def quiet(self, state: State) -> None:
        """[I8] after a quiet time nothing that happened is missing, [I7] and nothing is counted that did not."""
        happened = 0
        for trade in self._venue.fills:
            if self.is_strange(trade):
                continue
            happened += 1
            if trade.trade_id not in self.booked:
                self._fail("I8", f"trade {trade.trade_id} happened and is not booked", trade.ref.id)
        if state.fills != happened:
            self._fail("I7", f"{state.fills} fills are counted and {happened} happened", None)

    def in_history(self, disk: VirtualDisk, history: Path) -> None:
        """[I23] a reader of the disk finds each trade noted once."""
        file = disk.durable_file(history)
        lines = b"" if file is None else file.durable()
        noted = Counter(
            note["trade"]
            for line in lines.splitlines()
            if line
            for note in orjson.loads(line)["notes"]
            if note["type"] == "FillBooked"
        )
        for trade in self._venue.fills:
            if noted[trade.trade_id] != (0 if self.is_strange(trade) else 1):
                sentence = f"trade {trade.trade_id} is {noted[trade.trade_id]} times in the history"
                self._fail("I23", sentence, trade.ref.id)
