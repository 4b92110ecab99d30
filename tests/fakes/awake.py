"""An Awake that remembers, and refuses while it is told to."""

from __future__ import annotations

from gridbot.errors import EnvironmentProblem


class RememberedAwake:
    """Satisfies the Awake port. `told` is what was asked for, `held` whether the machine is kept awake now."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.held = False
        self.refuses = False

    async def hold(self) -> None:
        self.told.append("hold")
        if self.refuses:
            raise EnvironmentProblem("This machine may not be kept awake.", hint="Set it never to sleep.")
        self.held = True

    async def release(self) -> None:
        self.told.append("release")
        self.held = False
