"""What a window asks before it lets the engine do something; each answer is one request, and STOP needs no answer."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QMainWindow

from gridbot.config import parse_config
from gridbot.core.units import GridId, Mode
from gridbot.gui.banners import PRESSED, Banners
from gridbot.gui.context import Context
from gridbot.gui.dialogs import AcceptDialog, ResetDialog, SellDialog, TakenAwayDialog
from gridbot.gui.go_live_dialog import save_in_mode
from gridbot.gui.parts import label, set_role, set_text
from gridbot.gui.quit_dialog import QuitDialog
from gridbot.shell.facade import (
    AcceptBalances,
    Answered,
    ReleaseKill,
    RemoveGrid,
    SaveConfig,
    StopTrading,
    View,
)


class AskingWindow(QMainWindow):
    """The ground of the window: its context, its banners, the line of the last answer, and its questions."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context
        self.banners = Banners()
        self._said: QLabel = label("", role="muted", name="Last answer")
        self._asked_about: set[GridId] = set()
        self._quitting: QuitDialog | None = None
        self._leaving = False

    def stop(self) -> None:
        """Stop trading: the request leaves before anything is painted."""
        self.context.desk.ask(StopTrading(PRESSED), self._stop_answered)
        self.banners.stop_sent()

    def _stop_answered(self, answer: Answered) -> None:
        if not answer.ok:
            self.banners.stop_failed(answer.message)

    def reset(self) -> None:
        """Ask to type RESET, then let trading begin again."""
        kill = self._newest().snapshot.kill
        if kill is not None:
            ResetDialog(kill, lambda: self.context.desk.ask(ReleaseKill("window")), self).present()

    def sell(self) -> None:
        """Ask to type SELL, then sell what the grids hold once nothing rests any more."""
        wish = StopTrading("You chose to sell.", liquidate=True)
        SellDialog(self._newest().snapshot.grids, lambda: self.context.desk.ask(wish), self).present()

    def ask_about(self, grid: GridId) -> None:
        """Ask what becomes of the coins of a grid that the configuration no longer has."""
        self._asked_about.add(grid)
        found = next((each for each in self._newest().snapshot.grids if each.id == grid), None)
        if found is not None:
            TakenAwayDialog(found, lambda how: self.context.desk.ask(RemoveGrid(grid, how)), self).present()

    def accept_balances(self) -> None:
        """Ask before the books take over the balances that are shown now, and no others."""
        gaps = self._newest().start.gaps
        if gaps:
            AcceptDialog(gaps, lambda: self.context.desk.ask(AcceptBalances(gaps)), self).present()

    def change_mode(self, mode: Mode) -> None:
        """Ask what another mode needs, and save it for the next start."""
        before = self._newest().config_text
        config = parse_config(before, source="The configuration").model_copy(update={"mode": mode})
        save_in_mode(self.context, before, config, lambda: self._save_as_shown(before, config.to_json()), self)

    def leave(self) -> None:
        """Close without a question: a signal, the end of a session, or a person who has answered it."""
        self._leaving = True
        self.close()

    def _newest(self) -> View:
        return self.context.facade.view()

    def _save_as_shown(self, before: str, text: str) -> None:
        """Save a configuration unless it is another one by now than the one that a dialog showed."""
        if self._newest().config_text == before:
            self.context.desk.ask(SaveConfig(text))
        else:
            self._tell("The settings were changed meanwhile, so nothing was saved. Look at them, and try again.", False)

    def _ask_to_quit(self, view: View) -> None:
        """Ask what becomes of the orders, once however often the window is closed."""
        if self._quitting is None:
            stop = StopTrading("You quit and chose to cancel the orders.")
            self._quitting = QuitDialog(
                view, lambda: self.context.desk.ask(stop, self._stop_answered), self.leave, self
            )
            self._quitting.finished.connect(self._stay)
        self._quitting.present()

    def _stay(self) -> None:
        self._quitting = None

    def _tell(self, sentence: str, ok: bool) -> None:
        if sentence:
            set_role(self._said, "muted" if ok else "error")
            set_text(self._said, sentence)
            self._said.setToolTip(sentence)
