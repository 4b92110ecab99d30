"""What is said about searches: the sums behind the headline, its words in each case, the doubts, the proposals."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridbot.config import form_of, preset
from gridbot.core.values import evolve
from gridbot.errors import ConfigError
from gridbot.gui import numbers
from gridbot.gui.search_doubts import at_an_end, doubts, looked_before
from gridbot.gui.search_knobs import (
    Range,
    Variable,
    combined,
    complaint,
    counted_words,
    read,
    shown,
    values_of,
    variables,
)
from gridbot.gui.search_plan import DAY_MS, plan_words, rounds_in, said_plan, usual_walk
from gridbot.gui.search_words import chosen_words, figures_of, headline, sentences, subtitle
from gridbot.research.rounds import rounds_of
from gridbot.shell.search_desk import HoldOut, KeptSearch, Knob, Round, Span, Try, WalkForward
from gridbot.shell.search_sums import sums_of
from gridbot.shell.search_values import MOST_VALUES
from tests.gui.fake_search import CHOSEN, START, held_out, kept, score, trial, walked, whole


def told(search: KeptSearch) -> str:
    """Return everything that is said beside the headline."""
    return " ".join(said.sentence for said in sentences(whole(search)))


def variable(path: str, grid: str = "balanced") -> Variable:
    return next(each for each in variables(preset(grid)) if each.path == path)


def nothing_chosen(each: Round) -> Round:
    return evolve(each, chosen=None, seen=None, unseen=None)


# --------------------------------------------------------------------------------------------- the sums


def test_one_round_is_compared_as_it_is_and_by_the_year() -> None:
    sums = sums_of(kept(1))
    assert (sums.rounds, sums.profitable, sums.trips) == (1, 1, 40) and round(sums.days / DAY_MS) == 54
    assert (sums.unseen, sums.seen, sums.present, sums.hold) == pytest.approx((0.021, 0.084, 0.01, 0.1))
    yearly, promised = 1.021 ** (365 / 54) - 1, 1.084 ** (365 / 126) - 1
    assert (sums.yearly, sums.yearly_seen) == pytest.approx((yearly, promised))
    assert sums.promised == pytest.approx(1.084 ** (54 / 126) - 1)
    assert sums.kept == pytest.approx(yearly / promised)


def test_rounds_are_joined_as_if_the_money_stayed_in() -> None:
    sums = sums_of(kept(1, *walked("0.02", "-0.01", "0.03")))
    assert sums.unseen == pytest.approx(1.02 * 0.99 * 1.03 - 1) and sums.present == pytest.approx(1.01**3 - 1)
    assert (sums.rounds, sums.profitable, round(sums.days / DAY_MS)) == (3, 2, 60)
    assert sums.yearly_seen == pytest.approx(1.06 ** (365 / 60) - 1), (
        "the choice for the days to come is no promise yet"
    )


def test_a_round_that_chose_nothing_invests_nothing() -> None:
    rounds = walked("0.02", "0.03", "0.01")
    sums = sums_of(kept(1, rounds[0], nothing_chosen(rounds[1]), *rounds[2:]))
    assert sums.unseen == pytest.approx(1.02 * 1.01 - 1) and sums.present == pytest.approx(1.01**3 - 1)
    assert (sums.rounds, sums.profitable) == (3, 2) and sums.seen == pytest.approx(1.06**2 - 1)


@pytest.mark.parametrize(
    ("unseen", "seen", "kept_part"), [("0.02", "-0.01", None), ("0.02", "0", None), ("-0.02", "0.01", "less than none")]
)
def test_only_a_promised_profit_can_come_true(unseen: str, seen: str, kept_part: str | None) -> None:
    found = sums_of(kept(1, held_out(unseen, seen=seen))).kept
    assert (found is None) is (kept_part is None) and (found is None or found < 0)


def test_days_fewer_than_a_month_say_nothing_of_a_year() -> None:
    short = evolve(held_out(), test=Span(START + 126 * DAY_MS, START + 136 * DAY_MS))
    sums = sums_of(kept(1, short))
    assert sums.yearly is None and sums.kept is None and sums.yearly_seen is not None
    assert "By the year" not in told(kept(1, short))
    assert "At the pace of the choosing, as many days would have made +0.64 %." in told(kept(1, short))


def test_all_lost_is_all_lost_at_any_pace() -> None:
    sums = sums_of(kept(1, held_out("-1")))
    assert sums.unseen == -1 and sums.yearly == -1


@given(st.lists(st.decimals("-0.9", "2", places=4), min_size=1, max_size=12))
def test_the_yearly_pace_has_the_sign_of_the_whole(returns: list[Decimal]) -> None:
    sums = sums_of(kept(1, *walked(*map(str, returns))))
    assert sums.unseen is not None
    if sums.yearly is not None and abs(sums.unseen) > 1e-9:
        assert (sums.yearly > 0) is (sums.unseen > 0)


# ------------------------------------------------------------------------------------------ the headline


def test_the_headline_says_what_was_unseen_and_what_was_promised() -> None:
    said = headline(whole(kept(1)))
    assert said.sentence == "On 54 days that it had not seen: +2.10 %. While choosing it looked like +8.40 %."
    assert said.ink == "up"
    assert "did better than your present settings (+1.00 %), though buying and holding" in told(kept(1))
    assert "By the year that is +15.08 %, against +26.32 % while choosing. 57.30 % of the promise" in told(kept(1))


def test_a_loss_is_called_one() -> None:
    search = kept(1, held_out("-0.05"))
    first, *rest = sentences(whole(search))
    assert headline(whole(search)).ink == "down" and (first.sentence, first.ink) == (
        "On days that it had not seen, what was chosen lost money.",
        "down",
    )
    assert rest[0].sentence.startswith("Your present settings did better there (+1.00 %)") and rest[0].ink == "notice"
    assert "promise came true" not in told(search)
    assert "Your present settings lost more (-7.00 %)." in told(kept(1, held_out("-0.05", present="-0.07")))


def test_settings_that_the_present_ones_beat_are_no_reason_to_change() -> None:
    search = kept(1, held_out("0.03", present="0.05"))
    assert headline(whole(search)).ink == "notice"
    assert "Your present settings did better there (+5.00 %): nothing here is a reason to change them." in told(search)
    assert "did as well as your present settings" in told(kept(1, held_out("0.03", present="0.03")))


def test_walking_forward_tells_its_rounds() -> None:
    rounds = walked("0.02", "-0.01", "0.03")
    said = headline(whole(kept(1, *rounds)))
    assert said.sentence == "On 60 days that it had not seen, in 3 rounds: +4.01 %. The choosing had promised +6.00 %."
    assert "In 2 of 3 rounds it made a profit." in told(kept(1, *rounds))
    gap = kept(1, rounds[0], nothing_chosen(rounds[1]), *rounds[2:])
    assert "In 1 round nothing could be chosen: there it invested nothing." in told(gap)
    assert headline(whole(kept(1, *walked("0.02")))).sentence.startswith(
        "On 20 days that it had not seen, in 1 round: "
    )


@pytest.mark.parametrize(
    ("tries", "refused", "sentence"),
    [
        ((Try(CHOSEN, None, None, "The cells are too small."),), 9, "The first was refused: The cells are too small."),
        ((Try(CHOSEN, score("0", began=None, trips=0), None),), 0, "No combination ever began to trade"),
        ((Try(CHOSEN, score("0.2", trips=3), None),), 0, "no combination made 10 round trips while choosing"),
    ],
)
def test_where_nothing_was_chosen_it_says_why(tries: tuple[Try, ...], refused: int, sentence: str) -> None:
    search = kept(1, nothing_chosen(held_out()), refused=refused)
    said = headline(whole(search, tries))
    assert sentence in said.sentence and said.ink == "notice"
    assert not list(sentences(whole(search, tries)))
    assert next(figure.text for figure in figures_of(search) if figure.title == "Unseen") == "-"


def test_what_never_began_unseen_is_not_called_a_result() -> None:
    idle = evolve(held_out("0"), unseen=score("0", began=None, trips=0))
    said = headline(whole(kept(1, idle)))
    assert "never began to trade" in said.sentence and not list(sentences(whole(kept(1, idle))))
    present = evolve(held_out(), present=score("0", began=None))
    assert "Your present settings never began to trade" in told(kept(1, present))


def test_the_choice_is_told_beside_what_one_has() -> None:
    assert chosen_words(kept(1)) == "It chose ATR multiple 0.75 instead of 1, Levels 12 instead of 10."
    same = evolve(held_out(), chosen=(("spacing.multiplier", "1"), ("levels", "10")))
    assert chosen_words(kept(1, same)) == "It chose what you have already: ATR multiple 1, Levels 10."
    unset = evolve(held_out(), chosen=(("stop_loss", "0.1"),))
    assert chosen_words(kept(1, unset)) == "It chose Stop loss 10 % instead of not set."
    assert "chose nothing" in chosen_words(kept(1, nothing_chosen(held_out())))


def test_the_subtitle_says_how_it_was_searched() -> None:
    assert subtitle(kept(1)).startswith("30 % kept back  ·  9 combinations tried  ·  chosen by profit beside its")
    assert "201 of 3,600 combinations tried" in subtitle(kept(1, tried=201, possible=3600))


def test_numbers_are_written_as_their_reader_writes_them() -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(numbers.Writing.GERMAN))
    try:
        assert "+2,10 %" in headline(whole(kept(1))).sentence and "0,75 instead of 1" in chosen_words(kept(1))
        assert plan_words(HoldOut(Decimal("0.255"))) == "25,5 % kept back"
    finally:
        numbers.use(before)


# -------------------------------------------------------------------------------------------- the doubts


def said_doubts(search: KeptSearch, *others: KeptSearch) -> str:
    return " ".join(doubts(whole(search), others=others))


def test_searches_over_the_same_days_before_it_are_counted() -> None:
    now = kept(5)
    elsewhere = kept(3, tested=trial(symbol="ETH/USDT"))
    assert looked_before(now, (now, kept(1), kept(2), kept(9), elsewhere)) == 2
    assert "2 searches went over this market and period before" in said_doubts(now, kept(1), kept(2))
    assert "before. What is kept back" not in said_doubts(now, now, elsewhere)


def test_a_best_value_at_the_end_of_its_range_is_named() -> None:
    assert dict(at_an_end(kept(1))) == {"levels": "12"}
    assert "The best value lies at the end of what was tried: Levels 12." in said_doubts(kept(1))
    two = (Knob("levels", ("10", "12")), Knob("reinvest", ("true", "false")))
    assert not list(at_an_end(kept(1, knobs=two))), "of two values each is an end"


def test_each_doubt_has_its_cause() -> None:
    few = kept(1, evolve(held_out(), unseen=score("0.02", trips=4)))
    assert "4 round trips only" in said_doubts(few) and "round trips only" not in said_doubts(kept(1))
    sample = said_doubts(kept(1, tried=201, possible=3600))
    assert "201 of 3,600 combinations were tried, drawn by seed 1" in sample
    assert "drawn by seed" not in said_doubts(kept(1, tried=8, possible=9)), "two that are the same are tried once"
    assert "4 of 9 combinations contradict" in said_doubts(kept(1, refused=4))
    assert "limits were off" in said_doubts(kept(1))
    assert "limits were off" not in said_doubts(kept(1, tested=trial(risk="{}")))
    stopped = evolve(held_out(), unseen=score("-0.1", halt="The stop loss was reached."))
    assert "stopped before the end: The stop loss was reached." in said_doubts(kept(1, stopped))
    assert "judged by nothing yet" in said_doubts(kept(1, *walked("0.02", "0.01")))
    assert "It was judged once, on 54 days." in said_doubts(kept(1))
    assert "judged once" not in said_doubts(kept(1, *walked("0.02", "0.01")))


# ------------------------------------------------------------------------------------- what is proposed


@pytest.mark.parametrize("name", ["balanced", "classic", "wide"])
def test_what_is_proposed_is_right_and_holds_the_present_value(name: str) -> None:
    grid = preset(name)
    proposed = variables(grid)
    assert [each.path for each in proposed if each.ticked][1:] == ["levels", "take_profit"]
    for each in proposed:
        if each.range is None:
            assert each.now in each.choices
            continue
        texts = values_of(each.range)
        assert 3 <= len(texts) <= 5 and not complaint(grid, each, each.range), each.path
        assert not each.now or Decimal(each.now) in {Decimal(text) for text in texts}, each.path


def test_a_proposal_stays_where_the_setting_may_be() -> None:
    grid = preset("balanced").model_copy(update={"levels": 200, "stop_loss": Decimal("0.9")})
    found = {each.path: each for each in variables(grid)}
    for path in ("levels", "stop_loss"):
        chosen = found[path].range
        assert chosen is not None and not complaint(grid, found[path], chosen), path


def test_only_the_way_of_spacing_that_the_grid_has_is_offered() -> None:
    paths = {each.path for each in variables(preset("balanced"))}
    assert "spacing.multiplier" in paths and not {"spacing.fraction", "spacing.absolute"} & paths


def test_a_wrong_value_is_refused_in_the_words_of_the_grids_form() -> None:
    grid, levels = preset("balanced"), variable("levels")
    assert complaint(grid, levels, Range(Decimal(0), Decimal(4), Decimal(2))) == (
        'Levels must be at least 1 (found "0").'
    )
    assert "Levels must be a whole number" in complaint(grid, levels, Range(Decimal(1), Decimal(4), Decimal("0.5")))
    stop = variable("stop_loss")
    assert complaint(grid, stop, Range(Decimal("0.1"), Decimal("1.1"), Decimal("0.5"))) == (
        "Stop loss must be at most 100 % (found 110)."
    )


def test_two_averages_that_contradict_are_left_to_the_search() -> None:
    grid = preset("balanced")
    for path, first, last in (("trend.ema_fast", 10, 90), ("trend.ema_slow", 10, 90)):
        assert not complaint(grid, variable(path), Range(Decimal(first), Decimal(last), Decimal(20)))
    assert "EMA fast" in complaint(grid, variable("trend.ema_fast"), Range(Decimal(0), Decimal(9), Decimal(3)))


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (Range(Decimal(9), Decimal(5), Decimal(1)), "Levels: From must not be above To."),
        (Range(Decimal(5), Decimal(9), Decimal(0)), "Levels: Step must be above 0."),
        (Range(Decimal(1), Decimal(200), Decimal("0.1")), "Levels would take 1,991 values; 200 is the most."),
    ],
)
def test_a_range_that_is_none_is_refused(chosen: Range, sentence: str) -> None:
    assert complaint(preset("balanced"), variable("levels"), chosen).startswith(sentence)


@given(
    st.decimals("0", "50", places=3),
    st.decimals("0", "50", places=3),
    st.decimals("0.001", "10", places=3),
)
def test_the_values_of_a_range_lie_in_it_a_step_apart(first: Decimal, more: Decimal, step: Decimal) -> None:
    texts = values_of(Range(first, first + more, step))
    if not texts:
        assert more / step > MOST_VALUES - 1
        return
    found = [Decimal(text) for text in texts]
    assert found[0] == first and first + more - step < found[-1] <= first + more
    assert all(after - before == step for before, after in pairwise(found))


@given(st.decimals("0.0001", "0.9", places=4), st.sampled_from(list(numbers.Writing)[1:]))
def test_percent_are_read_back_as_they_are_shown(fraction: Decimal, writing: numbers.Writing) -> None:
    before = numbers.style()
    numbers.use(numbers.style_of(writing))
    try:
        assert read("stop_loss", shown("stop_loss", fraction)).number == fraction
        assert read("stop_loss", f"{shown('stop_loss', fraction)} %").number == fraction
    finally:
        numbers.use(before)


def test_a_number_that_could_be_two_is_refused() -> None:
    assert read("spacing.absolute", "1,234").twofold and read("spacing.absolute", "").number is None


def test_combinations_are_counted_in_words() -> None:
    knobs = (Knob("levels", ("1", "2", "3")), Knob("take_profit", ("1", "2")))
    assert combined(knobs) == 6 and combined(()) == 0
    assert counted_words(knobs, tries=200, seed=1) == "3 x 2 = 6 combinations, and each is tried."
    assert counted_words(knobs, tries=4, seed=7) == "3 x 2 = 6 combinations; 4 of them are tried, drawn by seed 7."
    assert counted_words((), tries=4, seed=7) == "Nothing is varied yet: tick a setting."


# ---------------------------------------------------------------------------------------------- the plan


@given(st.integers(4, 900), st.integers(1, 300), st.integers(1, 120), st.booleans())
def test_a_plan_is_told_as_the_search_makes_it(days: int, train: int, test: int, anchored: bool) -> None:
    period = Span(START, START + days * DAY_MS)
    plan = WalkForward(train * DAY_MS, test * DAY_MS, anchored)
    said = said_plan(plan, period)
    try:
        made = rounds_of(plan, period)
    except ConfigError:
        assert said.wrong
        return
    judged = [each for each in made if each.test is not None]
    assert not said.wrong and rounds_in(plan, period) == len(judged)
    assert said.sentence.startswith(f"{len(judged)} round")


@given(st.integers(2, 900), st.integers(1, 99))
def test_what_is_kept_back_is_told_as_the_search_keeps_it(days: int, percent: int) -> None:
    period, plan = Span(START, START + days * DAY_MS), HoldOut(Decimal(percent) / 100)
    said = said_plan(plan, period)
    try:
        [made] = rounds_of(plan, period)
    except ConfigError:
        assert said.wrong
        return
    assert made.test is not None and not said.wrong
    assert f"({max(1, round(made.test.length / DAY_MS))} day" in said.sentence


def test_the_dates_of_what_is_kept_back_are_told() -> None:
    period = Span(START, START + 366 * DAY_MS)
    assert said_plan(HoldOut(Decimal("0.3")), period).sentence == (
        "Chosen on 2024-01-01 to 2024-09-13, judged on 2024-09-13 to 2024-12-31 (110 days), which the search never "
        "sees."
    )
    assert "never sees it" in said_plan(HoldOut(Decimal("0.3")), None).sentence
    assert "when the candles are read" in said_plan(usual_walk(None), None).sentence
    assert plan_words(WalkForward(60 * DAY_MS, 20 * DAY_MS, True)) == "60 d, then 20 d, from the beginning on"


@pytest.mark.parametrize("days", [6, 30, 90, 180, 365, 730])
def test_the_usual_plan_makes_a_handful_of_rounds(days: int) -> None:
    period = Span(START, START + days * DAY_MS)
    assert 3 <= rounds_in(usual_walk(period), period) <= 8


def test_the_form_knows_every_setting_that_is_offered() -> None:
    assert all(each.path in form_of(preset("balanced")) for each in variables(preset("balanced")))
