"""Whether a key works at its exchange, and what it may do, in sentences; it asks, and never writes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal, InvalidOperation

from gridbot.adapters.exchange.unified import CallFailed, Cause, Proof, UnifiedExchange
from gridbot.core.values import value

CLOCK_MS = 1_000
"""A clock that is further off is told; orders would be refused for it."""


@value
class KeyRights:
    """What a key may do; None where the exchange does not tell."""

    read: bool | None
    trade: bool | None
    withdraw: bool | None

    def sentence(self, *, accepted: bool) -> str:
        """Return it as a person reads it; `accepted` tells whether its user took the key although it can withdraw."""
        told = ", ".join(
            f"can {verb} {_yes_or_no(may)}"
            for verb, may in (("read", self.read), ("trade", self.trade), ("withdraw", self.withdraw))
        )
        if self.withdraw and not accepted:
            return f"{told} - refused: whoever gets hold of this key can take your money away."
        if self.trade is False:
            return f"{told} - not enough: allow it to trade, on the exchange's page of this key."
        if self.withdraw:
            return f"{told} - accepted by you, for this key alone."
        if self.withdraw is None:
            return f"{told} - look at the exchange's page of this key, and switch withdrawals off there."
        return f"{told} - good"


@value
class KeyCheck:
    """What a test found. `offset_ms` is how far the exchange's clock is ahead of this machine's."""

    exchange: str
    offset_ms: int
    markets: int
    assets: int
    rights: KeyRights

    def sentences(self, *, accepted: bool) -> tuple[str, ...]:
        """Return what was found, line by line; the first is what matters most."""
        behind = "ahead of" if self.offset_ms >= 0 else "behind"
        clock = f"Its clock is {abs(self.offset_ms):,} ms {behind} this machine's"
        off = " - set this machine's clock, or orders will be refused." if abs(self.offset_ms) > CLOCK_MS else "."
        money = f"{self.assets} {'currency' if self.assets == 1 else 'currencies'} with a balance"
        return (
            f"This key {self.rights.sentence(accepted=accepted)}",
            f"{self.exchange} answers: {self.markets:,} markets.",
            clock + off,
            f"Your balances can be read: {money}.",
        )


async def check_key(
    client: UnifiedExchange,
    rights: Callable[[], Awaitable[KeyRights]],
    *,
    now_ms: Callable[[], int],
    tell: Callable[[str], None],
) -> KeyCheck:
    """Ask the exchange step by step, and tell each step before it is taken. CallFailed at the first that fails."""
    tell(f"Asking {client.id} for its time…")
    before = now_ms()
    theirs = await client.fetch_time()
    offset = theirs - (before + now_ms()) // 2
    tell(f"Reading the markets of {client.id}…")
    markets = await client.load_markets()
    tell("Reading your balances…")
    assets = _held(await client.fetch_balance())
    tell("Asking what the key may do…")
    may = await rights()
    return KeyCheck(client.id, offset, len(markets), assets, KeyRights(True, may.trade, may.withdraw))


def failed_sentence(exchange: str, failed: CallFailed) -> str:
    """Return why a test failed and what to do, for a person."""
    done = _DO.get(failed.cause, "Try again in a minute.")
    return f"{exchange} was not reached as it should be: {failed.message.rstrip('.')}. {done}"


_DO: Mapping[Cause, str] = {
    Cause.KEY: "Is the key copied whole, still valid, and allowed from this machine's address?",
    Cause.CLOCK: "Set this machine's clock by a time server.",
    Cause.NETWORK: "Is this machine online?",
    Cause.BANNED: "Wait until the exchange lets this address in again.",
    Cause.MAINTENANCE: "Wait until its maintenance is over.",
}


def _yes_or_no(may: bool | None) -> str:
    return "is not told" if may is None else "yes" if may else "no"


def _held(balance: Mapping[str, object]) -> int:
    """Return how many assets have a balance; CallFailed for an answer that is none."""
    totals = balance.get("total")
    if not isinstance(totals, Mapping):
        raise CallFailed("The balances are not readable.", proof=Proof.ANSWERED, cause=Cause.MALFORMED)
    try:
        return sum(Decimal(str(amount)) != 0 for amount in totals.values() if amount is not None)
    except InvalidOperation:
        raise CallFailed("The balances are not readable.", proof=Proof.ANSWERED, cause=Cause.MALFORMED) from None
