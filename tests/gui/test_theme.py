"""Both palettes can be read: each text has a contrast of at least 4.5 to 1 on its ground, whatever colours trade."""

from __future__ import annotations

import pytest

from gridbot.gui.preferences import Preferences
from gridbot.gui.theme import PAIRS, Theme, Trading, colours_of, contrast


@pytest.mark.parametrize("theme", [Theme.LIGHT, Theme.DARK])
@pytest.mark.parametrize("trading", list(Trading))
def test_every_text_can_be_read(theme: Theme, trading: Trading) -> None:
    colours = colours_of(theme, trading)
    ratios = {(ink, ground): contrast(getattr(colours, ink), getattr(colours, ground)) for ink, ground in PAIRS}
    assert not {pair: ratio for pair, ratio in ratios.items() if ratio < 4.5}


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    "saved",
    [
        {},
        {"theme": "purple", "trading": 7, "timeframe": True, "tab": -1, "geometry": 5, "widths": {"fills": ["x"]}},
        {"theme": None, "widths": [1, 2]},
    ],
)
def test_damaged_preferences_are_as_none(saved: dict[str, object]) -> None:
    assert Preferences(saved).as_data() == Preferences({}).as_data()


def test_preferences_read_back_as_they_were() -> None:
    kept = Preferences({"theme": "dark", "trading": "BLUE_ORANGE", "timeframe": 3_600_000, "tab": 2})
    kept.widths["fills"] = [50, 60]
    assert Preferences(kept.as_data()).as_data() == kept.as_data()
