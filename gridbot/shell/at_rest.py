"""An account that no process runs, or one that hangs: its orders are ended all the same.

At a simulated venue they lie in the account's own record and are ended there: a request that was under way died with
its process, so what does not stand never will. At a real one they are cancelled where they are, and the record is left
to the next start, which asks what became of them.
"""

from __future__ import annotations

from collections.abc import Callable

from gridbot.core.commands import PlaceLimit
from gridbot.core.events import KillKind, KillReleased, KillRequested, OrderReported
from gridbot.core.orders import Fact
from gridbot.core.state import Level, State
from gridbot.core.units import OrderId
from gridbot.ports import Clock, KillVenue
from gridbot.shell.facade import unconfirmed
from gridbot.shell.kill_driver import answer
from gridbot.shell.kill_procedure import KillProcedure, Progress
from gridbot.shell.known_orders import known_markets, live_cancels, live_orders, standing_orders
from gridbot.shell.state_keeper import StateKeeper


def stop_at_rest(
    keeper: StateKeeper, venue: KillVenue, reason: str, *, ours: Callable[[OrderId], bool], everything: bool
) -> Progress:
    """Stop the account and end its orders, at the venue and in its record; the latch is durable before the call."""
    standing = {place.ref.id for place, _, _ in standing_orders(keeper.state)}
    if keeper.state.kill is None:
        keeper.take(KillRequested(keeper.state.now, KillKind.MANUAL, reason))
    procedure = KillProcedure(
        symbols=lambda: known_markets(keeper.state),
        known=lambda: live_cancels(keeper.state),
        ours=ours,
        everything=everything,
    )
    steps = procedure.run()
    try:
        request = next(steps)
        while True:
            # The venue is in this process's memory: there is nothing to wait for.
            request = steps.send(answer(request, venue, write_latch=lambda: "", wait=lambda seconds: None))
    except StopIteration:
        _end_orders(keeper, standing)
    return procedure.progress


def stop_at_exchange(
    state: State,
    venue: KillVenue,
    *,
    ours: Callable[[OrderId], bool],
    everything: bool,
    clock: Clock,
    patience_s: float,
    wait: Callable[[float], None],
) -> Progress:
    """Cancel at a real venue what rests there, until it says twice that nothing does or the patience is at its end.

    `state` is what the disk says; the latch is durable before the call.
    """
    procedure = KillProcedure(
        symbols=lambda: known_markets(state), known=lambda: live_cancels(state), ours=ours, everything=everything
    )
    steps, until = procedure.run(), clock.monotonic() + patience_s
    try:
        request = next(steps)
        while clock.monotonic() < until:
            request = steps.send(answer(request, venue, write_latch=lambda: "", wait=wait))
    except StopIteration:
        pass
    return procedure.progress


def _end_orders(keeper: StateKeeper, standing: set[OrderId]) -> None:
    """Record that every order has ended: those that stood are cancelled, the others never came to rest."""
    for live in tuple(live_orders(keeper.state)):
        if live.ref.id in standing:
            _report(keeper, live.ref.id, Fact.CANCELED, "cancelled while gridbot did not run")
        else:
            _report(keeper, live.ref.id, Fact.NO_ANSWER, "The answer to its request was never heard.")
            _report(keeper, live.ref.id, Fact.NOT_FOUND, "It never came to rest.")


def _report(keeper: StateKeeper, id_: OrderId, fact: Fact, message: str) -> None:
    live = next((live for live in live_orders(keeper.state) if live.ref.id == id_), None)
    if live is not None:
        keeper.take(OrderReported(keeper.state.now, live.ref, fact, live.order.venue_id, fact.value, message))


def refusal_to_release(keeper: StateKeeper, *, accept_integrity: bool) -> str:
    """Return why this account may not trade again yet, "" if it may."""
    left = sum(1 for _ in live_orders(keeper.state))
    if left:
        return f"{unconfirmed(left)} as cancelled. Run `gridbot kill` first."
    if keeper.state.risk.level is Level.BLACK and not accept_integrity:
        why = "" if keeper.state.kill is None else keeper.state.kill.reason
        return f"Its books do not add up: {why} Compare them with the exchange, then say --accept-integrity."
    return ""


def release_at_rest(keeper: StateKeeper, by: str) -> None:
    """Let the account trade again from its next start on: nothing leaves now."""
    step = keeper.take(KillReleased(keeper.state.now, by))
    waiting = [] if step is None else list(step.commands)
    while waiting:
        command = waiting.pop()
        if isinstance(command, PlaceLimit):
            # What it wants placed is decided anew at the start; each place waits a moment before it asks again.
            report = OrderReported(
                keeper.state.now, command.ref, Fact.NOT_SENT, None, "at_rest", "gridbot did not run."
            )
            step = keeper.take(report)
            waiting += () if step is None else step.commands
