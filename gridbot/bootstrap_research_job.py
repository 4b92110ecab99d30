"""One backtest from its wish to its files, in a process of its own: get the candles, run, keep what came of it."""

from __future__ import annotations

import asyncio
import gc
import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import orjson

from gridbot import __version__
from gridbot.adapters.exchange.candle_download import CandleDownload
from gridbot.adapters.exchange.opening import open_client, public_instruments
from gridbot.adapters.exchange.unified import UnifiedExchange
from gridbot.adapters.files.disk import SystemDisk
from gridbot.adapters.files.home import Home
from gridbot.adapters.files.kept_runs import FOLDER, KeptRuns
from gridbot.adapters.files.whole import save_whole
from gridbot.adapters.market_files.candle_cache import LOCK, CandleCache, market_folder
from gridbot.adapters.market_files.candle_files import load_candles
from gridbot.adapters.system_clock import SystemClock
from gridbot.config import GridConfig, InstrumentConfig, parse_config, parse_grid_or_app
from gridbot.core.candles import Candle
from gridbot.core.rules import Instrument, RiskRules
from gridbot.core.units import Symbol
from gridbot.core.values import evolve
from gridbot.errors import AlreadyRunning, ConfigError, EnvironmentProblem, VenueUnavailable
from gridbot.research.backtest import run_backtest
from gridbot.research.period import cut
from gridbot.research.record import drawn, figures
from gridbot.shell.research_desk import CandleChoice, DataKind, Trial
from gridbot.shell.research_forms import trial_data
from gridbot.sim.candle_arrays import CandleArrays
from gridbot.sim.demo_feed import GeneratedSource, demo_instrument
from gridbot.sim.generated_market import MARKET_EPOCH, MINUTE_MS

Tell = Callable[[str, float | None], None]
"""Is told what is done, and how far it is (0 to 1, None where nobody knows)."""
RULES = "market.json"
FRESH_MS = 86_400_000
"""So long a market's rules and fees are taken as they were told."""
DEMO_DAYS = 365
"""How much of the generated market is taken where no end is said."""
_UNSAFE = re.compile(r"[^A-Za-z0-9.-]")


def run_job(home: Home, trial: Trial, *, tell: Tell) -> str:
    """Do a backtest and keep it; return its id. Raises what is wrong with the wish, the candles or the disk."""
    grid = grid_of(trial.grid)
    candles, instrument = candles_and_rules(home, trial.data, grid, tell)
    rules = grid.to_rules()
    if rules.instrument is None:
        rules = evolve(rules, instrument=instrument)
    tell(f"Running over {len(candles):,} candles.", 0.0)
    risk = risk_of(trial.risk)
    # A run makes no reference cycles, and the collector would walk every fill that it keeps, again and again.
    gc.disable()
    result = run_backtest(
        candles,
        rules,
        fills=trial.fills,
        latency_ms=trial.latency_ms,
        risk=risk,
        equity=trial.equity,
        progress=lambda done, total: tell(f"Running over {total:,} candles.", done / total),
        stopwatch=SystemClock().monotonic,
    )
    gc.enable()
    tell("Keeping the result.", 1.0)
    assert rules.instrument is not None
    runs, made = KeptRuns(SystemDisk(), home.root / FOLDER), SystemClock().now_ms()
    id_ = runs.free_id(name_of(rules.symbol, made))
    told = with_rules(trial, grid, rules.instrument)
    head = {"made": made, "gridbot": __version__, "trial": trial_data(told), "figures": figures(result, candles)}
    runs.save(id_, head, drawn(result, candles))
    return id_


def name_of(symbol: Symbol, made: int) -> str:
    """Return how a result is called that was made then (ms UTC): newer ones sort behind older ones."""
    return f"{datetime.fromtimestamp(made / 1000, UTC):%Y%m%d-%H%M%S}-{_UNSAFE.sub('-', symbol).lower()}"


def with_rules(trial: Trial, grid: GridConfig, instrument: Instrument) -> Trial:
    """Return the trial with the rules of the market that it was made under."""
    tested = grid.model_copy(update={"instrument": _as_config(instrument)})
    return evolve(trial, grid=json.dumps(tested.to_data()))


# ------------------------------------------------------------------------------------------ the candles


def candles_and_rules(
    home: Home, data: CandleChoice, grid: GridConfig, tell: Tell
) -> tuple[CandleArrays, Instrument | None]:
    """Return the candles of a choice, and the market's rules and fees where the choice knows them (a file does not)."""
    match data.kind:
        case DataKind.FILE:
            tell(f"Reading {Path(data.place).name}.", None)
            return cut(load_candles(Path(data.place)), data.first, data.until), None
        case DataKind.DEMO:
            tell("Making the demo market.", None)
            first = MARKET_EPOCH if data.first is None else max(data.first, MARKET_EPOCH)
            until = first + DEMO_DAYS * 86_400_000 if data.until is None else data.until
            source = GeneratedSource(data.seed, data.symbol)
            begin = source.first_from(first)
            count = max(0, (until - source.candles(begin, 1).open_time[0].item()) // MINUTE_MS)
            return cut(source.candles(begin, count), first, until), demo_instrument(data.symbol)
        case DataKind.EXCHANGE:
            return asyncio.run(_from_exchange(home, data, tell, own_rules=grid.instrument is not None))


async def _from_exchange(
    home: Home, data: CandleChoice, tell: Tell, *, own_rules: bool
) -> tuple[CandleArrays, Instrument | None]:
    """Return candles of an exchange, downloading what was never asked for, and the market's rules where wanted."""
    disk = SystemDisk()
    folder = market_folder(
        home.candles, exchange=data.place, base_url=data.base_url, symbol=data.symbol, timeframe=data.timeframe
    )
    disk.make_folder(folder)
    try:
        held = disk.lock(folder / LOCK)
    except AlreadyRunning:
        raise EnvironmentProblem(
            f"Another backtest is downloading candles of {data.symbol}.", hint="Wait until it has ended."
        ) from None
    exchange = open_client(data.place, base_url=data.base_url, key=None)
    try:
        cache = CandleCache(disk, folder, data.timeframe)
        rules = None if own_rules else await _rules(exchange, disk, folder, data.symbol, tell)
        first, until = await _downloaded(exchange, cache, data, tell)
        tell("Reading the candles.", None)
        return cut(cache.read(first, until), first, until), rules
    finally:
        await exchange.close()
        held.release()


async def _downloaded(exchange: UnifiedExchange, cache: CandleCache, data: CandleChoice, tell: Tell) -> tuple[int, int]:
    """Download what is missing; return the span (ms UTC), which ends with the newest candle that has closed."""
    step, clock = data.timeframe, SystemClock()
    kept = 0
    wanted = 1

    def keep(candles: Sequence[Candle], begin: int, end: int) -> None:
        nonlocal kept
        cache.keep(candles, begin, end)
        kept += (end - begin) // step

    def said(_at: int, trouble: str) -> None:
        sentence = f"Downloading candles of {data.symbol} from {data.place}: {min(kept, wanted):,} of {wanted:,}."
        tell(f"{trouble} {sentence}".strip(), kept / wanted)

    download = CandleDownload(exchange, clock, data.symbol, step, keep=keep, tell=said)
    if data.first is None:
        raise ConfigError("The period has no beginning.", hint="Say from which day on candles are wanted.")
    first = -(-data.first // step) * step
    until: int = clock.now_ms() if data.until is None else data.until
    cache.forget_damaged(first, until)
    # What lies in the past for certain needs no look at the exchange's clock, and so no connection.
    if cache.missing(first, until // step * step):
        tell(f"Asking {data.place}.", None)
        until = min(until, await download.newest())
    until = until // step * step
    spans = cache.missing(first, until)
    wanted = max(1, sum((end - begin) // step for begin, end in spans))
    for begin, end in spans:
        said(begin, "")
        await download.run(begin, end)
    return first, until


async def _rules(exchange: UnifiedExchange, disk: SystemDisk, folder: Path, symbol: Symbol, tell: Tell) -> Instrument:
    """Return a market's rules and fees: those that were told today, else as the exchange tells them now.

    Where the exchange is away, those that it told last.
    """
    now, kept = SystemClock().now_ms(), _kept_rules(disk, folder)
    if kept is not None and now - FRESH_MS < kept[0] <= now:
        return kept[1].to_rules(symbol)
    tell(f"Asking {exchange.id} for the rules and fees of {symbol}.", None)
    try:
        found = await public_instruments(exchange, clock=SystemClock())(symbol)
    except VenueUnavailable:
        if kept is None:
            raise
        return kept[1].to_rules(symbol)
    told = {"read_at": now, "rules": _as_config(found).model_dump(mode="json")}
    save_whole(disk, folder / RULES, orjson.dumps(told))
    return found


def _kept_rules(disk: SystemDisk, folder: Path) -> tuple[int, InstrumentConfig] | None:
    """Return when a market's rules were told last, and what they were; None where nobody knows."""
    content = disk.read(folder / RULES)
    try:
        told = None if content is None else orjson.loads(content)
        return None if told is None else (int(told["read_at"]), InstrumentConfig.model_validate(told["rules"]))
    except (orjson.JSONDecodeError, ValueError, KeyError, TypeError):
        # Damaged: they are asked for again.
        return None


# ------------------------------------------------------------------------------------------- the wish


def grid_of(text: str) -> GridConfig:
    """Return the grid of a wish; ConfigError."""
    return parse_grid_or_app(text, source="The grid").grids[0]


def risk_of(text: str) -> RiskRules | None:
    """Return the account's limits of a wish, None where they are off; ConfigError."""
    if not text:
        return None
    return parse_config(json.dumps({"risk": json.loads(text)}), source="The account's limits").risk.to_rules()


def _as_config(instrument: Instrument) -> InstrumentConfig:
    return InstrumentConfig(
        tick_size=instrument.tick_size,
        lot_size=instrument.lot_size,
        min_qty=instrument.min_qty,
        min_notional=instrument.min_notional,
        maker_fee=instrument.maker_fee,
        taker_fee=instrument.taker_fee,
        fee_currency=instrument.fee_currency,
    )
