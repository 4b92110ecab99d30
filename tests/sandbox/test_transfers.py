"""Money from outside and back: told as Binance tells it, read by the real ccxt class, kept over a restart."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from decimal import Decimal as D
from pathlib import Path

import ccxt
import pytest

from gridbot.sandbox.binance_account import LONGEST_HISTORY_MS
from gridbot.sandbox.store import Store
from tests.sandbox.serving import OPENING, client, run, sandbox


def test_a_deposit_and_a_withdrawal_are_told_once_each_with_what_they_moved(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            before = served.exchange.now()
            await served.ask("deposit", {"asset": "USDT", "amount": "12.50"})
            await served.ask("deposit", {"asset": "USDT", "amount": "-3"})
            await served.ask("deposit", {"asset": "BTC", "amount": "0.25"})
            (came,) = await exchange.fetch_deposits("USDT", before)
            assert (came["type"], came["status"], came["currency"]) == ("deposit", "ok", "USDT")
            assert D(came["amount"]) == D("12.5") and before <= came["timestamp"] <= served.exchange.now()
            (went,) = await exchange.fetch_withdrawals("USDT", before - 1_000)
            assert (went["type"], went["status"], went["currency"]) == ("withdrawal", "ok", "USDT")
            assert D(went["amount"]) == 3 and D(went["fee"]["cost"]) == 0
            # The exchange tells a withdrawal's time in seconds.
            assert before - 1_000 < went["timestamp"] <= served.exchange.now()
            everything = await exchange.fetch_deposits()
            assert [each["currency"] for each in everything] == ["USDT", "BTC"]
            assert len({each["id"] for each in [*everything, went]}) == 3
            told = {each["id"]: D(each["amount"]) for each in (await served.ask("books"))["transfers"]}
            assert told == {came["id"]: D("12.5"), went["id"]: D(-3), everything[1]["id"]: D("0.25")}

    run(test)


def test_a_transfer_that_is_not_told_is_in_the_balance_alone(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            await served.ask("deposit", {"asset": "USDT", "amount": "7", "told": False})
            await served.ask("deposit", {"asset": "BTC", "amount": "-1", "told": False})
            assert (await served.ask("deposit", {"asset": "BTC", "amount": "1", "told": 3})) != {}
            assert await exchange.fetch_deposits() == [] == await exchange.fetch_withdrawals()
            total = (await exchange.fetch_balance())["total"]
            assert D(total["USDT"]) == OPENING["USDT"] + 7 and D(total["BTC"]) == OPENING["BTC"] - 1

    run(test)


def test_pages_periods_and_assets_choose_what_is_told(tmp_path: Path) -> None:
    async def test() -> None:
        async with sandbox(tmp_path) as served, client(served) as exchange:
            await exchange.load_markets()
            for amount in range(1, 6):
                await served.ask("deposit", {"asset": "USDT", "amount": str(amount)})
                await served.ask("deposit", {"asset": "USDT", "amount": str(-amount)})
            ask = exchange.sapi_get_capital_deposit_hisrec
            assert [each["amount"] for each in await ask({"coin": "USDT"})] == ["5", "4", "3", "2", "1"]
            assert [each["amount"] for each in await ask({"limit": 2, "offset": 1})] == ["4", "3"]
            assert await ask({"coin": "BTC"}) == [] == await ask({"status": 0})
            now = served.exchange.now()
            assert await ask({"startTime": now + 60_000, "endTime": now + 120_000}) == []
            assert len(await exchange.sapi_get_capital_withdraw_history({"status": 6})) == 5
            # As long as ccxt asks for, and a moment longer.
            assert len(await ask({"startTime": now - 1_000_000, "endTime": now - 1_000_000 + LONGEST_HISTORY_MS})) == 5
            with pytest.raises(ccxt.ExchangeError, match="90 days"):
                await ask({"startTime": now, "endTime": now + LONGEST_HISTORY_MS + 1})
            stranger = {"apiKey": "a" * 64}
            async with client(served, **stranger) as other:
                with pytest.raises(ccxt.AuthenticationError):
                    await other.fetch_deposits()

    run(test)


def test_a_file_from_before_transfers_were_kept_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "sandbox.sqlite"

    async def lived(amount: str) -> list[dict[str, str]]:
        async with sandbox(tmp_path) as served:
            await served.ask("deposit", {"asset": "USDT", "amount": amount})
            transfers: list[dict[str, str]] = (await served.ask("books"))["transfers"]
            return transfers

    async def test() -> None:
        await lived("1")
        with closing(sqlite3.connect(path)) as old:
            old.execute("DROP TABLE transfers")
        assert [each["amount"] for each in await lived("2")] == ["2"]
        assert [each["amount"] for each in await lived("-3")] == ["2", "-3"]

    run(test)
    with closing(Store(path)) as store:
        assert sum(each.amount for each in store.transfers("1")) == -1
