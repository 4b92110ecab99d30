"""What the chart says in words: a candle, a fill, a drag, and what lies before the oldest candle."""

from __future__ import annotations

from gridbot.core.commands import FillBooked
from gridbot.core.reach import Drag, Handle
from gridbot.core.rules import Instrument
from gridbot.core.units import Side
from gridbot.gui import words
from gridbot.gui.chart_overlay import written
from gridbot.gui.chart_scene import Scene
from gridbot.gui.numbers import grouped, in_style

LOADING = "Loading older candles…"
NOTHING_OLDER = "There is nothing older."
POINT = "Point at a slot to see why it has, or has not, an order."
_SETTINGS = {
    "spacing.absolute": "Spacing",
    "spacing.fraction": "Spacing as a fraction",
    "spacing.multiplier": "Spacing in ATR",
    "trigger_price": "Trigger price",
    "stop_loss": "Stop-loss",
    "take_profit_total": "Take-profit",
}


def candle_words(scene: Scene, number: int) -> str:
    """Return a candle's moment, its prices, and how far it went."""
    data = scene.data
    columns = (("O", data.open), ("H", data.high), ("L", data.low), ("C", data.close))
    figures = "   ".join(f"{name} {written(scene, float(column[number]))}" for name, column in columns)
    went = float(data.close[number]) / float(data.open[number]) - 1
    moment = words.moment(int(data.open_time[number]))
    return (
        f"{moment[:10] if scene.step >= 86_400 else moment[:-3]}   {figures}   {grouped(went * 100, 2, signed=True)} %"
    )


def fill_words(fill: FillBooked, instrument: Instrument | None) -> str:
    """Return what a fill's mark says under the pointer."""
    base = "" if instrument is None else f" {instrument.base}"
    did = "Bought" if fill.side is Side.BUY else "Sold"
    return "\n".join(
        (
            f"{did} {words.quantity(fill.quantity)}{base} at {words.price(fill.price, instrument)}",
            f"{words.moment(fill.time)} UTC, grid {fill.grid}, cell {fill.cell}",
            f"Fee {words.money(fill.fee, fill.fee_asset)}",
        )
    )


def drag_words(drag: Drag) -> str:
    """Return what a dragged line would change: "Spacing 240 -> 252; 6 orders would move."."""
    before, after = _shown(drag.path, drag.before), _shown(drag.path, drag.after)
    said = f"{_SETTINGS[drag.path]} {before or 'none'} \u2192 {after}"
    if drag.handle is Handle.LOWEST:
        if drag.spacing is not None and drag.path != "spacing.absolute":
            old, new = (words.money(amount) for amount in drag.spacing)
            said += f" (slots {old} \u2192 {new} apart)"
        moved = "no order would move" if not drag.moved else f"{words.counted(drag.moved, 'order')} would move"
        said += f"; {moved}"
    return f"{said}. {drag.note}".rstrip()


def _shown(path: str, text: str) -> str:
    """Return a setting as a person reads it: fractions as percent."""
    if text and path in ("spacing.fraction", "stop_loss", "take_profit_total"):
        return in_style(f"{float(text) * 100:,.3f}".rstrip("0").rstrip(".")) + " %"
    return in_style(text)
