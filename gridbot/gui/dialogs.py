"""Dialogs: none is modal, because a modal one would lie over STOP; the safe button is the default one.

Each is shown with `present`, tells its end by `finished`, and deletes itself.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from gridbot.core.events import Removal
from gridbot.core.snapshot import GridView, KillView
from gridbot.gui import words
from gridbot.gui.measures import L, M, S
from gridbot.gui.parts import button, label


class Dialog(QDialog):
    """The ground of every dialog: a title, content, and a row of buttons of which the safe one is the default."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.setWindowModality(Qt.WindowModality.NonModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.box = QVBoxLayout(self)
        self.box.setContentsMargins(L, L, L, L)
        self.box.setSpacing(M)
        self.buttons = QHBoxLayout()
        self.buttons.setSpacing(S)
        self.buttons.addStretch()

    def add_buttons(self, act: QPushButton, safe: QPushButton) -> None:
        """Put the buttons at the end; Enter and Escape mean the safe one."""
        act.setDefault(False)
        safe.setAutoDefault(True)
        safe.setDefault(True)
        self.buttons.addWidget(act)
        self.buttons.addWidget(safe)
        self.box.addLayout(self.buttons)

    def present(self) -> None:
        """Show it over the window, which goes on working."""
        self.show()
        self.raise_()
        self.activateWindow()


class TypedDialog(Dialog):
    """Asks to type a word before something is done that a click by chance must not do."""

    WORD = ""

    def ask_for_word(self, sentence: str, act: Callable[[], object], *, do: str, name: str, instead: str) -> None:
        """Add the field and the buttons; `act` is done when the word stands there and `do` is clicked."""
        shown = f'"{self.WORD}"' if " " in self.WORD else self.WORD
        self.box.addWidget(label(f"{sentence} Type {shown} to allow it.", wrap=True))
        self.field = QLineEdit()
        self.field.setAccessibleName(f"Type {self.WORD}")
        self.field.setPlaceholderText(self.WORD)
        self.box.addWidget(self.field)
        self.confirm = button(do, self._confirm, name=name, role="danger")
        self.confirm.setEnabled(False)
        self.safe = button(instead, self.reject)
        self.field.textChanged.connect(lambda text: self.confirm.setEnabled(text == self.WORD))
        self.add_buttons(self.confirm, self.safe)
        self._act = act

    def _confirm(self) -> None:
        self._act()
        self.accept()


class ResetDialog(TypedDialog):
    """Asks to type RESET before trading may begin again, and shows why it stopped."""

    WORD = "RESET"

    def __init__(self, kill: KillView, act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Reset the stop", parent)
        self.setMinimumWidth(420)
        why = kill.reason or kill.kind.value.replace("_", " ")
        self.box.addWidget(label(f"Trading was stopped at {words.moment(kill.time)} UTC.", role="heading"))
        self.box.addWidget(label(f"Why: {why}", wrap=True))
        if kill.unconfirmed:
            self.box.addWidget(
                label(
                    f"{words.counted(kill.unconfirmed, 'order')} not yet cancelled for certain.",
                    role="error",
                    wrap=True,
                )
            )
        self.ask_for_word(
            "After the reset the grids place orders again.",
            act,
            do="Reset",
            name="Reset the stop and trade again",
            instead="Stay stopped",
        )


class AcceptDialog(TypedDialog):
    """Asks to type ACCEPT before the books take over what the exchange says."""

    WORD = "ACCEPT"

    def __init__(self, gaps: tuple[str, ...], act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Accept the exchange's balances", parent)
        self.setMinimumWidth(460)
        for gap in gaps:
            self.box.addWidget(label(gap, role="heading", wrap=True))
        self.box.addWidget(
            label(
                "Look at the exchange's own list of deposits, withdrawals and trades first. What you accept is booked "
                "as a transfer: it counts neither as profit nor as loss.",
                wrap=True,
            )
        )
        self.ask_for_word(
            "After this the grids trade on with what the exchange holds.",
            act,
            do="Accept",
            name="Accept the balances and trade on",
            instead="Not now",
        )


class SellDialog(TypedDialog):
    """Asks to type SELL before what the grids hold is sold after a stop."""

    WORD = "SELL"

    def __init__(self, grids: tuple[GridView, ...], act: Callable[[], object], parent: QWidget) -> None:
        super().__init__("Sell position too", parent)
        self.setMinimumWidth(440)
        self.box.addWidget(label("Sell what the grids hold?", role="heading"))
        for grid in grids:
            if grid.inventory and grid.instrument is not None:
                self.box.addWidget(label(f"{grid.id}: {words.quantity(grid.inventory)} {grid.instrument.base}"))
        how = (
            "When every order is cancelled and the exchange has said twice that none rests, the balances are read "
            "again. Then the coins are sold at the price there is, which may be a loss. This cannot be undone."
        )
        self.box.addWidget(label(how, wrap=True))
        self.ask_for_word(
            "Trading stays stopped afterwards.",
            act,
            do="Sell",
            name="Sell what the grids hold now",
            instead="Keep the coins",
        )


_REMOVALS = (
    (Removal.SELL_ONLY, "Sell them at their targets, then remove the grid", "It buys no more."),
    (
        Removal.UNTRACK,
        "Keep the coins, and remove the grid now",
        "Its orders are cancelled. The coins stay in your account; gridbot no longer counts them.",
    ),
    (
        Removal.SELL_NOW,
        "Sell all of them now, and remove the grid",
        "At the price there is, which may be a loss. This cannot be undone.",
    ),
)


class RemoveDialog(Dialog):
    """Asks what becomes of the coins of a grid that is taken away."""

    TITLE, QUESTION = "Remove {id}", "Remove the grid {id} on {symbol}?"
    DO, INSTEAD = "Remove", "Cancel"

    def __init__(self, grid: GridView, act: Callable[[Removal], object], parent: QWidget) -> None:
        super().__init__(self.TITLE.format(id=grid.id), parent)
        self.setMinimumWidth(440)
        self._act = act
        self.choices: dict[Removal, QRadioButton] = {}
        base = "" if grid.instrument is None else grid.instrument.base
        question = self.QUESTION.format(id=grid.id, symbol=grid.symbol)
        self.box.addWidget(label(question, role="heading", wrap=True))
        if grid.inventory:
            held = f"It holds {words.quantity(grid.inventory)} {base} in {words.counted(grid.holding_cells, 'cell')}."
            self.box.addWidget(label(f"{held} What shall become of them?", wrap=True))
            self._add_choices()
        else:
            self.box.addWidget(label("It holds no coins. Its open orders are cancelled.", wrap=True))
        self.confirm = button(self.DO, self._confirm, name=f"{self.DO} the grid {grid.id}", role="danger")
        self.safe = button(self.INSTEAD, self.reject)
        self.add_buttons(self.confirm, self.safe)

    def _add_choices(self) -> None:
        together = QButtonGroup(self)
        for how, text, consequence in _REMOVALS:
            choice = QRadioButton(text)
            choice.setAccessibleName(text)
            choice.setAccessibleDescription(consequence)
            together.addButton(choice)
            self.choices[how] = choice
            note: QLabel = label(consequence, role="muted", wrap=True)
            note.setIndent(24)
            self.box.addWidget(choice)
            self.box.addWidget(note)
        self.choices[Removal.SELL_ONLY].setChecked(True)

    def _confirm(self) -> None:
        chosen = [how for how, choice in self.choices.items() if choice.isChecked()]
        self._act(chosen[0] if chosen else Removal.UNTRACK)
        self.accept()


class TakenAwayDialog(RemoveDialog):
    """Asks the same of a grid that the configuration no longer has; unanswered, it goes on selling at its targets."""

    TITLE, QUESTION = "{id} is gone", "The configuration no longer has the grid {id} on {symbol}."
    DO, INSTEAD = "Wind down", "Decide later"
