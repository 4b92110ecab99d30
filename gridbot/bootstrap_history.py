"""An account's past as a window or the command line asks for it: caught up first, then told or written to a file."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import TypeVar

from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.journal_news import JournalNews
from gridbot.adapters.history_db.places import history_path, settled_minute
from gridbot.adapters.local_days import local_day, local_year, utc_year
from gridbot.adapters.result_files import write_whole
from gridbot.core.chronicle import FillRow, SampleRow, TripRow
from gridbot.core.portfolio import utc_day
from gridbot.core.tax import tax_year
from gridbot.core.units import Asset, Mode, TimeMs
from gridbot.errors import GridbotError
from gridbot.ports import Reached
from gridbot.shell.errand_thread import Errand, ErrandThread
from gridbot.shell.errands import Errands
from gridbot.shell.history_catch_up import HistoryCatchUp
from gridbot.shell.history_csv import TaxHead, Tell, fills_csv, tax_csv, trips_csv
from gridbot.shell.history_desk import Exported, ExportHistory, HistoryReply, HistoryWish, LookBack, Written
from gridbot.shell.portfolio_view import Past, in_scope, portfolio_view

_Row = TypeVar("_Row", FillRow, TripRow)


def history_desk(home: Home, *, mode: Mode, account: str) -> Errands[HistoryWish, HistoryReply]:
    """Return the desk of one account's past; nothing is read, and no database imported, before it is asked."""
    room: list[HistoryRoom] = []

    def work(wish: HistoryWish, errand: Errand) -> HistoryReply:
        if not room:
            errand.tell("Opening the history…")
            room.append(HistoryRoom(home, mode=mode, account=account))
        return room[0].done(wish, errand.tell)

    return ErrandThread("history", work)


class HistoryRoom:
    """One account's history with its way to catch up; used by one thread at a time."""

    def __init__(self, home: Home, *, mode: Mode, account: str) -> None:
        # SQLAlchemy takes a quarter of a second to import, and no window waits for it.
        from gridbot.adapters.history_db.database import HistoryDatabase

        disk = SystemDisk()
        folder = AccountFolder(disk, home.root, mode=mode, account=account).folder
        self._mode, self._account = mode, account
        self._file = HistoryDatabase(disk, history_path(home.root, mode.value, account))
        self._news = JournalNews(disk, folder)
        self._catching = HistoryCatchUp(self._file, self._news, mode)
        self._known: Past | None = None
        self._until = Reached()

    def done(self, wish: HistoryWish, tell: Tell) -> HistoryReply:
        """Catch up, then do what is asked; `tell` hears how far it is and may raise to end it. GridbotError."""
        match wish:
            case LookBack():
                past = self._past(tell)
                day_of = local_day if wish.local_days else utc_day
                note = self._file.mended
                return portfolio_view(past, wish, day_of=day_of, year_of=_year_of(wish.local_days), note=note)
            case ExportHistory():
                return self.written(wish, tell)

    def written(self, wish: ExportHistory, tell: Tell) -> Written:
        """Catch up, then write a file, whole or not at all. GridbotError."""
        past = self._past(tell)
        match wish.what:
            case Exported.FILLS:
                fills = _chosen(past.fills, past, wish)
                count, content = len(fills), fills_csv(fills, wish.spelling, tell)
            case Exported.TRIPS:
                trips = _chosen(past.trips, past, wish)
                count, content = len(trips), trips_csv(trips, wish.spelling, tell)
            case Exported.TAX:
                count, content = self._tax(past, wish, tell)
        # Until here it can be given up; what is written is whole.
        tell("Writing the file…", 1.0)
        write_whole(wish.target, content)
        return Written(wish.target, count)

    def _past(self, tell: Tell) -> Past:
        """Return everything up to now. Rows that an earlier look has read are kept: years of them take seconds."""
        reached = self._catching.catch_up(tell)
        tell("Reading the history…", None)
        file, fills, trips, samples = self._file, *self._kept()
        past = Past(
            (*fills, *file.fills(after=fills[-1].sequence if fills else 0)),
            (*trips, *file.trips(after=trips[-1].sequence if trips else 0)),
            file.transfers(),
            (*samples, *file.samples(after=samples[-1].minute if samples else -1)),
            file.stops(),
            reached.time,
            not any(each.traded or each.fees or each.transferred for each in file.books(begun=True).values()),
            file.given(),
        )
        self._known, self._until = past, reached
        return past

    def _kept(self) -> tuple[tuple[FillRow, ...], tuple[TripRow, ...], tuple[SampleRow, ...]]:
        """Return the known rows that still hold: all, if the journals still tell the past that they came from.

        Each line's sum seals all that was before it, so one look at the newest line that was read is enough. Samples
        of the last day are read anew, because most of them are yet to go.
        """
        known, until = self._known, self._until
        if known is None or self._news.after(until.sequence, until.chain) is None:
            return (), (), ()
        settled = settled_minute(known.samples[-1].minute) if known.samples else 0
        samples = known.samples[: bisect_left(known.samples, settled, key=lambda sample: sample.minute)]
        return known.fills, known.trips, samples

    def _tax(self, past: Past, wish: ExportHistory, tell: Tell) -> tuple[int, bytes]:
        tell("Matching sales with purchases…", None)
        year_of = _year_of(wish.local_days)
        report = tax_year(
            past.fills, past.transfers, given=past.given, year=wish.year, method=wish.method, year_of=year_of
        )
        if not (report.disposals or report.transfers or report.other_fees or report.holdings):
            known = sorted({year_of(fill.time) for fill in past.fills})
            years = f" Years with trades: {', '.join(map(str, known))}." if known else " Nothing was traded yet."
            raise GridbotError(f"Nothing happened on this account in {wish.year}.{years}", hint="Choose another year.")
        days = "the days of this machine's clock" if wish.local_days else "UTC days"
        head = TaxHead(self._account, self._mode.value, days, past.kept_since, past.newest)
        return len(report.disposals), tax_csv(report, head, wish.spelling, tell)


def _chosen(rows: Sequence[_Row], past: Past, wish: ExportHistory) -> Sequence[_Row]:
    since = wish.period.begin(past.newest)
    if wish.scope is None:
        return tuple(row for row in rows if row.time >= since)
    return in_scope(rows, wish.scope, wish.scope.quote or Asset(""), since)


def _year_of(local_days: bool) -> Callable[[TimeMs], int]:
    return local_year if local_days else utc_year
