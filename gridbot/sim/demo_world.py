"""The world of a demo, whole: clock, feed and venue over a generated or recorded market, taken up where it was left."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from gridbot.core.commands import PlaceLimit
from gridbot.core.rules import Instrument
from gridbot.core.units import Asset, Quantity, Symbol, TimeMs, VenueOrderId
from gridbot.core.values import evolve, value
from gridbot.errors import ConfigError
from gridbot.ports import Clock
from gridbot.sim.demo_feed import GeneratedSource, demo_instrument, demo_start
from gridbot.sim.generated_market import MINUTE_MS
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.print_tap import PrintTap
from gridbot.sim.recording import Recording
from gridbot.sim.replay_feed import MarketSource, ReplayFeed
from gridbot.sim.venue import SimVenue


@value
class Left:
    """Where a demo was left: market time (0: never begun), what rests, and the balances."""

    now: TimeMs
    orders: tuple[tuple[PlaceLimit, VenueOrderId, Quantity], ...]
    balances: Mapping[Asset, Decimal]


@value
class DemoParts:
    """The parts that are wired together; `base_ms` is the length of a base candle."""

    clock: MarketClock
    feed: PrintTap
    venue: SimVenue
    base_ms: int


def generated_demo(seed: int, *, speed: float, markets: Iterable[Symbol], left: Left, machine: Clock) -> DemoParts:
    """Return the demo on the endless market of `seed`, at `speed` times real time."""
    start = left.now or demo_start(seed)
    return _wired(
        lambda symbol: GeneratedSource(seed, symbol),
        demo_instrument,
        start=start,
        base_ms=MINUTE_MS,
        speed=speed,
        markets=markets,
        left=left,
        machine=machine,
    )


def recorded_demo(recording: Recording, *, speed: float, left: Left, machine: Clock) -> DemoParts:
    """Return the demo on a recorded market, at `speed` times real time."""
    source = recording.source

    def checked(named: Symbol) -> Symbol:
        if named != source.symbol:
            raise ConfigError(f"The recorded market is {source.symbol}; there is no {named} in it.")
        return named

    def make(named: Symbol) -> MarketSource:
        checked(named)
        return source

    return _wired(
        make,
        lambda named: evolve(demo_instrument(checked(named)), tick_size=source.tick_size),
        start=left.now or recording.begin,
        base_ms=source.base_ms,
        speed=speed,
        markets=(source.symbol,),
        left=left,
        machine=machine,
    )


def _wired(
    make: Callable[[Symbol], MarketSource],
    catalog: Callable[[Symbol], Instrument],
    *,
    start: TimeMs,
    base_ms: int,
    speed: float,
    markets: Iterable[Symbol],
    left: Left,
    machine: Clock,
) -> DemoParts:
    # A minute that was begun before the restart was traded already: the next whole one follows.
    clock = MarketClock(machine, start=TimeMs(-(-start // base_ms) * base_ms))
    venue = SimVenue(catalog, left.balances, delay=clock.pass_ms)
    venue.adopt(left.orders, left.balances)
    feed = ReplayFeed(make, clock, speed=speed, markets=markets)
    return DemoParts(clock, PrintTap(feed, venue), venue, base_ms)
