"""The one door to the engine for every window and server: immutable views out, plain-data requests in.

Everything here may cross a thread. A window takes the newest `View` and all `Happened` items since it last asked; it
never waits for the engine, and a frozen window never delays it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Protocol

import numpy as np
import numpy.typing as npt

from gridbot.core.commands import Note
from gridbot.core.events import Removal
from gridbot.core.launch import LaunchReport
from gridbot.core.rates import RateView
from gridbot.core.rehearsal import OrderChange
from gridbot.core.rules import Wish
from gridbot.core.snapshot import Snapshot
from gridbot.core.units import GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs
from gridbot.core.values import value
from gridbot.errors import Mistake


@value
class MarketView:
    """A market now: prices in quote per base, the age of that knowledge in ms; None while there is none."""

    symbol: Symbol
    exchange: str
    connected: bool
    bid: Decimal | None
    ask: Decimal | None
    last: Decimal | None
    age_ms: int | None


STOPPED = "Trading is stopped; all orders are being cancelled."
"""The answer to a stop."""


@value
class StopView:
    """How far a stop is, as the kill switch's own thread knows it, also while the engine hangs.

    `flat` says that the exchange has said twice that nothing rests; `unconfirmed` counts the orders that may still;
    `trouble` is why the exchange does not answer, `unlatched` why the stop would not outlive a restart, "" if neither.
    """

    reason: str
    flat: bool
    met: int
    unconfirmed: int
    trouble: str
    unlatched: str

    def sentence(self) -> str:
        """Return how far it is, for a person."""
        if self.flat:
            return "No order rests; the exchange said so twice."
        why = f" - retrying. {self.trouble}" if self.trouble else "; asking the exchange."
        left = f"{self.unconfirmed} {'order' if self.unconfirmed == 1 else 'orders'} not confirmed"
        return f"{left}{why}" if self.unconfirmed else f"Looking for open orders{why}"


def unconfirmed(count: int) -> str:
    """Return "3 orders are not confirmed"."""
    return f"{count} {'order is' if count == 1 else 'orders are'} not confirmed"


@value
class StartView:
    """What this start found that a person should know or decide.

    `waits`: a live account does not trade on before a person says so. `differences` are what was changed in the
    configuration since the last run, in sentences. `taken_away` are grids that it no longer has and that hold coins:
    they only sell, unless a person chooses otherwise. `gaps` says where the exchange's balances are not the books':
    nothing but cancels leaves until that is explained, or accepted.
    """

    waits: bool = False
    differences: tuple[str, ...] = ()
    taken_away: tuple[GridId, ...] = ()
    gaps: tuple[str, ...] = ()


@value
class ForeignOrder:
    """An order that rests in a grid's market and is not ours: it is shown, and never touched.

    `id` is whoever placed it's own, or one made from the exchange's; `mark` says whose it is, in a few words.
    """

    symbol: Symbol
    id: OrderId
    side: Side
    price: Price
    quantity: Quantity
    filled: Quantity
    mark: str


@value
class ForeignOrders:
    """The newest known orders of others; `total` counts also those that are too many to be shown."""

    orders: tuple[ForeignOrder, ...] = ()
    total: int = 0


@value
class ExchangeWords:
    """What a person should know of the exchange, in sentences: its `notes`, and `caution`.

    `caution` is there where gridbot knows an exchange only in general, "" where its row was looked into. `most_orders`
    is how many orders it lets rest in a market, None where it does not tell.
    """

    caution: str = ""
    notes: tuple[str, ...] = ()
    most_orders: int | None = None


@value
class View:
    """The newest picture: engine snapshot, markets, and what is wrong with the program itself, in sentences.

    `beat` counts up with each turn of the engine loop, so that a hung engine is seen. `config_text` is the saved
    configuration (JSON), `problems` are to be shown until they are gone. `stop` is there while trading is stopped and
    a thread of its own sees to the cancels. `foreign` are orders of others in the grids' markets. `rates` are
    those of the user's own currency (`core.rates.in_account_currency`), none where there is none.
    """

    beat: int
    time: TimeMs
    snapshot: Snapshot
    markets: tuple[MarketView, ...]
    running: bool
    starting: bool
    problems: tuple[str, ...]
    config_text: str
    stop: StopView | None = None
    start: StartView = StartView()
    foreign: ForeignOrders = ForeignOrders()
    words: ExchangeWords = ExchangeWords()
    rates: tuple[RateView, ...] = ()


@value
class LogLine:
    """One line of the log, ready to show; `json` is the line as written."""

    time: TimeMs
    level: str
    dataset: str
    action: str
    message: str
    trace: str
    json: str


@value
class Answered:
    """The outcome of a request: `mistakes` name the fields that were refused; `message` is a sentence."""

    request: int
    ok: bool
    message: str
    mistakes: tuple[Mistake, ...] = ()


@value
class Progressed:
    """How far a long request is, 0 to 1."""

    request: int
    share: float
    message: str


@value
class Previewed:
    """What a grid would do: its report, and the orders of the account that would move; or a sentence without a report.

    One with a sentence may come while a market is asked for; the last before the `Answered` of its request counts.
    """

    request: int
    report: LaunchReport | None
    changes: tuple[OrderChange, ...]
    sentence: str


Happened = Note | LogLine | Answered | Progressed | Previewed


@value
class SetWish:
    """Run, pause or wind down a grid."""

    grid: GridId
    wish: Wish


@value
class RemoveGrid:
    """Take a grid away."""

    grid: GridId
    how: Removal


@value
class SaveConfig:
    """Validate, save and apply a whole configuration (JSON text)."""

    text: str


@value
class PreviewGrid:
    """Say what `grid` of a whole configuration (JSON text) would do; nothing is saved and nothing sent."""

    text: str
    grid: GridId


@value
class StopTrading:
    """The kill switch: stop, cancel all orders of ours (`everything`: the account's), stay stopped.

    `liquidate` sells what the grids hold as well, after nothing rests any more and the balances were read again.
    """

    reason: str
    liquidate: bool = False
    everything: bool = False


@value
class ReleaseKill:
    """A person re-arms trading.

    `presses` are how many stops there were when that was asked for: one that came later stands. None means all.
    """

    by: str
    presses: int | None = None


@value
class ResumeTrading:
    """A person lets a live account trade on after a start."""


@value
class AcceptBalances:
    """A person takes the exchange's word where its balances differ from the books as `gaps` says (sentences)."""

    gaps: tuple[str, ...]


@value
class Reconcile:
    """Compare orders, trades and balances with the exchange now, and not only when it is their turn (F5)."""


@value
class CancelOne:
    """Cancel one order of ours now; if it is still wanted it is placed anew."""

    order: OrderId


@value
class SetRunning:
    """Start or pause every grid at once (the Start/Pause button)."""

    running: bool


@value
class LoadHistory:
    """Put candles that ended by `before` (ms UTC) in front of a chart's; `timeframe` in ms."""

    symbol: Symbol
    timeframe: int
    before: TimeMs


Request = (
    SetWish
    | RemoveGrid
    | SaveConfig
    | PreviewGrid
    | StopTrading
    | ReleaseKill
    | ResumeTrading
    | AcceptBalances
    | Reconcile
    | CancelOne
    | SetRunning
    | LoadHistory
)


@value
class ChartData:
    """Closed candles of a market in one timeframe, oldest first, with the indicators of one grid beside them.

    All arrays have the same length; `open_time` int64 ms UTC, the others float64; NaN where an indicator has no value.
    `volume` is in base, None where nobody knows it; `whole` says that there is nothing older. `forming` is the candle
    that has not closed yet (open time, open, high, low), as far as its base candles have closed; None without any.
    """

    open_time: npt.NDArray[np.int64]
    open: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    close: npt.NDArray[np.float64]
    ema_fast: npt.NDArray[np.float64]
    ema_slow: npt.NDArray[np.float64]
    atr: npt.NDArray[np.float64]
    volume: npt.NDArray[np.float64] | None = None
    whole: bool = False
    forming: tuple[int, float, float, float] | None = None


class Facade(Protocol):
    """What a window may ask of the engine. Every method returns at once and may be called from the GUI thread."""

    def view(self) -> View:
        """Return the newest view (latest wins)."""
        ...

    def happened(self) -> tuple[Happened, ...]:
        """Return everything that happened since the last call, in order; nothing is ever left out."""
        ...

    def past(self) -> tuple[Note, ...]:
        """Return the fills, round trips and ended orders known from before this start, oldest first (bounded)."""
        ...

    def ask(self, request: Request) -> int:
        """Hand in a request; return its number, under which `Answered` will come."""
        ...

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        """Return the candles of a market in `timeframe` ms, with the indicators of `grid` (periods from its rules)."""
        ...
