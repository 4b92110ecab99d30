"""The wired program on a real folder and a real thread: it trades, saves, comes back, and refuses what it cannot do."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from gridbot.adapters.files.home import Home
from gridbot.adapters.logbook.log_files import timestamp
from gridbot.adapters.market_files.candle_files import save_candles
from gridbot.bootstrap import account_status, open_engine, window_preferences
from gridbot.config import AppConfig, default_config, parse_config
from gridbot.core.commands import FillBooked, PlaceLimit
from gridbot.core.units import Mode, VenueOrderId
from gridbot.errors import AlreadyRunning, ConfigError, EnvironmentProblem
from gridbot.shell.engine_thread import EngineThread
from gridbot.shell.facade import Answered, Happened, LogLine, SetRunning, StopTrading
from gridbot.sim.generated_market import GeneratedMarket
from gridbot.sim.venue import SimVenue
from tests.shared_data import DATA, needs_data

ROOT = Path(__file__).resolve().parent.parent


def fast(**changes: object) -> AppConfig:
    plain = default_config()
    return plain.model_copy(update={"demo": plain.demo.model_copy(update={"speed": 20_000, **changes})})


def until(engine: EngineThread, met: Callable[[list[Happened]], bool]) -> list[Happened]:
    """Take what happens until it is enough; the test's own time limit is the bound."""
    taken: list[Happened] = []
    while not met(taken):
        Event().wait(0.005)
        taken += engine.facade.happened()
    return taken


def fills(taken: list[Happened]) -> int:
    return sum(isinstance(item, FillBooked) for item in taken)


def test_it_trades_saves_and_comes_back_with_its_history(tmp_path: Path) -> None:
    home = Home(tmp_path)
    engine = open_engine(home, fast())
    engine.start()
    taken = until(engine, lambda taken: fills(taken) >= 3)
    lines = [item for item in taken if isinstance(item, LogLine)]
    assert any(line.action == "fill" for line in lines)
    assert all(timestamp(line.time) == json.loads(line.json)["@timestamp"] for line in lines), "as it is in the file"
    view = engine.facade.view()
    assert view.markets[0].bid is not None and view.markets[0].age_ms == 0
    assert engine.stop()
    assert not engine.facade.view().running
    status = account_status(home, mode=Mode.DEMO, account="default")
    assert status["fills"] >= 3 and not status["running"]

    again = open_engine(home, fast())
    assert len([note for note in again.facade.past() if isinstance(note, FillBooked)]) == status["fills"]
    assert again.facade.view().snapshot.fills == status["fills"]
    again.start()
    assert again.stop()


def test_a_second_process_on_the_account_is_refused_and_leaves_the_first_alone(tmp_path: Path) -> None:
    engine = open_engine(Home(tmp_path), fast())
    engine.start()
    with pytest.raises(AlreadyRunning):
        open_engine(Home(tmp_path), fast())
    assert account_status(Home(tmp_path), mode=Mode.DEMO, account="default")["running"]
    number = engine.facade.ask(SetRunning(False))
    until(engine, lambda taken: any(isinstance(item, Answered) and item.request == number for item in taken))
    assert engine.stop()
    saved = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert [grid["enabled"] for grid in saved["grids"]] == [False]


def test_the_stop_button_leaves_a_kill_file_that_status_tells(tmp_path: Path) -> None:
    home = Home(tmp_path)
    engine = open_engine(home, fast())
    engine.start()
    until(engine, lambda _: bool(engine.facade.view().snapshot.orders))
    engine.facade.ask(StopTrading("a test"))
    until(engine, lambda _: engine.facade.view().snapshot.kill is not None)
    until(engine, lambda _: not engine.facade.view().snapshot.orders)
    assert engine.stop()
    assert (tmp_path / "KILL").exists()
    status = account_status(home, mode=Mode.DEMO, account="default")
    assert status["killed"] and status["kill"]["reason"] == "a test" and status["level"] == "red"


def test_a_live_account_without_a_key_is_refused_with_a_way_out_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem) as caught:
        open_engine(Home(tmp_path), default_config().model_copy(update={"mode": Mode.LIVE}))
    assert "no key for binance" in caught.value.message and "gridbot exchange key set" in caught.value.hint
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("mode", [Mode.DRY, Mode.LIVE])
def test_an_exchange_that_nobody_knows_is_refused_with_the_nearest_name(tmp_path: Path, mode: Mode) -> None:
    config = parse_config(f'{{"mode": "{mode.value}", "exchange": {{"id": "binanse"}}}}', source="test")
    keys = {"GRIDBOT_API_KEY": "k" * 20, "GRIDBOT_API_SECRET": "s" * 20}
    with pytest.raises(ConfigError) as caught:
        open_engine(Home(tmp_path), config, environment=keys)
    assert "binanse" in caught.value.message and "'binance'" in caught.value.hint


@pytest.mark.parametrize(("exchange", "warned"), [("luno", True), ("kraken", False)])
def test_an_exchange_that_is_known_only_in_general_is_said_at_the_start_of_the_log_and_to_the_window(
    tmp_path: Path, exchange: str, warned: bool
) -> None:
    text = f'{{"mode": "dry", "exchange": {{"id": "{exchange}", "base_url": "http://127.0.0.1:9"}}, "grids": []}}'
    config = parse_config(text, source="test")
    heard: list[str] = []
    # Without a grid there is no market to ask about.
    engine = open_engine(Home(tmp_path), config, hear=heard.append)
    engine.start()
    try:
        until(engine, lambda _: engine.facade.view().beat > 0)
        words = engine.facade.view().words
    finally:
        assert engine.stop()
    said = [sentence for sentence in heard if sentence.startswith(f"gridbot knows {exchange} only in general.")]
    lines = (tmp_path / "logs" / "gridbot.jsonl").read_text("utf-8")
    assert len(said) == warned and (words.caution in heard) == warned and bool(words.notes) != warned
    assert ("exchange_unproven" in lines) == warned


def test_a_candle_file_is_replayed_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "market.parquet"
    save_candles(file, GeneratedMarket(7).candles(120_000, 30_000))
    engine = open_engine(Home(tmp_path / "home"), fast(candles=str(file), speed=1_000_000))
    engine.start()
    until(engine, lambda _: any("end" in sentence for sentence in engine.facade.view().problems))
    view = engine.facade.view()
    assert view.markets[0].exchange == "replay of market.parquet"
    assert view.snapshot.grids[0].anchor is not None
    assert engine.stop()


def save_trades(path: Path, minutes: int) -> None:
    """Write the trades of the generated market as CSV."""
    market = GeneratedMarket(7)
    made = (trade for minute in range(120_000, 120_000 + minutes) for trade in market.prints(minute))
    lines = (f"{trade.time},{trade.side.value},{trade.price},{trade.amount}" for trade in made)
    path.write_text("\n".join(["time,side,price,amount", *lines]), "utf-8")


def of_minutes(config: AppConfig) -> AppConfig:
    grid = config.grids[0]
    signal, trend = (part.model_copy(update={"timeframe": "1m"}) for part in (grid.signal, grid.trend))
    return config.model_copy(update={"grids": (grid.model_copy(update={"signal": signal, "trend": trend}),)})


def test_a_trade_file_is_replayed_to_its_end(tmp_path: Path) -> None:
    file = tmp_path / "trades.csv"
    save_trades(file, 300)
    engine = open_engine(Home(tmp_path / "home"), of_minutes(fast(candles=str(file), speed=1_000_000)))
    engine.start()
    until(engine, lambda _: any("end" in sentence for sentence in engine.facade.view().problems))
    view = engine.facade.view()
    assert view.markets[0].exchange == "replay of trades.csv"
    assert view.snapshot.grids[0].anchor is not None
    assert engine.stop()


def test_a_recording_that_is_too_short_for_the_grid_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    file, home = tmp_path / "trades.csv", tmp_path / "home"
    save_trades(file, 300)
    with pytest.raises(ConfigError) as caught:
        open_engine(Home(home), fast(candles=str(file)))
    assert "trades.csv is too short" in caught.value.message and "signal.timeframe" in caught.value.hint
    assert not home.exists()


@needs_data
def test_eleven_real_minutes_are_too_short_for_any_grid(tmp_path: Path) -> None:
    file = DATA / "trades" / "binance_BTC-USDT_trades_20240808.parquet"
    with pytest.raises(ConfigError, match="holds 12 closed bars of 1m"):
        open_engine(Home(tmp_path), of_minutes(fast(candles=str(file))))


def test_the_window_remembers_its_preferences_and_forgives_a_damaged_file(tmp_path: Path) -> None:
    store = window_preferences(Home(tmp_path))
    assert store.load() == {}
    store.save({"tab": 3})
    assert store.load() == {"tab": 3}
    (tmp_path / "ui.json").write_text("{", "utf-8")
    assert store.load() == {}


def test_a_run_without_a_window_ends_cleanly_at_a_signal(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from gridbot.adapters.files.home import Home\n"
        "from gridbot.bootstrap import run_headless\n"
        "from gridbot.config import default_config\n"
        "sys.exit(run_headless(Home(Path(sys.argv[1])), default_config()))\n"
    )
    running = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
    log = tmp_path / "logs" / "gridbot.jsonl"
    # Until its orders rest: what was only decided when the signal comes is not sent any more.
    while not (log.exists() and log.read_text("utf-8").count('"order_accepted"') >= 10):
        assert running.poll() is None
        Event().wait(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait(30) == 0
    assert account_status(Home(tmp_path), mode=Mode.DEMO, account="default")["open_orders"] == 10
    assert (tmp_path / "demo" / "default" / "state.json").exists()


def test_a_run_that_met_an_unknown_error_does_not_end_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(venue: SimVenue, order: PlaceLimit) -> VenueOrderId:
        raise KeyError(order.ref.id)

    engine = open_engine(Home(tmp_path), fast())
    monkeypatch.setattr(SimVenue, "create", breaks)
    engine.start()
    until(engine, lambda _: engine.facade.view().snapshot.kill is not None)
    assert engine.stop()
    assert not engine.ended_well()
