"""The console's parts over the demo catalogue, with a bot that is told what to say."""

from __future__ import annotations

import pytest

from actions.replies import Reply, ReplyKind
from bot.turn import TurnResult, TurnTrace
from knowledge.live import Live
from service.console.parts import ConsoleParts
from service.db import Database
from service.settings import Settings


@pytest.fixture
def parts(settings: Settings, sqlite_database: Database, live: Live) -> ConsoleParts:
    reply = Reply(kind=ReplyKind.REFUSAL, text="不知道")
    result = TurnResult((reply,), "{}", TurnTrace("ask_policy", 0.9))
    return ConsoleParts(settings, sqlite_database, live, lambda text, day: result)
