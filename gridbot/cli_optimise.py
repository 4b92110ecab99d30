"""`gridbot optimise`: the window's search of settings without a window, kept where the window finds it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gridbot.cli_app import app, gridbot_home
from gridbot.cli_research import (
    CandlesOption,
    ConfigOption,
    EquityOption,
    FillsOption,
    FirstOption,
    GridOption,
    JsonOption,
    LatencyOption,
    RiskOption,
    UntilOption,
    day_ms,
    money,
    number,
    settings_and_grid,
    written,
)
from gridbot.core.units import FillRule, Symbol, TimeMs
from gridbot.errors import ConfigError
from gridbot.shell.search_values import MOST_VALUES, how_many, stepped

if TYPE_CHECKING:
    from gridbot.config import AppConfig, GridConfig
    from gridbot.shell.research_desk import Trial
    from gridbot.shell.search_desk import HoldOut, Knob, Objective, Search, WalkForward

DAY_MS = 86_400_000
_NEVER_VARIED = ("id", "symbol", "held", "instrument", "signal.exchange", "signal.symbol")
"""What names the grid, its market, its rules and its coins: a search runs on these candles, under these rules."""
_STEPS = 1_000
_PARTS = re.compile(r"([^:,]+):([^:,]+):([^:,]+)")
_WALK = re.compile(r"(\d{1,4})d:(\d{1,4})d")
_VARY = "--vary"


@app.command()
def optimise(
    candles: CandlesOption,
    config: ConfigOption,
    vary: Annotated[
        list[str],
        typer.Option(
            metavar="SETTING=VALUES",
            help="A setting and what it takes: spacing.multiplier=0.5:2:0.25 (first, last, step) or levels=6,8,12. "
            "Several times for several settings.",
        ),
    ],
    grid: GridOption = None,
    judge: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Judge on the last part of the candles: 0.3 if nothing is said.")
    ] = None,
    walk_forward: Annotated[
        str | None, typer.Option(metavar="90d:30d", help="Choose on so many days, judge on the next ones, and go on.")
    ] = None,
    anchored: Annotated[
        bool, typer.Option("--anchored", help="With --walk-forward: choose on everything from the beginning on.")
    ] = False,
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="What is best: profit_to_fall, profit or sharpe.")
    ] = "profit_to_fall",
    tries: Annotated[int, typer.Option(min=1, help="How many combinations are tried at most.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Draws those that are tried, where there are more.")] = 1,
    least_trips: Annotated[
        int, typer.Option(min=0, help="Settings with fewer round trips while choosing are not chosen.")
    ] = 10,
    fills: FillsOption = FillRule.THROUGH,
    latency_ms: LatencyOption = 0,
    json: JsonOption = None,
    risk: RiskOption = False,
    equity: EquityOption = None,
    first: FirstOption = None,
    until: UntilOption = None,
) -> None:
    """Try settings of a grid on candles, and judge what was chosen on candles that the search never saw."""
    opening = money("--equity", equity, risk=risk)
    plan = _plan(judge, walk_forward, anchored=anchored)
    settings, tested = _settings(config, grid)
    from gridbot.core.values import evolve
    from gridbot.shell.search_desk import Search

    trial = evolve(
        _trial(tested, candles, first=day_ms(first), until=day_ms(until)),
        fills=fills,
        latency_ms=latency_ms,
        risk=dumps(settings.to_data()["risk"]) if risk else "",
        equity=opening,
    )
    knobs = tuple(_knob(tested, text) for text in vary)
    best = _objective(objective)
    _run(Search(trial, knobs, plan, objective=best, tries=tries, seed=seed, least_trips=least_trips), json)


def _settings(config: Path, grid: str | None) -> tuple[AppConfig, GridConfig]:
    """Return what a file says, and the grid of it that is searched; ConfigError."""
    settings, tested = settings_and_grid(config, grid)
    if tested.instrument is None:
        raise ConfigError(
            f"grid {tested.id}: a search needs to know the instrument",
            hint="Add an `instrument` block (tick_size, lot_size, fees …) to the grid's configuration.",
        )
    return settings, tested


def _run(search: Search, json: Path | None) -> None:
    """Search, keep what came of it where the window finds it, and tell."""
    from gridbot.adapters.progress_bar import ProgressBar
    from gridbot.bootstrap_search import kept_search
    from gridbot.bootstrap_search_job import run_search_job
    from gridbot.research.search_summary import search_summary

    home = gridbot_home()
    with ProgressBar("Searching") as progress:
        kept = run_search_job(
            home,
            search,
            tell=lambda sentence, share: progress.report(round((share or 0.0) * _STEPS), _STEPS, sentence),
        )
    whole = kept_search(home, kept)
    print(search_summary(whole), flush=True)
    print(f"  Kept as {kept}; the window shows it in its Backtest tab.", flush=True)
    if json is not None:
        from gridbot.adapters.result_files import write_json
        from gridbot.shell.search_forms import head_data, rest_data

        plain = {"id": kept, **head_data(whole.search), **rest_data(whole.tries, whole.course)}
        written(json, lambda path: write_json(path, plain))


def _trial(grid: GridConfig, candles: Path, *, first: int | None, until: int | None) -> Trial:
    """Return what is tested, without what is assumed of exchange and account."""
    from gridbot.shell.research_desk import CandleChoice, DataKind, Trial

    choice = CandleChoice(
        kind=DataKind.FILE,
        symbol=Symbol(grid.symbol),
        place=str(candles.absolute()),
        first=None if first is None else TimeMs(first),
        until=None if until is None else TimeMs(until),
    )
    return Trial(grid=dumps(grid.to_data()), data=choice)


def _plan(judge: str | None, walk_forward: str | None, *, anchored: bool) -> HoldOut | WalkForward:
    """Return how what is chosen is judged; typer.BadParameter."""
    from gridbot.shell.search_desk import HoldOut, WalkForward

    if walk_forward is None:
        if anchored:
            raise typer.BadParameter("it has a meaning only together with --walk-forward", param_hint="--anchored")
        share = number("--judge", judge or "0.3")
        if not 0 < share < 1:
            raise typer.BadParameter(f"it must be above 0 and below 1, such as 0.3, not {judge}", param_hint="--judge")
        return HoldOut(share)
    if judge is not None:
        raise typer.BadParameter("it has no meaning together with --walk-forward", param_hint="--judge")
    found = _WALK.fullmatch(walk_forward)
    if found is None or "0" in {found[1].lstrip("0") or "0", found[2].lstrip("0") or "0"}:
        wanted = "it must be days to choose on and days to judge on, such as 90d:30d"
        raise typer.BadParameter(f"{wanted}, not {walk_forward!r}", param_hint="--walk-forward")
    return WalkForward(int(found[1]) * DAY_MS, int(found[2]) * DAY_MS, anchored=anchored)


def _objective(name: str) -> Objective:
    """Return what is best; typer.BadParameter."""
    from gridbot.shell.search_desk import Objective

    try:
        return Objective(name.replace("-", "_"))
    except ValueError:
        known = ", ".join(Objective)
        raise typer.BadParameter(f"it must be one of {known}, not {name!r}", param_hint="--objective") from None


def _knob(grid: GridConfig, text: str) -> Knob:
    """Return the setting that a person wants varied, and its values; typer.BadParameter."""
    from gridbot.config import form_of, mistake_of_value
    from gridbot.config.mistakes import nearest
    from gridbot.shell.search_desk import Knob

    path, equals, values = (part.strip() for part in text.partition("="))
    known = sorted(each for each in form_of(grid) if not f"{each}.".startswith(tuple(f"{no}." for no in _NEVER_VARIED)))
    if not equals or not values:
        raise typer.BadParameter(f"{text!r} is no SETTING=VALUES, such as levels=6,8,12", param_hint=_VARY)
    if path not in known:
        near = nearest(path, known)
        hint = f"; did you mean {near}?" if near else f"; there is: {', '.join(known)}"
        raise typer.BadParameter(f"no setting of a grid that can be varied is called {path!r}{hint}", param_hint=_VARY)
    texts = tuple(_texts(path, values))
    for each in texts:
        mistake = mistake_of_value(grid, path, each)
        if mistake is not None:
            raise typer.BadParameter(mistake.sentence(), param_hint=_VARY)
    return Knob(path, texts)


def _texts(path: str, values: str) -> Iterator[str]:
    """Yield each value once; "none" is a setting that is not set."""
    parts = _PARTS.fullmatch(values)
    if parts is None:
        yield from dict.fromkeys("" if each.strip() == "none" else each.strip() for each in values.split(","))
        return
    first, last, step = (number(_VARY, each.strip()) for each in parts.groups())
    if step <= 0 or last < first:
        raise typer.BadParameter(
            f"{path} goes from {first:f} to {last:f} in steps of {step:f}: the first must not be above the last, and "
            "the step above 0",
            param_hint=_VARY,
        )
    count = how_many(first=first, last=last, step=step)
    if count > MOST_VALUES:
        raise typer.BadParameter(
            f"{path} would take {count:,} values, {MOST_VALUES} is the most: take a longer step", param_hint=_VARY
        )
    yield from stepped(first=first, last=last, step=step)
