"""The command that steps a journal again: the state that it gives, its digest, or the life of one order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import AccountOption, ModeOption, app, chosen_account, gridbot_home
from gridbot.core.units import Mode, OrderId
from gridbot.core.values import evolve, value
from gridbot.errors import StateFileError

if TYPE_CHECKING:
    from gridbot.core.state import State
    from gridbot.ports import Restored
    from gridbot.shell.order_life import OrderLife


@app.command()
def replay(
    journal: Annotated[
        Path | None, typer.Argument(metavar="[JOURNAL]", help="One journal, also of the archive; else the account's.")
    ] = None,
    digest: Annotated[bool, typer.Option("--digest", help="Print the SHA-256 of the state, and nothing else.")] = False,
    until: Annotated[int | None, typer.Option(metavar="SEQ", min=1, help="Stop after this event.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Begin with the account's first event.")] = False,
    explain: Annotated[str | None, typer.Option(metavar="ORDER_ID", help="Tell the life of one order.")] = None,
    mode: ModeOption = None,
    account: AccountOption = None,
) -> None:
    """Rebuild the state from snapshot and journal, without touching anything, and show it."""
    if explain is not None and digest:
        raise typer.BadParameter("it prints a digest, not a story", param_hint="--digest")
    if journal is not None and whole:
        raise typer.BadParameter("it is about the whole account, not one journal", param_hint="--all")
    from gridbot.shell.order_life import OrderLife

    chosen, name = chosen_account(mode, account)
    if journal is not None:
        chosen = _mode_of(journal) or chosen
    life = None if explain is None else OrderLife(OrderId(explain))
    parts = _parts(chosen, name, journal=journal, until=until, whole=whole, life=life)
    if life is not None:
        _tell(parts, life, chosen, until=until)
        return
    if until is not None:
        parts = _cut(parts, until)
    stepped = _stepped(parts, chosen)
    from gridbot.core import codec

    total = codec.digest(stepped.state)
    print(total if digest else _page(stepped, name, total))


@value
class Stepped:
    """What a replay gave: the state after event `sequence`, and the number of the first event that was stepped."""

    state: State
    first: int
    sequence: int


def _parts(
    mode: Mode, account: str, *, journal: Path | None, until: int | None, whole: bool, life: OrderLife | None
) -> Iterator[Restored]:
    """Yield the journals that the question needs, each as what the account's start would take."""
    from gridbot.adapters.files.account_folder import AccountFolder
    from gridbot.adapters.files.disk import SystemDisk
    from gridbot.adapters.files.journal_choice import chapters_about, chapters_to, one_journal, whole_past

    disk, root = SystemDisk(), gridbot_home().root
    folder = AccountFolder(disk, root, mode=mode, account=account)
    if journal is not None:
        chapters = one_journal(disk, journal.absolute())
    elif whole:
        chapters = whole_past(folder.history())
    elif life is not None:
        chapters = chapters_about(disk, folder.folder, life.id, life.over)
    elif until is not None:
        chapters = chapters_to(disk, folder.folder, until)
    else:
        yield folder.load()
        return
    for chapter in chapters:
        yield chapter.restored


def _cut(parts: Iterable[Restored], until: int) -> Iterator[Restored]:
    """Yield what leads to event `until`; StateFileError if there is no such event."""
    last = 0
    for part in parts:
        last = part.sequence + len(part.events)
        if last >= until:
            count = max(until - part.sequence, 0)
            facts = None if part.facts is None else part.facts[:count]
            yield evolve(part, events=part.events[:count], facts=facts)
            return
        yield part
    raise StateFileError(f"There is no event {until:,}: the journal ends with event {last:,}.")


def _stepped(parts: Iterable[Restored], mode: Mode) -> Stepped:
    from gridbot.core.rules import Rules
    from gridbot.core.state import new_state
    from gridbot.shell import state_keeper
    from gridbot.shell.status import NoHistory

    state, first, sequence = None, 0, 0
    for part in parts:
        first = first or part.sequence + 1
        recovered = state_keeper.replay(
            part if state is None else evolve(part, state=state), mode=mode, notes=NoHistory()
        )
        state, sequence = recovered.state, recovered.sequence
    return Stepped(new_state(Rules(mode, (), None)) if state is None else state, first or 1, sequence)


def _page(stepped: Stepped, account: str, digest: str) -> str:
    from gridbot.shell.status import besides, state_lines, status

    state, count = stepped.state, stepped.sequence - stepped.first + 1
    if not stepped.sequence:
        return f"Nothing has happened on this account yet.\ndigest {digest}"
    plain = status(state, sequence=stepped.sequence, account=account, running=False, latch=None)
    stepped_again = f"{count:,} event{'' if count == 1 else 's'} stepped again" if count else "no event after it"
    begun = "the account's first event" if stepped.first == 1 else f"the snapshot of event {stepped.first - 1:,}"
    time = datetime.fromtimestamp(state.now / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return "\n".join(
        (
            f"{plain['mode']}, from {begun}: {stepped_again}.",
            f"State after event {stepped.sequence:,}, {time} UTC, level {plain['level'].upper()}:",
            *state_lines(plain, besides(state)),
            f"digest {digest}",
        )
    )


def _tell(parts: Iterable[Restored], life: OrderLife, mode: Mode, *, until: int | None) -> None:
    """Print an order's life, line by line as it is found."""
    from gridbot.shell.retrace import retrace

    known = False
    for line in life.told(retrace(parts, mode=mode)):
        if until is not None and line.sequence > until:
            break
        known = True
        print(line.text())
    if not known:
        when = "" if until is None else f" up to event {until:,}"
        raise StateFileError(
            f"The journals that are kept know no order {life.id}{when}.",
            hint="`gridbot export fills` lists the orders that were filled; --account chooses another account.",
        )


def _mode_of(journal: Path) -> Mode | None:
    """Return the mode of the account in whose folder a journal lies, None if it lies elsewhere."""
    names = [folder.name for folder in journal.absolute().parents][1:3]
    return next((Mode(name) for name in names if name in set(Mode)), None)
