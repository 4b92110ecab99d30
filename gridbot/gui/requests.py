"""The way of a request: asked of the facade, remembered until its answer comes, and told to whoever asked."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal
from shiboken6 import isValid

from gridbot.shell.facade import Answered, Facade, Happened, Previewed, PreviewGrid, Progressed, Request

OnAnswer = Callable[[Answered], None]
OnPreview = Callable[[Previewed], None]
OnProgress = Callable[[Progressed], None]


class RequestDesk(QObject):
    """Sends requests and hands on their answers.

    Signals:
        told: (sentence, ok) of an answer, for the line at the bottom of the window.
    """

    told = Signal(str, bool)

    def __init__(self, facade: Facade, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._facade = facade
        self._waiting: dict[int, tuple[OnAnswer | None, OnProgress | None]] = {}
        self._previews: dict[int, OnPreview] = {}

    def ask(self, request: Request, on_answer: OnAnswer | None = None, on_progress: OnProgress | None = None) -> int:
        """Hand in a request; return its number."""
        number = self._facade.ask(request)
        self._waiting[number] = (on_answer, on_progress)
        return number

    def ask_preview(self, request: PreviewGrid, on_preview: OnPreview, on_answer: OnAnswer) -> int:
        """Ask what a grid would do; return the request's number. What is told may be told more than once."""
        number = self.ask(request, on_answer)
        self._previews[number] = on_preview
        return number

    def take(self, happened: tuple[Happened, ...]) -> None:
        """Hand on the answers among what happened."""
        for item in happened:
            if isinstance(item, Progressed):
                _, on_progress = self._waiting.get(item.request, (None, None))
                if on_progress is not None and is_alive(on_progress):
                    on_progress(item)
            elif isinstance(item, Previewed):
                on_preview = self._previews.get(item.request)
                if on_preview is not None and is_alive(on_preview):
                    on_preview(item)
            elif isinstance(item, Answered):
                self._previews.pop(item.request, None)
                on_answer, _ = self._waiting.pop(item.request, (None, None))
                if on_answer is not None and is_alive(on_answer):
                    on_answer(item)
                self.told.emit(item.message, item.ok)


def is_alive(call: object) -> bool:
    """Tell whether whoever asked is still there: a dialog may be closed before its answer comes."""
    owner = getattr(call, "__self__", None)
    return not isinstance(owner, QObject) or isValid(owner)
