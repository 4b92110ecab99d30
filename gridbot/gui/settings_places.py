"""Where each setting stands in the Settings tab: the sections in their order, their groups, and every field's name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import cache

from gridbot.config import AppConfig, Change, waits_for_start
from gridbot.core.values import evolve, value
from gridbot.gui import words
from gridbot.gui.grid_form import titles
from gridbot.gui.schema import Field, fields_of
from gridbot.gui.setting_words import meaning_of, said_value

EXCHANGE, SAFETY, STRATEGY, NOTIFICATIONS = "exchange", "safety", "strategy", "notifications"
DISPLAY, DATA, ABOUT, TEXT = "display", "data", "about", "text"
AT_NEXT_START = "From the next start on."


@value
class Group:
    """Settings under one heading: their paths, or, with a point at the end, all below one."""

    heading: str
    paths: tuple[str, ...]


@value
class Place:
    """One section: its key, title, icon and groups, and the words by which its other content is found."""

    key: str
    title: str
    icon: str
    groups: tuple[Group, ...] = ()
    words: str = ""


PLACES = (
    Place(
        EXCHANGE,
        "Exchange and keys",
        "exchange",
        (
            Group("Account", ("mode", "account")),
            Group("Exchange", ("exchange.",)),
        ),
        "api key secret passphrase test connection withdraw",
    ),
    Place(
        SAFETY,
        "Safety",
        "risk",
        (Group("Limits and breakers", ("risk.",)), Group("When gridbot falls silent", ("orders.dead_man_s",))),
        "risk stop limit breaker kill",
    ),
    Place(
        STRATEGY,
        "Strategy defaults",
        "grid",
        (
            Group("New grids", ("new_grid",)),
            Group("All grids", ("account_currency", "orders.post_only", "orders.max_order_age_h")),
            Group("Demo market", ("demo.",)),
        ),
        "preset maker order currency",
    ),
    Place(
        NOTIFICATIONS,
        "Notifications",
        "bell",
        (Group("What you are told", ("notifications.",)), Group("Sign of life", ("heartbeat_url_secret",))),
        "telegram mail message test address phone",
    ),
    Place(DISPLAY, "Display", "display", words="theme dark light colours colour-blind numbers sounds flash"),
    Place(
        DATA,
        "Data and backup",
        "database",
        (
            Group("Newer versions", ("update_address",)),
            Group("Log files", ("logging.",)),
            Group("Settings file", ("schema",)),
        ),
        "backup restore open folder start at login autostart update version",
    ),
    Place(ABOUT, "About", "info", words="licence license version help first steps tour"),
    Place(TEXT, "As text", "text", words="json configuration file"),
)

_TITLES = {
    "schema": "Form of the file",
    "risk.min_order_value": "Smallest order",
    "exchange.id": "Exchange",
    "exchange.base_url": "Another address",
    "exchange.fee": "Fee",
    "demo.seed": "Number of the market",
    "demo.speed": "Speed",
    "demo.equity": "Money at the start",
    "demo.candles": "File to replay",
    "orders.dead_man_s": "Cancel all after (s)",
    "orders.post_only": "Maker orders only",
    "orders.max_order_age_h": "Renew orders after (h)",
    "new_grid": "Begin with",
    "account_currency": "Account currency",
    "notifications.urls_secret": "Addresses kept as",
    "notifications.events": "Tell me about",
    "heartbeat_url_secret": "Address kept as",
    "logging.level": "Write from",
    "logging.rotate_mb": "New file at (MB)",
    "logging.keep_days": "Keep for (days)",
    "update_address": "Address to ask",
}
_OF_A_GRID = re.compile(r"grids\[([^\]]+)\]\.(.+)")
_PARTS = {"limit": "", "warn": ": warn at", "action": ": then"}


@cache
def fields_by_place() -> dict[str, tuple[tuple[str, tuple[Field, ...]], ...]]:
    """Return the groups of each section that has fields: a heading, and the fields under it."""
    known = tuple(_named(field) for field in fields_of(AppConfig))
    return {
        place.key: tuple((group.heading, tuple(_within(known, group.paths))) for group in place.groups)
        for place in PLACES
        if place.groups
    }


def title_of(path: str) -> str:
    """Return a setting's name on the screen; one of a grid says of which."""
    if (of := _OF_A_GRID.fullmatch(path)) is not None:
        return f"{titles().get(of[2], of[2])} of {of[1]}"
    name, _, part = path.removeprefix("risk.").rpartition(".")
    if path in _TITLES:
        return _TITLES[path]
    if path.startswith("risk.") and part in _PARTS and name in words.LIMIT_WORDS:
        return f"{words.LIMIT_WORDS[name]}{_PARTS[part]}"
    if path.startswith("risk."):
        code = path.removeprefix("risk.")
        return words.LIMIT_WORDS.get(code, _in_words(code))
    return path if path.startswith("grids[") else _in_words(path.rpartition(".")[2])


def said(path: str, figure: str | None) -> str:
    """Return a value of the configuration for a sentence: a limit in its unit, a choice in words."""
    if path.startswith("risk."):
        # What is no number (an action, a currency) is said in words.
        with suppress(ArithmeticError, TypeError):
            return words.limit_figure(path.split(".")[1], Decimal(str(figure)))
    grid = _OF_A_GRID.fullmatch(path)
    return "nothing" if figure in (None, "null", "") else said_value(path if grid is None else grid[2], figure)


def sentence_of(changed: tuple[Change, ...]) -> str:
    """Return what a change is: "Speed from 600 to 60."; of many the first two."""
    named = [
        f"{title_of(each.path)} from {said(each.path, each.old)} to {said(each.path, each.new)}" for each in changed[:2]
    ]
    more = f" and {len(changed) - 2} more" if len(changed) > 2 else ""
    return f"{', '.join(named)}{more}."


def _named(field: Field) -> Field:
    # The file says null where a field of a form is left empty.
    about = meaning_of(field.description)
    note = f"{about} {AT_NEXT_START}".strip() if waits_for_start(field.path) else about
    return evolve(field, title=title_of(field.path), description=note)


def _within(fields: Iterable[Field], paths: tuple[str, ...]) -> Iterator[Field]:
    for path in paths:
        yield from (f for f in fields if f.path == path or (path.endswith(".") and f.path.startswith(path)))


def _in_words(code: str) -> str:
    text = code.replace("_", " ")
    return text[:1].upper() + text[1:]
