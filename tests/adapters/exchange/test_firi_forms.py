"""Firi's bodies, mutated: what comes out is what was told, or CallFailed, and never anything else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.adapters.exchange import firi_forms as forms
from gridbot.adapters.exchange.firi_errors import FIRI_CERTIFIED, read_answer
from gridbot.adapters.exchange.firi_matches import Match, Owner, attribute, matches_of, trade_form
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof

SYMBOL = "BTC/NOK"
NOW = "2026-11-21T15:00:00.000Z"
ORDER = {
    "id": 12345678,
    "market": "BTCNOK",
    "type": "bid",
    "price": "342523.0400000000000000",
    "remaining": "0.0000600000000000",
    "amount": "0.0001000000000000",
    "matched": "0.0000400000000000",
    "cancelled": "0.0000000000000000",
    "created_at": NOW,
}
STATEMENT = [
    *(
        {"id": f"m-{n}", "amount": amount, "currency": asset, "type": kind, "date": NOW, "details": {"match_id": "m"}}
        for n, (kind, asset, amount) in enumerate(
            (("Match", "BTC", "0.00010"), ("Match", "NOK", "-34.252304"), ("MatchFee", "NOK", "-0.17"))
        )
    ),
    {"id": "d", "amount": "5.5", "currency": "NOK", "type": "Deposit", "date": NOW, "details": {"deposit_id": "1"}},
]


def trades(answer: object) -> object:
    return [trade_form(each, "7", SYMBOL) for each in matches_of(forms.statement_rows(answer), SYMBOL)]


def transfers(answer: object) -> object:
    return [forms.transfer_form(each) for each in forms.statement_rows(answer) if not each.match]


# Each: a body as Firi sends it, and the form that reads it.
BODIES: dict[str, tuple[object, Callable[[object], object]]] = {
    "time": ({"time": 1_795_000_000_000}, forms.time_form),
    "markets": ([{"id": "BTCNOK", "last": "1", "volume": "2"}], lambda a: forms.market_forms(a, D("0.005"))),
    "depth": ({"bids": [["9", "1"], ["8", "2"]], "asks": [["10", "3"]]}, lambda a: forms.depth_form(a, SYMBOL)),
    "tape": (
        [{"type": "ask", "amount": "0.1", "price": "9", "created_at": NOW, "total": "0.9"}],
        lambda a: forms.tape_forms(a, SYMBOL),
    ),
    "balances": (
        [{"currency": "NOK", "balance": "10.5", "hold": "0.5", "available": "10"}],
        forms.balance_form,
    ),
    "order": (ORDER, lambda a: forms.order_form(a, SYMBOL)),
    "created": ({"id": 12345678}, lambda a: forms.created_form(a, SYMBOL)),
    "cancelled": ({"id": 7, "matched": "0.5"}, lambda a: forms.cancelled_form(a, "7", SYMBOL)),
    "trades": (STATEMENT, trades),
    "transfers": (STATEMENT, transfers),
}
WILD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=True),
    st.text(max_size=12),
    st.sampled_from(
        [
            "NaN",
            "-1",
            "1e99",
            "1_000",
            "0x1",
            "\u0661",
            "",
            " 1",
            "1e-7",
            "-0",
            "Infinity",
            "9" * 50,
            "<html>",
            "ETHNOK",
        ]
    ),
    st.just([]),
    st.just({}),
)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the way to every value of a body, the body itself too."""
    yield path
    if isinstance(body, dict | list):
        for key, each in body.items() if isinstance(body, dict) else enumerate(body):
            yield from places(each, (*path, key))


@st.composite
def mutated(draw: st.DrawFn, body: object) -> object:
    """Return a body with one to three of its values replaced or taken away."""
    result: Any = copy.deepcopy(body)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places(result))))
        wild = draw(WILD)
        if not path:
            return wild
        inner = result
        for key in path[:-1]:
            inner = inner[key]
        if draw(st.booleans()):
            inner[path[-1]] = wild
        else:
            del inner[path[-1]]
    return result


def told_texts(body: object) -> set[D | str]:
    """Return every scalar of a body as a form may repeat it."""
    found: set[D | str] = set()
    for path in places(body):
        inner: Any = body
        for key in path:
            inner = inner[key]
        if isinstance(inner, str | int) and not isinstance(inner, bool):
            found.add(str(inner))
            if forms._NUMBER.fullmatch(str(inner)):
                found |= {abs(D(str(inner))), D(str(inner))}
    return found


@pytest.mark.parametrize("name", BODIES)
@given(data=st.data())
def test_a_mutated_body_is_refused_or_says_what_it_says(name: str, data: st.DataObject) -> None:
    whole, read = BODIES[name]
    body = data.draw(mutated(whole))
    try:
        found = read(body)
    except CallFailed as failed:
        assert (failed.proof, failed.cause) == (Proof.SILENT, Cause.MALFORMED)
        return
    _no_figure_is_invented(name, found, body)


def _no_figure_is_invented(name: str, found: object, body: object) -> None:
    """Every amount that comes out is one that stands in the body, or was derived from such."""
    derived = {"price", "cost", "remaining"} if name in {"trades", "order"} else {"maker", "taker", "min"}
    told = told_texts(body)
    for path in places(found):
        inner: Any = found
        for key in path:
            inner = inner[key]
        # What a market's steps are is assumed, and told by no body.
        is_assumed = name == "markets" or path[-1:] in [(key,) for key in derived]
        if isinstance(inner, str) and path and path[-1] in {"amount", "filled", "free", "used", "total", "price"}:
            assert D(inner).is_finite() and (is_assumed or D(inner) in told), (path, inner, body)


@pytest.mark.parametrize("name", BODIES)
def test_every_whole_body_is_read(name: str) -> None:
    whole, read = BODIES[name]
    assert read(whole)


def test_an_order_is_told_without_the_zeros_that_fill_it_up() -> None:
    told = forms.order_form(ORDER, SYMBOL)
    assert (told["price"], told["amount"], told["filled"], told["remaining"], told["status"]) == (
        *("342523.04", "0.0001", "0.00004", "0.00006", "open"),
    )


@given(body=st.binary(max_size=40) | st.just(orjson.dumps(ORDER)), status=st.integers(100, 599))
def test_any_answer_at_all_is_json_or_a_failure_and_only_a_name_with_a_4xx_is_firis_word(
    body: bytes, status: int
) -> None:
    try:
        told = read_answer(status=status, body=body, retry_after=None, hidden="secret-key-of-mine")
    except CallFailed as failed:
        assert failed.proof is Proof.SILENT
    else:
        assert 200 <= status < 300 and told == orjson.loads(body)


@pytest.mark.parametrize("name", FIRI_CERTIFIED)
def test_a_certified_name_counts_with_a_4xx_alone_and_its_words_hide_the_key(name: str) -> None:
    key = "0123456789abcdef"
    for message in (f"The key {key} is wrong.", "See https://firi.com/me?k=1", "Plain words."):
        body = orjson.dumps({"name": name, "message": message})
        with pytest.raises(CallFailed) as answered:
            read_answer(status=400, body=body, retry_after="3", hidden=key)
        assert (answered.value.proof, answered.value.code, answered.value.retry_after_s) == (Proof.ANSWERED, name, 3)
        assert key not in answered.value.message and "://" not in answered.value.message
        with pytest.raises(CallFailed) as silent:
            read_answer(status=500, body=body, retry_after=None, hidden=key)
        assert silent.value.proof is Proof.SILENT


def a_match(id_: str, time: int, price: str, amount: str, side: str = "buy") -> Match:
    return Match(id_, time, side, D(amount), D(price) * D(amount), D(0), "NOK")


def test_of_two_orders_at_one_price_the_older_counts_as_filled_first() -> None:
    owners = [Owner("5", "buy", D(100), 1_000, D(2)), Owner("9", "buy", D(100), 2_000, D(1))]
    matches = [a_match("a", 3_000, "100", "0.5"), a_match("b", 4_000, "100", "1.5"), a_match("c", 5_000, "100", "1")]
    assert attribute(matches, owners, {}, begin=0) == {"a": "5", "b": "5", "c": "9"}
    alike = [Owner(id_, "buy", D(100), 1_000, D(2)) for id_ in ("5", "9")]
    fills = [a_match(id_, time, "100", "1") for id_, time in zip("abcd", (3_000, 4_000, 5_000, 6_000), strict=True)]
    assert attribute(fills, alike, {}, begin=0) == {"a": "5", "b": "5", "c": "9", "d": "9"}
    # What was found before stays, and a window that begins later says the same.
    assert attribute(matches[1:], owners, {}, begin=3_500) == {"b": "5", "c": "9"}
    assert attribute(matches, owners, {"c": "9", "a": "5"}, begin=0) == {"a": "5", "b": "5", "c": "9"}


@pytest.mark.parametrize(
    "owner",
    [
        Owner("5", "sell", D(100), 1_000, D(2)),
        Owner("5", "buy", D(99), 1_000, D(2)),
        Owner("5", "buy", D(100), 9_000, D(2)),
        Owner("5", "buy", D(100), 1_000, D("0.4")),
    ],
    ids=["other side", "beyond its limit", "not there yet", "no room"],
)
def test_a_trade_that_fits_no_order_has_none(owner: Owner) -> None:
    assert attribute([a_match("a", 3_000, "100", "0.5")], [owner], {}, begin=0) == {}


def test_a_trade_at_a_rounded_cost_is_its_orders_all_the_same() -> None:
    match = Match("a", 3_000, "buy", D("0.000123"), D("42.13"), D(0), "NOK")
    owners = [Owner("5", "buy", D("342523.04"), 1_000, D("0.000123")), Owner("6", "buy", D(350_000), 1_000, D(1))]
    assert attribute([match], owners, {}, begin=0) == {"a": "5"}
    assert abs(match.price * match.amount - match.cost) < D("1E-20")


TORN = [
    [{**row, "date": "2026-11-21T15:00:01.000Z"} if n == 1 else row for n, row in enumerate(STATEMENT)],
    STATEMENT[:1],
    [STATEMENT[1], STATEMENT[2]],
    [*STATEMENT, {**STATEMENT[2], "id": "again"}],
    [{**row, "amount": str(row["amount"]).removeprefix("-")} for row in STATEMENT],
]


@pytest.mark.parametrize("rows", TORN, ids=["two times", "no quote", "no base", "two fees", "both came"])
def test_a_trade_whose_lines_do_not_fit_is_no_trade(rows: object) -> None:
    with pytest.raises(CallFailed, match="statement has a trade"):
        trades(rows)


def test_a_trade_without_a_fee_line_has_no_fee_and_not_one_of_zero() -> None:
    (told,) = matches_of(forms.statement_rows(STATEMENT[:2]), SYMBOL)
    assert trade_form(told, "7", SYMBOL)["fee"] is None
    elsewhere = [{**row, "currency": {"BTC": "ETH"}.get(str(row["currency"]), row["currency"])} for row in STATEMENT]
    assert matches_of(forms.statement_rows(elsewhere), SYMBOL) == []
