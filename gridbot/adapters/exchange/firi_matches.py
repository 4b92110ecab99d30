"""Trades out of Firi's statement: amounts, fee and number are Firi's own; of which order they are is derived.

Firi tells of each trade ("match") what it moved, in lines of the statement, but not the order; and of each order how
much of it matched, but not in which trades. A trade's id is the match's, so nothing is booked twice whatever is derived
here. Each match goes to an order of its market and side that was there at that time, whose limit it keeps and whose
matched amount has room for it: first where the limit is the price, then the newest order, so that of two at one price
the older counts as filled first. What fits nowhere is no answer; it is asked again.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact

from gridbot.adapters.exchange.firi_errors import malformed
from gridbot.adapters.exchange.firi_forms import FiriRow, text
from gridbot.adapters.exchange.unified import Unified
from gridbot.core.units import ONE, ZERO
from gridbot.core.values import value

_EXACT = Context(prec=60)
_FINEST = Decimal("1E-18")
_COIN = Decimal("0.01")
"""Quote: what a match costs may be rounded, but to no larger coin than this."""
_AT_ONCE_MS = 2_000
"""An order that trades so soon after it was made, and not at its limit, took what rested."""
_FEE = "MatchFee"


@value
class Match:
    """One trade of the account: base, cost (quote) and fee; `fee` is None where the statement tells none."""

    id: str
    time: int
    side: str
    amount: Decimal
    cost: Decimal
    fee: Decimal | None
    fee_asset: str

    @property
    def price(self) -> Decimal:
        """Quote per base: exact where the division ends, else rounded to so many decimals that nobody can tell."""
        context = Context(prec=80, rounding=ROUND_HALF_EVEN)
        found = context.divide(self.cost, self.amount)
        return found.quantize(_FINEST, context=context) if context.flags[Inexact] else found

    @property
    def rounding(self) -> Decimal:
        """How much the cost may be off price times amount: less than its last digit."""
        exponent = self.cost.as_tuple().exponent
        return min(ONE.scaleb(exponent), _COIN) if isinstance(exponent, int) else ZERO


@value
class Owner:
    """An order that something of matched: what a match must fit into. Price is its limit."""

    id: str
    side: str
    price: Decimal
    created: int
    matched: Decimal


def matches_of(rows: Iterable[FiriRow], symbol: str) -> list[Match]:
    """Return the trades of one market out of whole lines of the statement, oldest first."""
    base, _, quote = symbol.partition("/")
    groups: dict[str, list[FiriRow]] = defaultdict(list)
    for row in rows:
        if row.match:
            groups[row.match].append(row)
    found = [_match(group, base, quote) for group in groups.values() if _is_of(group, base, quote)]
    return sorted(found, key=lambda each: (each.time, len(each.id), each.id))


def _is_of(group: Sequence[FiriRow], base: str, quote: str) -> bool:
    """Tell whether a match is of this market; one of a market that shares an asset with it has another beside it."""
    moved = {row.currency for row in group if row.kind != _FEE}
    return bool(moved & {base, quote}) and not moved - {base, quote}


def _match(group: Sequence[FiriRow], base: str, quote: str) -> Match:
    legs = [row for row in group if row.kind != _FEE]
    fees = [row for row in group if row.kind == _FEE]
    moved = {row.currency: row.amount for row in legs}
    if len(legs) != 2 or set(moved) != {base, quote} or len(fees) > 1 or len({row.time for row in legs}) != 1:
        malformed("Firi's statement has a trade whose lines do not belong together")
    amount, cost = moved[base], -moved[quote]
    if amount == ZERO or (amount > ZERO) != (cost > ZERO) or cost == ZERO or any(row.amount > ZERO for row in fees):
        malformed("Firi's statement has a trade that moved both assets the same way")
    return Match(
        id=legs[0].match,
        time=legs[0].time,
        side="buy" if amount > ZERO else "sell",
        amount=abs(amount),
        cost=abs(cost),
        fee=-fees[0].amount if fees else None,
        fee_asset=fees[0].currency if fees else "",
    )


def owner_of(order: Unified) -> Owner:
    """Return what matters of an order here, from its unified structure."""
    return Owner(
        id=str(order["id"]),
        side=str(order["side"]),
        price=Decimal(order["price"]),
        created=int(order["timestamp"]),
        matched=Decimal(order["filled"]),
    )


def trade_form(match: Match, order: str, symbol: str) -> Unified:
    """Return a trade of ours; the fee is the statement's, None where it has none."""
    fee = None if match.fee is None else {"cost": text(match.fee), "currency": match.fee_asset}
    return {
        "id": match.id,
        "order": order,
        "timestamp": match.time,
        "symbol": symbol,
        "type": "limit",
        "side": match.side,
        "takerOrMaker": None,
        "price": text(match.price),
        "amount": text(match.amount),
        "cost": text(match.cost),
        "fee": fee,
    }


# -------------------------------------------------------------------------------------- whose it was


def attribute(
    matches: Sequence[Match], owners: Sequence[Owner], known: Mapping[str, str], *, begin: int
) -> dict[str, str]:
    """Return the order of each match that has one, by the match's id. What is `known` stays as it is.

    `matches` are all from `begin` on (ms UTC), so whatever matched of an order that was made since is among them.
    """
    return _Search(owners, begin).run(matches, known)


class _Owners:
    """The orders of one side, by place (the newest first), by limit and by time."""

    def __init__(self, owners: Sequence[Owner]) -> None:
        ranked = sorted(owners, key=lambda each: int(each.id), reverse=True)
        self.all = list(enumerate(ranked))
        self._by_price = sorted(self.all, key=lambda each: each[1].price)
        self._by_time = sorted(self.all, key=lambda each: each[1].created)

    def likely(self, match: Match) -> list[tuple[int, Owner]]:
        """Return those whose limit is about the match's price, and those that were made right before it."""
        slack = _EXACT.divide(match.rounding, match.amount) + _FINEST
        low = bisect_left(self._by_price, match.price - slack, key=lambda each: each[1].price)
        high = bisect_right(self._by_price, match.price + slack, key=lambda each: each[1].price)
        begin = bisect_left(self._by_time, match.time - _AT_ONCE_MS, key=lambda each: each[1].created)
        end = bisect_right(self._by_time, match.time, key=lambda each: each[1].created)
        return list(dict((*self._by_price[low:high], *self._by_time[begin:end])).items())


class _Search:
    """Gives each match to an order with room for it; who took the room by mistake gives it back (augmenting paths)."""

    def __init__(self, owners: Sequence[Owner], begin: int) -> None:
        self._begin = begin
        self._owners = {
            side: _Owners([each for each in owners if each.side == side and each.matched]) for side in ("buy", "sell")
        }
        self._room = {each.id: each.matched for each in owners}
        self._held: dict[str, list[Match]] = defaultdict(list)
        self._fitting: dict[str, list[tuple[bool, int, Decimal, int, str]]] = {}

    def run(self, matches: Sequence[Match], known: Mapping[str, str]) -> dict[str, str]:
        for match in matches:
            if match.id in known and known[match.id] in self._room:
                self._room[known[match.id]] -= match.amount
        # The newest first: of two orders at one price the newer was filled last. Before them what has the least choice.
        open_ = sorted((each for each in reversed(matches) if each.id not in known), key=lambda each: -each.time)
        for match in sorted(open_, key=lambda each: len(self._candidates(each))):
            if not self._place(match, set()):
                # It fits nowhere that is likely: whatever it can be of at all is looked at.
                self._fitting[match.id] = list(self._fits(match, self._owners[match.side].all))
                self._place(match, set())
        found = {match.id: known[match.id] for match in matches if match.id in known}
        return found | {match.id: order for order, held in self._held.items() for match in held}

    def _place(self, match: Match, tried: set[str]) -> bool:
        candidates = self._candidates(match)
        for order in candidates:
            if self._room[order] >= match.amount:
                self._give(match, order)
                return True
        for order in candidates:
            if (
                order not in tried
                and self._room[order] + sum(each.amount for each in self._held[order]) >= match.amount
            ):
                tried.add(order)
                held = self._held[order]
                if any(self._push_out(each, match, order, tried) for each in [*([one] for one in held), list(held)]):
                    return True
        return False

    def _push_out(self, others: Sequence[Match], match: Match, order: str, tried: set[str]) -> bool:
        """Give an order to `match` in place of `others`, if these find another; else everything stays as it was."""
        room, held = dict(self._room), {each: list(matches) for each, matches in self._held.items()}
        for other in others:
            self._take(other, order)
        if self._room[order] >= match.amount:
            self._give(match, order)
            if all(self._place(other, tried) for other in others):
                return True
        self._room, self._held = room, defaultdict(list, held)
        return False

    def _give(self, match: Match, order: str) -> None:
        self._room[order] -= match.amount
        self._held[order].append(match)

    def _take(self, match: Match, order: str) -> None:
        self._room[order] += match.amount
        self._held[order].remove(match)

    def _candidates(self, match: Match) -> list[str]:
        """Return the orders that a match may be of, the likeliest first; what it fills to the end before others."""
        if match.id not in self._fitting:
            self._fitting[match.id] = list(self._fits(match, self._owners[match.side].likely(match)))
        ranked = [
            (older, self._room[order] != match.amount, kind, distance, place, order)
            for older, kind, distance, place, order in self._fitting[match.id]
        ]
        return [order for *_, order in sorted(ranked)]

    def _fits(self, match: Match, owners: Iterable[tuple[int, Owner]]) -> Iterator[tuple[bool, int, Decimal, int, str]]:
        """Yield the orders whose time, amount and limit a match keeps, with what ranks them."""
        for place, owner in owners:
            if owner.created > match.time or owner.matched < match.amount:
                continue
            at_limit = _EXACT.multiply(owner.price, match.amount)
            beyond = match.cost - at_limit if match.side == "buy" else at_limit - match.cost
            if beyond > match.rounding:
                continue
            # An older order may have matched before; a younger one lacks what is not given to it here.
            older, waited = owner.created < self._begin, match.time - owner.created
            if abs(beyond) <= match.rounding:
                yield older, 1, abs(beyond), place, owner.id
            else:
                # Better than its limit: it took, as soon as it was made. While it lived nothing could pass it by.
                yield older, 0 if waited <= _AT_ONCE_MS else 2, Decimal(waited), place, owner.id
