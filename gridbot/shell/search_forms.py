"""What is searched and what came of it as plain data, there and back; data that is no search is a StateFileError."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from gridbot.errors import StateFileError
from gridbot.shell.research_forms import trial_data, trial_of
from gridbot.shell.search_desk import (
    Course,
    HoldOut,
    KeptSearch,
    Knob,
    Objective,
    Round,
    Score,
    Search,
    Settings,
    Span,
    Try,
    WalkForward,
    WholeSearch,
)

_BROKEN = (KeyError, TypeError, ValueError, AttributeError, ArithmeticError)


def search_data(search: Search) -> dict[str, Any]:
    """Return what is searched as plain data."""
    return {
        "trial": trial_data(search.trial),
        "knobs": [{"path": knob.path, "texts": list(knob.texts)} for knob in search.knobs],
        "plan": _plan_data(search.plan),
        "objective": search.objective.value,
        "tries": search.tries,
        "seed": search.seed,
        "least_trips": search.least_trips,
    }


def search_of(told: Mapping[str, Any]) -> Search:
    """Return what is searched; StateFileError for data that is none."""
    try:
        return Search(
            trial=trial_of(told["trial"]),
            knobs=tuple(Knob(str(each["path"]), tuple(str(text) for text in each["texts"])) for each in told["knobs"]),
            plan=_plan_of(told["plan"]),
            objective=Objective(told["objective"]),
            tries=int(told["tries"]),
            seed=int(told["seed"]),
            least_trips=int(told["least_trips"]),
        )
    except _BROKEN as error:
        raise _damaged(error) from error


def head_data(kept: KeptSearch) -> dict[str, Any]:
    """Return a search as it stands in the list, without its id, as plain data."""
    return {
        "made": kept.made,
        "quote": kept.quote,
        "search": search_data(kept.search),
        "rounds": [_round_data(each) for each in kept.rounds],
        "tried": kept.tried,
        "possible": kept.possible,
        "refused": kept.refused,
    }


def kept_of(id_: str, head: Mapping[str, Any]) -> KeptSearch:
    """Return a search as it stands in the list; StateFileError."""
    search = search_of(head.get("search", {}))
    try:
        rounds = tuple(_round_of(each) for each in head["rounds"])
        if not rounds:
            raise ValueError("there is no round")
        return KeptSearch(
            id=id_,
            made=int(head["made"]),
            quote=str(head["quote"]),
            search=search,
            rounds=rounds,
            tried=int(head["tried"]),
            possible=int(head["possible"]),
            refused=int(head["refused"]),
        )
    except _BROKEN as error:
        raise _damaged(error) from error


def rest_data(tries: tuple[Try, ...], course: Course) -> dict[str, Any]:
    """Return what is shown of a search beside its head, as plain data."""
    return {
        "tries": [
            {
                "settings": _pairs(each.settings),
                "seen": _score_data(each.seen),
                "worth": each.worth,
                "why": each.refused,
            }
            for each in tries
        ],
        "course": {
            "unseen_from": course.unseen_from,
            "time": course.time.tolist(),
            **{name: np.round(getattr(course, name), 8).tolist() for name in ("chosen", "present", "hold")},
        },
    }


def whole_search_of(kept: KeptSearch, rest: Mapping[str, Any]) -> WholeSearch:
    """Return a search with all that is shown of it; StateFileError."""
    try:
        course = rest["course"]
        whole = WholeSearch(
            search=kept,
            tries=tuple(_try_of(each) for each in rest["tries"]),
            course=Course(
                unseen_from=int(course["unseen_from"]),
                time=np.array(course["time"], np.int64),
                chosen=np.array(course["chosen"], np.float64),
                present=np.array(course["present"], np.float64),
                hold=np.array(course["hold"], np.float64),
            ),
        )
    except _BROKEN as error:
        raise _damaged(error) from error
    drawn = whole.course
    if len({column.shape for column in (drawn.time, drawn.chosen, drawn.present, drawn.hold)}) > 1:
        raise _damaged(None)
    return whole


def _plan_data(plan: HoldOut | WalkForward) -> dict[str, Any]:
    match plan:
        case HoldOut(share=share):
            return {"kind": "hold_out", "share": f"{share:f}"}
        case WalkForward(train=train, test=test, anchored=anchored):
            return {"kind": "walk_forward", "train_ms": train, "test_ms": test, "anchored": anchored}


def _plan_of(told: Mapping[str, Any]) -> HoldOut | WalkForward:
    match told["kind"]:
        case "hold_out":
            return HoldOut(Decimal(told["share"]))
        case "walk_forward":
            return WalkForward(int(told["train_ms"]), int(told["test_ms"]), anchored=bool(told["anchored"]))
        case other:
            raise ValueError(f"no plan is called {other}")


def _round_data(one: Round) -> dict[str, Any]:
    return {
        "train": [one.train.first, one.train.until],
        "test": None if one.test is None else [one.test.first, one.test.until],
        "chosen": None if one.chosen is None else _pairs(one.chosen),
        **{name: _score_data(getattr(one, name)) for name in ("seen", "unseen", "present")},
    }


def _round_of(told: Mapping[str, Any]) -> Round:
    return Round(
        train=_span_of(told["train"]),
        test=None if told["test"] is None else _span_of(told["test"]),
        chosen=None if told["chosen"] is None else _settings_of(told["chosen"]),
        seen=_score_of(told["seen"]),
        unseen=_score_of(told["unseen"]),
        present=_score_of(told["present"]),
    )


def _try_of(told: Mapping[str, Any]) -> Try:
    worth = told["worth"]
    return Try(
        settings=_settings_of(told["settings"]),
        seen=_score_of(told["seen"]),
        worth=None if worth is None else float(worth),
        refused=str(told["why"]),
    )


def _score_data(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "began": score.began,
        **{name: f"{getattr(score, name):f}" for name in ("profit", "return_", "drawdown", "fees")},
        "hold": None if score.hold is None else f"{score.hold:f}",
        "sharpe": score.sharpe,
        "round_trips": score.round_trips,
        "halt": score.halt,
    }


def _score_of(told: Mapping[str, Any] | None) -> Score | None:
    if told is None:
        return None
    began, hold, sharpe = told["began"], told["hold"], told["sharpe"]
    return Score(
        began=None if began is None else int(began),
        profit=Decimal(told["profit"]),
        return_=Decimal(told["return_"]),
        hold=None if hold is None else Decimal(hold),
        drawdown=Decimal(told["drawdown"]),
        sharpe=None if sharpe is None else float(sharpe),
        round_trips=int(told["round_trips"]),
        fees=Decimal(told["fees"]),
        halt=str(told["halt"]),
    )


def _span_of(told: Any) -> Span:
    first, until = told
    return Span(int(first), int(until))


def _pairs(settings: Settings) -> list[list[str]]:
    return [[path, text] for path, text in settings]


def _settings_of(told: Any) -> Settings:
    return tuple((str(path), str(text)) for path, text in told)


def _damaged(error: Exception | None) -> StateFileError:
    why = "" if error is None else f" ({type(error).__name__}: {error})"
    return StateFileError(f"A kept search is damaged and is left out{why}.", hint="Delete it, or search again.")
