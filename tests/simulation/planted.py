"""Mistakes that somebody could make in production's code, each a small patch, by what they are about.

A mistake that a second defence would hide takes both away, and its name says so.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.simulation.planted_disk import DISK
from tests.simulation.planted_kill import KILL
from tests.simulation.planted_money import MONEY
from tests.simulation.planted_orders import ORDERS
from tests.simulation.planted_reads import READS
from tests.simulation.planted_risk import RISK
from tests.simulation.planted_secrets import SECRETS
from tests.simulation.planting import Planted

THEMES: Mapping[str, tuple[Planted, ...]] = {
    "orders": ORDERS,
    "money": MONEY,
    "disk": DISK,
    "kill": KILL,
    "risk": RISK,
    "reads": READS,
    "secrets": SECRETS,
}
MISTAKES = tuple(mistake for theme in THEMES.values() for mistake in theme)
