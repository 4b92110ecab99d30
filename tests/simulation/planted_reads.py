"""Mistakes in asking: not at all, too little of it, too late, or believing half an answer."""

from __future__ import annotations

from dataclasses import replace

from gridbot.adapters.exchange import trade_pages
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.start_up import StartUp
from tests.simulation.planting import Planted, answers, edit
from tests.simulation.scenario import STORM
from tests.simulation.weathers import BUSY, WAVERING

_PAGES = "tests/adapters/exchange/test_venue_account.py"
_RESTARTING = replace(STORM, venue=0.4, crash_s=600.0)

READS = (
    Planted(
        name="the gate opens before anything is asked",
        patch=edit(
            StartUp.run,
            (
                "await self._preparation.instruments(self._state())",
                "self._executor.open_gate()\n    await self._preparation.instruments(self._state())",
            ),
        ),
        names=("I26",),
        weather=_RESTARTING,
        quick=True,
    ),
    Planted(
        name="the reconciling of a start is skipped",
        patch=edit(StartUp._learn, ("await self._reconcile()", "pass")),
        names=("I26",),
        weather=_RESTARTING,
    ),
    Planted(
        name="a machine that slept trades on with what it knew",
        patch=answers(StartUp, "anew", None),
        names=("I26",),
        weather=replace(STORM, sleep_s=1_800.0),
    ),
    Planted(
        name="a sweep reads no trades",
        patch=edit(Reconciler.sweep, ("await self._put_new(", "len(")),
        names=("I10", "I8", "I30"),
        weather=WAVERING,
    ),
    Planted(
        name="what rests no more is not asked about",
        patch=edit(Reconciler.sweep, ("and live.order.id not in ids and", "and False and")),
        names=("I6", "I8"),
        weather=replace(BUSY, hands_s=600.0),
    ),
    Planted(
        name="pages end one row too early",
        patch=edit(trade_pages.all_trades, ("len(trades) >= room", "len(trades) > room")),
        names=("I8",),
        test=f"{_PAGES}::test_no_page_loses_a_trade",
    ),
    Planted(
        name="the edge of a page is not asked for again",
        patch=edit(
            trade_pages._around, ("TimeMs(max(last, begin)), end", "TimeMs(max(last, begin) + 2 * MARGIN_MS), end")
        ),
        names=("I8",),
        test=f"{_PAGES}::test_no_page_loses_a_trade",
    ),
)
