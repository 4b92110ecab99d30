"""Requests that need no ruling of the desk: long ones, and those that only ask; each is answered in its own time."""

from __future__ import annotations

from gridbot.shell.balance_check import BalanceCheck
from gridbot.shell.exports import Exports
from gridbot.shell.facade import (
    AcceptBalances,
    Answered,
    CancelRequest,
    ExportLogs,
    ResumeTrading,
)
from gridbot.shell.outlet import Outlet
from gridbot.shell.start_up import StartUp
from gridbot.shell.teller import Teller

Received = AcceptBalances | CancelRequest | ExportLogs | ResumeTrading
"""What is answered here."""


class Reception:
    """Answers what is a `Received`. The trader spawns each answer, so that none holds up the loop."""

    def __init__(
        self, *, exports: Exports, balances: BalanceCheck, start_up: StartUp, teller: Teller, outlet: Outlet
    ) -> None:
        self._exports = exports
        self._balances = balances
        self._start_up = start_up
        self._teller = teller
        self._outlet = outlet

    async def answer(self, number: int, request: Received) -> None:
        """Do what is asked, and tell the answer."""
        match request:
            case ExportLogs():
                await self._exports.run(number, request)
            case CancelRequest():
                if not self._exports.stop(request.request):
                    self._outlet.tell((Answered(number, False, "It has ended already."),))
            case AcceptBalances():
                answered = await self._balances.accept(number, request.gaps)
                self._teller.request(type(request).__name__, answered.message)
                self._outlet.tell((answered,))
            case ResumeTrading():
                self._outlet.tell((self._start_up.resume(number),))
