"""What a newcomer is shown: the first three steps, the walk round, and the guide at the page of what is in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QTabWidget, QWidget

from gridbot.core.units import Mode
from gridbot.gui.context import Context
from gridbot.gui.first_run import FirstRunDialog
from gridbot.gui.frame import Frame
from gridbot.gui.help_window import HelpWindow
from gridbot.gui.market_tab import MarketTab
from gridbot.gui.tour import Sight, Tour
from gridbot.shell.facade import View


class Welcome(QObject):
    """Belongs to one window. `sights` are the steps of the tour, `stop` is what it never dims.

    Attributes:
        guide: the guide's window, None until it was opened.
        steps: the first steps, while they are asked.
        tour: the walk round, while it lasts.
    """

    def __init__(
        self,
        window: QWidget,
        context: Context,
        *,
        sights: Callable[[], Sequence[Sight]],
        stop: QWidget,
        restart: Callable[[], object],
    ) -> None:
        super().__init__(window)
        self._window, self._context = window, context
        self._sights, self._stop, self._restart = sights, stop, restart
        self.guide: HelpWindow | None = None
        self.steps: FirstRunDialog | None = None
        self.tour: Tour | None = None

    def greet(self, view: View) -> None:
        """Ask the three questions at the very first start, which is one on the demo, and never again by itself."""
        if not self._context.preferences.welcomed:
            self._context.preferences.welcomed = True
            if view.snapshot.mode is Mode.DEMO:
                self.ask(view)

    def ask(self, view: View) -> None:
        """Ask the three questions."""
        if self.steps is None:
            self.steps = FirstRunDialog(self._context, view.config_text, self._window)
            self.steps.tour_wanted.connect(self.walk)
            self.steps.restart_wanted.connect(self._restart)
            self.steps.finished.connect(self._asked)
        self.steps.present()

    def _asked(self) -> None:
        self.steps = None

    def walk(self) -> None:
        """Show the window in three steps."""
        if self.tour is None:
            self.tour = Tour(self._window, self._sights(), self._context.colours, bright=self._stop)
            self.tour.ended.connect(self._walked)
            self.tour.begin()

    def _walked(self) -> None:
        self.tour = None

    def help(self, topic: str) -> None:
        """Open the guide at a page."""
        if self.guide is None:
            self.guide = HelpWindow(self._context.colours, self._window)
        self.guide.present(topic)

    def set_colours(self) -> None:
        """Write in the colours of the context."""
        if self.guide is not None:
            self.guide.set_colours(self._context.colours)


def sights_of(tabs: QTabWidget, market: MarketTab, frame: Frame) -> tuple[Sight, ...]:
    """Return the steps of the tour: the price and its ladder, the grids, and what stops them."""

    def to_market() -> None:
        tabs.setCurrentWidget(market)

    return (
        Sight(
            part=lambda: market.chart,
            title="The price and your ladder",
            text="Lines under the price are buy orders that rest; lines above it are where held coins will be sold. "
            "Point at one to read why it is there, or why it is not.",
            show=to_market,
        ),
        Sight(
            part=lambda: market.table,
            title="Your grids",
            text="Each grid with its state and its profit. Run, pause or edit it below; before anything is sent you "
            "see which orders will move.",
            show=to_market,
        ),
        Sight(
            part=lambda: frame.stop,
            title="STOP is always here",
            text="One press, or Ctrl+Shift+K: no further order leaves, and every order is cancelled. Your coins stay. "
            "Trading begins again only when you reset it. F1 opens the guide.",
            show=to_market,
        ),
    )
