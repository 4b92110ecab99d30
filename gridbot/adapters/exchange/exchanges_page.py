"""docs/exchanges.md out of the capability table, so that what is promised is what the program goes by."""

from __future__ import annotations

from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.capability_table import TABLE, capability_of

_INTRODUCTION = """# Exchanges

<!-- Written by scripts/generate_docs.py from the table in
     gridbot/adapters/exchange/capability_table.py. Change that, not this page. -->

gridbot trades on every exchange that ccxt knows, and on Firi. Those in this table were looked into: what goes into a
request is held by tests that look at what the pinned ccxt would send; limits, rates, fees and the meaning of codes are
from the exchanges' own pages. Any other exchange is traded under the strictest assumptions, the last row, and gridbot
says so when it starts.

- **Order ids**: whether an order carries an id of ours, and by which requests it is found and cancelled by it. Where it
  carries none, or cannot be asked for, it is looked for in the exchange's lists.
- **Rests only**: whether the exchange itself refuses an order that would trade at once. Otherwise gridbot looks at the
  best price before it sends, and some orders may still trade at once.
- **Cancels all**: whether one request cancels a whole market.
- **Timer**: whether the exchange can cancel by itself when nothing is heard of gridbot any more.
- **Refusals**: how many codes of errors prove that an order never rested. After any other error gridbot asks before it
  goes on.
"""
_HEAD = (
    "\n| exchange | order ids | rests only | trades a page, span | open orders a market | cancels all | timer | "
    "cancels a second | fee of a buy | refusals |\n|---|---|---|---|---|---|---|---|---|---|\n"
)
_DAY_MS = 86_400_000


def exchanges_page() -> str:
    """Return the page's text."""
    rows = [*TABLE.values(), capability_of("any other")]
    table = "".join(map(_row, rows))
    notes = "".join(f"\n## {row.name}\n\n{_notes(row)}" for row in rows if row.notes or row.needs_passphrase)
    return f"{_INTRODUCTION}{_HEAD}{table}{notes}"


def _row(row: Capability) -> str:
    name = f"{row.name} (`{row.id}`)" if row.proven else row.name
    cells = (
        name,
        _ids(row),
        "yes" if row.post_only is not None else "by the price",
        f"{row.trades_page:,}, {_span(row.trades_window_ms)}",
        "not told" if row.max_open_orders is None else f"{row.max_open_orders:,}",
        "yes" if row.cancel_all else "no",
        "yes" if row.dead_man else "no",
        f"{row.cancels_per_s:g}",
        f"in {row.fee_currency.value}",
        f"{len(row.certified)}",
    )
    return f"| {' | '.join(cells)} |\n"


def _ids(row: Capability) -> str:
    if row.id_form is IdForm.NONE:
        return "none"
    ways = (("found", row.fetch_id), ("cancelled", row.cancel_id))
    possible = [way for way, parameter in ways if parameter is not None]
    return f"sent, {' and '.join(possible)} by it" if possible else "sent"


def _span(length_ms: int | None) -> str:
    if length_ms is None:
        return "any span"
    days = length_ms // _DAY_MS
    return f"{days} day{'' if days == 1 else 's'}"


def _notes(row: Capability) -> str:
    third = ("A key has a third part, its passphrase.",) if row.needs_passphrase else ()
    return "".join(f"- {note}\n" for note in (*row.notes, *third))
