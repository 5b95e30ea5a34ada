"""Holds what answers come from, and exchanges it as a whole while others read."""

from __future__ import annotations

from collections.abc import Callable

from knowledge.answer import Answerer


class Live:
    """The answerer in force. A reader takes ``now`` once and works on that one to the end of its turn."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer
        self._watchers: list[Callable[[Answerer], None]] = []

    @property
    def now(self) -> Answerer:
        return self._answerer

    def exchange(self, answerer: Answerer) -> None:
        """From here on ``now`` is the new one; whoever holds the old one finishes with it undisturbed."""
        self._answerer = answerer
        for told in self._watchers:
            told(answerer)

    def watch(self, told: Callable[[Answerer], None]) -> None:
        """Tells of each exchange once it is done, on the thread that made it."""
        self._watchers.append(told)
