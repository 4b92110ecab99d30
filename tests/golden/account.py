"""What must be found in an account's files, as plain data, whatever form they have and whoever reads them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from gridbot.shell.state_keeper import Recovered
from gridbot.shell.status import status


def found_in(recovered: Recovered) -> dict[str, Any]:
    """Return the status, the books, the orders and the holdings of a recovered account."""
    state = recovered.state
    plain = status(state, sequence=recovered.sequence, account="default", running=False, latch=None)
    plain["accounts"] = {
        asset: {field.name: str(getattr(account, field.name)) for field in fields(account)}
        for asset, account in state.accounts.items()
    }
    cells = [(id_, cell) for id_, grid in state.grids.items() for cell in grid.cells]
    plain["orders"] = [
        [id_, cell.number, order.id, order.state.value, str(order.price), str(order.quantity)]
        for id_, cell in cells
        if (order := cell.order) is not None
    ]
    plain["lots"] = [
        [id_, cell.number, str(lot.quantity), str(lot.cost), str(lot.target)]
        for id_, cell in cells
        if (lot := cell.lot) is not None
    ]
    plain["trades"], plain["retired"] = len(state.trades), len(state.retired)
    return plain
