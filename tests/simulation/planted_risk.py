"""Mistakes in the risk gate: not reserved, not counted, not fresh, not asked."""

from __future__ import annotations

from gridbot.core import readings, risk
from gridbot.core.risk import Exposure
from tests.simulation.planting import Planted, answers, becomes, edit, together
from tests.simulation.weathers import BUSY

_STALE = (
    edit(risk._market_denial, ("if buying and quote.age_ms > rules.max_quote_age_ms.limit:", "if False:")),
    edit(readings._feed_readings, ("now=age,", "now=Decimal(0),")),
)

RISK = (
    Planted(
        name="a risk check reserves nothing",
        patch=answers(risk, "_reserve", None),
        names=("I13", "I14"),
        weather=BUSY,
    ),
    Planted(
        name="an order without an answer does not count as exposure",
        patch=edit(Exposure._add, ("order.state in TERMINAL", "order.state in TERMINAL or order.venue_id is None")),
        names=("I13", "I14"),
        weather=BUSY,
    ),
    Planted(
        name="inventory does not count as exposure",
        patch=edit(
            Exposure._add,
            ("self.commit(symbol, (grid.tally.inventory", "self.commit(symbol, 0 * (grid.tally.inventory"),
        ),
        names=("I13",),
        weather=BUSY,
    ),
    Planted(
        name="only the exposure of one market is held",
        patch=edit(risk._exposure_denial, ("total = sum(committed.values(), amount)", "total = symbol")),
        names=("I13",),
        weather=BUSY,
    ),
    Planted(
        name="an order may be as large as it likes",
        patch=edit(risk._exposure_denial, ("if amount > rules.max_order_value.limit * equity:", "if False:")),
        names=("I13", "I14"),
        weather=BUSY,
    ),
    Planted(
        name="the rate of creates is counted over one second",
        patch=becomes(risk, "RATE_WINDOW_MS", 1_000),
        names=("I14",),
        weather=BUSY,
    ),
    Planted(
        name="one order more than allowed may be open",
        patch=edit(risk._rate_denial, ("if count >= rules.max_open_orders:", "if count > rules.max_open_orders:")),
        names=("I14",),
        weather=BUSY,
    ),
    Planted(
        name="a stale price is used (by gate and breaker)",
        patch=together(*_STALE),
        names=("I15",),
        weather=BUSY,
    ),
    Planted(
        name="a price is as fresh as the newest candle says: quotes have no age",
        patch=edit(risk._market_denial, ("if quote is None or not _sane(quote.bid, quote.ask):", "if quote is None:")),
        names=("I15",),
        weather=BUSY,
    ),
    Planted(
        name="the exchange's clock may be off",
        patch=edit(readings._feed_readings, ("now=skew,", "now=Decimal(0),")),
        names=("I15",),
        weather=BUSY,
    ),
    Planted(
        name="a check that fails lets the order go",
        patch=edit(risk.check, ('return Denial("check_failed",', "return None and (None,")),
        names=("I16",),
        test="tests/core/test_risk.py::test_a_check_that_fails_denies",
    ),
    Planted(
        name="without a known equity everything is allowed",
        patch=edit(risk._exposure_denial, ('return Denial("no_equity", ', "return print(")),
        names=("I16", "I13"),
        weather=BUSY,
    ),
    Planted(
        name="our own orders are crossed",
        patch=answers(risk, "_crossing_denial", None),
        names=("I17",),
        weather=BUSY,
        grids=5,
    ),
)
