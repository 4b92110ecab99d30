"""What the window and the command line get of an account's past: the engine's own figures, and files that hold them."""

from __future__ import annotations

import csv
import io
import shutil
import subprocess
import sys
import threading
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from gridbot.adapters.files.home import Home
from gridbot.adapters.local_days import local_day, local_year, utc_year
from gridbot.bootstrap_history import HistoryRoom, history_desk
from gridbot.core.portfolio import utc_day
from gridbot.core.units import Asset, CostMethod, GridId, Mode, Side, TimeMs
from gridbot.errors import EnvironmentProblem, GridbotError
from gridbot.shell.errand_thread import GivenUp
from gridbot.shell.errands import Done, Refused
from gridbot.shell.history_csv import FILL_COLUMNS, TRIP_COLUMNS
from gridbot.shell.history_desk import (
    Exported,
    ExportHistory,
    HistoryReply,
    HistoryWish,
    LookBack,
    Period,
    PortfolioView,
    Scope,
    Spelling,
    Written,
)
from tests.fakes.account_on_disk import WalkedAccount

YEAR = 2023
"""The walks of these tests begin in November 2023."""
GERMAN = Spelling(decimal=",", separator=";", excel=True)


@pytest.fixture
def account(tmp_path: Path) -> WalkedAccount:
    made = WalkedAccount(tmp_path, seed=31)
    made.trade(300, 200)
    return made


@pytest.fixture
def room(tmp_path: Path, account: WalkedAccount) -> HistoryRoom:
    return HistoryRoom(Home(tmp_path), mode=Mode.DEMO, account="default")


def silent(_sentence: str, _share: float | None) -> None:
    return None


def looked(room: HistoryRoom, wish: LookBack) -> PortfolioView:
    found = room.done(wish, silent)
    assert isinstance(found, PortfolioView)
    return found


def written(room: HistoryRoom, wish: ExportHistory) -> Written:
    found = room.done(wish, silent)
    assert isinstance(found, Written) and found.target == wish.target
    return found


def test_the_figures_are_the_engines(room: HistoryRoom, account: WalkedAccount) -> None:
    state = account.walk.state
    found = looked(room, LookBack(Period.ALL))
    realised = sum((grid.tally.realised for grid in state.grids.values()), Decimal(0))
    assert found.profit.realised == realised == sum((day.realised for day in found.by_day.values()), Decimal(0))
    assert (found.profit.fills, found.profit.trips) == (state.fills, state.round_trips)
    assert found.figures.wins == sum(grid.tally.wins for grid in state.grids.values())
    assert found.by_grid.keys() == state.grids.keys()
    assert all(each.realised == state.grids[id_].tally.realised for id_, each in found.by_grid.items())
    assert found.fees == {"USD": f"{state.accounts[Asset('USD')].fees:f}"}
    assert found.worth is not None and state.risk.equity is not None and found.worth == float(state.risk.equity)
    assert len(found.course.times) == len(found.course.values) == len(found.course.falls) > 20
    assert found.asset == "USD" and found.years == (YEAR,) and found.kept_since is None and not found.note
    assert found.sharpe is None and found.days < 20, "a walk of a few hours has no Sharpe ratio"
    assert [row.time for row in found.trips] == sorted((row.time for row in found.trips), reverse=True)


def test_a_grid_and_a_period_have_figures_of_their_own(room: HistoryRoom, account: WalkedAccount) -> None:
    state, grid = account.walk.state, GridId("g1")
    one = looked(room, LookBack(Period.ALL, Scope(grid=grid)))
    assert one.profit.realised == state.grids[grid].tally.realised and one.profit.fills == state.grids[grid].tally.fills
    assert (one.worth, one.growth, one.fall, one.sharpe) == (None, None, None, None)
    assert one.course.values[-1] == pytest.approx(float(state.grids[grid].tally.realised))
    assert not len(one.course.falls)
    day = looked(room, LookBack(Period.DAY))
    assert day.since >= day.until - 86_400_000 and day.profit.fills <= state.fills
    assert looked(room, LookBack(Period.ALL, Scope(quote=Asset("NOK")))).profit.fills == 0


def test_looking_again_and_again_is_looking_once(tmp_path: Path, account: WalkedAccount) -> None:
    room = HistoryRoom(Home(tmp_path), mode=Mode.DEMO, account="default")
    other = WalkedAccount(tmp_path / "other", seed=32)
    other.trade(250)

    def assert_equal_to_a_new_room() -> None:
        shutil.rmtree(tmp_path / "again", ignore_errors=True)
        shutil.copytree(account.folder, tmp_path / "again" / "demo" / "default")
        fresh = HistoryRoom(Home(tmp_path / "again"), mode=Mode.DEMO, account="default")
        assert room._past(silent) == fresh._past(silent)

    for steps in ((30,), (400, 200), (1,)):
        room._past(silent)
        account.trade(*steps)
        assert_equal_to_a_new_room()
    shutil.rmtree(account.folder)
    shutil.copytree(other.folder, account.folder)
    assert_equal_to_a_new_room()
    assert looked(room, LookBack(Period.ALL)).profit.fills == other.walk.state.fills


def test_an_account_without_a_past_is_told_as_empty(tmp_path: Path) -> None:
    found = looked(HistoryRoom(Home(tmp_path), mode=Mode.DRY, account="new"), LookBack())
    assert (found.profit.fills, found.worth, found.grids, found.years) == (0, None, (), ())
    assert not (tmp_path / "dry").exists(), "looking makes no account"


def test_the_oldest_event_is_told_where_it_is_not_the_first(tmp_path: Path, account: WalkedAccount) -> None:
    for path in (account.folder / "archive").glob("journal-1.jsonl*"):
        path.unlink()
    found = looked(HistoryRoom(Home(tmp_path), mode=Mode.DEMO, account="default"), LookBack(Period.ALL))
    assert found.kept_since == found.since and found.kept_since is not None


@pytest.mark.parametrize("spelling", [Spelling(), GERMAN])
def test_fills_as_a_table(room: HistoryRoom, account: WalkedAccount, tmp_path: Path, spelling: Spelling) -> None:
    target = tmp_path / "fills.csv"
    state = account.walk.state
    assert written(room, ExportHistory(Exported.FILLS, target, spelling)).rows == state.fills
    text = target.read_bytes().decode("utf-8-sig" if spelling.excel else "utf-8")
    assert (target.read_bytes()[:3] == b"\xef\xbb\xbf") is spelling.excel
    rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=spelling.separator))
    assert tuple(rows[0]) == FILL_COLUMNS and len(rows) == state.fills
    realised = sum((Decimal(row["realised"].replace(spelling.decimal, ".")) for row in rows), Decimal(0))
    assert realised == sum((grid.tally.realised for grid in state.grids.values()), Decimal(0))
    first = datetime.fromtimestamp(int(rows[0]["time"]) / 1000, UTC)
    assert (
        rows[0]["time_utc"].startswith(first.strftime("%Y-%m-%d"))
        and ("T" in rows[0]["time_utc"]) is not spelling.excel
    )


def test_round_trips_as_a_table_of_what_the_tab_shows(
    room: HistoryRoom, account: WalkedAccount, tmp_path: Path
) -> None:
    target, grid = tmp_path / "trips.csv", GridId("g2")
    tally = account.walk.state.grids[grid].tally
    count = written(room, ExportHistory(Exported.TRIPS, target, scope=Scope(grid=grid))).rows
    rows = list(csv.DictReader(target.read_text("utf-8").splitlines()))
    assert count == len(rows) == tally.round_trips and tuple(rows[0]) == TRIP_COLUMNS
    assert {row["grid"] for row in rows} == {"g2"}
    assert sum(Decimal(row["profit"]) > 0 for row in rows) == tally.wins


@pytest.mark.parametrize("method", list(CostMethod))
def test_a_tax_year_says_what_it_is_and_sums_up(
    room: HistoryRoom, account: WalkedAccount, tmp_path: Path, method: CostMethod
) -> None:
    target = tmp_path / "tax.csv"
    count = written(room, ExportHistory(Exported.TAX, target, year=YEAR, method=method)).rows
    lines = target.read_text("utf-8").splitlines()
    head = " ".join(line for line in lines if line.startswith(("#", '"#')))
    for said in ("no tax advice", "SIMULATED", "UTC", "Disposals", "Deposits", "Held at the end of 2023"):
        assert said in head, said
    rows = list(csv.DictReader(section(lines, "# Disposals")))
    assert len(rows) == count > 0
    (total,) = csv.DictReader(section(lines, "# Totals"))
    assert sum((Decimal(row["gain"]) for row in rows), Decimal(0)) == Decimal(total["gain"])
    left = list(csv.DictReader(section(lines, "# Held at the end")))
    tallies = [grid.tally for grid in account.walk.state.grids.values()]
    # Every quote that moved is in the gains or in the cost of what is held: nothing is left over.
    assert Decimal(total["gain"]) - sum((Decimal(row["cost_with_fees_of_buying"]) for row in left), Decimal(0)) == sum(
        (tally.cash for tally in tallies), Decimal(0)
    )
    assert len(list(csv.DictReader(section(lines, "# Deposits")))) == len(
        [event for event in account.walk.events if type(event).__name__ == "Transferred"]
    )


def section(lines: list[str], title: str) -> list[str]:
    """Return the rows below a title, up to the next empty line."""
    begin = next(place for place, line in enumerate(lines) if line.lstrip('"').startswith(title)) + 1
    end = next((place for place in range(begin, len(lines)) if not lines[place].strip('"')), len(lines))
    return lines[begin:end]


def test_a_year_in_which_nothing_happened_names_the_others(room: HistoryRoom, tmp_path: Path) -> None:
    with pytest.raises(GridbotError, match=f"Years with trades: {YEAR}"):
        room.done(ExportHistory(Exported.TAX, tmp_path / "tax.csv", year=2019), silent)
    assert not (tmp_path / "tax.csv").exists()


def test_what_cannot_be_written_is_a_sentence_and_what_is_given_up_leaves_no_file(
    room: HistoryRoom, tmp_path: Path
) -> None:
    with pytest.raises(EnvironmentProblem, match="cannot be written"):
        room.done(ExportHistory(Exported.FILLS, tmp_path / "no" / "fills.csv"), silent)

    def give_up(sentence: str, _share: float | None) -> None:
        if "fills written" in sentence:
            raise GivenUp("It was given up.")

    with pytest.raises(GivenUp):
        room.done(ExportHistory(Exported.FILLS, tmp_path / "fills.csv"), give_up)
    assert not list(tmp_path.glob("*fills.csv*"))


def test_the_desk_answers_in_a_thread_of_its_own(tmp_path: Path, account: WalkedAccount) -> None:
    desk = history_desk(Home(tmp_path), mode=Mode.DEMO, account="default")
    wishes: list[HistoryWish] = [LookBack(), ExportHistory(Exported.FILLS, tmp_path / "no" / "x.csv")]
    numbers = [desk.ask(wish) for wish in wishes]
    outcomes: list[Done[HistoryReply] | Refused] = []
    waiting = threading.Event()
    for number in numbers:
        outcome = desk.answer(number)
        while outcome is None:
            waiting.wait(0.01)
            outcome = desk.answer(number)
        outcomes.append(outcome)
    first, second = outcomes
    assert isinstance(first, Done) and isinstance(first.reply, PortfolioView)
    assert isinstance(second, Refused) and "cannot be written" in second.message


def test_a_spreadsheet_runs_nothing_that_an_exchange_wrote(room: HistoryRoom, tmp_path: Path) -> None:
    from gridbot.shell.history_csv import fills_csv
    from tests.core.test_portfolio import fill

    evil = fill(1, grid="=HYPERLINK(1)")
    assert b"'=HYPERLINK" in fills_csv([evil], GERMAN, silent)
    assert b",=HYPERLINK" in fills_csv([evil], Spelling(), silent), "a program gets what is"
    assert evil.side is Side.SELL


def test_days_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    import time

    late = TimeMs(1_704_063_600_000)  # 2023-12-31 23:00 UTC
    assert utc_year(late) == 2023
    try:
        for zone, day, year in (("UTC0", 0, 2023), ("<+02>-2", 1, 2024), ("<-05>5", 0, 2023)):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert (local_day(late) - utc_day(late), local_year(late)) == (day, year), zone
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_database_is_imported_when_it_is_asked_for_and_not_before() -> None:
    code = (
        "import sys; from pathlib import Path; from gridbot.adapters.files.home import Home; "
        "from gridbot.bootstrap_history import history_desk; from gridbot.core.units import Mode; "
        "history_desk(Home(Path('x')), mode=Mode.DEMO, account='a'); "
        "print([m for m in ('sqlalchemy', 'sqlite3') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
