"""A record desk written by hand: it answers when it is told to, and notes what was wished."""

from __future__ import annotations

from gridbot.core.units import OrderId, TimeMs
from gridbot.shell.errands import Done, Errands, Refused, Standing
from gridbot.shell.order_life import LifeLine
from gridbot.shell.record_desk import Life, RecordReply, RecordWish, Saved, SaveTable, Stops, StopThen, TellLife

T0 = 1_790_000_000_000


def life(order: str, *sentences: str) -> Life:
    """Return a life of these sentences, a minute and ten events apart."""
    lines = tuple(LifeLine(T0 + at * 60_000, 100 + at * 10, sentence) for at, sentence in enumerate(sentences))
    return Life(OrderId(order), lines)


def stop(number: int, *, kind: str = "manual", reason: str = "You pressed STOP.", released: bool = True) -> StopThen:
    """Return a stop, an hour after the one before."""
    begun = T0 + number * 3_600_000
    end = TimeMs(begun + 600_000) if released else None
    return StopThen(number * 10, TimeMs(begun), kind, reason, end, "window" if released else "")


class FakeRecords:
    """Satisfies the record desk. Attributes:

    wishes: what was asked, in order
    outcome: what the next errands come to; None lets them wait
    said: how far they are
    given_up: the numbers that were cancelled
    saved: the lines of the last table that was saved
    """

    def __init__(self, outcome: Done[RecordReply] | Refused | None = None) -> None:
        self.wishes: list[RecordWish] = []
        self.outcome = outcome
        self.said: Standing | None = None
        self.given_up: list[int] = []
        self.saved: list[str] = []

    def ask(self, wish: RecordWish) -> int:
        self.wishes.append(wish)
        return len(self.wishes)

    def standing(self, number: int) -> Standing | None:
        return self.said

    def answer(self, number: int) -> Done[RecordReply] | Refused | None:
        if number in self.given_up:
            return Refused("It was given up.", given_up=True)
        wish = self.wishes[number - 1]
        if self.outcome is None and isinstance(wish, SaveTable) and self.said is None:
            self.saved = [wish.head, *map(wish.line, range(wish.count))]
            return Done(Saved(wish.target, wish.count))
        return self.outcome

    def cancel(self, number: int) -> None:
        self.given_up.append(number)


def tells(order: str) -> FakeRecords:
    """Return a desk that tells one short life."""
    return FakeRecords(Done(life(order, "Intended when BTC/USDT crossed 61000.", "It was sent.", "It ended, filled.")))


def stopped(*stops: StopThen, since: int = 1) -> FakeRecords:
    """Return a desk that tells these stops."""
    return FakeRecords(Done(Stops(tuple(stops), since)))


def asks_for_life(records: FakeRecords) -> list[OrderId]:
    """Return the orders whose lives were asked for."""
    return [wish.order for wish in records.wishes if isinstance(wish, TellLife)]


def satisfies_the_protocol(fake: FakeRecords) -> Errands[RecordWish, RecordReply]:
    """The type checker holds the fake to the protocol."""
    return fake
