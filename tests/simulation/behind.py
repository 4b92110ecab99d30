"""Answers that are a while behind the truth: one source of reads still shows what was when it fell behind."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum

from gridbot.core.events import OrderFilled, OrderRef
from gridbot.core.units import Asset, Symbol, TimeMs
from gridbot.ports import OrderReport
from gridbot.sim.matching import Resting


class Source(StrEnum):
    """What may fall behind by itself."""

    ORDERS = "orders behind"
    TRADES = "trades behind"
    BALANCES = "balances behind"


class Behind:
    """What each source that is behind still shows. A source that is not is answered by the truth."""

    def __init__(self) -> None:
        self.sources: dict[Source, None] = {}
        self._reports: dict[str, OrderReport] = {}
        self._sequence = 0
        self._fills = 0
        self._balances: dict[Asset, Decimal] = {}

    def fall(
        self,
        source: Source,
        *,
        open_now: Sequence[Resting],
        sequence: int,
        fills: int,
        balances: Mapping[Asset, Decimal],
    ) -> None:
        """Let a source show what is now, until it catches up; `open_now` is in the order of the exchange's lists."""
        self.sources[source] = None
        match source:
            case Source.ORDERS:
                self._reports = {resting.order.ref.id: resting.report() for resting in open_now}
                self._sequence = sequence
            case Source.TRADES:
                self._fills = fills
            case Source.BALANCES:
                self._balances = dict(balances)

    def catch_up(self, source: Source) -> None:
        """Let a source show the truth again."""
        self.sources.pop(source, None)

    def found(self, ref: OrderRef, resting: Resting | None) -> OrderReport | None:
        """Return what is known of an order that truly is `resting`."""
        known = self._reports.get(ref.id)
        if known is not None:
            return known
        return None if resting is None or resting.place[2] > self._sequence else resting.report()

    def open_orders(self, symbol: Symbol) -> list[OrderReport]:
        """Return what rested in a market."""
        return [report for report in self._reports.values() if report.symbol == symbol]

    def trades(self, fills: Sequence[OrderFilled], symbol: Symbol, since: TimeMs) -> list[OrderFilled]:
        """Return the trades that are known."""
        first = bisect_left(fills, since, hi=self._fills, key=lambda trade: trade.time)
        return [trade for trade in fills[first : self._fills] if trade.symbol == symbol]

    def balances(self) -> dict[Asset, Decimal]:
        """Return the balances as they were."""
        return dict(self._balances)
