"""The desk of keys behind the window: one thread, real stores, the real client against the sandbox; nothing shown."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.key_check import KeyCheck, KeyRights
from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof
from gridbot.adapters.files.home import Home
from gridbot.adapters.logbook.masking import MASKED, Mask
from gridbot.bootstrap_key_desk import KeyDeskThread, key_desk
from gridbot.shell.key_desk import KeyAct, KeyAnswer, KeyDesk, KeyPlace, KeyState, KeyVerdict, KeyWish, Lock, TypedKey
from tests.sandbox.in_thread import sandbox_thread

NO_KEYCHAIN = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
BINANCE = KeyPlace("binance", "default")
TYPED = TypedKey("canaryKEY5f1c9e77d0a8Wxyz", "canarySECRET1b2c3d4e5f6071")
OPENS = "canary four words of nonsense"


async def good(place: KeyPlace, key: ExchangeKey, tell: Callable[[str], None]) -> KeyCheck:
    tell("Asking…")
    return KeyCheck(place.exchange, 3, 1, 1, KeyRights(True, True, False))


async def withdrawing(place: KeyPlace, key: ExchangeKey, tell: Callable[[str], None]) -> KeyCheck:
    return KeyCheck(place.exchange, 3, 1, 1, KeyRights(True, True, True))


def made(folder: Path, check: object = good, mask: Mask | None = None, **environment: str) -> KeyDeskThread:
    return KeyDeskThread(Home(folder), {**NO_KEYCHAIN, **environment}, mask or Mask(), check)  # type: ignore[arg-type]


def answered(desk: KeyDesk, wish: KeyWish) -> KeyAnswer:
    number = desk.ask(wish)
    for _ in range(6_000):
        answer = desk.answer(number)
        if answer is not None:
            assert "canary" not in repr(answer)
            return answer
        threading.Event().wait(0.005)
    raise AssertionError("the desk never answered")


def state(desk: KeyDesk) -> KeyState:
    found = answered(desk, KeyWish(KeyAct.LOOK, BINANCE)).state
    assert found is not None
    return found


def test_a_key_is_kept_found_and_forgotten(tmp_path: Path) -> None:
    desk: KeyDesk = made(tmp_path)
    assert not state(desk).there and state(desk).lock is Lock.NEW
    assert state(desk).note.startswith("No system keychain was found.")
    assert not answered(desk, KeyWish(KeyAct.SAVE, BINANCE, TYPED)).ok
    saved = answered(desk, KeyWish(KeyAct.SAVE, BINANCE, TYPED, OPENS))
    assert saved.ok and saved.state is not None and saved.state.ending == "Wxyz" and saved.state.lock is Lock.NONE
    later = made(tmp_path)
    assert state(later).there and state(later).lock is Lock.SHUT and state(later).ending == ""
    wrong = answered(later, KeyWish(KeyAct.TEST, BINANCE, None, "another passphrase"))
    assert not wrong.ok and "does not open" in wrong.message
    opened = answered(later, KeyWish(KeyAct.LOOK, BINANCE, None, OPENS)).state
    assert opened is not None and opened.lock is Lock.NONE and opened.ending == "Wxyz"
    assert answered(later, KeyWish(KeyAct.REMOVE, BINANCE)).ok and not state(later).there


def test_with_the_passphrase_in_the_environment_none_is_asked_for(tmp_path: Path) -> None:
    desk = made(tmp_path, GRIDBOT_PASSPHRASE=OPENS)
    assert state(desk).lock is Lock.NONE
    assert answered(desk, KeyWish(KeyAct.SAVE, BINANCE, TYPED)).ok and state(desk).ending == "Wxyz"


def test_what_is_typed_is_hidden_from_the_log_even_if_it_is_refused(tmp_path: Path) -> None:
    mask = Mask()
    desk = made(tmp_path, mask=mask)
    refused = answered(desk, KeyWish(KeyAct.SAVE, BINANCE, TypedKey(TYPED.key, ""), OPENS))
    assert not refused.ok and "The secret is missing" in refused.message
    assert mask.text(f"{TYPED.key} {OPENS}") == f"{MASKED} {MASKED}"
    assert "canary" not in repr(KeyWish(KeyAct.SAVE, BINANCE, TYPED, OPENS)) + repr(TYPED)


def test_a_key_that_can_withdraw_is_refused_until_it_is_accepted_and_no_other_is(tmp_path: Path) -> None:
    desk = made(tmp_path, withdrawing, GRIDBOT_PASSPHRASE=OPENS)
    assert not answered(desk, KeyWish(KeyAct.ACCEPT, BINANCE)).ok
    answered(desk, KeyWish(KeyAct.SAVE, BINANCE, TYPED))
    found = answered(desk, KeyWish(KeyAct.TEST, BINANCE))
    assert not found.ok and found.verdict is KeyVerdict.WITHDRAWS and "refused" in found.message
    assert answered(desk, KeyWish(KeyAct.ACCEPT, BINANCE)).ok
    assert answered(desk, KeyWish(KeyAct.TEST, BINANCE)).verdict is KeyVerdict.GOOD
    other = TypedKey("canaryKEYofsomebodyelse", TYPED.secret)
    assert answered(desk, KeyWish(KeyAct.TEST, BINANCE, other)).verdict is KeyVerdict.WITHDRAWS


def test_a_test_is_given_up_while_the_exchange_hangs_and_the_desk_goes_on(tmp_path: Path) -> None:
    asked = threading.Event()

    async def hanging(place: KeyPlace, key: ExchangeKey, tell: Callable[[str], None]) -> KeyCheck:
        tell("Reading your balances…")
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    desk = made(tmp_path, hanging, GRIDBOT_PASSPHRASE=OPENS)
    number = desk.ask(KeyWish(KeyAct.TEST, BINANCE, TYPED))
    assert asked.wait(timeout=30)
    assert desk.progress(number) == "Reading your balances…" and desk.answer(number) is None
    desk.cancel(number)
    assert answered(desk, KeyWish(KeyAct.LOOK, BINANCE)).ok
    given_up = desk.answer(number)
    assert given_up is not None and given_up.message == "The test was given up."
    late = desk.ask(KeyWish(KeyAct.TEST, BINANCE, TYPED))
    desk.cancel(late)
    assert answered(desk, KeyWish(KeyAct.LOOK, BINANCE)).ok


def test_what_fails_at_the_exchange_is_a_sentence(tmp_path: Path) -> None:
    async def failing(place: KeyPlace, key: ExchangeKey, tell: Callable[[str], None]) -> KeyCheck:
        raise CallFailed("binance said -2015.", proof=Proof.ANSWERED, cause=Cause.KEY, code="-2015")

    desk = made(tmp_path, failing, GRIDBOT_PASSPHRASE=OPENS)
    found = answered(desk, KeyWish(KeyAct.TEST, BINANCE, TYPED))
    assert found.verdict is KeyVerdict.FAILED and "Is the key copied whole" in found.message
    assert "No key of binance (account default) is kept." in answered(desk, KeyWish(KeyAct.TEST, BINANCE)).message


def test_the_real_client_asks_the_sandbox(tmp_path: Path) -> None:
    with sandbox_thread(tmp_path / "sandbox") as served:
        desk = key_desk(Home(tmp_path / "home"), {**NO_KEYCHAIN, "GRIDBOT_PASSPHRASE": OPENS}, Mask())
        place = KeyPlace("binance", "default", served.address)
        typed = TypedKey(served.key.name, served.key.secret)
        found = answered(desk, KeyWish(KeyAct.TEST, place, typed))
        assert found.ok and found.message.startswith("This key can read yes, can trade yes, can withdraw no - good")
        wrong = answered(desk, KeyWish(KeyAct.TEST, place, TypedKey(served.key.name, "canary" * 5)))
        assert not wrong.ok and wrong.verdict is KeyVerdict.FAILED
        nowhere = answered(desk, KeyWish(KeyAct.TEST, KeyPlace("binanse", "default"), typed))
        assert "Did you mean 'binance'?" in nowhere.message


@pytest.mark.parametrize("act", list(KeyAct))
def test_a_damaged_file_is_a_sentence_whatever_is_asked(tmp_path: Path, act: KeyAct) -> None:
    (tmp_path / "secrets.sealed").write_bytes(b"gridbot secrets 1 nonsense\n")
    found = answered(made(tmp_path, GRIDBOT_PASSPHRASE=OPENS), KeyWish(act, BINANCE, TYPED))
    assert not found.ok and "damaged" in found.message


@pytest.mark.parametrize(
    ("exchange", "caution", "notes"),
    [
        ("kraken", "", True),
        ("luno", "gridbot knows luno only in general. The strictest is assumed", False),
        ("krakken", "There is no exchange krakken", False),
    ],
)
def test_what_there_is_to_know_of_an_exchange_is_told_with_its_key(
    tmp_path: Path, exchange: str, caution: str, notes: bool
) -> None:
    found = answered(made(tmp_path), KeyWish(KeyAct.LOOK, KeyPlace(exchange, "default"))).state
    assert found is not None and bool(found.words.notes) == notes
    assert found.words.caution.startswith(caution) and bool(found.words.caution) == bool(caution)
