"""What a window asks about keys is done in a thread of its own: keychains ask back, exchanges take their time."""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Mapping

from gridbot.adapters.exchange.exchange_key import ExchangeKey
from gridbot.adapters.exchange.key_check import KeyCheck, failed_sentence
from gridbot.adapters.exchange.stored_keys import exchange_key, made_key, needs_secret, secret_name, store_key
from gridbot.adapters.exchange.unified import CallFailed
from gridbot.adapters.files.home import Home
from gridbot.adapters.logbook.masking import Mask
from gridbot.adapters.secrets.chosen_store import ChosenStore
from gridbot.bootstrap_keys import accepted_key, asked, ending_of, judged, secret_store
from gridbot.bootstrap_worlds import exchange_words
from gridbot.errors import GridbotError
from gridbot.shell.key_desk import KeyAct, KeyAnswer, KeyPlace, KeyState, KeyVerdict, KeyWish, Lock

Tell = Callable[[str], None]
Check = Callable[[KeyPlace, ExchangeKey, Tell], Awaitable[KeyCheck]]
"""Asks the exchange about a key; CallFailed, or ConfigError for an exchange that nobody knows."""


class KeyDeskThread:
    """Satisfies the KeyDesk protocol: one thread that takes one request after another."""

    def __init__(self, home: Home, environment: Mapping[str, str], mask: Mask, check: Check) -> None:
        self._home = home
        self._environment = environment
        self._mask = mask
        self._check = check
        self._unlock = ""
        self._kept_store: ChosenStore | None = None
        self._waiting: queue.SimpleQueue[tuple[int, KeyWish]] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._count = 0
        self._answers: dict[int, KeyAnswer] = {}
        self._told: dict[int, str] = {}
        self._given_up: set[int] = set()
        self._testing: tuple[int, asyncio.AbstractEventLoop, asyncio.Task[KeyCheck]] | None = None

    def ask(self, wish: KeyWish) -> int:
        """Hand in a request; return its number."""
        with self._lock:
            self._count += 1
            number = self._count
            if number == 1:
                # A daemon: a keychain that waits for its owner must not keep the process from ending.
                threading.Thread(target=self._work, name="gridbot-keys", daemon=True).start()
        self._waiting.put((number, wish))
        return number

    def progress(self, number: int) -> str:
        """Return what is being done."""
        return self._told.get(number, "")

    def answer(self, number: int) -> KeyAnswer | None:
        """Return the answer, once."""
        with self._lock:
            self._told.pop(number, None)
            return self._answers.pop(number, None)

    def cancel(self, number: int) -> None:
        """Give a test up."""
        with self._lock:
            self._given_up.add(number)
            if self._testing is not None and self._testing[0] == number:
                _, loop, task = self._testing
                loop.call_soon_threadsafe(task.cancel)

    def _work(self) -> None:
        while True:
            number, wish = self._waiting.get()
            self._unlock = wish.unlock
            self._mask.learn(wish.unlock)
            try:
                answer = self._done(number, wish)
            except GridbotError as problem:
                answer = KeyAnswer(False, f"{problem.message} {problem.hint}".strip())
            finally:
                self._unlock = ""
            with self._lock:
                self._told.pop(number, None)
                self._answers[number] = answer

    def _done(self, number: int, wish: KeyWish) -> KeyAnswer:
        place = wish.place
        match wish.act:
            case KeyAct.LOOK:
                if wish.unlock:
                    exchange_key(self._store, place.exchange, place.account, {})
                return KeyAnswer(True, "", self._state(place))
            case KeyAct.SAVE:
                store_key(self._store, place.exchange, place.account, self._typed(wish))
                return KeyAnswer(True, f"The key is kept in {self._store.kept_in}.", self._state(place))
            case KeyAct.REMOVE:
                self._store.remove(secret_name(place.exchange, place.account))
                said = "The key is forgotten here. At the exchange it is still valid: delete it there too."
                return KeyAnswer(True, said, self._state(place))
            case KeyAct.ACCEPT:
                accepted_key(self._home, place.account, self._kept(place).key).store()
                return KeyAnswer(True, "Accepted for this key alone.", self._state(place))
            case KeyAct.TEST:
                return self._tested(number, wish)

    @property
    def _store(self) -> ChosenStore:
        """The store; looking for a keychain takes a while, so it is looked for when it is needed."""
        if self._kept_store is None:
            self._kept_store = secret_store(
                self._home, self._environment, self._mask, ask=lambda _question: self._unlock or None
            )
        return self._kept_store

    def _typed(self, wish: KeyWish) -> ExchangeKey:
        typed = wish.typed
        key, secret, passphrase = ("", "", "") if typed is None else (typed.key, typed.secret, typed.passphrase)
        self._mask.learn(key, secret, passphrase)
        return made_key(wish.place.exchange, key, secret, passphrase)

    def _kept(self, place: KeyPlace) -> ExchangeKey:
        key = exchange_key(self._store, place.exchange, place.account, self._environment)
        if key is None:
            raise GridbotError(
                f"No key of {place.exchange} (account {place.account}) is kept.", hint="Enter one first."
            )
        return key

    def _tested(self, number: int, wish: KeyWish) -> KeyAnswer:
        place = wish.place
        key = self._kept(place) if wish.typed is None else self._typed(wish)

        async def ask() -> KeyCheck:
            task = asyncio.ensure_future(self._check(place, key, lambda text: self._told.update({number: text})))
            with self._lock:
                self._testing = (number, asyncio.get_running_loop(), task)
                given_up = number in self._given_up
            if given_up:
                task.cancel()
            return await task

        try:
            found = asyncio.run(ask())
        except asyncio.CancelledError:
            return KeyAnswer(False, "The test was given up.", None, KeyVerdict.FAILED)
        except CallFailed as failed:
            return KeyAnswer(False, failed_sentence(place.exchange, failed), None, KeyVerdict.FAILED)
        finally:
            with self._lock:
                self._testing = None
        accepted = accepted_key(self._home, place.account, key.key)
        verdict, said = judged(found, accepted), found.sentences(accepted=accepted.given())
        return KeyAnswer(verdict is KeyVerdict.GOOD, "\n".join(said), self._state(place), verdict)

    def _state(self, place: KeyPlace) -> KeyState:
        store, name = self._store, secret_name(place.exchange, place.account)
        wants = None if self._environment.get("GRIDBOT_PASSPHRASE") else store.wants
        found = store.found_in(name)
        shut = wants is False
        key = None if shut or not found else exchange_key(store, place.exchange, place.account, {})
        return KeyState(
            place,
            bool(found),
            "" if key is None else ending_of(key),
            found or store.kept_in,
            store.note,
            needs_secret(place.exchange),
            Lock.NONE if wants is None else Lock.NEW if wants else Lock.SHUT,
            exchange_words(place.exchange),
        )


def key_desk(home: Home, environment: Mapping[str, str], mask: Mask) -> KeyDeskThread:
    """Return the desk of this folder's keys, which asks the real exchanges."""
    return KeyDeskThread(home, environment, mask, asked)
