"""Draws the pictures of GRID_STRATEGY.md into docs/pictures/, with slots and limits that the strategy's own code gives.

`--check` writes nothing and fails if a picture is not what would be drawn.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    # Started as a file, Python looks beside it for gridbot and not above it.
    sys.path.insert(0, str(ROOT))

from gridbot.core.ladder import Ladder, lay, trailed_anchor  # noqa: E402
from gridbot.core.regime import TrendDirection, policy_limit  # noqa: E402
from gridbot.core.rules import GridRules, Instrument, Progression  # noqa: E402
from gridbot.core.units import Asset, GridId, Symbol  # noqa: E402

FOLDER = ROOT / "docs" / "pictures"
WIDTH, HEIGHT = 760, 380
BUY, SELL, PRICE, QUIET, GONE, INK = "#1d7f5f", "#b3541e", "#274c8f", "#c9ced6", "#6b7280", "#1e2430"
BTC = Instrument(
    symbol=Symbol("BTC/USDT"),
    base=Asset("BTC"),
    quote=Asset("USDT"),
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_qty=Decimal("0.00001"),
    min_notional=Decimal(5),
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
)
Point = tuple[float, float]


def rules(levels: int) -> GridRules:
    """Return a grid with the defaults and so many levels."""
    return GridRules(id=GridId("btc"), symbol=BTC.symbol, investment=Decimal(10_000), levels=levels)


def ladder(levels: int, *, anchor: int, spacing: int) -> Ladder:
    """Return the slots that the strategy lays; prices in quote."""
    return lay(rules(levels), BTC, anchor=Decimal(anchor), spacing=Decimal(spacing))


class Picture:
    """An SVG of one size. `low` and `high` are the prices at its lower and upper edge."""

    def __init__(self, title: str, *, low: float, high: float) -> None:
        self._low, self._high = low, high
        self._parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'font-family="sans-serif" font-size="13" fill="{INK}">',
            f"<title>{escape(title)}</title>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        ]

    def y(self, price: float | Decimal) -> float:
        """Return the height of a price on the picture."""
        return 20 + (self._high - float(price)) / (self._high - self._low) * (HEIGHT - 40)

    def line(self, start: Point, end: Point, colour: str, *, dashed: bool = False, width: float = 1.5) -> None:
        """Draw a line between two points of the picture."""
        dash = ' stroke-dasharray="6 5"' if dashed else ""
        ends = f'x1="{start[0]:g}" y1="{start[1]:.1f}" x2="{end[0]:g}" y2="{end[1]:.1f}"'
        self._parts.append(f'<line {ends} stroke="{colour}" stroke-width="{width:g}"{dash}/>')

    def level(self, price: Decimal, label: str, colour: str, *, x: Point, dashed: bool = False) -> None:
        """Draw a price level from x[0] to x[1] with its label behind it."""
        height = self.y(price)
        self.line((x[0], height), (x[1], height), colour, dashed=dashed)
        self.text((x[1] + 6, height + 4), label, colour)

    def path(self, points: Iterable[tuple[float, float | Decimal]], colour: str = PRICE) -> None:
        """Draw a price path; points are (x, price)."""
        drawn = " ".join(f"{x:g},{self.y(price):.1f}" for x, price in points)
        self._parts.append(
            f'<polyline points="{drawn}" fill="none" stroke="{colour}" stroke-width="2" stroke-linejoin="round"/>'
        )

    def dot(self, x: float, price: float | Decimal, colour: str) -> None:
        """Mark a fill."""
        self._parts.append(f'<circle cx="{x:g}" cy="{self.y(price):.1f}" r="5" fill="{colour}"/>')

    def box(self, x: float, y: float, size: Point, colour: str) -> None:
        """Draw a filled rectangle."""
        self._parts.append(f'<rect x="{x:g}" y="{y:.1f}" width="{size[0]:g}" height="{size[1]:g}" fill="{colour}"/>')

    def text(self, at: Point, words: str, colour: str = INK, *, anchor: str = "start") -> None:
        """Write words at a point."""
        place = f'x="{at[0]:g}" y="{at[1]:.1f}"'
        self._parts.append(f'<text {place} fill="{colour}" text-anchor="{anchor}">{escape(words)}</text>')

    def svg(self) -> str:
        """Return the finished picture."""
        return "\n".join([*self._parts, "</svg>"]) + "\n"


def slots_and_targets() -> str:
    """Return the ladder with one round trip on it."""
    laid = ladder(5, anchor=60_000, spacing=1_000)
    picture = Picture("Five slots under the anchor, and one round trip", low=54_400, high=61_000)
    picture.level(laid.anchor, "anchor 60,000", INK, x=(30, 600), dashed=True)
    for rung in laid.rungs:
        picture.level(rung.price, f"slot {rung.number} at {rung.price:,.0f}", BUY, x=(30, 600))
    first, second = laid.rungs[:2]
    fall = [(40, 60_000), (95, 59_350), (130, 59_700), (190, 57_700), (235, 58_500), (290, 57_600)]
    picture.path([*fall, (360, 58_600), (400, 58_300), (470, 59_400), (530, 59_100), (590, 60_300)])
    for x, rung in ((151, first), (181, second)):
        picture.dot(x, rung.price, BUY)
        picture.text((x - 9, picture.y(rung.price) + 18), "bought", BUY, anchor="end")
    for x, rung, words in ((446, second, "what slot 2 bought is sold"), (575, first, "what slot 1 bought is sold")):
        picture.dot(x, rung.target, SELL)
        picture.text((x - 9, picture.y(rung.target) - 9), words, SELL, anchor="end")
    explained = "Five cells of 2,000 USDT each. What is bought at a slot is sold one spacing higher, at its target."
    picture.text((30, HEIGHT - 8), explained)
    return picture.svg()


def trailing() -> str:
    """Return the ladder before and after the price has risen by two and a half spacings."""
    before = ladder(4, anchor=60_000, spacing=1_000)
    close = Decimal(62_500)
    after = ladder(4, anchor=int(trailed_anchor(before, Progression.ARITHMETIC, close)), spacing=1_000)
    picture = Picture("The ladder follows the price up by whole spacings", low=55_400, high=63_200)
    kept = {rung.price for rung in before.rungs} & {rung.price for rung in after.rungs}
    for rung in before.rungs:
        label = "" if rung.price in kept else "taken away"
        picture.level(
            rung.price, label, BUY if rung.price in kept else GONE, x=(40, 270), dashed=rung.price not in kept
        )
    for rung in after.rungs:
        label = f"{rung.price:,.0f}" + (" stays" if rung.price in kept else " new")
        picture.level(rung.price, label, BUY, x=(400, 620))
    picture.level(before.anchor, "anchor", INK, x=(40, 270), dashed=True)
    picture.level(after.anchor, f"anchor {after.anchor:,.0f}", INK, x=(400, 620), dashed=True)
    picture.path([(60, 60_000), (150, 60_900), (210, 60_500), (330, 62_100), (390, 61_900), (500, close), (620, close)])
    picture.text((40, HEIGHT - 8), "Laid at 60,000")
    picture.text((400, HEIGHT - 8), "A signal bar closed at 62,500: two whole spacings up")
    return picture.svg()


def candle_path() -> str:
    """Return the two paths that a candle is taken to have gone."""
    picture = Picture("The path that a candle is taken to have gone", low=57_900, high=60_500)
    for x, title, prices in (
        (40, "close at or above open: open, low, high, close", (59_300, 58_400, 60_100, 59_800)),
        (410, "close under open: open, high, low, close", (59_500, 60_100, 58_400, 58_800)),
    ):
        opened, close = prices[0], prices[3]
        colour = BUY if close >= opened else SELL
        picture.line((x + 20, picture.y(60_100)), (x + 20, picture.y(58_400)), colour)
        top = picture.y(max(opened, close))
        picture.box(x + 10, top, (20, picture.y(min(opened, close)) - top), colour)
        picture.path([(x + 70 + 70 * step, price) for step, price in enumerate(prices)])
        slot, target = Decimal(58_700), Decimal(59_700)
        picture.line((x + 60, picture.y(slot)), (x + 320, picture.y(slot)), BUY, dashed=True)
        picture.text((x + 322, picture.y(slot) - 6), "slot", BUY, anchor="end")
        picture.line((x + 60, picture.y(target)), (x + 320, picture.y(target)), SELL, dashed=True)
        picture.text((x + 322, picture.y(target) - 6), "target", SELL, anchor="end")
        fall = 0 if close >= opened else 1
        down = x + 70 + 70 * (fall + (prices[fall] - float(slot)) / (prices[fall] - prices[fall + 1]))
        picture.dot(down, slot, BUY)
        if close >= opened:
            picture.dot(x + 140 + 70 * (float(target) - 58_400) / (60_100 - 58_400), target, SELL)
        picture.text((x, HEIGHT - 8), title)
    return picture.svg()


def policy() -> str:
    """Return which slots may be bought, by trend and volatility, for ten levels with the default policy."""
    levels = 10
    picture = Picture("Which of ten slots may be bought", low=0, high=1)
    for row, spike in enumerate((False, True)):
        top = 60 + 170 * row
        picture.text((20, top + 60), "spike" if spike else "calm")
        for column, direction in enumerate((TrendDirection.DOWN, TrendDirection.NEUTRAL, TrendDirection.UP)):
            left = 110 + 220 * column
            last = policy_limit(rules(levels), direction, spike=spike)
            allowed = levels if last is None else last
            for slot in range(levels):
                picture.box(left, top + 12 * slot, (120, 9), BUY if slot < allowed else QUIET)
            words = {levels: "all", 0: "none"}.get(allowed, f"slots 1 to {allowed}")
            picture.text((left + 60, top + 138), words, anchor="middle")
            if not row:
                picture.text((left + 60, 36), f"trend {direction.value.upper()}", anchor="middle")
    return picture.svg()


PICTURES: dict[str, Callable[[], str]] = {
    "slots-and-targets.svg": slots_and_targets,
    "trailing.svg": trailing,
    "candle-path.svg": candle_path,
    "policy.svg": policy,
}


def main(argv: Sequence[str]) -> int:
    """Write the pictures, or with --check compare them; return 1 if one was not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a picture would change")
    checking = parser.parse_args(argv).check
    stale = []
    for name, draw in PICTURES.items():
        path, svg = FOLDER / name, draw()
        if path.is_file() and path.read_text("utf-8") == svg:
            continue
        stale.append(name)
        if not checking:
            FOLDER.mkdir(parents=True, exist_ok=True)
            path.write_text(svg, "utf-8", newline="\n")
    for name in stale:
        print(f"{name} is not up to date: run scripts/strategy_pictures.py" if checking else f"{name} drawn")
    return 1 if checking and stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
