"""Requests that need no ruling of the desk; each is answered in its own time."""

from __future__ import annotations

from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.facade import AcceptBalances, Answered, LoadHistory, PreviewGrid, Reconcile, ResumeTrading
from gridbot.shell.older_candles import OlderCandles
from gridbot.shell.outlet import Outlet
from gridbot.shell.previews import Previews
from gridbot.shell.rounds import Rounds
from gridbot.shell.start_up import StartUp
from gridbot.shell.teller import Teller

Received = AcceptBalances | LoadHistory | PreviewGrid | Reconcile | ResumeTrading
"""What is answered here."""


class Reception:
    """Answers what is a `Received`. The trader spawns each answer, so that none holds up the loop."""

    def __init__(
        self,
        *,
        balances: BalanceCheck,
        start_up: StartUp,
        teller: Teller,
        outlet: Outlet,
        previews: Previews,
        older: OlderCandles,
        rounds: Rounds,
    ) -> None:
        self._balances = balances
        self._start_up = start_up
        self._teller = teller
        self._outlet = outlet
        self._previews = previews
        self._older = older
        self._rounds = rounds

    async def answer(self, number: int, request: Received) -> None:
        """Do what is asked, and tell the answer."""
        match request:
            case AcceptBalances():
                answered = await self._balances.accept(number, request.gaps)
                self._teller.request(type(request).__name__, answered.message)
                self._outlet.tell((answered,))
            case Reconcile():
                ok, sentence = await self._rounds.at_once()
                self._outlet.tell((Answered(number, ok, sentence),))
            case LoadHistory():
                self._outlet.tell((await self._older.load(number, request),))
            case PreviewGrid():
                await self._previews.answer(number, request)
            case ResumeTrading():
                self._outlet.tell((self._start_up.resume(number),))
