"""What is handed to the trader: the world it trades in, the record it keeps, and its rhythm."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from enum import StrEnum

from gridbot.config import AppConfig
from gridbot.core.values import value
from gridbot.ports import (
    Awake,
    Clock,
    DeadMan,
    Feed,
    Heartbeat,
    Journal,
    KillLatch,
    LogSink,
    NotesStore,
    Notifier,
    Tickers,
    Venue,
)
from gridbot.shell.facade import ExchangeWords
from gridbot.shell.outlet import Outlet

ReportCrash = Callable[[BaseException], str]
"""Writes a crash report without secrets and returns a sentence that says where it is."""
SaveConfigFile = Callable[[AppConfig], None]
"""Writes the configuration file whole; EnvironmentProblem if it cannot."""


class Consent(StrEnum):
    """Whether the grids may trade on at a start by themselves."""

    GIVEN = "given"
    """No real money, or a person has said so for good (`gridbot run --resume`)."""
    WANTED = "wanted"
    """A person is to say so once, at this start."""


@value
class World:
    """Prices, orders and time, of one kind. `base_ms` is the length of the feed's base candles.

    `awake` keeps the machine from sleeping; None where the market sleeps with it. `consent` tells whether the grids may
    trade in it by themselves. `notifier` tells people, `heartbeat` that all is well; None where the user wants neither.
    `close` ends what feed and venue hold open, in the loop in which they were used. `admit` raises VenueUnavailable,
    with a sentence, while the account may not be traded (its key can withdraw, say); it is asked before anything else.
    `words` is what a person should know of the exchange, `tickers` tells prices of other markets, for rates alone.
    """

    feed: Feed
    venue: Venue
    clock: Clock
    exchange: str
    base_ms: int
    awake: Awake | None = None
    consent: Consent = Consent.GIVEN
    notifier: Notifier | None = None
    heartbeat: Heartbeat | None = None
    close: Callable[[], Coroutine[None, None, None]] | None = None
    admit: Callable[[], Awaitable[None]] | None = None
    dead_man: DeadMan | None = None
    dead_man_s: int = 0
    words: ExchangeWords = ExchangeWords()
    tickers: Tickers | None = None


@value
class Record:
    """What the trader writes: journal, history, latch, logs, crash reports, the configuration file."""

    journal: Journal
    notes: NotesStore
    latch: KillLatch
    log: LogSink
    crash: ReportCrash
    save_config: SaveConfigFile
    outlet: Outlet


@value
class Rhythm:
    """In machine seconds: marks, views, views that nobody looks at, questions about silent orders (and the longest
    pause between two about one), sweeps, comparisons of the balances and of the clocks, and how long a stop waits for
    answers.

    A mark comes once a second, live. A demo marks ten times a second: at 600 times real time that is once a simulated
    minute, and prices that the risk gate judges by would otherwise be ten minutes old. Marks bear market time.
    """

    mark_s: float = 1.0
    beat_s: float = 0.05
    unseen_s: float = 0.5
    ask_s: float = 0.5
    sweep_s: float = 30.0
    balance_s: float = 600.0
    clock_s: float = 60.0
    longest_wait_s: float = 30.0
    stop_s: float = 3.0


DEMO_RHYTHM = Rhythm(mark_s=0.1, ask_s=0.1, sweep_s=5.0, longest_wait_s=2.0, stop_s=1.0)
