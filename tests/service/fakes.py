"""A bot that only repeats, so that tests of the service need no training."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from actions.replies import Author, Button, Reply, ReplyKind
from bot.turn import Turn, TurnFailed, TurnResult, TurnTrace
from service.conversations.turns import Outcome


class EchoBot:
    """Answers ``<turn number>:<text>``; the number is the dialogue state, so lost state shows.

    Texts that begin with ``fail``, ``silent`` or ``buttons`` do what they say. ``work`` runs within
    each turn. ``turns`` holds what was asked, ``most_at_once`` how many turns ran together.
    """

    def __init__(self, work: Callable[[Turn], None] | None = None) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._running: dict[str, int] = {}
        self.turns: list[Turn] = []
        self.most_at_once = 0
        self.overlapped: list[str] = []

    def turn(self, turn: Turn, timeout_s: float) -> TurnResult:
        with self._lock:
            self.turns.append(turn)
            if self._running.get(turn.session):
                self.overlapped.append(turn.session)
            self._running[turn.session] = self._running.get(turn.session, 0) + 1
            self.most_at_once = max(self.most_at_once, sum(self._running.values()))
        try:
            if self._work:
                self._work(turn)
            return self._answer(turn)
        finally:
            with self._lock:
                self._running[turn.session] -= 1

    def _answer(self, turn: Turn) -> TurnResult:
        if turn.text.startswith("fail"):
            raise TurnFailed("told to fail")
        number = int(turn.state or 0) + 1
        trace = TurnTrace("ask_policy", 0.9, (("sz-001", 0.8),))
        if turn.text.startswith("silent"):
            return TurnResult((), str(number), trace)
        buttons = []
        if turn.text.startswith("buttons"):
            buttons = [Button(title="转人工", payload="/talk_to_human")]
        mark = "button" if turn.is_button else ""
        reply = Reply(kind=ReplyKind.ANSWER, text=f"{number}:{mark}{turn.text}", buttons=buttons)
        return TurnResult((reply,), str(number), trace)


def sorry(turn: Turn) -> Outcome:
    """A fallback that works, unless the text asks it not to."""
    if "badly" in turn.text:
        raise RuntimeError("told to fail")
    return Outcome([Reply(author=Author.SYSTEM, text=f"sorry:{turn.text}")])


def sleeping(seconds: float) -> Callable[[Turn], None]:
    """Work that takes a while."""
    return lambda _turn: time.sleep(seconds)


def waiting_for(release: threading.Event) -> Callable[[Turn], None]:
    """Work that goes on until it is released, ten seconds at most."""

    def work(_turn: Turn) -> None:
        release.wait(10)

    return work
