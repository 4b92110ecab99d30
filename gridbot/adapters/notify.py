"""Sends notifications through apprise, each address in a thread of its own; the only module that imports it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import TYPE_CHECKING

from gridbot.config import AppConfig
from gridbot.core.values import value
from gridbot.errors import ConfigError, EnvironmentProblem, VenueUnavailable
from gridbot.ports import LogSink, SecretStore

if TYPE_CHECKING:
    from apprise import Apprise

Learn = Callable[..., None]
"""The mask's `learn`: it hides each of the texts that it is given from now on."""

LONGEST_S = 30.0
"""How long a service may take; apprise itself waits some seconds for each answer."""
HIDDEN = "(hidden)"
_TOKEN = re.compile(r"(?=[^\d]*\d)(?=.*[A-Za-z])[\w~+=-]{10,}|\d{9,}|[\w-]{20,}|[\w-]*:[\w-]{16,}|\S{40,}")
"""Parts of an address that are secrets by themselves; a plain host name is none, and would hide words of every line."""


@value
class Delivery:
    """What became of a message at one address; `place` and `why` hold nothing of the address but its service."""

    place: str
    sent: bool
    why: str


def addresses_in(secret: str) -> tuple[str, ...]:
    """Return the addresses of a stored secret: one a line, or with spaces between; a line with # is a remark."""
    lines = (line.strip() for line in secret.splitlines())
    return tuple(address for line in lines if not line.startswith("#") for address in line.split())


def secret_parts(address: str) -> Iterator[str]:
    """Yield an address and what of it is secret wherever it stands: keys, tokens, a password."""
    yield address
    yield from (part for part in _parts(address) if _TOKEN.fullmatch(part))
    password = re.match(r"[^:]+://[^/@]*?:([^/@]+)@", address)
    if password is not None:
        yield password[1]


def stored_addresses(config: AppConfig, store: SecretStore, *, learn: Learn) -> tuple[str, ...]:
    """Return where notifications go; ConfigError if none is configured, EnvironmentProblem if none is stored."""
    name = config.notifications.urls_secret
    if name is None:
        raise ConfigError(
            "No notifications are configured.",
            hint="Keep the addresses with `gridbot secret set notify-urls`, and name them in the configuration: "
            '"notifications": {"urls_secret": "notify-urls"}.',
        )
    addresses = addresses_in(store.read(name) or "")
    if not addresses:
        raise EnvironmentProblem(
            f"Notifications cannot be sent: the secret {name} holds no address.",
            hint=f"Keep it with `gridbot secret set {name}`.",
        )
    for address in addresses:
        learn(*secret_parts(address))
    return addresses


def notifier_for(config: AppConfig, store: SecretStore, *, learn: Learn, log: LogSink) -> AppriseNotifier | None:
    """Return what sends notifications, None where nobody is to be told; what is missing is told in the log."""
    if config.notifications.urls_secret is None:
        return None
    try:
        addresses = stored_addresses(config, store, learn=learn)
    except EnvironmentProblem as problem:
        log.log("WARNING", "system", "notification_failed", f"{problem.message} {problem.hint}".strip())
        return None
    return AppriseNotifier(addresses, log=log)


class AppriseNotifier:
    """Satisfies the Notifier port for one or more addresses. Who fails keeps nobody else from being told."""

    def __init__(self, addresses: Sequence[str], *, log: LogSink | None = None) -> None:
        self._targets = tuple(_Target(number, address) for number, address in enumerate(addresses, 1))
        self._log = log
        self._failing: dict[str, str] = {}

    async def send(self, title: str, text: str) -> None:
        """Send to every address; VenueUnavailable if not one of them took it."""
        deliveries = await self.deliver(title, text)
        if not any(each.sent for each in deliveries):
            whys = " ".join(f"{each.place}: {each.why}" for each in deliveries)
            raise VenueUnavailable(f"The notification could not be sent. {whys}")
        self._tell(deliveries)

    async def deliver(self, title: str, text: str) -> tuple[Delivery, ...]:
        """Send to every address at once; return what became of each, in their order."""
        return tuple(await asyncio.gather(*(target.send(title, text) for target in self._targets)))

    def _tell(self, deliveries: Sequence[Delivery]) -> None:
        """Log an address that fails while others work, once, and once again when it works."""
        for each in deliveries:
            if self._log is None:
                return
            if each.sent and self._failing.pop(each.place, None) is not None:
                self._log.log("INFO", "system", "notification_works", f"{each.place} takes notifications again.")
            elif not each.sent and self._failing.get(each.place) != each.why:
                self._failing[each.place] = each.why
                sentence = f"{each.place} did not take a notification: {each.why}"
                self._log.log("WARNING", "system", "notification_failed", sentence)


class _Target:
    """One address. A service that hangs holds up itself alone, and is not asked anew before it answered."""

    def __init__(self, number: int, address: str) -> None:
        self._address = address
        self._place = f"Address {number}"
        self._apprise: Apprise | None = None
        self._busy = False

    async def send(self, title: str, text: str) -> Delivery:
        if self._busy:
            return Delivery(self._place, False, "It has not answered yet to what was sent before.")
        self._busy = True
        loop = asyncio.get_running_loop()
        told: asyncio.Future[Delivery] = loop.create_future()
        # A thread that the interpreter does not wait for: a service that hangs must not keep gridbot from ending.
        Thread(target=self._work, args=(loop, told, title, text), name="notification", daemon=True).start()
        try:
            return await asyncio.wait_for(told, LONGEST_S)
        except TimeoutError:
            return Delivery(self._place, False, f"It did not answer within {LONGEST_S:.0f} s.")

    def _work(self, loop: asyncio.AbstractEventLoop, told: asyncio.Future[Delivery], title: str, text: str) -> None:
        delivery = Delivery(self._place, False, "It failed in a way that nobody foresaw.")
        try:
            delivery = self._deliver(title, text)
        finally:
            self._busy = False
            # A loop that has ended waits for nothing any more.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(_arrived, told, delivery)

    def _deliver(self, title: str, text: str) -> Delivery:
        from apprise import Apprise, NotifyFormat

        if self._apprise is None:
            service = Apprise.instantiate(self._address)
            if service is None:
                why = "It is no address that apprise understands. See https://appriseit.com for each service's form."
                return Delivery(self._place, False, why)
            self._apprise = Apprise()
            self._apprise.add(service)
            self._place = f"{self._place} ({service.service_name})"
        result = self._apprise.notify(text, title=title, body_format=NotifyFormat.TEXT)
        if result:
            return Delivery(self._place, True, "")
        told = [entry.message for entry in result.logs() if entry.level in {"WARNING", "ERROR", "CRITICAL"}]
        return Delivery(self._place, False, self._hide(" ".join(told)) or "The service refused it.")

    def _hide(self, text: str) -> str:
        """Return what apprise says without any part of the address: it is a secret as a whole."""
        for part in sorted(_parts(self._address), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", HIDDEN, text)
        return text


def _arrived(told: asyncio.Future[Delivery], delivery: Delivery) -> None:
    if not told.done():
        told.set_result(delivery)


def _parts(address: str) -> list[str]:
    rest = address.partition("://")[2]
    return [part for part in (rest, *re.split(r"[/@?&=:#,;]+", rest), *re.split(r"[/@?&=#,;]+", rest)) if len(part) > 2]
