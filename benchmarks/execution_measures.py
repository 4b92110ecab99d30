"""What is measured: an order's way from message to socket, a start over a thousand orders, a stop of a hundred."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import sleep

from execution_moments import Moment
from execution_rooms import Program, Sandbox, program, sandbox, trader, wait_until, write_config

BEAT_S = 0.15
"""Between two fills: the sandbox takes a hundred orders in ten seconds, and each answer must be in before the next."""
STAGES = ("taken", "let go", "create")
WARM = 10
"""Fills at the beginning of each round that do not count: imports, connections, caches."""
_NS = 1e-6


@dataclass
class Ways:
    """Milliseconds from the message's arrival to the engine, to the disk, and to the create's first byte."""

    taken: list[float] = field(default_factory=list)
    durable: list[float] = field(default_factory=list)
    written: list[float] = field(default_factory=list)
    waited: int = 0


def ways_of(moments: Sequence[Moment]) -> Ways:
    """Return the way of each fill that one create followed, before anything else came in."""
    found, ways = Ways(), [each for each in _lives(moments) if any(what == "create" for what, _ in each)]
    for life in ways[WARM:]:
        began = life[0][1]
        at = {what: (moment - began) * _NS for what, moment in reversed(life)}
        written = at["create"]
        # The engine takes marks and prices too: what belongs to the create is what stood last before it.
        before = {
            w: [(m - began) * _NS for what, m in life if what == w and (m - began) * _NS <= written] for w in STAGES
        }
        found.taken.append(before["taken"][0] if before["taken"] else written)
        found.durable.append(before["let go"][-1] if before["let go"] else written)
        found.written.append(written)
        found.waited += any(what == "waited" for what, moment in life if moment * _NS <= began * _NS + written)
    return found


def _lives(moments: Sequence[Moment]) -> Iterator[list[Moment]]:
    life: list[Moment] = []
    for what, moment in moments:
        if what == "fill":
            if life:
                yield life
            life = []
        if life or what == "fill":
            life.append((what, moment))
    if life:
        yield life


def fill_one_after_the_other(served: Sandbox, fills: int) -> None:
    """Fill the one order that is nearest to the market, wait until the answer to it rests, and so on."""
    for number in range(fills):
        resting = served.resting()
        if number % 2 == 0:
            order = max((each for each in resting if each["side"] == "buy"), key=lambda each: float(each["price"]))
        else:
            order = min((each for each in resting if each["side"] == "sell"), key=lambda each: float(each["price"]))
        served.trade(order)
        wait_until(partial(_is_answered, served, {each["id"] for each in resting}), "the answer to a fill rests")
        sleep(BEAT_S)


def _is_answered(served: Sandbox, known: Container[str]) -> bool:
    return any(each["id"] not in known for each in served.resting())


def ways_of_gridbot(folder: Path, fills: int) -> Ways:
    """Measure gridbot, with one grid of six slots."""
    with sandbox(folder / "sandbox", ["BTC/USDT"], money=50_000) as served:
        write_config(folder / "home", served, ["BTC/USDT"], grids=1, levels=6, spacing="0.003")
        with trader(served, folder / "home") as bot:
            wait_until(lambda: len(served.resting()) == 6, "six orders rest")
            sleep(2.0)  # Charts are loaded behind the start; they have no part in this.
            bot.ask("moments")
            fill_one_after_the_other(served, fills)
            return ways_of(bot.ask("moments"))


def ways_of_peer(folder: Path, fills: int, way: str) -> Ways:
    """Measure a loop that does nothing else: `way` is bare or ccxt."""
    with sandbox(folder / "sandbox", ["BTC/USDT"], money=50_000) as served:
        arguments = (str(served.port), str(folder / "lines"), way)
        with program("execution_bare.py", *arguments, sandbox=served, home=folder) as bare:
            wait_until(lambda: len(served.resting()) == 1, "its first order rests")
            bare.ask("moments")
            fill_one_after_the_other(served, fills)
            return ways_of(bare.ask("moments"))


FRESH_MINUTE_S = 61.0


@dataclass(frozen=True, slots=True)
class Start:
    """Seconds from the account's lock until a stage of a start, and what it asked."""

    at: dict[str, float]
    requests: int
    refused: int
    waited: int


def lay(bot: Program, served: Sandbox, orders: int, seconds: float) -> None:
    """Return when so many orders rest, and the program knows."""
    wait_until(lambda: len(served.resting()) >= orders, f"{orders} orders rest", seconds)
    wait_until(lambda: bot.ask("state")["orders"] >= orders, "all are acknowledged")


def starts(folder: Path, *, markets: int, levels: int, rounds: int) -> list[Start]:
    """Lay a grid on each market, then start again and again over the orders that rest."""
    names = [f"C{number:02d}/USDT" for number in range(markets)]
    found = []
    with sandbox(folder / "sandbox", names, money=1_000_000) as served:
        write_config(folder / "home", served, names, grids=1, levels=levels, spacing="0.001")
        orders = markets * levels
        with trader(served, folder / "home") as bot:
            lay(bot, served, orders, seconds=60 + orders / 5)
        for _ in range(rounds):
            # Each in a minute of the exchange's weights of its own: a second start would wait for the limit.
            sleep(FRESH_MINUTE_S)
            with trader(served, folder / "home") as bot:
                found.append(_start(bot))
    return found


def _start(bot: Program) -> Start:
    moments: list[Moment] = []

    def is_open() -> bool:
        moments.extend(bot.ask("moments"))
        return any(what == "gate" for what, _ in moments)

    wait_until(is_open, "the gate opens")
    began = next(moment for what, moment in moments if what == "locked")
    opened = next(moment for what, moment in moments if what == "gate")
    until = [(what, moment) for what, moment in moments if moment <= opened]
    counted = Counter(what for what, _ in until)
    at = {what: (moment - began) * _NS / 1000 for what, moment in reversed(until)}
    return Start(at, counted["answer"], counted["refused"], counted["waited"])


@dataclass(frozen=True, slots=True)
class Stop:
    """Seconds from a press until the first cancel is confirmed, the last one, and until nothing rests, said twice."""

    first: float
    last: float
    flat: float
    cancels: int
    refused: int


def stops(folder: Path, *, rounds: int) -> list[Stop]:
    """Press STOP over a hundred orders, release, and again."""
    names = ["C00/USDT", "C01/USDT"]
    found = []
    with sandbox(folder / "sandbox", names, money=100_000) as served:
        write_config(folder / "home", served, names, grids=1, levels=50, spacing="0.001")
        with trader(served, folder / "home") as bot:
            for _ in range(rounds):
                lay(bot, served, 100, seconds=60)
                sleep(3.0)
                bot.ask("moments")
                moments = bot.ask("stop")
                if served.resting():
                    raise SystemExit("Flat was said, and orders rest.")
                found.append(_stop(moments))
                sleep(1.0)
                bot.ask("release")
    return found


def _stop(moments: Sequence[Moment]) -> Stop:
    pressed = next(moment for what, moment in moments if what == "pressed")
    since = [(what, (moment - pressed) * _NS / 1000) for what, moment in moments if moment >= pressed]
    cancels = [second for what, second in since if what == "cancelled"]
    flat = next(second for what, second in since if what == "flat")
    return Stop(cancels[0], cancels[-1], flat, len(cancels), sum(what == "refused" for what, _ in since))
