"""What people do: they press STOP, wish for something else, and use the account by hand beside the program."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING

from gridbot.config import parse_config
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.rules import Wish
from gridbot.core.units import Asset, GridId, OrderId, Quantity, Side, TimeMs, VenueOrderId
from gridbot.ports import Movement
from gridbot.shell.balance_check import Gap
from gridbot.shell.facade import (
    STOPPED,
    AcceptBalances,
    Answered,
    CancelOne,
    ReleaseKill,
    Request,
    SaveConfig,
    SetRunning,
    SetWish,
    StopTrading,
)
from gridbot.shell.known_orders import live_orders
from tests.simulation.life import outside
from tests.simulation.market import MINUTE_MS, PRINT_MS, Market
from tests.simulation.process import Process

if TYPE_CHECKING:
    from tests.simulation.simulation import Simulation

DOUBT_MS = 900_000
LOOKS = 3
"""How many minutes a person watches a difference of balances: an exchange may be behind with them for less."""
STOPS = 10
"""How many minutes trading stands still by itself before a person has read why and releases it."""
PRESSED_AGAIN = 0.25
PressLater = Callable[[Random, str], None]


class People:
    """The user at the window, and at the exchange's website. `hands` are kinds of happenings at the latter, by name."""

    def __init__(self, world: Simulation, *, put_kill_file: Callable[[bytes], None], press_later: PressLater) -> None:
        self._world = world
        self._put_kill_file = put_kill_file
        self._press_later = press_later
        self._owned: dict[Asset, Decimal] = {}
        self._moves = 0
        self._other = ""
        self._seen_gaps: tuple[Gap, ...] = ()
        self._looks = 0
        self._doubt_until = 0
        self._watching = self._stops = self._read = 0
        self.hands: dict[str, Callable[[Random], Awaitable[None]]] = {
            "trade by hand": self._trade,
            "coins of a grid sold by hand": self._sell,
            "deposit": self._deposit,
            "withdrawal": self._withdraw,
            "order of ours cancelled by hand": self._cancel,
            "order placed by hand": self._place,
            "another gridbot's order": self._another,
        }

    async def _answer(self, request: Request) -> Answered | None:
        """Hand a request to the living process; return its answer, None if it dies or does not answer."""
        await self._world.machine.awake()
        process = self._world.process
        if process is None or process.trader is None:
            return None
        self._world.trace.world(f"the user asks: {type(request).__name__}")
        self._world.counted["requests"] += 1
        answer = process.ask(request)
        for _ in range(120):
            if answer() is not None or not process.life.alive:
                break
            await asyncio.sleep(0.5)
        return answer()

    # --------------------------------------------------------------------------------------- STOP

    async def stop(self, random: Random) -> None:
        """Press STOP in one of its ways, and release trading after a while."""
        world = self._world
        world.counted["kill presses"] += 1
        way = random.choice(("file", "instant", "window", "window"))
        if way == "file":
            self._put_kill_file(random.choice((b"", b"{torn", b'{"kind":"manual","reason":"by hand","time":1}')))
        elif way == "instant":
            self._press_later(random, random.choice(("any", "create", "request", "answer", "write", "fsync")))
        else:
            if random.random() < 0.5:
                await self._next_trade(random)
            await self._press()
        often = world.plan.weather.kill_s < 600
        self._watching += 1
        await asyncio.sleep(random.choice((1.0, 5.0, 60.0) if often else (5.0, 300.0, 3_600.0)))
        await self._release(random)
        self._watching -= 1

    async def _release(self, random: Random) -> None:
        """Release trading as soon as that can be; now and then somebody presses STOP again in the middle of it."""
        world = self._world
        while world.disk.has(world.latch) or self._stopped():
            again = random.random() < PRESSED_AGAIN and self._may_be_released()
            again = again and world.schedule.strikes("stop pressed in a release")
            if again:
                world.counted["kill presses"] += 1
                self._press_again(random)
            world.checker.may_release(now=True)
            answer = await self._answer(ReleaseKill("the user"))
            world.checker.may_release(now=False)
            if answer is not None and answer.ok:
                world.trace.world("trading is released")
                if not again:
                    return
            elif answer is not None:
                world.checker.release_refused()
            await asyncio.sleep(random.choice((20.0, 120.0)))

    def _may_be_released(self) -> bool:
        """Tell whether nothing rests any more, as far as the kill switch knows: before that no release is taken."""
        process = self._world.process
        stop = None if process is None or process.kill is None else process.kill.view()
        return stop is None or stop.flat

    def _press_again(self, random: Random) -> None:
        """Press a moment later, at the window or when the creates leave that the gate held back."""
        if random.random() < 0.5:
            outside(self._press_soon(random.choice((0.0, 0.0, 0.3, 2.0, 8.0))))
        else:
            self._press_later(random, random.choice(("create", "create", "answer", "request", "write", "fsync")))

    async def _press_soon(self, seconds: float) -> None:
        if seconds:
            # Without it the engine has not even heard of the release.
            await asyncio.sleep(seconds)
        await self._press()

    async def _press(self) -> None:
        await self._world.machine.awake()
        process = self._world.process
        if process is not None and process.kill is not None:
            self._world.checker.stops.pressed()
        answer = await self._answer(StopTrading("The user pressed STOP."))
        if answer is not None and answer.message == STOPPED:
            self._world.checker.stops.promised()

    def look_at_stop(self) -> None:
        """Who finds that gridbot stopped by itself reads why, and releases trading after a while."""
        self._stops = self._stops + 1 if self._watching == 0 and self._stopped() else 0
        if self._stops >= STOPS:
            self._stops = 0
            self._read += 1
            outside(self._release(Random(f"stop that was read {self._read} {self._world.plan.seed}")))

    async def _next_trade(self, random: Random) -> None:
        """Wait until the markets have just traded, when fills and cancels cross."""
        offset = self._world.machine.true_ms() % MINUTE_MS
        await asyncio.sleep(((PRINT_MS - offset) % MINUTE_MS + random.choice((50, 400, 2_500))) / 1000)

    def _stopped(self) -> bool:
        process = self._world.process
        return process is not None and process.trader is not None and process.trader.state.kill is not None

    # ------------------------------------------------------------------------------------- wishes

    async def wish(self, random: Random) -> None:
        """Ask for something at the window."""
        await self._world.machine.awake()
        process = self._world.process
        if process is None or process.trader is None:
            return
        state = process.trader.state
        way = random.choice(("cancel", "grid", "all", "levels"))
        if way == "cancel":
            orders = [live.order.id for live in live_orders(state)]
            if orders:
                order = random.choice(orders)
                # Noted first: the cancel may leave before its answer is read.
                self._world.checker.cancels.wanted(order)
                answer = await self._answer(CancelOne(order))
                if answer is None or not answer.ok:
                    self._world.checker.cancels.not_promised(order)
        elif way == "grid" and state.grids:
            grid = random.choice(list(state.grids))
            await self._answer(SetWish(GridId(grid), random.choice((Wish.RUN, Wish.RUN, Wish.PAUSE, Wish.SELL_ONLY))))
        elif way == "all":
            await self._answer(SetRunning(random.random() < 0.7))
        else:
            await self._answer(SaveConfig(self._other_levels(random)))

    def _other_levels(self, random: Random) -> str:
        """Return the saved configuration with another number of levels in one grid."""
        world = self._world
        inode = world.disk.seen(world.home.config)
        assert inode is not None
        config = parse_config(bytes(inode.data).decode(), source="the configuration")
        place = random.randrange(len(config.grids))
        changed = config.grids[place].model_copy(update={"levels": random.choice((3, 6, 8, 10))})
        grids = (*config.grids[:place], changed, *config.grids[place + 1 :])
        return config.model_copy(update={"grids": grids}).to_json()

    def doubt(self) -> None:
        """What the program says of balances may be true of a while ago: who knows that lets it look again."""
        self._doubt_until = self._world.machine.true_ms() + DOUBT_MS

    def look_at_balances(self, process: Process) -> None:
        """Who has looked at a difference for minutes takes the word of the exchange; [I10] it must be true."""
        world, gaps = self._world, process.gaps()
        calm = world.machine.true_ms() >= self._doubt_until
        self._looks = self._looks + 1 if calm and gaps and gaps == self._seen_gaps else 0
        self._seen_gaps = gaps
        if self._looks >= LOOKS and process.life.alive:
            world.trace.world(f"process {process.life.number} says: {' '.join(gap.sentence() for gap in gaps)}")
            self._looks = 0
            outside(self._accept(process, gaps))

    async def _accept(self, process: Process, gaps: tuple[Gap, ...]) -> None:
        world = self._world
        answer = await self._answer(AcceptBalances(tuple(gap.sentence() for gap in gaps)))
        if answer is None or not answer.ok:
            return
        world.counted["balances accepted"] += 1
        # By then a mark has made it durable, if the process lives and its disk takes it.
        await asyncio.sleep(130.0)
        kept = process.life.alive and not world.checker.is_broken(process.life)
        if kept and world.machine.true_ms() >= self._doubt_until:
            world.checker.replica.catch_up()
            world.checker.gaps.accepted([gap.asset for gap in gaps], world.checker.replica.state)

    # ------------------------------------------------------------------- at the exchange's website

    def _any(self, random: Random) -> Market:
        return random.choice(tuple(self._world.markets.values()))

    def _move(self, random: Random, asset: Asset, amount: Decimal, *, own: bool = True) -> None:
        """Move an amount; some exchanges tell of it late. `own` is what people keep apart from what the grids have."""
        world = self._world
        now = world.machine.true_ms()
        self._moves += 1
        self.doubt()
        if own:
            self._owned[asset] = self._owned.get(asset, Decimal(0)) + amount
        late = random.choice((0, 0, 0, 60_000, 600_000))
        world.trace.world(f"the user moves {amount:f} {asset}, told {late // 1000} s later")
        world.venue.move(Movement(f"hand-{self._moves}", now, asset, amount), told=TimeMs(now + late))

    async def _trade(self, random: Random) -> None:
        """Buy some coins by hand, or sell what was bought so."""
        market = self._any(random)
        instrument, price = market.instrument, market.quote(market.last).ask
        quantity = instrument.quantity_floor(Decimal(random.choice((100, 1_000))) / price)
        owned = self._owned.get(instrument.base, Decimal(0))
        buying = owned < quantity or random.random() < 0.5
        way = 1 if buying else -1
        self._move(random, instrument.base, way * quantity)
        self._move(random, instrument.quote, -way * (quantity * price).quantize(Decimal("0.01")))

    async def _sell(self, random: Random) -> None:
        """Sell what a grid holds, all or a part; the exchange wants the orders cancelled first that hold it."""
        world, market = self._world, self._any(random)
        instrument = market.instrument
        held = world.venue.holdings().get(instrument.base, Decimal(0))
        share = Decimal(random.choice(("0.2", "0.5", "1")))
        quantity = instrument.quantity_floor((held - self._owned.get(instrument.base, Decimal(0))) * share)
        if quantity <= 0:
            return
        free = held - world.venue.doubles.locked(instrument.base, Side.SELL, lambda symbol: instrument)
        sells = [one for one in world.venue.resting(market.symbol) if one.order.side is Side.SELL]
        free -= sum((one.leaves for one in sells), Decimal(0))
        for one in sells:
            if free >= quantity:
                break
            free += one.leaves
            world.venue.end(one.order.ref.id, why="the user cancels it at the website to sell its coins")
        quantity = min(quantity, instrument.quantity_floor(free))
        worth = (quantity * market.quote(market.last).bid).quantize(Decimal("0.01"))
        self._move(random, instrument.base, -quantity, own=False)
        self._move(random, instrument.quote, worth, own=False)

    async def _deposit(self, random: Random) -> None:
        instrument = self._any(random).instrument
        if random.random() < 0.7:
            self._move(random, instrument.quote, Decimal(random.choice((10, 500, 5_000))))
        else:
            self._move(random, instrument.base, instrument.lot_size * random.choice((3, 1_000)))

    async def _withdraw(self, random: Random) -> None:
        """Take away what was put there by hand, or a little of the money."""
        instrument = self._any(random).instrument
        owned = self._owned.get(instrument.base, Decimal(0))
        if owned > 0 and random.random() < 0.5:
            self._move(random, instrument.base, -owned)
        else:
            self._move(random, instrument.quote, -Decimal(random.choice((10, 500))))

    async def _cancel(self, random: Random) -> None:
        venue = self._world.venue
        ids = [resting.order.ref.id for symbol in self._world.markets for resting in venue.resting(symbol)]
        ours = [id_ for id_ in ids if id_.startswith(self._world.ours)]
        if ours:
            self._world.venue.end(random.choice(ours), why="the user cancels it at the website")

    async def _place(self, random: Random) -> None:
        """Rest an order by hand that no cancel of ours may touch."""
        self._rest(random, f"byhand{random.randrange(10**10):010d}")

    async def _another(self, random: Random) -> None:
        """Another installation of gridbot trades the account for a while: no start of ours may trade beside it."""
        self._other = f"gbzzzzz{random.randrange(10**11):011d}"
        self._rest(random, self._other)
        await asyncio.sleep(random.choice((60.0, 1_800.0)))
        self.end_the_other()

    def end_the_other(self) -> None:
        """The other installation's order is cancelled."""
        self._world.venue.end(self._other, why="the other gridbot ends it")

    def _rest(self, random: Random, id_: str) -> None:
        """Rest an order so far away that it never trades."""
        market = self._any(random)
        price = market.instrument.price_floor(market.quote(market.last).bid / 4)
        ref = OrderRef(GridId("by hand"), 1, OrderId(id_))
        order = PlaceLimit(ref, market.symbol, Side.BUY, price, Quantity(Decimal("0.01")), True, False, price)
        self._world.trace.world(f"an order that is not ours rests: {id_}")
        self._world.venue.adopt([(order, VenueOrderId(f"v-{id_}"), Quantity(Decimal(0)))], {})
