"""Holds what answers come from, and exchanges it as a whole while others read."""

from __future__ import annotations

from knowledge.answer import Answerer


class Live:
    """The answerer in force. A reader takes ``now`` once and works on that one to the end of its turn."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    @property
    def now(self) -> Answerer:
        return self._answerer

    def exchange(self, answerer: Answerer) -> None:
        """From here on ``now`` is the new one; whoever holds the old one finishes with it undisturbed."""
        self._answerer = answerer
