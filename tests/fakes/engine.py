"""A real engine thread on a real disk and a demo venue, at a market that hardly moves, for tests of the kill switch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event

from gridbot.adapters.files.home import Home
from gridbot.bootstrap import open_engine
from gridbot.config import AppConfig, default_config, parse_config
from gridbot.shell.engine_thread import EngineThread


def settings(**changes: object) -> AppConfig:
    return parse_config(json.dumps({**default_config().to_data(), **changes}), source="a test")


def until(true: Callable[[], object], *, turns: int = 3_000) -> bool:
    """Tell whether something became true within so many hundredths of a second; only a failure takes them all."""
    pause = Event()
    for _ in range(turns):
        if true():
            return True
        pause.wait(0.01)
    return False


@contextmanager
def trading(home: Path, config: AppConfig | None = None) -> Iterator[EngineThread]:
    """An engine that trades in its own thread; it is stopped afterwards."""
    engine = open_engine(Home(home), config or settings())
    engine.start()
    try:
        yield engine
    finally:
        engine.stop()


def open_orders(engine: EngineThread) -> int:
    return len(engine.facade.view().snapshot.orders)
