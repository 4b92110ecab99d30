"""The ways in: what a grid needs before it may lay, and the two endless tasks that take prices and news."""

from __future__ import annotations

from gridbot.ports import Clock
from gridbot.shell.charts import Charts
from gridbot.shell.doors import World
from gridbot.shell.market_board import MarketBoard
from gridbot.shell.preparation import Preparation
from gridbot.shell.problems import Problems
from gridbot.shell.pumps import Pumps, Put


class Inflow:
    """Preparation and pumps of one world, over the same doors and into the same inbox."""

    def __init__(
        self, world: World, clock: Clock, *, board: MarketBoard, charts: Charts, problems: Problems, put: Put
    ) -> None:
        self.preparation = Preparation(
            venue=world.venue,
            feed=world.feed,
            clock=clock,
            board=board,
            charts=charts,
            problems=problems,
            put=put,
            base_ms=world.base_ms,
        )
        self.pumps = Pumps(
            feed=world.feed,
            venue=world.venue,
            board=board,
            charts=charts,
            clock=clock,
            problems=problems,
            put=put,
        )
