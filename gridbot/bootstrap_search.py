"""What a window asks about searches: the kept ones in one thread, a search in another, by a process of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import SEARCHES, KeptRuns
from gridbot.adapters.market_files.candle_columns import COLUMNS, LOCK
from gridbot.bootstrap_own_job import done_elsewhere
from gridbot.errors import AlreadyRunning
from gridbot.shell.errand_thread import Errand, ErrandPair, ErrandThread
from gridbot.shell.search_desk import (
    DeleteSearches,
    ListSearches,
    OpenSearch,
    RestoreSearches,
    RunSearch,
    SearchesListed,
    SearchId,
    SearchOpened,
    SearchReply,
    SearchWish,
    WholeSearch,
)
from gridbot.shell.search_forms import kept_of, search_data, whole_search_of

WISH = "next.wish"


def kept_search(home: Home, id_: SearchId) -> WholeSearch:
    """Return a search that was kept, whole."""
    kept = KeptRuns(SystemDisk(), home.root / SEARCHES, "search")
    return whole_search_of(kept_of(id_, kept.head(id_)), kept.rest(id_))


class _Searches:
    """What is done about searches, each method in a thread of its own."""

    def __init__(self, home: Home, environment: Mapping[str, str]) -> None:
        self._home = home
        self._environment = {**environment, "GRIDBOT_HOME": str(home.root)}
        self._kept = KeptRuns(SystemDisk(), home.root / SEARCHES, "search")
        self._purged = False

    def look(self, wish: SearchWish, _errand: Errand) -> SearchReply:
        """Do what concerns kept searches."""
        match wish:
            case OpenSearch(id=id_):
                return self._opened(id_)
            case DeleteSearches(ids=ids):
                for each in ids:
                    self._kept.delete(each)
            case RestoreSearches(ids=ids):
                for each in ids:
                    self._kept.restore(each)
            case ListSearches() | RunSearch():
                if not self._purged:
                    self._purged = True
                    self._kept.purge()
        return self._listed()

    def _listed(self) -> SearchesListed:
        found, troubles = self._kept.listed(kept_of)
        return SearchesListed(tuple(sorted(found, key=lambda one: one.made, reverse=True)), troubles)

    def _opened(self, id_: SearchId) -> SearchOpened:
        return SearchOpened(kept_search(self._home, id_))

    def run(self, wish: SearchWish, errand: Errand) -> SearchReply:
        """Search in a process of its own, and keep what came of it."""
        assert isinstance(wish, RunSearch)
        folder = self._home.root / SEARCHES
        try:
            kept = done_elsewhere("search-job", folder / WISH, search_data(wish.search), self._environment, errand)
        finally:
            _clear(folder)
        return self._opened(kept)


def _clear(folder: Path) -> None:
    """Remove the candles that a search which was given up has left, unless another one reads them."""
    disk = SystemDisk()
    try:
        held = disk.lock(folder / LOCK)
    except AlreadyRunning:
        return
    if COLUMNS in disk.names(folder):
        disk.remove(folder / COLUMNS)
    held.release()


def search_desk(home: Home, environment: Mapping[str, str]) -> ErrandPair[SearchWish, SearchReply]:
    """Return the desk of this folder's searches; no thread, process or file is there before it is asked."""
    searches = _Searches(home, environment)
    return ErrandPair(ErrandThread("searches", searches.look), ErrandThread("search", searches.run), long=RunSearch)
