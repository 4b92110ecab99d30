"""A facade written by hand: it answers every request as the engine would, and notes what was asked."""

from __future__ import annotations

from decimal import Decimal

from gridbot.config import default_config, parse_config
from gridbot.config.app import AppConfig
from gridbot.config.grid import GridConfig, SpacingConfig
from gridbot.core.commands import Note
from gridbot.core.events import KillKind
from gridbot.core.limit_views import LimitView
from gridbot.core.rates import RateView
from gridbot.core.rules import Wish
from gridbot.core.snapshot import BalanceView, KillView, Snapshot
from gridbot.core.state import Level
from gridbot.core.units import Asset, GridId, Mode, Symbol, TimeMs
from gridbot.core.values import evolve
from gridbot.errors import ConfigError
from gridbot.shell.facade import (
    AcceptBalances,
    Answered,
    CancelOne,
    ChartData,
    ExchangeWords,
    Facade,
    ForeignOrders,
    Happened,
    LoadHistory,
    LogLine,
    MarketView,
    PreviewGrid,
    Reconcile,
    ReleaseKill,
    RemoveGrid,
    Request,
    ResumeTrading,
    SaveConfig,
    SetRunning,
    SetWish,
    StartView,
    StopTrading,
    StopView,
    View,
)
from tests.gui.fake_market import FakeGrid, FakeMarket
from tests.gui.fake_preview import previewed

START = 1_790_000_000_000 // 3_600_000 * 3_600_000


def two_grids() -> AppConfig:
    """Return a configuration of two grids, with what the fake grids below trade."""
    eth = GridConfig(
        symbol="ETH/USDT", investment=Decimal(4000), levels=6, spacing=SpacingConfig(fraction=Decimal("0.01"))
    )
    first = default_config()
    return first.model_copy(update={"grids": (*first.grids, eth)})


class FakeFacade:
    """An account with two grids on two markets.

    Attributes:
        asked: every request, in order.
        answers: False lets requests wait for ever, as a hung engine does.
        refusal: why nothing can be saved, "" while it can.
    """

    def __init__(self, *, mode: Mode = Mode.DEMO, seed: int = 7) -> None:
        self.asked: list[Request] = []
        self.answers = True
        self.refusal = ""
        self.connected = True
        self.age_ms = 120
        self.exchange = "demo"
        self.problems: tuple[str, ...] = ()
        self.level, self.causes = Level.GREEN, tuple[str, ...]()
        self.kill: KillView | None = None
        self.stop: StopView | None = None
        self.start = StartView()
        self.foreign, self.words = ForeignOrders(), ExchangeWords()
        self.rates: tuple[RateView, ...] = ()
        self.config = two_grids().model_copy(update={"mode": mode})
        self.running, self.mode = True, mode
        self._beat = 0
        self._news: list[Happened] = []
        self._past: list[Note] = []
        btc = FakeMarket("BTC/USDT", price=62_000.0, tick="0.01", seed=seed, start=START)
        eth = FakeMarket("ETH/USDT", price=3_100.0, tick="0.01", seed=seed + 1, start=START)
        self.markets = (btc, eth)
        self.grids = [
            FakeGrid(GridId("btc-usdt"), btc, 10, Decimal(10_000), Decimal(400), btc.price),
            FakeGrid(GridId("eth-usdt"), eth, 6, Decimal(4_000), Decimal(20), eth.price),
        ]
        self._view = self._make_view()

    # ------------------------------------------------------------------------------ the facade itself

    def view(self) -> View:
        return self._view

    def happened(self) -> tuple[Happened, ...]:
        news, self._news = tuple(self._news), []
        return news

    def past(self) -> tuple[Note, ...]:
        return tuple(self._past)

    def ask(self, request: Request) -> int:
        self.asked.append(request)
        number = len(self.asked)
        if self.answers:
            self._news += self._answer(number, request)
            self.publish()
        return number

    def chart(self, symbol: Symbol, timeframe: int, grid: GridId | None) -> ChartData:
        market = next(market for market in self.markets if market.instrument.symbol == symbol)
        return market.chart(timeframe)

    # ------------------------------------------------------------------------------- for the tests

    def live(self, minutes: int, *, before: bool = False) -> None:
        """Let time pass; with `before` what happens belongs to the time before the window opened."""
        for _ in range(minutes):
            for market in self.markets:
                market.tick()
            for grid in self.grids if self.running and self.kill is None else ():
                for note in grid.step():
                    if before:
                        self._past.append(note)
                    else:
                        self._news.append(note)
                        self.log("info", "trading", type(note).__name__, f"{grid.id}: {type(note).__name__}")
            self._cancel_some()
        self.publish()

    def log(self, level: str, dataset: str, action: str, message: str) -> None:
        """Write a log line."""
        line = f'{{"@timestamp":{self.time},"log.level":"{level}","event.action":"{action}","message":"{message}"}}'
        self._news.append(LogLine(TimeMs(self.time), level, dataset, action, message, "trace-1", line))

    def say(self, *news: Happened) -> None:
        """Let something happen."""
        self._news += news

    def publish(self) -> None:
        """Make the newest view."""
        self._beat += 1
        self._view = self._make_view()

    def show(self, view: View) -> None:
        """Have this be the newest view."""
        self._view = view

    @property
    def time(self) -> int:
        return self.markets[0].time

    def requests(self, kind: type[Request]) -> list[Request]:
        """Return what was asked of one kind."""
        return [request for request in self.asked if isinstance(request, kind)]

    # --------------------------------------------------------------------------------------- inside

    def _answer(self, number: int, request: Request) -> list[Happened]:
        done = Answered(number, True, "Done.")
        match request:
            case StopTrading(reason=reason, liquidate=liquidate) if self.kill is not None:
                self.kill = evolve(self.kill, liquidate=self.kill.liquidate or liquidate)
                return [Answered(number, True, f"Stopped already: {reason}")]
            case StopTrading(reason=reason):
                count = sum(len(grid.orders()) for grid in self.grids)
                self.kill = KillView(KillKind.MANUAL, reason, TimeMs(self.time), count)
                for grid in self.grids:
                    grid.cancelling = {order.id for order in grid.orders()}
                return [Answered(number, True, f"Stopped; cancelling {count} orders.")]
            case ReleaseKill():
                self.kill = None
                for grid in self.grids:
                    grid.cancelling = set()
                return [done]
            case SetWish(grid=id_, wish=wish):
                self._grid(id_).wish = wish
                return [Answered(number, True, f"{id_}: {wish.value}.")]
            case RemoveGrid(grid=id_):
                self.grids = [grid for grid in self.grids if grid.id != id_]
                left = tuple(grid for grid in self.start.taken_away if grid != id_)
                self.start = evolve(self.start, taken_away=left)
                return [done]
            case SetRunning(running=running):
                self.running = running
                return [done]
            case SaveConfig() if self.refusal:
                return [Answered(number, False, self.refusal)]
            case SaveConfig(text=text):
                try:
                    self.config = parse_config(text, source="The settings")
                except ConfigError as error:
                    return [Answered(number, False, error.message, error.mistakes)]
                return [Answered(number, True, "Saved.")]
            case ResumeTrading():
                self.start = evolve(self.start, waits=False)
                return [done]
            case Reconcile():
                return [Answered(number, True, "Orders, trades and balances were compared with the exchange just now.")]
            case AcceptBalances():
                self.start = evolve(self.start, gaps=())
                return [done]
            case PreviewGrid():
                money = Decimal(50_000)
                told = previewed(number, request, saved=self.config, markets=self.markets, money=money)
                return [told, Answered(number, told.report is not None, "")]
            case LoadHistory(symbol=symbol, before=before):
                return [self._older(number, symbol, before)]
            case CancelOne():
                return [done]

    def _older(self, number: int, symbol: Symbol, before: TimeMs) -> Answered:
        market = next(market for market in self.markets if market.instrument.symbol == symbol)
        added = market.remember(before)
        if not added:
            return Answered(number, True, f"There is nothing older of {symbol}.")
        return Answered(number, True, f"{added} older candles of {symbol} are loaded.")

    def _grid(self, id_: GridId) -> FakeGrid:
        return next(grid for grid in self.grids if grid.id == id_)

    def _cancel_some(self) -> None:
        if self.kill is not None:
            for grid in self.grids:
                grid.wish = Wish.PAUSE
                if grid.cancelling:
                    grid.cancelling.pop()
            left = sum(len(grid.cancelling) for grid in self.grids)
            self.kill = evolve(self.kill, unconfirmed=left)

    def _make_view(self) -> View:
        markets = tuple(
            MarketView(
                symbol=market.instrument.symbol,
                exchange=self.exchange,
                connected=self.connected,
                bid=market.price - market.instrument.tick_size,
                ask=market.price + market.instrument.tick_size,
                last=market.price,
                age_ms=self.age_ms,
            )
            for market in self.markets
        )
        return View(
            beat=self._beat,
            time=TimeMs(self.time),
            snapshot=self._snapshot(),
            markets=markets,
            running=self.running,
            starting=False,
            problems=self.problems,
            config_text=self.config.to_json(),
            stop=self.stop,
            start=self.start,
            foreign=self.foreign,
            words=self.words,
            rates=self.rates,
        )

    def _snapshot(self) -> Snapshot:
        grids = tuple(grid.view(stopped=self.kill is not None) for grid in self.grids)
        orders = tuple(order for grid in self.grids for order in grid.orders())
        if self.kill is not None:
            orders = tuple(o for o in orders if any(o.id in grid.cancelling for grid in self.grids))
        profit = sum((grid.total_profit or Decimal(0) for grid in grids), Decimal(0))
        equity = Decimal(50_000) + profit
        coins = [
            BalanceView(
                grid.market.instrument.base, sum((h.quantity for h in grid.held.values()), Decimal(0)), Decimal(0)
            )
            for grid in self.grids
        ]
        return Snapshot(
            time=TimeMs(self.time),
            mode=self.mode,
            level=Level.BLACK if self.kill is not None else self.level,
            causes=self.causes,
            kill=self.kill,
            equity=equity,
            equity_asset=Asset("USDT"),
            peak=max(equity, Decimal(50_400)),
            day_profit=profit / 2,
            balances=(BalanceView(Asset("USDT"), Decimal("41250.25"), Decimal(9000)), *coins),
            grids=grids,
            orders=orders,
            limits=self._limits(equity),
            fills=sum(grid.fills for grid in self.grids),
            round_trips=sum(grid.trips for grid in self.grids),
        )

    def _limits(self, equity: Decimal) -> tuple[LimitView, ...]:
        def limit(code: str, scope: str, now: str | None, at: str, action: str, *, tripped: bool = False) -> LimitView:
            sentence = f"{code} is beyond {at}." if tripped else ""
            figure = None if now is None else Decimal(now)
            return LimitView(code, scope, figure, None, Decimal(at), action, tripped, sentence, None)

        return (
            limit("max_symbol_exposure", "BTC/USDT", "0.1732", "0.20", "deny"),
            limit("max_symbol_exposure", "ETH/USDT", "0.0641", "0.20", "deny"),
            limit("max_total_exposure", "", "0.2373", "0.80", "deny"),
            limit("max_asset_concentration", "BTC", "0.081", "0.25", "no_new_buys"),
            limit("max_open_orders", "BTC/USDT", "10", "200", "deny"),
            limit("max_drawdown", "", str(1 - equity / max(equity, Decimal(50_400))), "0.20", "kill"),
            limit("max_daily_loss", "", "-0.0011", "0.05", "kill"),
            limit("max_var", "", None, "0.05", "no_new_buys"),
            limit("max_creates_per_10s", "", "2", "20", "wait"),
            limit("max_quote_age_ms", "BTC/USDT", str(self.age_ms), "15000", "no_new_buys"),
            limit("max_spread", "BTC/USDT", "0.0003", "0.005", "deny"),
            limit("integrity", "", None, "0", "kill"),
        )


def satisfies_the_protocol(fake: FakeFacade) -> Facade:
    """The type checker holds the fake to the port."""
    return fake


class MemoryStore:
    """Preferences that are kept in memory; whoever has them was welcomed already, unless they say otherwise."""

    def __init__(self, saved: dict[str, object] | None = None) -> None:
        self.saved: dict[str, object] = {"welcomed": True} | (saved or {})

    def load(self) -> dict[str, object]:
        return dict(self.saved)

    def save(self, preferences: object) -> None:
        assert isinstance(preferences, dict)
        self.saved = dict(preferences)
