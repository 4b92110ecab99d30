"""Asks before orders are cancelled by hand, and says what becomes of them: what is still wanted is placed anew."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtWidgets import QWidget

from gridbot.core.snapshot import OrderView
from gridbot.gui import words
from gridbot.gui.dialogs import Dialog
from gridbot.gui.figures import Figures
from gridbot.gui.numbers import whole
from gridbot.gui.parts import button, label

ANEW = (
    "An order that its grid still wants is placed anew a moment later, under a new id. To keep it away, pause the grid "
    "or change it."
)
_LISTED = 5


class CancelDialog(Dialog):
    """Names the orders; the default is to keep them."""

    def __init__(
        self, orders: Sequence[OrderView], figures: Figures, act: Callable[[], object], parent: QWidget
    ) -> None:
        count = words.counted(len(orders), "order")
        super().__init__(f"Cancel {count}", parent)
        self.setMinimumWidth(440)
        self._act = act
        self.box.addWidget(label(f"Cancel {count}?", role="heading"))
        lines = [order_sentence(order, figures) for order in orders[:_LISTED]]
        if len(orders) > _LISTED:
            lines.append(f"and {whole(len(orders) - _LISTED)} more")
        self.box.addWidget(label("\n".join(lines), name="The orders"))
        self.box.addWidget(label(ANEW, role="muted", wrap=True, name="What becomes of them"))
        self.confirm = button(f"Cancel {count}", self._confirm)
        self.safe = button("Keep" if len(orders) == 1 else "Keep them", self.reject)
        self.add_buttons(self.confirm, self.safe)

    def _confirm(self) -> None:
        self._act()
        self.accept()


def order_sentence(order: OrderView, figures: Figures) -> str:
    """Return an order in a line: side, quantity, price and grid."""
    market = figures.market(order.grid)
    base, quote = ("", "") if market is None else (f" {market.base}", f" {market.quote}")
    quantity, price = figures.quantity(order.quantity, order.grid), figures.price(order.price, order.grid)
    return f"{order.side.value} {quantity}{base} at {price}{quote} ({order.grid}, cell {order.cell})"
