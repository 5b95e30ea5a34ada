"""Lets staff try out a question on the running bot without anything of it reaching the real desk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, cast
from uuid import uuid4

from actions.desk import Appeal, AppealDraft, Desk
from bot.runtime import BotRuntime
from bot.turn import BotError, Turn, TurnFailed, TurnResult
from service.db import utc_now

_SESSION = "rehearsal-"
NOT_FILED = "（试问，未登记）"


class NotRehearsed(BotError):
    """A turn that is only tried wanted the desk to do something; the message names it."""


class RehearsalDesk:
    """The desk of a rehearsal: knows nobody, and an appeal filed with it goes nowhere.

    Whatever else is asked of it ends the turn.
    """

    def file_appeal(self, draft: AppealDraft) -> Appeal:
        return Appeal(NOT_FILED, "filed", NOT_FILED, utc_now(), draft.matter)

    def appeals_of(self, session: str, no: str | None = None) -> list[Appeal]:
        return []

    def profile_of(self, session: str, called: str | None = None) -> None:
        return None

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def refuse(*_args: object, **_kwargs: object) -> None:
            raise NotRehearsed(name)

        return refuse


class GuardedDesk:
    """The real desk for everybody but sessions of a rehearsal, which meet a ``RehearsalDesk``."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rehearsal = RehearsalDesk()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        real, tried = getattr(self._desk, name), getattr(self._rehearsal, name)

        def call(first: str | AppealDraft, *args: Any, **kwargs: Any) -> Any:
            session = first if isinstance(first, str) else first.session
            function = tried if session.startswith(_SESSION) else real
            return function(first, *args, **kwargs)

        return call


def guarded(desk: Desk) -> Desk:
    """The desk to hand to the bot's actions, so that :func:`rehearse` is safe."""
    return cast(Desk, GuardedDesk(desk))


def rehearse(bot: BotRuntime, text: str, as_of: date) -> TurnResult:
    """What the bot says to a first message on a day. Nothing is stored and nothing is filed.

    Raises:
        NotRehearsed: the bot would do something for the person (call somebody, withdraw an appeal).
        BotError: the turn failed.
    """
    session = f"{_SESSION}{uuid4().hex}"
    try:
        return bot.turn(Turn(session, session, text, as_of))
    except TurnFailed as error:
        # Rasa drops what an action raises; the runtime keeps it in words.
        if NotRehearsed.__name__ in str(error):
            raise NotRehearsed(str(error)) from error
        raise
