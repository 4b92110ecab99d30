"""Mistakes in the books: trades twice or never, fees lost, coins sold that are not there, sums in floats."""

from __future__ import annotations

from dataclasses import replace

from gridbot.core import booking, engine, plan, risk
from gridbot.core.state import Seen
from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.executor import Executor
from gridbot.shell.reconciler import Reconciler
from tests.simulation.planting import Planted, answers, edit, together
from tests.simulation.weathers import BUSY, DOUBLED, RESTORED, STOPPING

_OVERTAKEN = edit(Reconciler.is_whole, ("live.order.filled >= closed.filled and not", "not"))
"""The first defence against lost fills, gone: an order may end before its fills are booked."""
_UNFUNDED = edit(risk._funds_denial, ("if need > free:", "if False:"))
"""The gate that would keep a sell of more than is there from leaving, gone."""
_BASE_FEE = "event.fee if event.fee_asset == instrument.base else ZERO"

TRADES = (
    Planted(
        name="trade ids are not remembered (nor by their order), and a fill is booked twice",
        patch=together(
            answers(Seen, "__contains__", False),
            edit(booking.book, ("event.trade_id in found.order.trades", "False")),
        ),
        names=("I7",),
        weather=BUSY,
        quick=True,
    ),
    Planted(
        name="a trade is known by its order, so that its second part is no news",
        patch=edit(booking.book, ("{event.trade_id}", "{event.ref.id}")),
        names=("I8", "I7", "I10"),
        weather=BUSY,
    ),
    Planted(
        name="fills of ended orders are dropped (and an end may overtake them)",
        patch=together(_OVERTAKEN, answers(engine, "retire", None)),
        names=("I8", "I10", "I11"),
        weather=STOPPING,
    ),
    Planted(
        name="lost fills of ended orders are not looked for (and an end may overtake them)",
        patch=together(
            _OVERTAKEN,
            edit(Reconciler._put_new, (" or trade.ref.id in state.retired", "")),
        ),
        names=("I8", "I10", "I11"),
        weather=STOPPING,
    ),
    Planted(
        name="fills from before a start are never looked for (and an end may overtake them)",
        patch=together(
            _OVERTAKEN,
            edit(
                Reconciler.sweep,
                ("None if thorough else self._swept.get(symbol)", "self._swept.get(symbol, started)"),
            ),
        ),
        names=("I8", "I10", "I11"),
        weather=replace(STOPPING, crash_s=900.0),
    ),
    Planted(
        name="more is filled than was ordered, and nobody is told",
        patch=edit(booking._fill_order, ("if filled > order.quantity:", "if False:")),
        names=("I9",),
        test="tests/core/test_breakers.py::test_damage_that_the_shell_finds_stops_everything_black_until_a_person_looked",
    ),
)
SUMS = (
    Planted(
        name="the base fee is ignored",
        patch=together(
            edit(booking._fees, (_BASE_FEE, "ZERO")),
            edit(booking._move_accounts, ("event.fee if fee_asset == base else ZERO", "ZERO")),
        ),
        names=("I10", "I11"),
        weather=BUSY,
    ),
    Planted(
        name="the base fee is not taken off what may be sold (and funds are not looked at)",
        patch=together(edit(booking._fees, (_BASE_FEE, "ZERO")), _UNFUNDED),
        names=("I11", "I13"),
        weather=BUSY,
    ),
    Planted(
        name="a fee in the quote currency is not booked",
        patch=edit(booking._move_accounts, ("event.fee if fee_asset == quote else ZERO", "ZERO")),
        names=("I10",),
        weather=BUSY,
    ),
    Planted(
        name="the worth of a trade is rounded to cents",
        patch=edit(
            booking._move_accounts, ("multiply(event.price, event.quantity)", "round(event.price * event.quantity, 2)")
        ),
        names=("I10",),
        weather=BUSY,
    ),
    Planted(
        name="a sell is rounded up (and funds are not looked at)",
        patch=together(
            edit(plan.complete, ("sellable = instrument.quantity_floor", "sellable = instrument.quantity_ceil")),
            _UNFUNDED,
        ),
        names=("I11", "I13"),
        weather=BUSY,
    ),
    Planted(
        name="a price leaves as a binary float",
        patch=edit(
            Executor._send,
            (
                "await self._venue.create(order)",
                "await self._venue.create(PlaceLimit(order.ref, order.symbol, order.side, float(order.price), "
                "order.quantity, order.post_only, order.taker, order.lot_price))",
            ),
        ),
        names=("I12",),
        weather=BUSY,
        quick=True,
    ),
)
DOUBLES = (
    Planted(
        name="what an order trades after it was filled whole is nobody's, and trading goes on",
        patch=edit(booking._book_stray, ("if id_.startswith(draft.prefix):", "if False:")),
        names=("I9",),
        weather=DOUBLED,
    ),
    Planted(
        name="dust that goes with a sell stays dust, and is sold again (and funds are not looked at)",
        patch=together(edit(plan.complete, ("dust=subtract(dust, whole)", "dust=dust")), _UNFUNDED),
        names=("I11",),
        weather=BUSY,
    ),
)
BALANCES = (
    Planted(
        name="books and account are not compared",
        patch=edit(BalanceCheck._looked, ("gaps = await self._compare(thorough=number > 0)", "gaps = ()")),
        names=("I10", "I11"),
        weather=RESTORED,
        quick=True,
    ),
    Planted(
        name="any difference counts as dust and is booked",
        patch=edit(BalanceCheck._booked_as_dust, ("return False\n", "pass\n")),
        names=("I10",),
        weather=RESTORED,
    ),
)
MONEY = (*TRADES, *SUMS, *DOUBLES, *BALANCES)
