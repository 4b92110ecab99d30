"""All trades of a span of time, page by page; a page that is full is never taken to be the whole.

Exchanges differ in whether a page that cannot hold all has the oldest or the newest. So whatever lies before and behind
a full page is asked for again, its edges included, until every answer has room to spare. Several trades of one
millisecond may stand across an edge; where more of them than fit on a page do, that is said and nothing is returned.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Sequence

from gridbot.adapters.exchange.figures import malformed
from gridbot.adapters.exchange.forms import ToldTrade
from gridbot.core.units import TimeMs, TradeId
from gridbot.core.values import value

MARGIN_MS = 1_000
"""Some exchanges take times in whole seconds, and some leave the first moment out."""

Page = Callable[[TimeMs, TimeMs | None], Awaitable[Sequence[ToldTrade]]]
"""Asks for the trades from one time to another (ms UTC); None is until now."""


def windows(since: TimeMs, until: TimeMs, length_ms: int | None) -> Iterator[tuple[TimeMs, TimeMs]]:
    """Yield the span in pieces that one request may cover; neighbours share their edge."""
    begin = since
    while length_ms is not None and until - begin > length_ms - MARGIN_MS:
        end = TimeMs(begin + length_ms - MARGIN_MS)
        yield begin, end
        begin = end
    yield begin, until


async def all_trades(page: Page, since: TimeMs, until: TimeMs, *, room: int, window_ms: int | None) -> list[ToldTrade]:
    """Return every trade of a span, oldest first; `room` is how many fit on a page."""
    found: dict[TradeId, ToldTrade] = {}
    # Where a request has no longest span, the end is told only once a page was full: not every exchange takes one.
    pending = [_Span(begin, end, window_ms is not None) for begin, end in windows(since, until, window_ms)]
    while pending:
        span = pending.pop()
        trades = await page(TimeMs(max(0, span.begin - span.margin_ms)), span.end if span.is_bounded else None)
        is_full = len(trades) >= room
        if is_full and span.is_bounded and any(trade.time > span.end + MARGIN_MS for trade in trades):
            raise malformed("the trades of a span cannot be read to the end, as it names more than were asked for")
        found.update((trade.id, trade) for trade in trades)
        if is_full:
            pending.extend(_around(trades, span))
    return sorted((trade for trade in found.values() if trade.time >= since), key=_place)


def _place(trade: ToldTrade) -> tuple[int, int, str]:
    """Return what trades are sorted by: of one moment by their ids, which most exchanges count up."""
    return trade.time, len(trade.id), trade.id


@value
class _Span:
    """What is asked for, edges included; `margin_ms` before it as well, for exchanges that are not exact."""

    begin: TimeMs
    end: TimeMs
    is_bounded: bool
    margin_ms: int = MARGIN_MS


def _around(trades: Sequence[ToldTrade], span: _Span) -> list[_Span]:
    """Return what must be asked for beside a full page."""
    begin, end = span.begin, span.end
    first, last = min(trade.time for trade in trades), max(trade.time for trade in trades)
    pieces = []
    if first >= begin:
        pieces.append(_Span(begin, TimeMs(min(first, end)), True, span.margin_ms))
    if last <= end:
        pieces.append(_Span(TimeMs(max(last, begin)), end, True, span.margin_ms))
    if all((piece.begin, piece.end) != (begin, end) for piece in pieces):
        return pieces
    if begin < end:
        middle = TimeMs((begin + end) // 2)
        halves = (begin, middle), (TimeMs(middle + 1), end)
        return [_Span(*half, True, span.margin_ms) for half in halves]
    if span.margin_ms > 1:
        return [_Span(begin, end, True, 1)]
    raise malformed("more trades happened in one moment than one of its answers holds")
