"""A desk of the past by hand: two months of two grids from a seed, answered at once by the very code that answers."""

from __future__ import annotations

import random
from decimal import Decimal

from gridbot.core.chronicle import FillRow, SampleRow, StopRow, TransferRow, TripRow
from gridbot.core.portfolio import DAY_MS, utc_day
from gridbot.core.units import Asset, GridId, OrderId, Price, Quantity, Side, Symbol, TimeMs, TradeId
from gridbot.shell.errands import Done, Refused, Standing
from gridbot.shell.history_desk import ExportHistory, HistoryReply, HistoryWish, LookBack, Written
from gridbot.shell.portfolio_view import Past, portfolio_view

NEWEST = TimeMs(1_790_000_000_000 // DAY_MS * DAY_MS + 52_000_000)
_GRIDS = (("btc-usdt", "BTC/USDT", 62_000, "0.012"), ("eth-usdt", "ETH/USDT", 3_100, "0.21"))
_CENT = Decimal("0.01")


def a_past(*, seed: int = 5, days: int = 62) -> Past:
    """Return a past that ends at `NEWEST`: trips that mostly win, a worth that wanders, a deposit, a stop."""
    rng = random.Random(seed)
    fills: list[FillRow] = []
    trips: list[TripRow] = []
    samples: list[SampleRow] = []
    equity = Decimal(14_000)
    start = NEWEST - days * DAY_MS
    for hour in range(days * 24 + 1):
        time = TimeMs(start + hour * 3_600_000)
        sequence = hour * 100
        gain = Decimal(0)
        for place, (grid, symbol, price, size) in enumerate(_GRIDS):
            if rng.random() < 0.16:
                profit = Decimal(rng.gauss(2.2, 1.6) if rng.random() < 0.93 else -rng.uniform(1, 9)).quantize(_CENT)
                level = Decimal(price) + Decimal(rng.randrange(-400, 400))
                _trade(fills, trips, sequence + place * 10, time, grid, symbol, level, Decimal(size), profit)
                gain += profit
        equity += gain + Decimal(rng.gauss(0, 16)).quantize(_CENT)
        if hour == days * 12:
            equity += 1_500
        samples.append(SampleRow(time // 60_000, sequence + 50, time, equity, Asset("USDT"), "BTC,ETH,USDT"))
    middle = days * 12
    moved = TransferRow(
        middle * 100 + 40, samples[middle].time, "dep-81", Asset("USDT"), Decimal(1_500), Decimal(1_500)
    )
    stops = tuple(
        StopRow(middle * 120 + number, samples[middle].time, killed, "manual", reason)
        for number, (killed, reason) in enumerate(((True, "You pressed STOP."), (False, "the window")))
    )
    return Past(tuple(fills), tuple(trips), (moved,), tuple(samples), stops, NEWEST)


def _trade(
    fills: list[FillRow],
    trips: list[TripRow],
    sequence: int,
    time: TimeMs,
    grid: str,
    symbol: str,
    level: Decimal,
    size: Decimal,
    profit: Decimal,
) -> None:
    base, quote = symbol.split("/")
    for number, side in enumerate((Side.BUY, Side.SELL)):
        price = level if side is Side.BUY else level + level / 100
        earned = profit if side is Side.SELL else Decimal(0)
        fills.append(
            FillRow(
                sequence + number,
                TimeMs(time - (1 - number) * 2_700_000),
                GridId(grid),
                Symbol(symbol),
                Asset(base),
                Asset(quote),
                1 + sequence % 7,
                OrderId(f"gb{sequence}"),
                TradeId(f"x{sequence}{number}"),
                side,
                Price(price),
                Quantity(size),
                (price * size / 1000).quantize(_CENT),
                Asset(quote),
                False,
                earned,
            )
        )
    sell = fills[-1]
    trips.append(
        TripRow(
            sell.sequence,
            sell.time,
            sell.grid,
            sell.symbol,
            sell.quote,
            sell.cell,
            3,
            TimeMs(sell.time - 2_700_000),
            Price(level),
            sell.price,
            sell.quantity,
            profit,
        )
    )


NOTHING = Past((), (), (), (), (), TimeMs(0))


class FakeHistory:
    """Satisfies Errands for the past; `answers` False lets wishes wait until they are given up.

    Attributes:
        wishes: everything that was asked, in order.
        refusal: what the next answers are, if anything.
        stands: how far every errand is.
    """

    def __init__(self, past: Past | None = None) -> None:
        self.past = a_past() if past is None else past
        self.wishes: list[HistoryWish] = []
        self.answers = True
        self.refusal: Refused | None = None
        self.stands: Standing | None = None
        self.note = ""
        self._given_up: set[int] = set()

    def ask(self, wish: HistoryWish) -> int:
        self.wishes.append(wish)
        return len(self.wishes)

    def standing(self, number: int) -> Standing | None:
        return self.stands

    def answer(self, number: int) -> Done[HistoryReply] | Refused | None:
        if number in self._given_up:
            self._given_up.discard(number)
            return Refused("It was given up.", given_up=True)
        if not self.answers:
            return None
        return self.refusal or Done(self._reply(self.wishes[number - 1]))

    def cancel(self, number: int) -> None:
        self._given_up.add(number)

    def looks(self) -> list[LookBack]:
        """Return what was asked about the past, without the exports."""
        return [wish for wish in self.wishes if isinstance(wish, LookBack)]

    def _reply(self, wish: HistoryWish) -> HistoryReply:
        if isinstance(wish, ExportHistory):
            return Written(wish.target, 1_234)
        return portfolio_view(
            self.past, wish, day_of=utc_day, year_of=lambda time: 1970 + time // 31_556_952_000, note=self.note
        )
