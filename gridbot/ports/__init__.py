"""The doors of the shell: clock, disk, venue, feed, journal and the rest are handed in through these protocols.

Everything that touches the world satisfies one of them, so that a simulator can run the very same shell on virtual
ones. Errors are those of gridbot.errors.
"""

from __future__ import annotations

from gridbot.ports.record import (
    Disk,
    Held,
    HistoryStore,
    Journal,
    LogSink,
    News,
    NotesStore,
    OpenFile,
    Past,
    Reached,
    Restored,
    StateStore,
)
from gridbot.ports.surroundings import (
    Ask,
    Autostart,
    Awake,
    DeadMan,
    Heartbeat,
    KillLatch,
    Letter,
    Mailbox,
    Notifier,
    SecretStore,
)
from gridbot.ports.trading import (
    CandleArrived,
    Clock,
    Feed,
    FeedItem,
    KillVenue,
    Known,
    KnownOrder,
    Movement,
    OrderClosed,
    OrderReport,
    QuoteArrived,
    TradePrint,
    Venue,
    VenueUpdate,
)

__all__ = [
    "Ask",
    "Autostart",
    "Awake",
    "CandleArrived",
    "Clock",
    "DeadMan",
    "Disk",
    "Feed",
    "FeedItem",
    "Heartbeat",
    "Held",
    "HistoryStore",
    "Journal",
    "KillLatch",
    "KillVenue",
    "Known",
    "KnownOrder",
    "Letter",
    "LogSink",
    "Mailbox",
    "Movement",
    "News",
    "NotesStore",
    "Notifier",
    "OpenFile",
    "OrderClosed",
    "OrderReport",
    "Past",
    "QuoteArrived",
    "Reached",
    "Restored",
    "SecretStore",
    "StateStore",
    "TradePrint",
    "Venue",
    "VenueUpdate",
]
