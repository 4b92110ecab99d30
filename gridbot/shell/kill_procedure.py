"""The kill switch without I/O of its own: it yields requests and takes answers; a thread or a simulator drives it.

Latch first, then every cancel, then the question whether anything rests, until the venue has said "nothing" twice.
Cancels may be repeated, so every doubt is answered by asking again; there is no way out but zero (execution, I18-I21).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from enum import StrEnum

from gridbot.core.commands import CancelOrder
from gridbot.core.units import OrderId, Symbol
from gridbot.core.values import evolve, value
from gridbot.ports import OrderReport

ZEROS = 2
"""How often in a row the venue must say that nothing of ours rests, before it is believed."""
CONFIRM_S = 0.25
"""Pause before the venue is asked again whether the cancels did their work."""
LONGEST_WAIT_S = 5.0
"""The pause doubles while nothing gets better, up to this."""


@value
class WriteLatch:
    """Make the latch durable; Done or NoAnswer. A disk that refuses delays no cancel: it is asked again later."""


@value
class ListOrders:
    """Ask which orders rest in a market; Listed or NoAnswer."""

    symbol: Symbol


@value
class SendCancel:
    """Cancel an order; Done when the venue confirmed, NoAnswer otherwise. It may be sent any number of times."""

    order: CancelOrder


@value
class Wait:
    """Let so many seconds pass (less is allowed); Done."""

    seconds: float


Request = WriteLatch | ListOrders | SendCancel | Wait


@value
class Done:
    """It is done, for certain."""


@value
class Listed:
    """What rests, whole."""

    orders: tuple[OrderReport, ...]


@value
class NoAnswer:
    """It may have happened or not, or it never left; `message` is a sentence."""

    message: str


Answer = Done | Listed | NoAnswer


class Stage(StrEnum):
    """How far a kill is."""

    LATCHING = "latching"
    CANCELLING = "cancelling"
    FLAT = "flat"


@value
class Progress:
    """How far a kill is: orders met so far, those of them that may still rest, and what stands in the way.

    `trouble` is the venue's newest failure, until a round went without one, `unlatched` the disk's; "" for none.
    `foreign` counts orders that are not ours and were left alone.
    """

    stage: Stage
    met: int
    unconfirmed: int
    foreign: int
    trouble: str
    unlatched: str


Steps = Generator[Request, Answer, Progress]


class KillProcedure:
    """One kill, from the press to flat. `run` it once; `look_again` finds what comes to rest later.

    `known` returns cancels for what the engine believes to rest, so that the first one need not wait for a list;
    `symbols` the markets to ask about, `ours` tells whether an order id is of this installation. With `everything`
    the account's other orders are cancelled too. `pause_s` goes between two requests, to stay within the venue's rate.

    Attributes:
        progress: how far it is, as plain data; may be read from any thread
    """

    def __init__(
        self,
        *,
        symbols: Callable[[], Iterable[Symbol]],
        known: Callable[[], Iterable[CancelOrder]],
        ours: Callable[[OrderId], bool],
        everything: bool = False,
        pause_s: float = 0.0,
    ) -> None:
        self.progress = Progress(Stage.LATCHING, 0, 0, 0, "", "")
        self._symbols = symbols
        self._known = known
        self._ours = ours
        self._everything = everything
        self._pause_s = pause_s
        self._met: set[OrderId] = set()
        self._resting: dict[OrderId, CancelOrder] = {}
        self._latched = False
        self._failed = False

    def run(self) -> Steps:
        """Latch, cancel what the engine knows, then what the venue lists, until it has listed nothing twice."""
        self._tell(stage=Stage.LATCHING)
        yield from self._latch()
        for order in self._known():
            self._meet(order)
        self._tell(stage=Stage.CANCELLING)
        for order in tuple(self._resting.values()):
            yield from self._cancel(order)
        return (yield from self.look_again())

    def look_again(self) -> Steps:
        """Ask, and cancel what rests, until the venue has said twice that nothing does."""
        zeros, wait_s = 0, CONFIRM_S
        while True:
            if not self._latched:
                yield from self._latch()
            before = len(self._resting)
            complete = yield from self._round()
            if complete and not self._resting:
                zeros += 1
                if zeros == ZEROS:
                    return self._tell(stage=Stage.FLAT)
                wait_s = CONFIRM_S
            else:
                zeros = 0
                self._tell(stage=Stage.CANCELLING)
                wait_s = CONFIRM_S if len(self._resting) < before else min(wait_s * 2, LONGEST_WAIT_S)
            yield Wait(wait_s)

    def _latch(self) -> Generator[Request, Answer, None]:
        answer = yield WriteLatch()
        self._latched = isinstance(answer, Done)
        self._tell(unlatched=answer.message if isinstance(answer, NoAnswer) else "")

    def _round(self) -> Generator[Request, Answer, bool]:
        """List every market and cancel what rests there; tell whether every market was listed."""
        complete, foreign = True, 0
        self._failed = False
        markets = dict.fromkeys((*self._symbols(), *(order.symbol for order in self._resting.values())))
        for symbol in markets:
            listed = yield from self._ask(ListOrders(symbol))
            if not isinstance(listed, Listed):
                complete = False
                yield from self._cancel_known(symbol)
                continue
            mine = [order for order in listed.orders if self._is_meant(order.ref.id)]
            foreign += len(listed.orders) - len(mine)
            self._replace(symbol, mine)
            for order in mine:
                yield from self._cancel(self._resting[order.ref.id])
        self._tell(foreign=foreign, trouble=None if self._failed else "")
        return complete

    def _is_meant(self, id_: OrderId) -> bool:
        """Tell whether an order is to be cancelled; one that the engine knows is ours under whatever id."""
        return self._everything or id_ in self._met or self._ours(id_)

    def _replace(self, symbol: Symbol, resting: Iterable[OrderReport]) -> None:
        """Believe the venue about one market: what it does not list no longer rests."""
        self._resting = {id_: order for id_, order in self._resting.items() if order.symbol != symbol}
        for report in resting:
            self._meet(CancelOrder(report.ref, report.symbol, report.venue_id))
        self._tell()

    def _meet(self, order: CancelOrder) -> None:
        self._met.add(order.ref.id)
        self._resting[order.ref.id] = order

    def _cancel_known(self, symbol: Symbol) -> Generator[Request, Answer, None]:
        """Cancel again what is believed to rest where no list comes, as long as cancels are answered."""
        for order in [order for order in self._resting.values() if order.symbol == symbol]:
            if isinstance((yield from self._cancel(order)), NoAnswer):
                return

    def _cancel(self, order: CancelOrder) -> Generator[Request, Answer, Answer]:
        """Send one cancel. Its answer alone proves nothing: the order counts until a list comes without it."""
        return (yield from self._ask(SendCancel(order)))

    def _ask(self, request: ListOrders | SendCancel) -> Generator[Request, Answer, Answer]:
        answer = yield request
        if isinstance(answer, NoAnswer):
            self._failed = True
            self._tell(trouble=answer.message)
        if self._pause_s:
            yield Wait(self._pause_s)
        return answer

    def _tell(
        self,
        *,
        stage: Stage | None = None,
        foreign: int | None = None,
        trouble: str | None = None,
        unlatched: str | None = None,
    ) -> Progress:
        known = self.progress
        self.progress = evolve(
            known,
            stage=stage or known.stage,
            met=len(self._met),
            unconfirmed=len(self._resting),
            foreign=known.foreign if foreign is None else foreign,
            trouble=known.trouble if trouble is None else trouble,
            unlatched=known.unlatched if unlatched is None else unlatched,
        )
        return self.progress
