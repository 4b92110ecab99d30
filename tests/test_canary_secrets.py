"""[I28] A live run with faults, at DEBUG, leaves no key, secret, passphrase or signature anywhere that can be read.

Each secret is a canary: it is looked for as it is, quoted for an address, escaped and in base64, in every file below
gridbot's folder (packed ones unpacked), in everything that the command line prints and exports, in whatever any library
logs, in tracebacks, and in every text that a window shows. The signatures are those that ccxt really made.
"""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import logging
import os
import sys
import traceback
import zipfile
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from ccxt.base.exchange import BaseExchange
from PySide6.QtCore import QAbstractListModel, QModelIndex
from PySide6.QtWidgets import QAbstractItemView, QApplication, QLabel, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from gridbot.adapters.exchange.budget import Budget
from gridbot.adapters.exchange.ccxt_client import CcxtClient
from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_files import AccountName
from gridbot.adapters.logbook.masking import MASKED
from gridbot.bootstrap import open_engine
from gridbot.bootstrap_restore import Restoring
from gridbot.bootstrap_upkeep import UpkeepRoom
from gridbot.cli import ending
from gridbot.cli_app import known_secrets
from gridbot.core.orders import OrderState
from gridbot.core.snapshot import OrderView
from gridbot.core.units import Mode
from gridbot.gui.window import TITLES, Window
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.errand_thread import Errand
from gridbot.shell.errands import Desks
from gridbot.shell.upkeep_desk import WriteBundle
from tests.fakes.engine import settings, until
from tests.gui.fake_facade import MemoryStore
from tests.gui.fake_keys import FakeKeys
from tests.sandbox.in_thread import sandbox_thread
from tests.sandbox.serving import Served

PASSPHRASE = "canary four words of nonsense"
NOTIFY = "json://canaryUser:canaryPass7f3a@127.0.0.1:9/canaryTopic5521"
HEARTBEAT = "http://127.0.0.1:9/canaryBeat88f1e2"
NAMED = ("canaryPass7f3a", "canaryTopic5521", "canaryBeat88f1e2")
FAULTS: tuple[Mapping[str, object], ...] = (
    {"match": "POST /api/v3/order", "do": "drop", "when": "after", "from": 2, "count": 1},
    {"match": "POST /api/v3/order", "do": "status", "status": 502, "when": "before", "from": 4, "count": 1},
    {"match": "POST /api/v3/order", "do": "html", "when": "after", "from": 6, "count": 1},
    {"match": "POST /api/v3/order", "do": "truncate", "when": "after", "from": 8, "count": 1},
    {"match": "GET /api/v3/openOrders", "do": "html", "from": 2, "count": 1},
    {
        "match": "GET /api/v3/openOrders",
        "do": "error",
        "code": -2015,
        "message": "Invalid API-key",
        "from": 4,
        "count": 1,
    },
    {"match": "GET /api/v3/myTrades", "do": "reset", "from": 2, "count": 1},
    {"match": "GET /api/v3/account", "do": "null", "from": 3, "count": 1},
    {"match": "WS executionReport", "do": "malformed_ws", "from": 5, "count": 1},
)


# What apprise imports to be older Pythons' friend.
pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


class Canaries:
    """What must not be found, in every form in which a text may quote it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self.forms: set[str] = set()
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        for each in secrets:
            assert len(each) >= 8, each
            self.forms |= {each, quote(each, safe=""), quote_plus(each), json.dumps(each)[1:-1]}
            self.forms.add(b64encode(each.encode()).decode())

    def found_in(self, text: str) -> list[str]:
        return [form for form in self.forms if form in text]


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every signature that ccxt makes from here on."""
    made: list[str] = []
    real = BaseExchange.hmac

    def signed(*arguments: Any, **named: Any) -> Any:
        result = real(*arguments, **named)
        made.append(result if isinstance(result, str) else b64encode(result).decode())
        return result

    monkeypatch.setattr(BaseExchange, "hmac", staticmethod(signed))
    return made


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    monkeypatch.setenv("GRIDBOT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("GRIDBOT_SECRET_NOTIFY_URLS", NOTIFY)
    monkeypatch.setenv("GRIDBOT_SECRET_BEAT", HEARTBEAT)
    return folder


def every_text(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the content of each file, packed ones unpacked."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            yield from _unpacked(str(path), path.read_bytes())


def _unpacked(name: str, content: bytes) -> Iterator[tuple[str, str]]:
    if content[:2] == b"\x1f\x8b":
        yield from _unpacked(f"{name}, unpacked", gzip.decompress(content))
    elif content[:4] == b"PK\x03\x04":
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            for each in packed.namelist():
                yield from _unpacked(f"{name}: {each}", packed.read(each))
    yield name, content.decode("utf-8", errors="replace")


def every_widget_text(root: QWidget) -> str:
    """Return all that any widget says, holds or would show after scrolling."""
    texts: list[str] = []
    for top in {root, *QApplication.topLevelWidgets()}:
        for each in (top, *top.findChildren(QWidget)):
            texts += [each.accessibleName(), each.accessibleDescription(), each.toolTip(), each.windowTitle()]
            if isinstance(each, QLabel | QLineEdit):
                texts.append(each.text())
            elif isinstance(each, QPlainTextEdit):
                texts.append(each.toPlainText())
            elif isinstance(each, QAbstractItemView) and each.model() is not None:
                model = each.model()
                columns = 1 if isinstance(model, QAbstractListModel) else model.columnCount(QModelIndex())
                texts += [
                    str(model.index(row, column).data())
                    for row in range(model.rowCount(QModelIndex()))
                    for column in range(columns)
                ]
    return "\n".join(texts)


def keep_key(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{served.key.name}\n{served.key.secret}\n"))
    assert ending(["exchange", "key", "set"]) == 0


def trade(engine: EngineThread, served: Served) -> None:
    """Let the grid trade through the faults until its orders rest and others have bought and sold.

    So many requests fail that the breaker may take the orders back before anybody has sold to them: they are laid anew
    when it has closed, and it is sold again.
    """

    def resting() -> list[OrderView]:
        return [order for order in engine.facade.view().snapshot.orders if order.state is OrderState.OPEN]

    for _ in range(10):
        assert until(lambda: len(resting()) > 5), engine.facade.view().problems
        highest = max((order.price for order in resting()), default=None)
        if highest is None:
            continue
        asyncio.run(served.ask("trade", {"symbol": "BTCUSDT", "price": str(highest), "amount": "5", "side": "sell"}))
        if until(lambda: engine.facade.view().snapshot.fills > 0, turns=1_000):
            return
    pytest.fail(f"Nothing was sold to the grid: {engine.facade.view().problems}")


def every_tab(engine: EngineThread, qtbot: QtBot) -> str:
    """Return all that a window on this engine shows, tab by tab."""
    window = Window(engine.facade, MemoryStore(), Desks(keys=FakeKeys()))
    qtbot.addWidget(window)
    window.drain.stop()
    shown = ""
    for number in range(len(TITLES)):
        window.tabs.setCurrentIndex(number)
        window.drain.take()
        shown += every_widget_text(window)
    window.close()
    return shown


def export_all(home: Path) -> None:
    """Let the command line tell and write whatever it can of the account."""
    for command in (
        ["status", "--json", "--mode", "live"],
        ["export", "logs", "--to", str(home / "exported.jsonl")],
        ["export", "logs", "--to", str(home / "exported.csv")],
        ["export", "fills", "--to", str(home / "fills.csv"), "--mode", "live"],
        ["export", "state", "--to", str(home / "exported-state.json"), "--mode", "live"],
        ["backup", "--to", str(home / "backup.zip"), "--with-logs"],
        ["doctor", "--json"],
        ["config", "show"],
    ):
        assert ending(command) in {0, 2}, command
    restoring = Restoring(Home(home), own=AccountName(Mode.LIVE, "default"), stop_engine=None)
    room = UpkeepRoom(Home(home), os.environ, known_secrets(), restoring=restoring, autostart=None)
    groups = frozenset({"Versions and checks", "Configuration", "Logs", "Journal", "Crash reports"})
    room.work(WriteBundle(home / "bundle.zip", groups), Errand())
    with zipfile.ZipFile(home / "bundle.zip") as packed:
        assert {"logs/gridbot.jsonl", "doctor.txt", "config.json"} <= set(packed.namelist())


# Qt's offscreen platform says of each dialog what it cannot do.
@pytest.mark.qt_log_ignore("This plugin does not support (propagateSizeHints|raise)")
def test_a_live_run_with_faults_at_debug_leaves_no_secret_anywhere(
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    signatures: list[str],
    qtbot: QtBot,
) -> None:
    caplog.set_level(logging.DEBUG)
    with sandbox_thread(tmp_path / "sandbox", *FAULTS) as served:
        config = settings(
            mode="live",
            exchange={"id": "binance", "base_url": served.address},
            logging={"level": "DEBUG"},
            notifications={"urls_secret": "notify-urls"},
            heartbeat_url_secret="beat",
        )
        (home / "config.json").write_text(config.to_json(), "utf-8")
        keep_key(served, monkeypatch)
        canaries = Canaries([served.key.name, served.key.secret, PASSPHRASE, NOTIFY, HEARTBEAT, *NAMED])
        spoken: list[str] = []
        engine = open_engine(
            Home(home), config, environment=os.environ, mask=known_secrets(), resume=True, hear=spoken.append
        )
        engine.start()
        try:
            trade(engine, served)
            shown = every_tab(engine, qtbot)

            def broken(*_: object, **__: object) -> object:
                raise RuntimeError(
                    f"a bug quotes {served.key.secret}, apiKey={served.key.name} and https://x/y?a=1&signature={signatures[-1]}"
                )

            # A bug in the middle of trading: what it quotes must not get into the report.
            monkeypatch.setattr("gridbot.shell.state_keeper.step", broken)
            assert until(lambda: list((home / "crashes").glob("*")))
        finally:
            engine.stop()
    monkeypatch.undo()
    monkeypatch.setenv("GRIDBOT_HOME", str(home))
    export_all(home)
    streams = capfd.readouterr()
    assert len(signatures) > 20
    canaries.add(set(signatures))
    places = {
        "stdout": streams.out,
        "stderr": streams.err,
        "the libraries' logs": "\n".join(f"{r.getMessage()} {r.args} {r.exc_text}" for r in caplog.records),
        "what a person is told": "\n".join(spoken),
        "the window": shown,
        **dict(every_text(home)),
    }
    assert any("crash" in name for name in places) and any("journal" in name for name in places)
    assert any(MASKED in text for name, text in places.items() if "crash" in name)
    leaks = {name: canaries.found_in(text) for name, text in places.items()}
    assert not any(leaks.values()), {name: found for name, found in leaks.items() if found}


CALLS: tuple[tuple[str, tuple[object, ...]], ...] = (
    ("fetch_balance", ()),
    ("create_order", ("BTC/USDT", "buy", "0.001", "20000", {"newClientOrderId": "gbcanary0000000001"})),
    ("fetch_open_orders", ("BTC/USDT",)),
    ("cancel_order", ("7", "BTC/USDT", {})),
    ("fetch_my_trades", ("BTC/USDT", None, 10, {})),
)
ANSWERS: tuple[Mapping[str, object], ...] = (
    {"do": "drop"},
    {"do": "status", "status": 502},
    {"do": "error", "code": -1022, "message": "Signature for this request is not valid."},
    {"do": "html"},
    {"do": "null"},
    {"do": "truncate"},
    {"do": "wrong_symbol"},
)


@pytest.mark.parametrize("reply", ANSWERS, ids=lambda reply: str(reply["do"]))
def test_a_failed_call_carries_no_secret_and_nothing_behind_it_does(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, signatures: list[str], reply: Mapping[str, object]
) -> None:
    caplog.set_level(logging.DEBUG)
    # The class fetches the markets first; only what is signed is to fail.
    faults = [{**reply, "match": f"{method} /api/v3/{path}"} for method, path in _SIGNED]

    async def call_all(served: Served) -> list[str]:
        told: list[str] = []
        key = ExchangeKey(served.key.name, served.key.secret, "canaryPassphrase")
        client = CcxtClient("binance", base_url=served.address, key=key, budget=Budget())
        try:
            for name, arguments in CALLS:
                try:
                    answer = await getattr(client, name)(*arguments)
                    told.append(repr(answer))
                except CallFailed as failed:
                    told.append("".join(traceback.format_exception(failed)) + repr(failed.__dict__))
                    told += [repr(each) for each in _behind(failed)]
            return [*told, f"{client!r} {key!r} {key}"]
        finally:
            await client.close()

    with sandbox_thread(tmp_path / "sandbox", *faults) as served:
        told = asyncio.run(call_all(served))
        canaries = Canaries([served.key.name, served.key.secret, "canaryPassphrase"])
    canaries.add(set(signatures))
    assert len(signatures) >= len(CALLS)
    logged = "\n".join(f"{r.getMessage()} {r.args} {r.exc_text}" for r in caplog.records)
    for text in (*told, logged):
        assert not canaries.found_in(text), text


_SIGNED = (
    ("GET", "account"),
    ("POST", "order"),
    ("GET", "openOrders"),
    ("DELETE", "order"),
    ("GET", "myTrades"),
)


def _behind(error: BaseException) -> Iterator[BaseException]:
    """Yield the errors that a log or a debugger would show behind this one."""
    for each in (error.__cause__, error.__context__):
        if each is not None:
            yield each
            yield from _behind(each)


def test_the_dry_run_of_the_same_account_knows_no_key(home: Path) -> None:
    """[I22] There is nothing to leak where nothing is read: not even the file of secrets is opened."""
    config = settings(mode="dry", exchange={"id": "binance", "base_url": "http://127.0.0.1:9"})
    (home / "secrets.sealed").write_bytes(b"gridbot secrets 1 damaged\n")
    engine = open_engine(Home(home), config, environment={"GRIDBOT_PASSPHRASE": PASSPHRASE})
    engine.start()
    assert until(lambda: engine.facade.view().snapshot.mode is Mode.DRY)
    engine.stop()
    assert (home / "secrets.sealed").read_bytes() == b"gridbot secrets 1 damaged\n"
