"""Mistakes in the risk gate: not reserved, not counted, not fresh, not asked."""

from __future__ import annotations

from gridbot.core import readings, risk
from gridbot.core.risk import Exposure
from tests.simulation.planting import Planted, answers, edit, together
from tests.simulation.weathers import BUSY, SHAKY

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
        tight=True,
    ),
    Planted(
        name="an order without an answer does not count as exposure",
        patch=edit(Exposure._add, ("order.state in TERMINAL", "order.state in TERMINAL or order.venue_id is None")),
        names=("I13", "I14"),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="inventory does not count as exposure",
        patch=edit(
            Exposure._add,
            ("self.commit(symbol, (grid.tally.inventory", "self.commit(symbol, 0 * (grid.tally.inventory"),
        ),
        names=("I13",),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="only the exposure of one market is held",
        patch=edit(risk._exposure_denial, ("total = sum(committed.values(), amount)", "total = symbol")),
        names=("I13",),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="an order may be as large as it likes",
        patch=edit(risk._exposure_denial, ("if amount > rules.max_order_value.limit * equity:", "if False:")),
        names=("I13", "I14"),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="creates are not counted",
        patch=edit(risk._reserve, ("creates=(*recent, draft.now)", "creates=recent")),
        names=("I14",),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="one order more than allowed may be open",
        patch=edit(risk._rate_denial, ("if count >= rules.max_open_orders:", "if count > rules.max_open_orders:")),
        names=("I14",),
        weather=BUSY,
        tight=True,
    ),
    Planted(
        name="a stale price is used (by gate and breaker)",
        patch=together(*_STALE),
        names=("I15",),
        weather=SHAKY,
        tight=True,
    ),
    Planted(
        name="a crossed quote is taken for a price",
        patch=edit(risk._market_denial, ("if quote is None or not _sane(quote.bid, quote.ask):", "if quote is None:")),
        names=("I15",),
        test="tests/core/test_risk.py::test_without_a_usable_quote_no_buy_goes",
    ),
    Planted(
        name="the exchange's clock may be off",
        patch=edit(readings._feed_readings, ("now=skew,", "now=Decimal(0),")),
        names=("I15",),
        weather=SHAKY,
        tight=True,
    ),
    Planted(
        name="a check that fails lets the order go",
        patch=edit(risk.check, ('return Denial("check_failed",', "return None and (None,")),
        names=("I16",),
        test="tests/core/test_risk.py::test_a_check_that_fails_denies",
    ),
    Planted(
        name="without a known equity everything is allowed",
        patch=edit(risk._exposure_denial, ('return Denial("no_equity", ', "return None and (")),
        names=("I16", "I13"),
        test="tests/core/test_risk.py::test_before_equity_is_known_no_buy_goes",
    ),
    Planted(
        name="our own orders are crossed",
        patch=answers(risk, "_crossing_denial", None),
        names=("I17",),
        weather=BUSY,
        tight=True,
        grids=5,
    ),
)
