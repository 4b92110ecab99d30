"""What prices the shell must tell the engine about: everything else stays in the feed's latest-price cell."""

from __future__ import annotations

from gridbot.core.state import Phase, State
from gridbot.core.units import Price, Symbol
from gridbot.core.values import value


@value
class Watch:
    """Levels of one market (quote per base). `above`: tell when the price is strictly above any of these, the lowest
    slots that wait for it. `touch`: tell when the price passes one of these, the triggers. `closes`: tell every close
    of a base candle, because a grid-wide exit is judged there; else only those that end a bar matter."""

    above: tuple[Price, ...]
    touch: tuple[Price, ...]
    closes: bool = False


def watch(state: State) -> dict[Symbol, Watch]:
    """Return the watched levels by market."""
    above: dict[Symbol, tuple[Price, ...]] = {}
    touch: dict[Symbol, tuple[Price, ...]] = {}
    closes: dict[Symbol, None] = {}
    for grid in state.grids.values():
        symbol = grid.rules.symbol
        if grid.phase is Phase.ACTIVE and grid.skipped is not None:
            above[symbol] = (*above.get(symbol, ()), grid.skipped)
        trigger = grid.rules.trigger_price
        if grid.phase is Phase.WAITING and trigger is not None:
            touch[symbol] = (*touch.get(symbol, ()), trigger)
        exits = grid.rules.stop_loss is not None or grid.rules.take_profit_total is not None
        if grid.phase is Phase.EXITING or (grid.phase is Phase.ACTIVE and exits):
            closes[symbol] = None
    return {
        symbol: Watch(above.get(symbol, ()), touch.get(symbol, ()), symbol in closes)
        # In an order that no hash decides: marks name their markets in it, and the same life gives the same journal.
        for symbol in dict.fromkeys((*above, *touch, *closes))
    }
