"""Storms in which a certain kind of mistake shows soonest."""

from __future__ import annotations

from dataclasses import replace

from tests.simulation.scenario import CALM, HOUR, STORM, Weather

BUSY = replace(
    STORM,
    venue=0.15,
    crash_s=3_600.0,
    stop_s=0.0,
    trouble_s=0.0,
    kill_s=0.0,
    wish_s=0.0,
    away_s=0.0,
    sleep_s=0.0,
    rot=0.0,
    second_s=0.0,
)
"""Nothing keeps the grids from trading but a venue that answers badly, and a crash now and then."""
LATE = replace(BUSY, venue=0.4, late_ms=40_000)
WAVERING = replace(BUSY, wish_s=120.0, late_ms=40_000)
"""A user who wants something else every two minutes, and a venue that is slow to tell: fills and cancels cross."""
STOPPING = replace(BUSY, kill_s=400.0, late_ms=20_000, crash_s=7_200.0)
SHAKY = replace(BUSY, away_s=900.0, clock_s=2_700.0)
"""Prices that stay away, cross or make no sense, and a clock that somebody sets wrong."""
KILLING = replace(STORM, kill_s=120.0, wish_s=100.0, crash_s=3_600.0, trouble_s=0.0, venue=0.05)
CUTTING = replace(STORM, power=1.0, trouble_s=0.0, kill_s=0.0, rot=0.0, crash_s=900.0)
SICK = replace(STORM, trouble_s=1_200.0, kill_s=0.0, crash_s=7_200.0)
DEAF = replace(STORM, venue=0.5, kill_s=3_600.0, crash_s=3_600.0)
RESTORED = replace(
    STORM,
    restore_s=1_800.0,
    crash_s=1_200.0,
    stop_s=0.0,
    kill_s=3_600.0,
    trouble_s=0.0,
    sleep_s=0.0,
    rot=0.0,
    second_s=0.0,
)
SICK_STOPPED = replace(
    STORM, trouble_s=600.0, kill_s=300.0, crash_s=7_200.0, stop_s=0.0, sleep_s=0.0, rot=0.0, venue=0.0
)
PRESSED = replace(STORM, kill_s=60.0, crash_s=3_600.0, stop_s=0.0, trouble_s=0.0, sleep_s=0.0, rot=0.0, second_s=0.0)
CROSSING = replace(STORM, venue=0.3, kill_s=300.0, crash_s=7_200.0, trouble_s=0.0, stop_s=0.0, sleep_s=0.0, rot=0.0)
TEMPEST = replace(STORM, clock_s=5_400.0, exchange_s=1_800.0, stream_s=1_200.0, hands_s=1_800.0, away_s=1_800.0)
"""STORM at an exchange with bad days, beside people who use the account by hand."""
STEADY = replace(
    CALM,
    crash_s=2 * HOUR,
    stop_s=8 * HOUR,
    trouble_s=8 * HOUR,
    kill_s=12 * HOUR,
    wish_s=4 * HOUR,
    away_s=8 * HOUR,
    sleep_s=12 * HOUR,
    second_s=12 * HOUR,
    stream_s=4 * HOUR,
    venue=0.002,
    power=0.5,
    rotate_after=600,
)
"""Some seventy faults a day, a dozen crashes among them: what the speed of the simulation is told for."""
DOUBLED = replace(BUSY, venue=0.05, twice=0.4, stream_s=3_600.0, hands_s=3_600.0)
"""An exchange that carries many an order out twice, and people who sell the grids' coins beside it."""
HANDS = replace(BUSY, venue=0.05, hands_s=600.0)
"""People who use the account by hand every ten minutes."""
WEATHERS: dict[str, Weather] = {"steady": STEADY, "storm": STORM, "tempest": TEMPEST, "doubled": DOUBLED}
"""Those that `make simulate` runs by name, whatever the seed would have."""
