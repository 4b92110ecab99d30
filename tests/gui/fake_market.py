"""A small account that lives: prices walk, slots fill, coins are sold; so that a window has something to show."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from gridbot.core.commands import FillBooked, RoundTripClosed
from gridbot.core.explain import SlotReason, SlotView
from gridbot.core.orders import OrderState
from gridbot.core.rules import GridRules, Instrument, SpacingMode, SpacingRules, Wish
from gridbot.core.snapshot import CellView, GridView, OrderView
from gridbot.core.state import LimitCause, Phase, RangeState
from gridbot.core.units import (
    Asset,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
    TradeId,
    VenueOrderId,
)
from gridbot.shell.facade import ChartData

MINUTE = 60_000
FEE = Decimal("0.001")


def instrument(symbol: str, tick: str) -> Instrument:
    base, quote = symbol.split("/")
    return Instrument(
        symbol=Symbol(symbol),
        base=Asset(base),
        quote=Asset(quote),
        tick_size=Decimal(tick),
        lot_size=Decimal("0.00001"),
        min_qty=Decimal("0.00001"),
        min_notional=Decimal(5),
        maker_fee=FEE,
        taker_fee=FEE,
    )


class FakeMarket:
    """One-minute candles from a seed, and one more at each `tick`."""

    def __init__(self, symbol: str, *, price: float, tick: str, seed: int, start: int, minutes: int = 3000) -> None:
        self.instrument = instrument(symbol, tick)
        self.rng = np.random.default_rng(seed)
        self.time = start + minutes * MINUTE
        self.middle = price
        away, path = 0.0, []
        for shock in self.rng.normal(0.0, 0.0009, minutes).tolist():
            away += shock - 0.003 * away
            path.append(away)
        closes = price * np.exp(np.array(path))
        self.opens = np.concatenate(([price], closes[:-1]))
        spread = np.abs(self.rng.normal(0, 0.0004, minutes)) * closes
        self.highs = np.maximum(self.opens, closes) + spread
        self.lows = np.minimum(self.opens, closes) - spread[::-1]
        self.closes = closes
        self.times = start + MINUTE * np.arange(minutes, dtype=np.int64)
        self.older, self.whole = 450, False

    @property
    def price(self) -> Price:
        return self.instrument.price_floor(Decimal(repr(float(self.closes[-1]))))

    def tick(self) -> None:
        """Let a minute pass."""
        old = float(self.closes[-1])
        new = old * float(np.exp(self.rng.normal(0, 0.0011) - 0.004 * np.log(old / self.middle)))
        self.times = np.append(self.times, self.time)
        self.time += MINUTE
        self.opens = np.append(self.opens, old)
        self.closes = np.append(self.closes, new)
        self.highs = np.append(self.highs, max(old, new) * 1.0003)
        self.lows = np.append(self.lows, min(old, new) * 0.9997)

    def remember(self, before: int) -> int:
        """Put up to 300 minutes in front, as far as there are any; return how many."""
        count = min(300, self.older) if before == self.times[0] else 0
        if not count:
            self.whole = True
            return 0
        self.older -= count
        begin = float(self.opens[0])
        path = begin * np.exp(np.cumsum(self.rng.normal(0.0, 0.0009, count)))[::-1]
        self.times = np.concatenate((before - MINUTE * np.arange(count, 0, -1, dtype=np.int64), self.times))
        self.closes = np.concatenate((path, self.closes))
        self.opens = np.concatenate((path[:1], path[:-1], self.opens))
        self.highs = np.concatenate((np.maximum(path, self.opens[:count]) * 1.0003, self.highs))
        self.lows = np.concatenate((np.minimum(path, self.opens[:count]) * 0.9997, self.lows))
        return count

    def chart(self, timeframe: int) -> ChartData:
        every = max(1, timeframe // MINUTE)
        count = len(self.times) // every * every
        times = self.times[:count:every]
        closes = self.closes[:count].reshape(-1, every)[:, -1]
        highs = self.highs[:count].reshape(-1, every).max(axis=1)
        lows = self.lows[:count].reshape(-1, every).min(axis=1)
        return ChartData(
            open_time=times,
            open=self.opens[:count:every],
            high=highs,
            low=lows,
            close=closes,
            ema_fast=ema(closes, 20),
            ema_slow=ema(closes, 50),
            atr=ema(highs - lows, 14),
            volume=1 + 50_000 * (highs - lows) / closes,
            whole=self.whole,
        )


def ema(
    closes: np.ndarray[tuple[int, ...], np.dtype[np.float64]], period: int
) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return an exponential average, NaN before its period is full."""
    out = np.full(len(closes), np.nan)
    value = float("nan")
    for place, close in enumerate(closes.tolist()):
        value = close if place == 0 else value + (close - value) * 2 / (period + 1)
        if place >= period:
            out[place] = value
    return out


@dataclass(slots=True)
class Holding:
    """Coins in one cell."""

    slot: int
    quantity: Quantity
    price: Price
    since: int


@dataclass(slots=True)
class FakeGrid:
    """A grid that buys at its slots and sells one spacing higher."""

    id: GridId
    market: FakeMarket
    levels: int
    investment: Decimal
    spacing: Decimal
    anchor: Price
    wish: Wish = Wish.RUN
    held: dict[int, Holding] = field(default_factory=dict)
    profit: Decimal = Decimal(0)
    fees: Decimal = Decimal(0)
    fills: int = 0
    trips: int = 0
    cancelling: set[OrderId] = field(default_factory=set)
    number: int = 0

    def slot_price(self, slot: int) -> Price:
        return self.market.instrument.price_floor(self.anchor - slot * self.spacing)

    def quantity_at(self, slot: int) -> Quantity:
        return self.market.instrument.quantity_floor(self.investment / self.levels / self.slot_price(slot))

    def step(self) -> list[FillBooked | RoundTripClosed]:
        """Fill what the newest candle reached."""
        low = Decimal(repr(float(self.market.lows[-1])))
        high = Decimal(repr(float(self.market.highs[-1])))
        now, made = self.market.time, list[FillBooked | RoundTripClosed]()
        for slot, lot in list(self.held.items()):
            target = self.target(lot)
            if high > target:
                del self.held[slot]
                profit = lot.quantity * (target - lot.price) - lot.quantity * (target + lot.price) * FEE
                self.profit += profit
                self.trips += 1
                made.append(self._fill(now, slot, Side.SELL, target, lot.quantity))
                made.append(
                    RoundTripClosed(
                        time=TimeMs(now),
                        grid=self.id,
                        cell=slot,
                        slot=slot,
                        opened=TimeMs(lot.since),
                        buy_price=lot.price,
                        sell_price=target,
                        quantity=lot.quantity,
                        profit=profit,
                    )
                )
        for slot in range(1, self.levels + 1):
            if slot not in self.held and low < self.slot_price(slot) and self.wish is Wish.RUN:
                price, quantity = self.slot_price(slot), self.quantity_at(slot)
                self.held[slot] = Holding(slot, quantity, price, now)
                made.append(self._fill(now, slot, Side.BUY, price, quantity))
        return made

    def target(self, lot: Holding) -> Price:
        return self.market.instrument.price_ceil(lot.price + self.spacing)

    def _fill(self, now: int, cell: int, side: Side, price: Price, quantity: Quantity) -> FillBooked:
        self.fills += 1
        self.number += 1
        fee = price * quantity * FEE
        self.fees += fee
        return FillBooked(
            time=TimeMs(now),
            grid=self.id,
            cell=cell,
            order=OrderId(f"{self.id}-{cell}"),
            trade=TradeId(f"{self.id}-{self.number}"),
            side=side,
            price=price,
            quantity=quantity,
            fee=fee,
            fee_asset=self.market.instrument.quote,
            taker=False,
        )

    def orders(self) -> list[OrderView]:
        """Return what rests: a buy at each free slot, a sell for each held cell."""
        rows: list[OrderView] = []
        for slot in range(1, self.levels + 1):
            lot = self.held.get(slot)
            side = Side.BUY if lot is None else Side.SELL
            if lot is None and self.wish is not Wish.RUN:
                continue
            price = self.slot_price(slot) if lot is None else self.target(lot)
            quantity = self.quantity_at(slot) if lot is None else lot.quantity
            id_ = OrderId(f"{self.id}-{side.value}-{slot}")
            state = OrderState.CANCEL_SENT if id_ in self.cancelling else OrderState.OPEN
            rows.append(
                OrderView(
                    grid=self.id,
                    symbol=self.market.instrument.symbol,
                    cell=slot,
                    slot=slot,
                    id=id_,
                    venue_id=VenueOrderId(f"v{id_}"),
                    side=side,
                    price=price,
                    quantity=quantity,
                    filled=Quantity(Decimal(0)),
                    state=state,
                    created=TimeMs(self.market.time - slot * 37_000),
                    distance=(price - self.market.price) / self.market.price,
                    profit=quantity * (self.spacing - (2 * price + self.spacing) * FEE),
                )
            )
        return rows

    def slots(self) -> tuple[SlotView, ...]:
        return tuple(self._slot(slot) for slot in range(1, self.levels + 1))

    def _slot(self, slot: int) -> SlotView:
        price = self.slot_price(slot)
        target = self.market.instrument.price_ceil(price + self.spacing)
        if slot in self.held:
            reason, sentence = SlotReason.HELD_NEARBY, f"Cell {slot} holds coins bought at {price:f}, too near."
        elif self.wish is not Wish.RUN:
            reason, sentence = (
                SlotReason.BEYOND_LIMIT,
                f"Not armed: the grid is paused, 0 of {self.levels} slots allowed.",
            )
        else:
            reason, sentence = SlotReason.RESTING, "Its buy order rests."
        order = OrderId(f"{self.id}-buy-{slot}") if reason is SlotReason.RESTING else None
        return SlotView(slot, price, target, self.quantity_at(slot), reason, sentence, order)

    def view(self, *, stopped: bool) -> GridView:
        price = self.market.price
        inventory = sum((lot.quantity for lot in self.held.values()), Decimal(0))
        cost = sum((lot.quantity * lot.price for lot in self.held.values()), Decimal(0))
        unrealised = inventory * price - cost
        closes = self.market.closes
        return GridView(
            id=self.id,
            symbol=self.market.instrument.symbol,
            instrument=self.market.instrument,
            wish=self.wish,
            phase=Phase.ACTIVE,
            range=RangeState.STOPPED
            if stopped
            else RangeState.LIMITED
            if self.wish is not Wish.RUN
            else RangeState.TRADING,
            range_since=TimeMs(self.market.time),
            halt="",
            levels=self.levels,
            investment=self.investment,
            trend="neutral",
            spike=False,
            breaker_open=False,
            atr=float(self.spacing),
            ema_fast=float(closes[-20:].mean()),
            ema_slow=float(closes[-50:].mean()),
            limit_last=None,
            limit_cause=LimitCause.NOTHING,
            price=price,
            anchor=self.anchor,
            spacing=self.spacing,
            slots=self.slots(),
            cells=tuple(
                CellView(
                    number=slot,
                    quantity=lot.quantity,
                    cost=lot.quantity * lot.price,
                    buy_price=lot.price,
                    target=self.target(lot),
                    slot=slot,
                    since=TimeMs(lot.since),
                    complete=True,
                )
                for slot, lot in self.held.items()
            ),
            holding_cells=len(self.held),
            inventory=inventory,
            dust=Decimal(0),
            average_cost=cost / inventory if inventory else None,
            grid_profit=self.profit,
            unrealised=unrealised,
            total_profit=self.profit + unrealised,
            fees={self.market.instrument.quote: self.fees},
            fills=self.fills,
            round_trips=self.trips,
            wins=self.trips,
            rules=self._rules(),
        )

    def _rules(self) -> GridRules:
        spacing = SpacingRules(mode=SpacingMode.ABSOLUTE, absolute=self.spacing)
        return GridRules(self.id, self.market.instrument.symbol, self.investment, levels=self.levels, spacing=spacing)
