"""Which world an account trades in: generated, real prices with simulated fills, or real; with the bootstrap it alone
knows every concrete class.

A world needs the engine's books (whose order is this?) and the engine needs a world, so `Books` is handed out first and
learns of its trader afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.system_clock import SystemClock
from gridbot.config import AppConfig
from gridbot.core.state import State
from gridbot.core.units import Asset, OrderId, Symbol
from gridbot.core.values import value
from gridbot.ports import DeadMan, Feed, KillVenue, KnownOrder, LogSink, Tickers, Venue
from gridbot.shell.facade import ExchangeWords, MarketView
from gridbot.shell.known_orders import KnownOrders, standing_orders
from gridbot.shell.trader import Trader
from gridbot.sim.demo_world import DemoParts, Left, generated_demo, recorded_demo
from gridbot.sim.feed_tickers import FeedTickers
from gridbot.sim.market_clock import MarketClock
from gridbot.sim.recording import Recording
from gridbot.sim.venue import KillDoor

Close = Callable[[], Coroutine[None, None, None]]
MINUTE_MS = 60_000


class Books:
    """What a venue asks of the engine. `trader` is set before anything runs."""

    def __init__(self) -> None:
        self.trader: Trader | None = None
        self._orders = KnownOrders()

    def _known(self) -> Trader:
        if self.trader is None:
            raise RuntimeError("a world was asked before its trader was there")
        return self.trader

    def known(self, symbol: Symbol) -> Sequence[KnownOrder]:
        """Return our orders in a market."""
        return self._orders.of(self._known().state, symbol)

    def ours(self, id_: OrderId) -> bool:
        """Tell whether an order id is of this installation."""
        return self._known().is_ours(id_)

    def creates_stopped(self) -> bool:
        """Tell whether no create may leave now, but the sells of a liquidation that a person chose."""
        trader = self._known()
        return not trader.liquidation.permitted and trader.brake.refusal() is not None


@value
class Parts:
    """A world in its parts. `kill` is the kill switch's own way in, `close` ends what is held open, `admit` raises
    VenueUnavailable while the account may not be traded, `words` are what a person should know of the exchange,
    `dead_man` is its own timer where a person wants it."""

    feed: Feed
    venue: Venue
    clock: SystemClock | MarketClock
    base_ms: int
    exchange: str
    kill: KillVenue
    close: Close | None = None
    admit: Callable[[], Coroutine[None, None, None]] | None = None
    words: ExchangeWords = ExchangeWords()
    dead_man: DeadMan | None = None
    tickers: Tickers | None = None


def demo_parts(config: AppConfig, state: State, clock: SystemClock, recording: Recording | None) -> Parts:
    """Return the generated market, or a recorded one, at the configured speed."""
    left = left_behind(config, state)
    if recording is None:
        markets = traded(config)
        demo = generated_demo(config.demo.seed, speed=config.demo.speed, markets=markets, left=left, machine=clock)
        name = "demo"
    else:
        demo = recorded_demo(recording, speed=config.demo.speed, left=left, machine=clock)
        name = f"replay of {Path(config.demo.candles or '').name}"
    return _simulated(demo, name, traded(config))


def _simulated(demo: DemoParts, name: str, markets: Sequence[Symbol]) -> Parts:
    tickers = FeedTickers(demo.feed, markets)
    return Parts(demo.feed, demo.venue, demo.clock, demo.base_ms, name, KillDoor(demo.venue), tickers=tickers)


def dry_parts(config: AppConfig, state: State, clock: SystemClock, log: LogSink) -> Parts:
    """Return the configured exchange's prices with simulated fills; no key goes in, so nothing can be signed."""
    from gridbot.adapters.exchange.opening import open_client, open_feed, public_rules
    from gridbot.adapters.exchange.tickers import ExchangeTickers
    from gridbot.sim.dry_world import dry_world

    def tell(code: str, sentence: str) -> None:
        log.log("WARNING", "trading", code, sentence)

    place = config.exchange
    exchange = open_client(place.id, base_url=place.base_url, key=None, fee=place.fee)
    prices = open_feed(exchange, markets=traded(config), signals=signals(config), clock=clock, tell=tell)
    rules = public_rules(exchange, clock=clock)
    dry = dry_world(prices.feed, rules.instrument, left_behind(config, state), clock, known=state.instruments.values())

    async def close() -> None:
        await prices.close()
        await exchange.close()

    words, tickers = exchange_words(place.id), ExchangeTickers(rules, clock)
    kill = KillDoor(dry.venue)
    return Parts(dry.feed, dry.venue, clock, MINUTE_MS, place.id, kill, close, words=words, tickers=tickers)


def live_parts(
    config: AppConfig,
    key: ExchangeKey,
    books: Books,
    clock: SystemClock,
    log: LogSink,
    *,
    accepted: Callable[[], bool],
) -> Parts:
    """Return the configured exchange, traded with this key; it is opened by the first request that the loop makes.

    `accepted` tells whether a person has accepted that this key can withdraw.
    """
    from gridbot.adapters.exchange.opening import open_feed, open_live, public_rules
    from gridbot.adapters.exchange.tickers import ExchangeTickers

    def tell(code: str, sentence: str) -> None:
        log.log("WARNING", "trading", code, sentence)

    live = open_live(
        config.exchange.id,
        base_url=config.exchange.base_url,
        key=key,
        fee=config.exchange.fee,
        clock=clock,
        known=books.known,
        ours=books.ours,
        creates_stopped=books.creates_stopped,
        tell=tell,
    )
    feed = open_feed(live.public, markets=traded(config), signals=signals(config), clock=clock, tell=tell)

    async def close() -> None:
        await feed.close()
        await live.public.close()
        await live.exchange.close()

    async def admit() -> None:
        if not accepted():
            await live.refuse_withdrawal_key()

    words = exchange_words(config.exchange.id)
    dead_man = live.dead_man if config.orders.dead_man_s is not None else None
    if config.orders.dead_man_s is not None and live.dead_man is None:
        tell(
            "dead_man",
            f"{config.exchange.id} has no timer that cancels orders by itself; orders.dead_man_s does nothing.",
        )
    tickers = ExchangeTickers(public_rules(live.public, clock=clock), clock)
    name, kill = config.exchange.id, live.kill
    return Parts(feed.feed, live.venue, clock, MINUTE_MS, name, kill, close, admit, words, dead_man, tickers)


def exchange_words(exchange_id: str) -> ExchangeWords:
    """Return what a person should know before trading at an exchange."""
    from gridbot.adapters.exchange.capability_table import capability_of
    from gridbot.adapters.exchange.opening import exchange_ids

    row = capability_of(exchange_id)
    if not row.proven and exchange_id not in exchange_ids():
        return ExchangeWords(f"There is no exchange {exchange_id}; `gridbot exchange list` names those that are here.")
    return ExchangeWords(row.caution, row.notes if row.proven else (), row.max_open_orders)


def traded(config: AppConfig) -> tuple[Symbol, ...]:
    """Return every market that a grid trades, each once."""
    return tuple(dict.fromkeys(Symbol(grid.symbol) for grid in config.grids))


def unpriced(config: AppConfig) -> tuple[MarketView, ...]:
    """Return the markets as a window shows them before anything is connected."""
    return tuple(MarketView(symbol, "", False, None, None, None, None) for symbol in traded(config))


def signals(config: AppConfig) -> tuple[Symbol, ...]:
    """Return the markets that grids read their signals from where that is another one, as `exchange:symbol`."""
    from gridbot.core.lifecycle import signal_market

    rules = [grid.to_rules() for grid in config.grids]
    return tuple(dict.fromkeys(signal_market(each) for each in rules if signal_market(each) != each.symbol))


def left_behind(config: AppConfig, state: State) -> Left:
    """Return where a simulated account was left: what rests in it, and its balances."""
    if state.opened:
        balances = {asset: account.total for asset, account in state.accounts.items()}
    else:
        markets = traded(config)
        quote = markets[0].partition("/")[2] if markets else "USDT"
        balances = {Asset(quote): config.demo.equity}
    return Left(state.now, tuple(standing_orders(state)), balances)
