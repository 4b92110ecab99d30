"""What the words of grid trading mean, in one or two plain sentences each; `explained` puts one on a widget."""

from __future__ import annotations

from textwrap import fill
from typing import TypeVar

from PySide6.QtWidgets import QWidget

W = TypeVar("W", bound=QWidget)
_LINE = 72
"""Letters in a line of a tooltip."""

GLOSSARY = {
    "anchor": "The price that the grid is laid from: the highest slot lies one spacing below it. It follows the price "
    "upwards while the grid holds no coins.",
    "ATR": "Average True Range: how far the price moves within one candle on average. It sets how far apart the slots "
    "lie, so that a restless market is traded with wider steps.",
    "average cost": "What the coins that a grid holds have cost on average, with fees, per coin.",
    "breaker": "A limit that watches a figure all the time. When it is crossed, nothing more is bought, or trading "
    "stops.",
    "cell": "One share of the grid's money. It buys at one slot, holds the coins, sells them at their target, and is "
    "then free to buy again.",
    "clock skew": "How far this computer's clock is from the exchange's. Exchanges refuse orders of a clock that is "
    "wrong.",
    "concentration": "How much of your account is in the coins of one currency.",
    "demo": "A market that gridbot makes up itself. No exchange is asked, and no money is there to lose.",
    "distance": "How far the order's price is from the middle of bid and ask, in percent.",
    "drawdown": "How far your account has fallen from its highest value so far, in percent of that value.",
    "dry run": "Real prices, but the orders are only simulated. Nothing is sent to the exchange.",
    "EMA": "Exponential Moving Average: a line through the prices in which newer ones count more. Two of them, a fast "
    "and a slow one, tell whether the market rises or falls.",
    "equity": "What your account is worth now: the money in it, and its coins at the price of this moment.",
    "exposure": "The money that a fall of the price would touch: the coins held, and the buy orders that rest.",
    "fill": "A part of an order, or all of it, that was really bought or sold.",
    "foreign order": "An order in the same market that gridbot did not place. It is shown, and never touched.",
    "grid profit": "What the grid has earned by buying low and selling higher, after fees. Coins still held are not in "
    "it.",
    "kill": "Trading stops at once, all orders are cancelled, and nothing starts again before you reset it.",
    "maker fee": "The exchange's fee for an order that waits in the book until somebody takes it. gridbot's orders "
    "wait, so this is the fee that is usually paid.",
    "maker and taker": "A maker's order waited in the book until somebody took it. A taker's traded at once, for a fee "
    "that is usually higher.",
    "max. drawdown": "The greatest fall of the account from a peak in the time shown, in percent of that peak.",
    "optimising": "Many settings are tried on one part of the past, and the best of them is judged on another part "
    "that the search never saw. Only the second says what it may be worth.",
    "order": "Your instruction at the exchange to buy or sell a quantity at a price.",
    "post-only": "The exchange refuses such an order if it would trade at once, so that never more than the maker fee "
    "is paid.",
    "price collar": "No order is sent whose price lies further than this beyond the middle of bid and ask.",
    "quote age": "How long ago the newest price came from the exchange.",
    "range state": "What the whole grid does now: it waits, trades, has all its money in coins, or the price has left "
    "its range.",
    "re-laying": "The grid's slots are computed anew, around the price of now or with another spacing. Coins that are "
    "held keep the target at which they are sold.",
    "reinvest": "Profit is added to the money that the grid works with, so that later orders are larger.",
    "round trip": "A buy and the sell that follows it. Its profit is what the sell brought, less what the buy cost, "
    "less both fees.",
    "sell only": "The grid buys nothing more. What it holds is sold at the targets, and then it is done.",
    "Sharpe": "Profit compared with how much it swings: the average profit of a day, divided by its usual deviation, "
    "for a year. Above 1 is good, below 0 is a loss.",
    "slot": "A price at which the grid buys. It lies one spacing below the slot above it.",
    "spacing": "How far apart two neighbouring slots lie.",
    "spread": "The gap between the highest price somebody pays and the lowest price somebody asks.",
    "stop loss": "If the grid has lost this share of its money, it sells everything and stops.",
    "taker fee": "The exchange's fee for an order that trades at once. It is usually higher than the maker fee.",
    "take profit": "How far above its slot the coins are sold, as a multiple of the spacing.",
    "target": "The price at which the coins of a cell are sold again.",
    "tick size": "The smallest step between two prices that the exchange accepts.",
    "trip profit": "What the round trip earns after both fees. Of an order that rests: if it is filled and, for a buy, "
    "its coins are sold at their target.",
    "trend": "Whether the fast average of the prices lies above the slow one (UP), below it (DOWN), or close to it "
    "(NEUTRAL). In a falling market fewer slots buy.",
    "unrealised": "What the coins that are held would win or lose if they were sold at the price of now.",
    "UTC": "The time of exchanges: it is the same everywhere, and has no summer time.",
    "unseen days": "Days that had no part in choosing the settings. Whatever is chosen for a past looks good on that "
    "past; on these days it shows what it is worth.",
    "VaR": "Value at Risk: on 19 days of 20 the account lost less than this, judged by the days seen so far.",
    "volatility spike": "The price moves much more than usual. The grid then buys at fewer slots until it is calmer.",
    "walk-forward efficiency": "The yearly profit on unseen days as a part of the yearly profit while choosing; not "
    "known without a month of each. Half or more is thought good; little means that the past was learnt by heart. "
    "After R. Pardo.",
    "walking forward": "Settings are chosen on some months, judged on the days that follow, chosen anew, and so on "
    "through the past: what you would have got if you had always used the newest choice.",
    "win rate": "How many round trips of a hundred ended with a profit.",
    "worst case": "What you would hold and have lost if the price fell through the lowest slot and every buy was "
    "filled.",
}
"""Word to meaning. A word is written as in a sentence."""


def meaning(word: str) -> str:
    """Return what a word means, in lines for a tooltip."""
    return fill(f"{word[:1].upper()}{word[1:]}: {GLOSSARY[word]}", _LINE)


def explained(widget: W, word: str) -> W:
    """Let a widget explain a word when the pointer rests on it, and to a screen reader; return the widget."""
    widget.setToolTip(meaning(word))
    if not widget.accessibleDescription():
        widget.setAccessibleDescription(GLOSSARY[word])
    return widget
