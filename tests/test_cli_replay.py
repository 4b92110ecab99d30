"""replay and export state: journals give the state back, its digest is the one of status, an order has a story."""

from __future__ import annotations

import json
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest

from gridbot.adapters.files.home import Home
from gridbot.bootstrap import account_status
from gridbot.cli import ending
from gridbot.cli_app import EXIT_DONE, EXIT_USER_MUST_ACT
from gridbot.core.codec import digest
from gridbot.core.commands import FillBooked, OrderEnded, RoundTripClosed
from gridbot.core.engine import step
from gridbot.core.orders import OrderState
from gridbot.core.rules import Rules
from gridbot.core.state import State, new_state
from gridbot.core.units import Mode
from tests.fakes.account_on_disk import WalkedAccount


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("GRIDBOT_HOME", str(folder))
    return folder


@pytest.fixture
def account(home: Path) -> WalkedAccount:
    """An account with two runs behind it: 400 events in several journals."""
    made = WalkedAccount(home, seed=11)
    made.trade(120, 60)
    made.trade(80, 80, 60)
    return made


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert ending(list(arguments)) == EXIT_DONE, capsys.readouterr().err
    return capsys.readouterr().out.removesuffix("\n")


def state_after(account: WalkedAccount, sequence: int) -> State:
    state = new_state(Rules(Mode.DEMO, (), None))
    for event in account.walk.events[:sequence]:
        state = step(state, event).state
    return state


def journals(account: WalkedAccount) -> list[Path]:
    found = [*account.folder.glob("journal-*"), *(account.folder / "archive").glob("journal-*")]
    return sorted(found, key=lambda path: int(path.name.split("-")[1].split(".")[0]))


def first_of(path: Path) -> int:
    return int(path.name.split("-")[1].split(".")[0])


def test_the_digest_is_the_one_of_status_however_the_state_is_rebuilt(
    home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    of_status = account_status(Home(home), mode=Mode.DEMO, account="default")["digest"]
    assert of_status == digest(account.walk.state)
    assert said(capsys, "replay", "--digest") == of_status
    assert said(capsys, "replay", "--all", "--digest") == of_status
    assert said(capsys, "replay", str(journals(account)[-1]), "--digest") == of_status


def test_each_kept_journal_gives_the_state_at_its_end(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    found = journals(account)
    assert len(found) >= 4
    for path, after in zip(found, [*(first_of(each) - 1 for each in found[1:]), len(account.walk.events)], strict=True):
        assert said(capsys, "replay", str(path), "--digest") == digest(state_after(account, after))


@pytest.mark.parametrize("options", [(), ("--all",)])
def test_until_stops_after_the_event(
    options: tuple[str, ...], account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    last = len(account.walk.events)
    for until in (1, 2, 57, first_of(journals(account)[1]) - 1, first_of(journals(account)[1]), last - 1, last):
        expected = digest(state_after(account, until))
        assert said(capsys, "replay", "--digest", "--until", str(until), *options) == expected, until
    assert ending(["replay", "--until", str(last + 1), *options]) == EXIT_USER_MUST_ACT
    assert f"ends with event {last:,}" in capsys.readouterr().err


def test_the_page_tells_where_it_began_and_what_came_of_it(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    page = said(capsys, "replay", "--all")
    assert f"from the account's first event: {len(account.walk.events):,} events stepped again" in page
    assert f"{account.walk.state.fills:,} fills" in page and page.endswith(digest(account.walk.state))
    assert "from the snapshot of event" in said(capsys, "replay")


def test_nothing_yet_is_said_so(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing has happened" in said(capsys, "replay")
    assert ending(["replay", "--explain", "gbx"]) == EXIT_USER_MUST_ACT


def test_nothing_is_touched(home: Path, account: WalkedAccount, capsys: pytest.CaptureFixture[str]) -> None:
    with journals(account)[-1].open("ab") as file:
        file.write(b"half a line")
    before = {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}
    said(capsys, "replay", "--all")
    said(capsys, "export", "state")
    said(capsys, "replay", "--explain", next(iter(ended(account))).order)
    assert {path: path.read_bytes() for path in home.rglob("*") if path.is_file()} == before


def test_the_exported_state_is_canonical_and_whole(
    account: WalkedAccount, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "state.json"
    assert ending(["export", "state", "--to", str(target)]) == EXIT_DONE
    assert f"after event {len(account.walk.events):,}" in capsys.readouterr().out
    assert sha256(target.read_bytes()).hexdigest() == digest(account.walk.state)
    assert json.loads(target.read_bytes())["fills"] == account.walk.state.fills
    assert said(capsys, "export", "state") == target.read_text("utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ("replay", "--explain", "x", "--digest"),
        ("replay", "nowhere.jsonl"),
        ("replay", "nowhere.jsonl", "--all"),
        ("replay", "--until", "0"),
        ("replay", "--explain", "gb0000000000000000"),
    ],
)
def test_what_cannot_be_answered_is_a_sentence(
    arguments: tuple[str, ...], account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ending(list(arguments)) == EXIT_USER_MUST_ACT
    told = capsys.readouterr()
    assert told.err and told.out == "" and "Traceback" not in told.err


def test_a_missing_journal_in_between_is_told_and_not_passed_over(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    journals(account)[1].unlink()
    assert ending(["replay", "--all"]) == EXIT_USER_MUST_ACT
    assert "does not follow" in capsys.readouterr().err
    assert said(capsys, "replay", "--digest") == digest(account.walk.state)


# ---------------------------------------------------------------------------------------- an order's life


def ended(account: WalkedAccount) -> list[OrderEnded]:
    return [note for notes in account.walk.notes for note in notes if isinstance(note, OrderEnded)]


def story(capsys: pytest.CaptureFixture[str], order: str) -> list[tuple[int, str]]:
    """Return an order's lines as (event, sentence), their times in order."""
    lines = [line.split("  event ", 1) for line in said(capsys, "replay", "--explain", order).splitlines()]
    assert [time for time, _ in lines] == sorted(time for time, _ in lines)
    assert all(time.endswith(" UTC") for time, _ in lines)
    told = [(int(rest.split(": ", 1)[0].replace(",", "")), rest.split(": ", 1)[1]) for _, rest in lines]
    assert [number for number, _ in told] == sorted(number for number, _ in told)
    assert all(sentence[0].isupper() and sentence.endswith(".") for _, sentence in told)
    return told


def test_every_order_that_ever_was_has_a_story_that_its_notes_confirm(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    of_order: dict[str, list[tuple[int, FillBooked | OrderEnded]]] = {}
    for number, notes in enumerate(account.walk.notes, start=1):
        for note in notes:
            if isinstance(note, FillBooked | OrderEnded):
                of_order.setdefault(note.order, []).append((number, note))
    kinds: set[OrderState] = set()
    assert len(of_order) > 20
    for order, about in list(of_order.items())[::4]:
        told = story(capsys, order)
        assert told[0][1].startswith("Intended ")
        filled = Decimal(0)
        assert sum("closed a round trip" in sentence or "was sold by" in sentence for _, sentence in told) <= 1
        for number, note in about:
            sentences = [sentence for event, sentence in told if event == number]
            if isinstance(note, FillBooked):
                filled += note.quantity
                (sentence,) = (each for each in sentences if f"trade {note.trade}," in each)
                assert f"; {filled:f} of " in sentence
            else:
                kinds.add(note.state)
                assert any(sentence.startswith("It ended") for sentence in sentences)
    assert {OrderState.FILLED, OrderState.CANCELED} <= kinds


def test_a_story_is_the_same_whether_all_journals_are_stepped_again_or_those_that_matter(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    for note in ended(account)[::15]:
        whole = said(capsys, "replay", "--explain", note.order, "--all")
        assert said(capsys, "replay", "--explain", note.order) == whole
    lines = whole.splitlines()
    first = story(capsys, note.order)[0][0]
    assert said(capsys, "replay", "--explain", note.order, "--until", str(first)) == lines[0]
    assert ending(["replay", "--explain", note.order, "--until", str(first - 1)]) == EXIT_USER_MUST_ACT
    assert "up to event" in capsys.readouterr().err


def test_a_buy_tells_who_sold_its_coins_and_a_sell_tells_its_round_trip(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    sells = [
        (number, note, next(n for n in notes if isinstance(n, FillBooked)))
        for number, notes in enumerate(account.walk.notes, start=1)
        for note in notes
        if isinstance(note, RoundTripClosed)
    ]
    assert sells
    number, trip, fill = sells[-1]
    told = story(capsys, fill.order)
    assert any(event == number and f"profit {trip.profit:f}" in sentence for event, sentence in told)
    buys = [
        note
        for notes in account.walk.notes[: number - 1]
        for note in notes
        if isinstance(note, FillBooked) and (note.grid, note.cell, note.side.value) == (trip.grid, trip.cell, "buy")
    ]
    told = story(capsys, buys[-1].order)
    assert told[-1] == (
        number,
        f"What it bought was sold by order {fill.order}: bought at {trip.buy_price:f}, sold at {trip.sell_price:f}, "
        f"profit {trip.profit:f}.",
    )


def test_an_order_from_before_the_kept_journals_is_begun_where_they_begin(
    account: WalkedAccount, capsys: pytest.CaptureFixture[str]
) -> None:
    second = journals(account)[-1]
    live = state_after(account, first_of(second) - 1)
    (order, *_) = [cell.order.id for grid in live.grids.values() for cell in grid.cells if cell.order is not None]
    told = said(capsys, "replay", str(second), "--explain", order).splitlines()
    assert "was there already" in told[0]
    assert said(capsys, "replay", "--explain", order).splitlines()[-1] == told[-1] or len(told) == 1
