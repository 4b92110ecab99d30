"""Measures how fast gridbot answers, starts and stops on an exchange, and writes the section "execution".

`make bench-execution` runs it; so does `python benchmarks/bench_execution.py`. The exchange is the sandbox, in a
process of its own on this machine: what a network adds is in none of these figures.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median, quantiles

from execution_measures import BEAT_S, WARM, Start, Stop, Ways, starts, stops, ways_of_gridbot, ways_of_peer
from results import machine, table, write_section

FILLS, AIM_RATIO = 110, 2.0
MARKETS, LEVELS, AIM_START_S = 20, 50, 5.0
AIM_STOP_S = 2.0
ROUNDS = 3
PARTS = (("markets", "instruments, fees"), ("orders", "orders, trades"), ("balances", "balances"), ("history", "bars"))


def all_ways(folder: Path, rounds: int, fills: int) -> dict[str, Ways]:
    """Measure gridbot and its peers in turns, each time in a fresh process."""
    programs: dict[str, Callable[[Path], Ways]] = {
        "gridbot": lambda place: ways_of_gridbot(place, fills),
        "ccxt": lambda place: ways_of_peer(place, fills, "ccxt"),
        "bare": lambda place: ways_of_peer(place, fills, "bare"),
    }
    found = {name: Ways() for name in programs}
    for number in range(rounds):
        for name, measure in programs.items():
            place = folder / f"{name}-{number}"
            place.mkdir()
            seen, whole = measure(place), found[name]
            whole.taken += seen.taken
            whole.durable += seen.durable
            whole.written += seen.written
            whole.waited += seen.waited
    return found


def way_rows(ways: dict[str, Ways]) -> list[list[str]]:
    """Return the rows of the first table."""
    bare = median(ways["bare"].written)
    titles = {
        "gridbot": "gridbot",
        "ccxt": "ccxt's own methods, one fsync",
        "bare": "bare aiohttp, orjson, hmac, one fsync",
    }
    rows = []
    for name, seen in ways.items():
        ratio = median(seen.written) / bare
        stages = (seen.taken, seen.durable) if name == "gridbot" else ()
        verdict = f"<= {AIM_RATIO:g}x {'met' if ratio <= AIM_RATIO else 'missed'}" if name == "gridbot" else ""
        rows.append(
            [
                titles[name],
                f"{len(seen.written)}",
                *(f"{median(stage):.2f}" for stage in stages),
                *([""] * (2 - len(stages))),
                f"{median(seen.written):.2f}",
                f"{quantiles(seen.written, n=20)[-1]:.2f}",
                f"{ratio:.2f}x",
                verdict,
            ]
        )
    return rows


def start_row(found: Sequence[Start], name: str) -> list[str]:
    """Return the row of the second table."""
    gates = [each.at["gate"] for each in found]
    worst, refused = max(gates), max(each.refused for each in found)
    met = worst <= AIM_START_S and not refused
    stages, before = [], [each.at["loop"] for each in found]
    for stage, _ in PARTS:
        ends = [each.at[stage] for each in found]
        stages.append(f"{median(end - begin for end, begin in zip(ends, before, strict=True)):.2f}")
        before = ends
    return [
        name,
        f"{median(gates):.2f}",
        f"{worst:.2f}",
        f"{median(each.at['loop'] for each in found):.2f}",
        *stages,
        f"{median(each.requests for each in found):.0f}",
        f"{max(each.waited for each in found)}",
        f"{refused}",
        f"<= {AIM_START_S:g} s, none turned away: {'met' if met else 'missed'}",
    ]


def stop_row(found: Sequence[Stop]) -> list[str]:
    """Return the row of the third table."""
    worst = max(each.flat for each in found)
    return [
        f"{max(each.cancels for each in found)} orders in 2 markets",
        f"{median(each.first for each in found) * 1000:.0f} ms",
        *(f"{median(seconds):.2f} s" for seconds in ([e.last for e in found], [e.flat for e in found])),
        f"{worst:.2f} s",
        f"{max(each.refused for each in found)}",
        f"<= {AIM_STOP_S:g} s {'met' if worst <= AIM_STOP_S else 'missed'}",
    ]


def section(folder: Path, *, rounds: int, fills: int, markets: int, levels: int) -> str:
    """Measure everything; return the section's text."""
    ways = all_ways(folder, rounds, fills)
    found = starts(folder / "starts", markets=markets, levels=levels, rounds=rounds)
    pressed = stops(folder / "stops", rounds=rounds)
    columns = ("program, in ms", "fills", "engine has it", "let go", "p50", "p95", "p50 by the bare loop's", "aim")
    parts = tuple(f"{title} s" for _, title in PARTS)
    start = ("account", "median s", "longest s", "files s", *parts, "requests", "waited", "429 or 418", "aim")
    stop = ("stop", "first confirmed", "last confirmed", "flat, median", "flat, longest", "429 or 418", "aim")
    return f"""## Execution

`make bench-execution`. {machine()} The exchange is `gridbot sandbox` in a process of its own on the same machine,
speaking Binance's protocol over HTTP and websocket; gridbot is the real one, with its journal and the real ccxt.

**From a fill to the bytes of the order that answers it.** From the call in which asyncio hands the bytes of the
account stream's message to aiohttp, before anything is unpacked, until the call in which aiohttp hands the bytes of
`POST /api/v3/order` to the socket; both moments are noted in the same two places for each program. One grid of six
slots; one order after the other is filled whole, and the next only {BEAT_S * 1000:.0f} ms after the answer to it
rests, so that no request waits for a rate limiter ({ways["gridbot"].waited} of gridbot's did). The first {WARM}
fills of each process do not count. "engine has it" is the call into the engine's step, "let go" the moment when
decision and intent are durable. gridbot hears the market's streams meanwhile, the peers nothing but the account's.
The bare loop parses the message, writes it as a line, fsyncs, signs and sends; the other peer does the same by
ccxt's `watch_my_trades` and `create_order`, so that the step from the bare loop to it is the library's. {rounds}
rounds, the programs in turns, each in a fresh process.

{table(columns, way_rows(ways))}

**A start over what rests.** {markets} grids of {levels} orders, each grid on a market of its own, all resting;
gridbot is ended and started again. Seconds from the moment when the account's lock is held until creates may leave:
the files (snapshot, journal), then the rules and fees of every market, every open order and the trades, balances
compared to the last digit (which asks for orders and trades once more), closed bars of two timeframes and the first
quotes. Python's own start and its imports are before it. {rounds} starts, each in a fresh minute of
the exchange's limit: a second one in the same minute waits for it (up to a minute), and breaks nothing.

{table(start, [start_row(found, f"{markets} x {levels} orders")])}

**A stop.** STOP is pressed as the window presses it, over {LEVELS} resting orders in each of 2 markets; its own
thread cancels them one by one over its own connection, at no more than the exchange's documented rate (50 a second
after the first 50). "flat" is when the exchange has said twice that nothing rests. {rounds} presses.

{table(stop, [stop_row(pressed)])}
"""


def main() -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--fills", type=int, default=FILLS, help="fills of each program in each round")
    parser.add_argument("--markets", type=int, default=MARKETS)
    parser.add_argument("--levels", type=int, default=LEVELS)
    parser.add_argument("--folder", type=Path, default=None, help="where to write; it is emptied afterwards")
    given = parser.parse_args()
    whole = (given.rounds, given.fills, given.markets, given.levels)
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        text = section(Path(folder), rounds=given.rounds, fills=given.fills, markets=given.markets, levels=given.levels)
    print(text)
    if whole == (ROUNDS, FILLS, MARKETS, LEVELS):
        write_section("bench-execution", text)
    else:
        print("RESULTS.md stays as it is: only a whole run is written there.", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
