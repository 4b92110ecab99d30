"""The latest prices, and which of them the engine must hear of: crossings of what it watches, and closed candles."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from gridbot.core.candles import Bar, BarBuilder, Candle
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import CandleClosed, PriceCrossed, Quote
from gridbot.core.rules import RiskRules
from gridbot.core.units import Price, Side, Symbol, TimeMs
from gridbot.core.watch import Watch
from gridbot.ports import CandleArrived, FeedItem, QuoteArrived, TradePrint
from gridbot.shell.facade import MarketView

_NOTHING = Watch((), ())


def _is_priced(quote: Quote) -> bool:
    """Tell whether a quote has figures at all; one that has not can be neither compared nor written down."""
    return quote.bid.is_finite() and quote.ask.is_finite()


def is_sane(quote: Quote) -> bool:
    """Tell whether a quote can be traded on: finite, positive, not crossed."""
    return _is_priced(quote) and 0 < quote.bid <= quote.ask


class MarketBoard:
    """Takes every feed item; what it returns is for the engine. Raw prices stay here.

    Bars of the watched timeframes are built from the base candles, of `base_ms` each. `latest` is the feed's: it alone
    knows how old a price is.
    """

    def __init__(self, *, base_ms: int, exchange: str, latest: Callable[[Symbol], Quote | None]) -> None:
        self._base_ms = base_ms
        self._exchange = exchange
        self._latest = latest
        self._quotes: dict[Symbol, Quote] = {}
        self._last: dict[Symbol, Price] = {}
        self._watch: Mapping[Symbol, Watch] = {}
        self._told: set[tuple[Symbol, Price]] = set()
        self._builders: dict[tuple[Symbol, int], BarBuilder] = {}
        self.connected = False

    def watch(self, levels: Mapping[Symbol, Watch]) -> None:
        """Watch these levels from now on; what was told before is told again if it is still watched and crossed."""
        self._watch = levels
        self._told.clear()

    def follow(self, market: Symbol, timeframe: int, candles: Iterable[Candle]) -> None:
        """Build bars of `timeframe` ms from now on; `candles` are the base candles of the bar that is open."""
        builder = BarBuilder(timeframe, self._base_ms)
        for candle in candles:
            builder, _ = builder.add(candle)
        self._builders[market, timeframe] = builder

    def take(self, item: FeedItem) -> tuple[PriceCrossed | CandleClosed, ...]:
        """Take in one item; return what the engine must be told."""
        self.connected = True
        match item:
            case QuoteArrived():
                if not _is_priced(item.quote):
                    return ()
                self._quotes[item.quote.symbol] = item.quote
                return self._over(item.quote, item.time)
            case TradePrint():
                if not item.price.is_finite():
                    return ()
                before = self._last.get(item.symbol)
                self._last[item.symbol] = item.price
                return () if before is None else self._touched(item, before)
            case CandleArrived():
                closed = self._closed(item)
                matters = closed.bars or self._watch.get(item.market, _NOTHING).closes
                return (closed,) if matters else ()

    def _over(self, quote: Quote, time: TimeMs) -> tuple[PriceCrossed, ...]:
        """A slot that waits under the price is told when the bid is above it: then its buy rests for certain."""
        levels = self._watch.get(quote.symbol, _NOTHING).above
        crossed = [level for level in levels if quote.bid > level and (quote.symbol, level) not in self._told]
        self._told.update((quote.symbol, level) for level in crossed)
        return tuple(PriceCrossed(time, quote.symbol, level, quote.bid) for level in crossed)

    def _touched(self, trade: TradePrint, before: Price) -> tuple[PriceCrossed, ...]:
        levels = self._watch.get(trade.symbol, _NOTHING).touch
        low, high = min(before, trade.price), max(before, trade.price)
        crossed = [level for level in levels if low <= level <= high and (trade.symbol, level) not in self._told]
        self._told.update((trade.symbol, level) for level in crossed)
        return tuple(PriceCrossed(trade.time, trade.symbol, level, trade.price) for level in crossed)

    def _closed(self, item: CandleArrived) -> CandleClosed:
        closed: list[tuple[int, Bar]] = []
        for (market, timeframe), builder in self._builders.items():
            if market == item.market:
                self._builders[market, timeframe], bars = builder.add(item.candle)
                closed.extend((timeframe, bar) for bar in bars)
        closed.sort(key=lambda entry: entry[1].open_time)
        time = TimeMs(item.candle.open_time + self._base_ms)
        return CandleClosed(time, item.market, Price(Decimal(repr(item.candle.close))), tuple(closed))

    def quotes(self) -> tuple[Quote, ...]:
        """Return every market's newest quote, as old as the feed says that it is, for a mark."""
        newest = (self._latest(symbol) for symbol in dict.fromkeys((*self._quotes, *self._watch)))
        return tuple(quote for quote in newest if quote is not None and _is_priced(quote))

    def mid(self, symbol: Symbol) -> Price | None:
        """Return the middle of a sane quote, or None."""
        quote = self._quotes.get(symbol)
        if quote is None or not is_sane(quote):
            return None
        return Price((quote.bid + quote.ask) / 2)

    def blind(self, order: PlaceLimit, rules: RiskRules | None) -> str | None:
        """Return why a buy may not leave at this very moment for want of a price; None if it may (I15).

        The state still holds what an earlier start saw last, and what waited at a gate was decided a while ago.
        """
        if rules is None or order.side is Side.SELL:
            return None
        quote = self._latest(order.symbol)
        if quote is None:
            return f"No price of {order.symbol} has come since this start; no buys until one does."
        if quote.age_ms > rules.max_quote_age_ms.limit:
            return f"The price of {order.symbol} is {quote.age_ms} ms old; no buys on it."
        return None

    def views(self, symbols: Iterable[Symbol]) -> tuple[MarketView, ...]:
        """Return the markets for a window."""
        return tuple(self._view(symbol) for symbol in symbols)

    def _view(self, symbol: Symbol) -> MarketView:
        quote, last = self._latest(symbol), self._last.get(symbol)
        if quote is None or not _is_priced(quote):
            return MarketView(symbol, self._exchange, False, None, None, last, None)
        return MarketView(symbol, self._exchange, self.connected, quote.bid, quote.ask, last, quote.age_ms)
