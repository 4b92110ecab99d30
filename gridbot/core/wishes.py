"""What people ask: rules, wishes, taking grids away, stopping and releasing; each a change of a draft."""

from __future__ import annotations

from gridbot.core import breakers
from gridbot.core.cells import Cell
from gridbot.core.commands import KillChanged
from gridbot.core.draft import Draft, GridDraft
from gridbot.core.events import GridRemoved, GridWished, KillReleased, KillRequested, Removal, RulesChanged
from gridbot.core.lifecycle import begin_exit, change_rules, exit_if_due, finish_if_empty, new_grid, revive, stop
from gridbot.core.plan import arm, limit_for, settle_all
from gridbot.core.rules import GridRules, Wish
from gridbot.core.state import Phase
from gridbot.core.units import GridId
from gridbot.core.values import evolve


def change_all_rules(draft: Draft, event: RulesChanged) -> None:
    """Apply a whole configuration: edit, add and wind down grids."""
    draft.rules = event.rules
    wanted = {rules.id: rules for rules in event.rules.grids}
    for id_ in draft.grid_ids():
        if id_ not in wanted:
            _wind_down(draft, id_, Removal.SELL_ONLY)
    for id_, rules in wanted.items():
        if draft.has(id_):
            g = draft.grid(id_)
            if g.dropped:
                g.dropped = False
                if g.phase is Phase.STOPPED:
                    revive(draft, g)
            change_rules(draft, g, rules)
            continue
        instrument = draft.instruments.get(rules.symbol, rules.instrument)
        if instrument is not None and rules.symbol not in draft.instruments:
            draft.instruments = {**draft.instruments, rules.symbol: instrument}
        draft.insert(id_, new_grid(rules, instrument, draft.now))


def take_wish(draft: Draft, event: GridWished) -> None:
    """Run, pause or wind down one grid."""
    if not draft.has(event.grid):
        return
    g = draft.grid(event.grid)
    _wish(draft, g, event.wish)
    draft.rules = evolve(
        draft.rules,
        grids=tuple(evolve(rules, wish=event.wish) if rules.id == event.grid else rules for rules in draft.rules.grids),
    )


def _wish(draft: Draft, g: GridDraft, wish: Wish) -> None:
    rules: GridRules = evolve(g.rules, wish=wish)
    change_rules(draft, g, rules)


def remove_grid(draft: Draft, event: GridRemoved) -> None:
    """Take a grid away as the user chose."""
    draft.rules = evolve(draft.rules, grids=tuple(rules for rules in draft.rules.grids if rules.id != event.grid))
    if draft.has(event.grid):
        _wind_down(draft, event.grid, event.how)


def _wind_down(draft: Draft, id_: GridId, how: Removal) -> None:
    """Wind a grid down as the user chose; it goes when nothing of it rests and, unless untracked, nothing is held."""
    g = draft.grid(id_)
    g.dropped = True
    if how is Removal.SELL_NOW and any(cell.lot is not None for cell in g.cells):
        begin_exit(draft, g, "removed", "The grid was taken away; what it holds is sold now.")
    elif how is Removal.UNTRACK:
        for cell in tuple(g.cells):
            g.put(Cell(cell.number, None, cell.order, None, None))
        stop(draft, g, "untracked", "The grid was taken away; its coins stay in the account, untracked.")
    else:
        g.rules = evolve(g.rules, wish=Wish.SELL_ONLY)
        g.limit = limit_for(draft, g)
    if g.price is not None:
        arm(draft, g, g.price)
    settle_all(draft, g)
    finish_if_empty(draft, g)
    if g.phase is Phase.STOPPED and all(cell.order is None for cell in g.cells):
        draft.drop(id_)


def stop_trading(draft: Draft, event: KillRequested) -> None:
    """Set the kill state and cancel everything; the first kill stays, but may be told to sell as well."""
    if draft.kill is not None:
        if event.liquidate:
            draft.kill = evolve(draft.kill, liquidate=True)
        return
    breakers.kill(draft, event.kind, event.reason, liquidate=event.liquidate)
    breakers.set_level(draft)
    cancel_everything(draft)


def cancel_everything(draft: Draft) -> None:
    """Cancel what rests in every grid."""
    for id_ in draft.grid_ids():
        g = draft.grid(id_)
        g.limit = limit_for(draft, g)
        if g.price is not None:
            arm(draft, g, g.price)
        settle_all(draft, g)


def release_trading(draft: Draft, event: KillReleased) -> None:
    """End the kill state, because a person said so, and want anew."""
    if draft.kill is None:
        return
    draft.notes.append(KillChanged(draft.now, False, draft.kill.kind, f"Released by {event.by}."))
    draft.kill = None
    breakers.release(draft)
    for id_ in draft.grid_ids():
        g = draft.grid(id_)
        g.limit = limit_for(draft, g)
        if g.price is not None:
            # An exit that is due comes first, or its buys would be wanted.
            exit_if_due(draft, g, g.price)
            arm(draft, g, g.price)
        settle_all(draft, g)
