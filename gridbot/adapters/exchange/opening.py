"""One exchange, whole: client, venue, the kill switch's own client, and prices, by its name and through one budget."""

from __future__ import annotations

import importlib.util
import pkgutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capability_table import capability_of
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.ccxt_kill import CcxtKill
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.feed import ExchangeFeed
from gridbot.adapters.exchange.firi import FiriClient
from gridbot.adapters.exchange.firi_forms import FEE_RATE
from gridbot.adapters.exchange.firi_kill import FiriKill
from gridbot.adapters.exchange.firi_pace import FiriPace
from gridbot.adapters.exchange.key_check import KeyRights
from gridbot.adapters.exchange.key_permissions import UNTOLD, read_permissions
from gridbot.adapters.exchange.kill_connection import DeadManTimer, KillConnection
from gridbot.adapters.exchange.market_rules import MarketRules
from gridbot.adapters.exchange.precedence import Precedence
from gridbot.adapters.exchange.reading import Reader
from gridbot.adapters.exchange.unified import CallFailed, Cause, Unified, UnifiedExchange
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.core.rules import Instrument
from gridbot.core.units import OrderId, Symbol
from gridbot.core.values import value
from gridbot.errors import ConfigError, VenueUnavailable
from gridbot.ports import Clock, DeadMan, KillVenue, Known

FIRI = "firi"
_NOT_TOLD = frozenset({Cause.UNSUPPORTED, Cause.KEY, Cause.REFUSED, Cause.NOT_FOUND})
"""Answers that mean that an exchange will not say what a key may do, however often it is asked."""
Tell = Callable[[str, str], None]


@value
class Live:
    """An exchange that is traded at. `rights` asks what the key may do; raises CallFailed.

    `public` has no key and connections of its own: prices that are opened anew take no news of orders along. `dead_man`
    is None where the exchange has no such timer.
    """

    exchange: UnifiedExchange
    public: UnifiedExchange
    venue: ExchangeVenue
    kill: KillVenue
    rights: Callable[[], Awaitable[KeyRights]]
    dead_man: DeadMan | None

    async def refuse_withdrawal_key(self) -> None:
        """Raise VenueUnavailable, with a sentence, for a key that can take money out, and while that is not known."""
        try:
            rights = await self.rights()
        except CallFailed as failed:
            if failed.cause in _NOT_TOLD:
                return
            raise VenueUnavailable(f"What the key may do is not known yet. {failed.message}") from None
        if rights.withdraw:
            raise VenueUnavailable(
                "This key can withdraw money: whoever gets hold of it can take it away. Switch withdrawals off on the "
                "exchange's page of this key, or run `gridbot exchange test --accept-withdrawal-key`."
            )


@value
class Prices:
    """Where prices come from, and the clients of other exchanges that were opened for them."""

    feed: ExchangeFeed
    others: tuple[UnifiedExchange, ...]

    async def close(self) -> None:
        """End the other exchanges' clients."""
        for exchange in self.others:
            await exchange.close()


def open_client(
    exchange_id: str, *, base_url: str | None, key: ExchangeKey | None, fee: Decimal | None = None
) -> UnifiedExchange:
    """Return a client that is opened by its first call; ConfigError for an exchange that nobody knows.

    `fee` is the configured fraction for one that does not tell its fee.
    """
    if exchange_id == FIRI:
        return FiriClient(base_url=base_url, key=key, pace=FiriPace(), fee_rate=FEE_RATE if fee is None else fee)
    _refuse_unknown(exchange_id)
    return CcxtClient(exchange_id, base_url=base_url, key=key, budget=Budget())


def open_live(
    exchange_id: str,
    *,
    base_url: str | None,
    key: ExchangeKey,
    fee: Decimal | None,
    clock: Clock,
    known: Known,
    ours: Callable[[OrderId], bool],
    creates_stopped: Callable[[], bool],
    tell: Tell,
) -> Live:
    """Return an exchange to trade at; the kill switch's client gets ready as soon as the markets were read."""
    capability = capability_of(exchange_id)
    kill: KillVenue
    exchange: UnifiedExchange
    public: UnifiedExchange
    rights: Callable[[], Awaitable[KeyRights]]
    dead_man: DeadMan | None = None
    if exchange_id == FIRI:
        pace = FiriPace()
        rate = FEE_RATE if fee is None else fee
        exchange = FiriClient(base_url=base_url, key=key, pace=pace, fee_rate=rate, creates_stopped=creates_stopped)
        kill = FiriKill(base_url=base_url, key=key, pace=pace, known=known)
        public = FiriClient(base_url=base_url, key=None, pace=pace, fee_rate=rate)
        rights = _untold
    else:
        _refuse_unknown(exchange_id)
        budget, precedence = Budget(), Precedence()
        make = partial(CcxtKill, capability, base_url=base_url, key=key, budget=budget, known=known)
        connection = KillConnection(make)
        dead_man = DeadManTimer(make) if capability.dead_man else None
        exchange = client = _Heard(
            exchange_id,
            base_url=base_url,
            key=key,
            budget=budget,
            creates_stopped=creates_stopped,
            precedence=precedence,
            heard=connection.arm,
        )
        public = CcxtClient(exchange_id, base_url=base_url, key=None, budget=budget, precedence=precedence)
        kill, rights = connection, partial(read_permissions, client)
    venue = ExchangeVenue(exchange, capability, clock=clock, known=known, ours=ours, tell=tell)
    return Live(exchange, public, venue, kill, rights, dead_man)


def open_kill(exchange_id: str, *, base_url: str | None, key: ExchangeKey, known: Known) -> KillVenue:
    """Return the kill switch's client alone, for a process that stops an account which it does not trade itself."""
    if exchange_id == FIRI:
        return FiriKill(base_url=base_url, key=key, pace=FiriPace(), known=known)
    _refuse_unknown(exchange_id)
    return CcxtKill(capability_of(exchange_id), base_url=base_url, key=key, budget=Budget(), known=known)


def open_feed(
    home: UnifiedExchange, *, markets: Sequence[Symbol], signals: Sequence[Symbol], clock: Clock, tell: Tell
) -> Prices:
    """Return the prices of `markets` at `home`, and of the markets that signals are read from (exchange:symbol)."""
    exchanges: dict[str, UnifiedExchange] = {home.id: home}
    for market in signals:
        name, colon, _ = market.partition(":")
        if colon and name not in exchanges:
            exchanges[name] = open_client(name, base_url=None, key=None)
    feed = ExchangeFeed(
        exchanges,
        home=home.id,
        markets=markets,
        signal_markets=signals,
        clock=clock,
        tell=lambda sentence: tell("prices", sentence),
    )
    return Prices(feed, tuple(exchange for exchange in exchanges.values() if exchange is not home))


async def _untold() -> KeyRights:
    return UNTOLD


class _Heard(CcxtClient):
    """A client that hands on the markets that it has read."""

    def __init__(
        self,
        exchange_id: str,
        *,
        base_url: str | None,
        key: ExchangeKey,
        budget: Budget,
        creates_stopped: Callable[[], bool],
        precedence: Precedence,
        heard: Callable[[Mapping[str, Unified]], None],
    ) -> None:
        super().__init__(
            exchange_id,
            base_url=base_url,
            key=key,
            budget=budget,
            creates_stopped=creates_stopped,
            precedence=precedence,
        )
        self._heard = heard

    async def load_markets(self) -> Mapping[str, Unified]:
        markets = await super().load_markets()
        self._heard(markets)
        return markets


def exchange_ids() -> tuple[str, ...]:
    """Return every exchange's name, sorted: those of ccxt that are here, by the names of its modules, and Firi.

    The packaged application has those that were looked into, and no files of modules, so the importers are asked.
    """
    found = importlib.util.find_spec("ccxt")
    places = [] if found is None else found.submodule_search_locations or []
    modules = pkgutil.iter_modules([str(Path(place) / "async_support") for place in places])
    return tuple(sorted({each.name for each in modules if not each.ispkg} | {FIRI}))


def _refuse_unknown(exchange_id: str) -> None:
    """Raise ConfigError for a name that ccxt does not have, from its list of names, without importing any of them."""
    known = exchange_ids()
    if exchange_id not in known:
        near = get_close_matches(exchange_id, known, n=1)
        hint = f"Did you mean {near[0]!r}? " if near else ""
        raise ConfigError(
            f"exchange.id: there is no exchange {exchange_id!r}.",
            hint=f"{hint}`gridbot exchange list` names all that are here.",
        )


def public_rules(exchange: UnifiedExchange, *, clock: Clock) -> MarketRules:
    """Return what reads markets, their rules and best prices by public requests alone."""
    capability = capability_of(exchange.id)

    async def remeasure() -> None:
        await exchange.fetch_time()

    return MarketRules(exchange, capability, Reader(clock, capability.name, remeasure), clock)


def public_instruments(exchange: UnifiedExchange, *, clock: Clock) -> Callable[[Symbol], Awaitable[Instrument]]:
    """Return what reads a market's rules by public requests alone."""
    return public_rules(exchange, clock=clock).instrument
