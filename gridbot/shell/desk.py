"""The user's requests: each becomes events for the engine, a saved configuration, and one answer."""

from __future__ import annotations

from collections.abc import Callable

from gridbot.config import AppConfig, GridConfig, changes, parse_config, waiting
from gridbot.core.commands import CancelOrder
from gridbot.core.events import (
    Event,
    GridRemoved,
    GridWished,
    KillKind,
    KillReleased,
    KillRequested,
    OrderRef,
    RulesChanged,
)
from gridbot.core.rules import Rules, Wish
from gridbot.core.state import State
from gridbot.core.units import GridId, OrderId, TimeMs
from gridbot.core.values import evolve, value
from gridbot.errors import ConfigError, EnvironmentProblem, Mistake
from gridbot.ports import Clock
from gridbot.shell.brake import Brake
from gridbot.shell.facade import (
    STOPPED,
    CancelOne,
    ReleaseKill,
    RemoveGrid,
    SaveConfig,
    SetRunning,
    SetWish,
    StopTrading,
    unconfirmed,
)
from gridbot.shell.known_orders import live_orders

SaveFile = Callable[[AppConfig], None]
"""Writes the configuration file whole; EnvironmentProblem if it cannot."""
PRESSED_AGAIN = "Somebody pressed STOP again meanwhile; trading stays stopped."
EngineRequest = SetWish | RemoveGrid | SaveConfig | StopTrading | ReleaseKill | CancelOne | SetRunning


@value
class Ruling:
    """What a request leads to: events, cancels to send, and the answer.

    `releases` takes the latch away at the end, if it was pressed so many times and not once more; `sells` that the
    user chose to sell what the grids hold, once nothing rests any more.
    """

    ok: bool
    message: str
    events: tuple[Event, ...] = ()
    cancels: tuple[CancelOrder, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    releases: int | None = None
    sells: bool = False


class Desk:
    """Judges requests against the newest state. `config` is the saved configuration."""

    def __init__(
        self, config: AppConfig, *, save: SaveFile, clock: Clock, brake: Brake, exchange_orders: int | None = None
    ) -> None:
        self.config = config
        self._exchange_orders = exchange_orders
        self._save = save
        self._clock = clock
        self._brake = brake
        self._mode = config.mode

    def judge(self, request: EngineRequest, state: State) -> Ruling:
        """Return what a request leads to. A refused one leads to nothing but its answer."""
        now = self._clock.now_ms()
        match request:
            case SetWish():
                return self._wish({request.grid: request.wish}, state, now)
            case SetRunning():
                wish = Wish.RUN if request.running else Wish.PAUSE
                moved = {id_: wish for id_, grid in state.grids.items() if grid.rules.wish is not Wish.SELL_ONLY}
                return self._wish(moved, state, now)
            case RemoveGrid():
                return self._remove(request, state, now)
            case SaveConfig():
                return self._save_config(request.text, now)
            case StopTrading():
                self._brake.pull(request.reason, KillKind.MANUAL)
                event = KillRequested(now, KillKind.MANUAL, request.reason)
                return Ruling(True, STOPPED, (event,), sells=request.liquidate)
            case ReleaseKill():
                return self._release(request, state, now)
            case CancelOne():
                return _cancel(request.order, state)

    def _wish(self, wishes: dict[GridId, Wish], state: State, now: TimeMs) -> Ruling:
        unknown = [id_ for id_ in wishes if id_ not in state.grids]
        if unknown:
            return Ruling(False, f"There is no grid {unknown[0]}.")
        grids = tuple(_with_wish(grid, wishes.get(GridId(grid.id))) for grid in self.config.grids)
        failure = self._keep(self.config.model_copy(update={"grids": grids}))
        if failure is not None:
            return failure
        return Ruling(True, "Done.", tuple(GridWished(now, id_, wish) for id_, wish in wishes.items()))

    def _remove(self, request: RemoveGrid, state: State, now: TimeMs) -> Ruling:
        if request.grid not in state.grids:
            return Ruling(False, f"There is no grid {request.grid}.")
        grids = tuple(grid for grid in self.config.grids if grid.id != request.grid)
        failure = self._keep(self.config.model_copy(update={"grids": grids}))
        return failure or Ruling(True, f"{request.grid} is taken away.", (GridRemoved(now, request.grid, request.how),))

    def _save_config(self, text: str, now: TimeMs) -> Ruling:
        try:
            config = parse_config(text, source="The configuration")
        except ConfigError as error:
            return Ruling(False, error.message, mistakes=error.mistakes)
        fixed = waiting(changes(self.config, config))
        failure = self._keep(config)
        if failure is not None:
            return failure
        if fixed:
            # Folder, feed, venue and logs are those of this start, and so is the mode that the engine says.
            names = " and ".join(fixed)
            return Ruling(True, f"Saved. The change of {names} takes effect at the next start.", self._rules(now))
        return Ruling(True, "Saved and applied.", self._rules(now))

    def _rules(self, now: TimeMs) -> tuple[Event, ...]:
        return (RulesChanged(now, self.rules()),)

    def rules(self) -> Rules:
        """Return what the engine shall work by: the saved configuration in the mode of this start."""
        return evolve(self.config.to_rules(exchange_orders=self._exchange_orders), mode=self._mode)

    def _keep(self, config: AppConfig) -> Ruling | None:
        """Save a configuration; the refusal if the disk does not take it, then everything stays as it was."""
        try:
            self._save(config)
        except EnvironmentProblem as problem:
            return Ruling(False, f"{problem.message} {problem.hint}".strip())
        self.config = config
        return None

    def _release(self, request: ReleaseKill, state: State, now: TimeMs) -> Ruling:
        presses = self._brake.presses
        if request.presses not in (None, presses):
            return Ruling(False, PRESSED_AGAIN)
        if state.kill is None and self._brake.stop_reason() is None:
            return Ruling(False, "Trading is not stopped.")
        left = sum(1 for _ in live_orders(state))
        if left:
            return Ruling(False, f"{unconfirmed(left)} as cancelled yet; try again when it is so.")
        return Ruling(True, "Trading is released.", (KillReleased(now, request.by),), releases=presses)

    def release(self, ruling: Ruling, *, unrecorded: str) -> str:
        """Take the latch away if the ruling says so, once its events are durable; return why it stays, or "".

        `unrecorded` is what the disk said where they are not: the next start would find the stop, and no latch with it.
        """
        if ruling.releases is None:
            return ""
        if unrecorded:
            return f"The KILL file stays, and so does the stop: {unrecorded}"
        try:
            if self._brake.release(ruling.releases):
                return ""
        except EnvironmentProblem as problem:
            return f"The KILL file stays, and so does the stop: {problem.message}"
        return PRESSED_AGAIN


def _with_wish(grid: GridConfig, wish: Wish | None) -> GridConfig:
    if wish is None:
        return grid
    return grid.model_copy(update={"enabled": wish is not Wish.PAUSE, "sell_only": wish is Wish.SELL_ONLY})


def _cancel(order: OrderId, state: State) -> Ruling:
    live = next((live for live in live_orders(state) if live.order.id == order), None)
    if live is None:
        return Ruling(False, f"Order {order} is not open any more.")
    cancel = CancelOrder(OrderRef(live.ref.grid, live.ref.cell, order), live.symbol, live.order.venue_id)
    return Ruling(True, "The cancel is on its way.", cancels=(cancel,))
