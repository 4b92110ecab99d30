"""The venue through the real ccxt class, over real HTTP and websocket, against the sandbox exchange."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.capabilities import Capability, IdForm
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.venue import ExchangeVenue
from gridbot.adapters.system_clock import SystemClock
from gridbot.core.commands import PlaceLimit
from gridbot.core.events import OrderRef
from gridbot.core.units import (
    Asset,
    FeeCurrency,
    GridId,
    OrderId,
    Price,
    Quantity,
    Side,
    Symbol,
    TimeMs,
)
from gridbot.errors import ConfigError, Refusal
from gridbot.ports import KnownOrder
from tests.sandbox.serving import Served, run, sandbox

BTC = Symbol("BTC/USDT")
BINANCE = Capability(
    id="binance",
    name="Binance",
    proven=True,
    id_form=IdForm.AS_IT_IS,
    create_id="newClientOrderId",
    fetch_id="origClientOrderId",
    cancel_id="origClientOrderId",
    post_only={"postOnly": True},
    taker={"timeInForce": "IOC"},
    trades_page=1000,
    trades_window_ms=None,
    max_open_orders=200,
    cancel_all=True,
    dead_man="",
    cancels_per_s=10,
    fee_currency=FeeCurrency.BASE,
    certified={"-2010": Refusal.OTHER, "-1013": Refusal.RULES},
)


@dataclass
class Trading:
    """A venue against a sandbox, and what the engine would know of its orders."""

    served: Served
    client: CcxtClient
    venue: ExchangeVenue
    known: list[KnownOrder] = field(default_factory=list)
    told: list[tuple[str, str]] = field(default_factory=list)


def order(
    number: int, *, side: Side = Side.BUY, price: str = "70000", quantity: str = "0.01", **kind: bool
) -> PlaceLimit:
    """Return an order of ours."""
    ref = OrderRef(GridId("btc"), number, OrderId(f"gbaaaaa000001{number:05d}"))
    taker = kind.get("taker", False)
    post_only = kind.get("post_only", not taker)
    return PlaceLimit(ref, BTC, side, Price(D(price)), Quantity(D(quantity)), post_only, taker, Price(D(price)))


@asynccontextmanager
async def trading(folder: Path, *faults: Mapping[str, object], **changes: Any) -> AsyncIterator[Trading]:
    """Open a sandbox and a venue on it."""
    async with sandbox(folder, *faults, **changes) as served:
        key = ExchangeKey(served.key.name, served.key.secret)
        client = CcxtClient("binance", base_url=served.address, key=key, budget=Budget())
        known: list[KnownOrder] = []
        told: list[tuple[str, str]] = []
        venue = ExchangeVenue(
            client,
            BINANCE,
            clock=SystemClock(),
            known=lambda symbol: [each for each in known if each.symbol == symbol],
            ours=lambda id_: id_.startswith("gbaaaaa"),
            tell=lambda code, sentence: told.append((code, sentence)),
        )
        try:
            yield Trading(served, client, venue, known, told)
        finally:
            await client.close()


def test_an_order_rests_fills_and_is_booked_to_the_last_digit(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            instrument = await at.venue.instrument(BTC)
            assert (instrument.base, instrument.quote, instrument.tick_size) == ("BTC", "USDT", D("0.01"))
            before = await at.venue.balances()
            placed = order(1)
            venue_id = await at.venue.create(placed)
            found = await at.venue.find(placed.ref, BTC)
            assert found is not None
            assert (found.venue_id, found.price, found.quantity, found.open) == (venue_id, D(70000), D("0.01"), True)
            assert [each.ref.id for each in await at.venue.open_orders(BTC)] == [placed.ref.id]
            at.served.trade("69999", "1")
            (fill,) = await at.venue.trades(BTC, TimeMs(0))
            assert (fill.ref.id, fill.price, fill.quantity, fill.fee_asset) == (
                placed.ref.id,
                D(70000),
                D("0.01"),
                "BTC",
            )
            after = await at.venue.balances()
            assert after[Asset("BTC")] - before[Asset("BTC")] == fill.quantity - fill.fee
            assert before[Asset("USDT")] - after[Asset("USDT")] == D(700)

    run(test)


def test_an_unknown_market_names_the_near_ones(tmp_path: Path) -> None:
    async def test() -> None:
        async with trading(tmp_path) as at:
            with pytest.raises(ConfigError, match="no market BTC/USD") as caught:
                await at.venue.instrument(Symbol("BTC/USD"))
            assert "BTC/USDT" in caught.value.hint

    run(test)
