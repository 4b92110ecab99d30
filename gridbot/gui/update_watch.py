"""Looks once a day for a newer gridbot where the settings name an address to ask; else it does nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer

from gridbot.gui.context import Context
from gridbot.gui.errand_requests import ErrandRequests
from gridbot.shell.errands import Done, Refused
from gridbot.shell.upkeep_desk import LookForUpdate, UpdateSeen, UpkeepReply, UpkeepWish

SOON_MS, DAY_MS = 60_000, 24 * 3_600_000


class UpdateWatch(QObject):
    """`tell` hears one sentence about each version that is newer, once."""

    def __init__(self, context: Context, tell: Callable[[str], object], parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._tell = tell
        self._told = ""
        desk = context.desks.upkeep
        self.requests: ErrandRequests[UpkeepWish, UpkeepReply] | None = (
            None if desk is None else ErrandRequests(desk, self)
        )
        # Not at once: a start has better things to do.
        QTimer.singleShot(SOON_MS, self, self.look)
        daily = QTimer(self, interval=DAY_MS)
        daily.timeout.connect(self.look)
        daily.start()

    def look(self) -> None:
        """Ask, if there is an address to ask."""
        if self.requests is not None and json.loads(self._context.facade.view().config_text).get("update_address"):
            self.requests.ask(LookForUpdate(), self._answered)

    def _answered(self, outcome: Done[UpkeepReply] | Refused) -> None:
        # Who cannot be asked today is asked tomorrow; only a person who looks is told why.
        seen = outcome.reply if isinstance(outcome, Done) else None
        if isinstance(seen, UpdateSeen) and seen.page and seen.version != self._told:
            self._told = seen.version
            self._tell(f"{seen.sentence} See Settings > Data and backup.")
