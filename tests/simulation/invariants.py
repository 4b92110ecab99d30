"""The invariants of the design as data: what each says, where the simulation holds it, and which test shows it to bite.

`held` is what is looked at all the time, `quiet` what is looked at when faults have stopped and time has passed;
`shown` are directed tests besides `test_checker.py`, which trips everything that the checker holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Invariant:
    """One invariant. What lies outside the simulation has nothing in `held` and `quiet`, and tests in `shown`."""

    says: str
    held: str = ""
    quiet: str = ""
    shown: tuple[str, ...] = ()


INVARIANTS: Mapping[str, Invariant] = {
    "I1": Invariant(
        says="No create without an earlier durable intent.",
        held="checker: each create against what the durable journal intends, word for word",
    ),
    "I2": Invariant(
        says="Each client id is sent at most once, ever.",
        held="checker: every id ever sent, older copies of the account included; a refusal of the venue as duplicate",
    ),
    "I3": Invariant(
        says="Per cell and side at most one live or unresolved order.",
        held="own_books: each intent against every standing order; checker: each create against what rests at the "
        "venue and what is under way",
        quiet="nothing that was carried out twice rests twice",
    ),
    "I4": Invariant(
        says="A reservation is freed only on proof.",
        held="order_proof: each end in the durable journal against what became of the order at the venue; an order "
        "that rests though it was ended; checker: a create that the venue refuses for want of funds",
    ),
    "I5": Invariant(
        says="No exchange id, or a wrong echo: UNKNOWN.",
        held="order_proof: each acknowledgement in the durable journal against the venue's own id of that order",
        shown=("tests/adapters/exchange/test_venue_orders.py",),
    ),
    "I6": Invariant(
        says="Terminal states never revert, yet a fill after CANCELED is booked.",
        held="order_proof: no order that had ended lives again in the durable state",
        quiet="what rests at the venue is what the journal believes, and nothing else",
    ),
    "I7": Invariant(
        says="Each (exchange, symbol, trade id) is booked once, whatever its order, source or repetition.",
        held="fill_watch: each booking against the venue's trades",
        quiet="as many fills are counted as happened",
    ),
    "I8": Invariant(
        says="After reconciling, booked fills equal the exchange's filled amounts exactly.",
        held="fill_watch: price, quantity, fee, its asset and the order of each booking",
        quiet="no trade is missing; each resting order is filled as far as the journal says",
    ),
    "I9": Invariant(
        says="0 <= filled <= amount, else RED.",
        held="own_books: what was booked of each order, by sums of its own; fill_watch: the venue's own figure, and "
        "what an order of this start trades beyond it stops everything",
    ),
    "I10": Invariant(
        says="Per asset: opening + fills - fees + deposits - withdrawals = exchange total; an unexplained gap beyond "
        "dust blocks new exposure.",
        held="own_books: the sums of every movement against the durable books, to the last digit; gaps: what a person "
        "is asked to accept is what nobody can explain",
        quiet="gaps: books and venue are equal, and no more was accepted than is forgotten or was moved by hand",
        shown=("tests/shell/test_balance_check.py",),
    ),
    "I11": Invariant(
        says="A sell never exceeds what was received net of fees, rounded down.",
        held="own_books: what a grid has on sale, at each intent, against what its trades brought it; checker: "
        "everything on sale and this sell against what the venue holds",
    ),
    "I12": Invariant(
        says="No binary float on the money path.",
        held="checker: the figures of each create",
        shown=("tests/test_tidy.py",),
    ),
    "I13": Invariant(
        says="Exposure + open + unknown + this order <= every limit, checked and reserved in one step.",
        held="own_books: each intent of the durable journal by sums of its own; at_transport: each create by what "
        "truly rests, is under way and was traded",
    ),
    "I14": Invariant(
        says="Order rate, open-order count and notional caps hold over any sliding window.",
        held="own_books: at the intent; at_transport: at the wire, over any ten seconds of the machine's clock",
        shown=("tests/shell/test_pace.py",),
    ),
    "I15": Invariant(
        says="No risk-increasing order on stale, crossed, NaN or non-positive prices, outside the collar, or with the "
        "clock off.",
        held="own_books: the newest mark at each intent; at_transport: that marks hold what the world showed, and how "
        "old the newest price is when a buy leaves",
        shown=("tests/shell/test_blind_start.py", "tests/core/test_risk.py"),
    ),
    "I16": Invariant(
        says="A failing risk check denies.",
        held="own_books: no intent where equity or a rate is not known, or a limit cannot be reckoned",
        shown=("tests/core/test_risk.py",),
    ),
    "I17": Invariant(
        says="Never cross our own order.",
        held="own_books: each intent against every standing order; at_transport: each create against what rests",
    ),
    "I18": Invariant(
        says="After the latch is durable no create or amend enters the transport until a person releases it.",
        held="stop_watch: the latch on the disk and the kill in the durable journal at each create",
    ),
    "I19": Invariant(
        says="The latch survives kill -9, upgrade, an older state file, a second process.",
        held="stop_watch: once a minute, at each start and after each power cut; no release takes away a stop that was "
        "pressed after it was asked for, nor one that the durable journal still tells of",
        shown=("tests/golden/test_golden.py",),
    ),
    "I20": Invariant(
        says='Orders found while killed are cancelled; "flat" is shown only after the exchange said zero twice.',
        held="stop_watch: what the kill switch was told before it says flat",
        quiet="nothing rests under the latch",
    ),
    "I21": Invariant(
        says='Cancels touch only ours, unless the user picks "everything".',
        held="checker: the client id and the venue's id of each cancel",
        shown=("tests/shell/test_foreign_orders.py",),
    ),
    "I22": Invariant(
        says="A dry run constructs no write transport at all.",
        shown=("tests/live/test_dry_run.py", "tests/test_canary_secrets.py"),
    ),
    "I23": Invariant(
        says="Recovery from any crash point holds every fsynced record.",
        held="checker: each start against the durable journal; replica: each durable line, and each snapshot",
        quiet="every trade stands once in the history on the disk",
        shown=("tests/kill9/test_kill9.py",),
    ),
    "I24": Invariant(
        says="Replaying a journal gives a byte-identical state.",
        held="checker: each start; replica: each snapshot, against the journal stepped apart",
        quiet="the state on the disk is the last one of the program",
    ),
    "I25": Invariant(
        says="One engine per account.",
        held="checker: no process begins, creates or says flat beside another; a second start is refused",
    ),
    "I26": Invariant(
        says="No create before start-up reconciling is complete.",
        held="checker: every market in which an order of ours may be was asked about, after each start, sleep and "
        "release",
    ),
    "I27": Invariant(
        says="A full or failing disk stops creates; cancels go on.",
        held="checker: no create after a refused write; cancel_watch: what is to be cancelled is, within a bound",
    ),
    "I28": Invariant(
        says="No key, secret, passphrase or signature in any log, traceback, crash report, state, export or widget.",
        shown=("tests/test_canary_secrets.py",),
    ),
    "I29": Invariant(
        says="Secret files are 0600 before the content is written.",
        shown=("tests/adapters/secrets/test_secret_file.py",),
    ),
    "I30": Invariant(
        says="Within a bound after faults stop, nothing is UNKNOWN and every fill is booked.",
        quiet="twenty minutes after the last fault every live order is open or partly filled, and rests",
    ),
}
"""The simulated account has no key: a demo reads none. What concerns keys is shown outside the simulation."""


def page() -> str:
    """Return the table for docs/reliability.md."""
    lines = ["| | says | held all the time | held after a quiet time | shown besides |", "|---|---|---|---|---|"]
    for name, one in INVARIANTS.items():
        shown = ", ".join(f"`{path}`" for path in one.shown)
        lines.append(f"| {name} | {one.says} | {one.held} | {one.quiet} | {shown} |")
    return "\n".join(lines) + "\n"
