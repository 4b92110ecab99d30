"""Mistakes in the life of an order: sent twice, sent too soon, freed without proof, ended by belief."""

from __future__ import annotations

from gridbot.adapters.exchange import ccxt_failures, ccxt_wire, forms
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.adapters.files import order_ids
from gridbot.adapters.files.account_folder import AccountFolder
from gridbot.core import booking, engine, plan
from gridbot.shell import reconciler
from gridbot.shell.executor import Executor
from gridbot.shell.reconciler import Reconciler
from gridbot.shell.trader import Trader
from tests.simulation.planting import Planted, answers, becomes, edit, together
from tests.simulation.weathers import BUSY, LATE, RESTORED, WAVERING

_ORDERS = "tests/adapters/exchange/test_venue_orders.py"
_CLIENT = "tests/adapters/exchange/test_ccxt_client.py"
_NO_ANSWER = 'Fact.NO_ANSWER, "no_answer"'

SENDING = (
    Planted(
        name="a create without an answer is sent again",
        patch=edit(
            Executor._send,
            (f"return self._report(order, {_NO_ANSWER}, error.message)", "return await self._send(order, flight)"),
        ),
        names=("I2",),
        weather=BUSY,
        quick=True,
    ),
    Planted(
        name="order ids begin anew at each start",
        patch=together(
            edit(AccountFolder.next_prefix, ("order_prefix(install, epoch)", "order_prefix(install, 7)")),
            edit(engine._on_epoch, ("if event.prefix != draft.prefix:", "if True:")),
        ),
        names=("I2",),
        quick=True,
    ),
    Planted(
        name="a client id counts to 16 only, and begins anew",
        patch=edit(
            plan._send, ("order_id(draft.prefix, draft.sequence)", "order_id(draft.prefix, draft.sequence % 16)")
        ),
        # [I1] where the order that had the id first is still alive.
        names=("I2", "I1"),
        weather=BUSY,
    ),
    Planted(
        name="the order ids of an older copy go on from there",
        patch=edit(
            order_ids.next_epoch,
            ("return seconds\n", "return 0\n"),
            ("return max(seconds, int(text) + 1)", "return int(text) + 1"),
        ),
        # [I10] where a repeated id made an old trade look like one of the new order first.
        names=("I2", "I10"),
        weather=RESTORED,
        quick=True,
    ),
    Planted(
        name="commands leave before the journal is durable",
        patch=edit(
            Trader._send,
            ("await self._keeper.durable()", "self._tasks.spawn(self._keeper.durable())"),
        ),
        names=("I1",),
        quick=True,
    ),
    Planted(
        name="a cell whose order is unknown gets another one",
        patch=edit(
            plan.settle,
            (
                "if cell.order is None and cell",
                "if (cell.order is None or cell.order.state is OrderState.UNKNOWN) and cell",
            ),
        ),
        names=("I3", "I13", "I11"),
        weather=BUSY,
    ),
)
FREEING = (
    Planted(
        name="what the exchange does not know yet counts as absent",
        patch=together(
            becomes(reconciler, "ABSENT_ROUNDS", 1),
            becomes(reconciler, "ABSENT_AFTER_MS", 0),
        ),
        names=("I4", "I3"),
        weather=LATE,
    ),
    Planted(
        name="a create without an answer counts as never sent",
        patch=edit(Executor._send, (_NO_ANSWER, 'Fact.NOT_SENT, "no_answer"')),
        names=("I4", "I3"),
        weather=BUSY,
        quick=True,
    ),
    Planted(
        name="an answer that names no order is an acknowledgement",
        patch=edit(Executor._send, ("if not venue_id:", "if False:")),
        names=("I5",),
        weather=BUSY,
    ),
    Planted(
        name="a cancel without an answer counts as done",
        patch=edit(Executor._send_cancel, ("return Fact.CANCEL_NO_ANSWER, error.message", 'return Fact.CANCELED, ""')),
        names=("I4", "I3", "I6"),
        weather=BUSY,
        quick=True,
    ),
    Planted(
        name="a cancel that was answered counts as the end",
        patch=edit(Executor._send_cancel, ('return Fact.CANCEL_SENT, ""', 'return Fact.CANCELED, ""')),
        names=("I4", "I3"),
        weather=WAVERING,
    ),
    Planted(
        name="a part of a fill frees the whole order",
        patch=edit(
            booking._fill_order,
            ("Fact.FULLY_FILLED if filled >= order.quantity else Fact.PART_FILLED", "Fact.FULLY_FILLED"),
        ),
        names=("I4", "I3", "I6", "I8", "I10"),
        weather=WAVERING,
    ),
    Planted(
        name="orders of ours that no journal knows are left to rest",
        patch=answers(Reconciler, "_is_excess", False),
        names=("I6", "I3", "I20", "I27", "I4"),
        weather=RESTORED,
    ),
    Planted(
        name="the end of an order that was carried out twice is taken for the end of both",
        patch=edit(Reconciler.is_whole, ("not _is_another(live, closed.report.venue_id)", "True")),
        names=("I4", "I3"),
        weather=WAVERING,
    ),
    Planted(
        name="every order counts as ours",
        patch=answers(Trader, "is_ours", True),
        names=("I21",),
        quick=True,
    ),
    Planted(
        name="nobody asks about an order without an answer",
        patch=edit(Reconciler.ask_due, ("if case.due <= now and not", "if False and not")),
        names=("I30",),
        weather=BUSY,
    ),
)
AT_THE_EXCHANGE = (
    Planted(
        name="ccxt may send a create again",
        patch=edit(ccxt_wire.build, ('["maxRetriesOnFailure"] != 0', '["maxRetriesOnFailure"] < 0')),
        names=("I2",),
        test=f"{_CLIENT}::test_ccxt_that_would_repeat_a_create_is_not_used",
    ),
    Planted(
        name="an empty 200 is trusted",
        patch=edit(forms.acknowledged, ('identity(told.get("id"), "the new order\'s id")', 'told.get("id") or "none"')),
        names=("I5",),
        test=f"{_ORDERS}::test_an_empty_or_mangled_answer_acknowledges_nothing",
    ),
    Planted(
        name="the echo of another client id is taken for ours",
        patch=edit(forms.acknowledged, ("if echoes_id and", "if False and")),
        names=("I5",),
        test=f"{_ORDERS}::test_an_acknowledgement_that_echoes_something_else_is_none",
    ),
    Planted(
        name="a lost answer with a code of the exchange's counts as a refusal",
        patch=edit(ccxt_failures._proof, ("last.status < 500", "last.status < 600")),
        names=("I4",),
        test=f"{_CLIENT}::test_a_create_that_fails_proves_what_went_over_the_wire",
    ),
    Planted(
        name="what was not proven not to be sent counts as not sent",
        patch=edit(ExchangeVenue._outcome, ("if failed.proof is Proof.NOT_SENT:", "if failed.proof is not None:")),
        names=("I4",),
        test=f"{_ORDERS}::test_a_create_is_sent_once_and_means_no_more_than_was_proven",
    ),
)
ORDERS = (*SENDING, *FREEING, *AT_THE_EXCHANGE)
