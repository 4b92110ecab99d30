"""What runs beside the trading for the world outside the market: wakefulness, messages to people, the heartbeat."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable

from gridbot.config import AppConfig
from gridbot.core.commands import Note
from gridbot.core.state import State
from gridbot.ports import Clock, LogSink
from gridbot.shell.arrival import Arrival
from gridbot.shell.brake import Brake
from gridbot.shell.dead_man import DeadManWatch
from gridbot.shell.doors import World
from gridbot.shell.herald import Herald
from gridbot.shell.notices import Notices
from gridbot.shell.problems import Problems
from gridbot.shell.pulse import Pulse
from gridbot.shell.rates import Rates
from gridbot.shell.start_up import StartUp
from gridbot.shell.wakefulness import Wakefulness


class Outward:
    """Makes what hears the trader (`herald`), and what runs beside it (`tasks`).

    `config` returns the newest configuration; `state` and `past` (notes) are what was there before this start.
    """

    def __init__(
        self,
        world: World,
        log: LogSink,
        clock: Clock,
        config: Callable[[], AppConfig],
        state: State,
        past: Iterable[Note],
    ) -> None:
        self._world = world
        self._log = log
        self._clock = clock
        self.rates = Rates(world.tickers, exchange=world.exchange, clock=clock, config=config)
        self.herald = Herald(
            world.notifier,
            Notices(lambda: config().notifications.events, state, past),
            log=log,
            clock=clock,
            name=lambda: f"gridbot {config().mode.value}/{config().account}",
        )

    def tasks(
        self, problems: Problems, start_up: StartUp, arrival: Arrival, brake: Brake, state: Callable[[], State]
    ) -> tuple[Coroutine[None, None, None], ...]:
        """Return what is to run until the trader ends."""

        def hindered() -> str:
            if start_up.under_way:
                return "It is not known yet what is at the exchange."
            if arrival.waits:
                return "The grids wait for a person who lets them trade on."
            return brake.refusal() or ""

        pulse = Pulse(
            self._world.heartbeat,
            clock=self._clock,
            log=self._log,
            problems=problems,
            state=state,
            hindered=hindered,
        )
        wakefulness = Wakefulness(self._world.awake, self._clock, problems, state)
        world = self._world
        dead_man = DeadManWatch(world.dead_man, world.dead_man_s, clock=self._clock, problems=problems, state=state)
        return wakefulness.keep(), self.herald.keep(), pulse.keep(), dead_man.keep(), self.rates.keep(state)
