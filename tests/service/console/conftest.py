"""The console's parts over the demo catalogue, with a bot that is told what to say."""

from __future__ import annotations

import pytest

from actions.replies import Reply, ReplyKind
from bot.turn import TurnResult, TurnTrace
from knowledge.encoder import Encoder
from knowledge.live import Live
from service.appeals.clock import DISTRICT_HOURS
from service.appeals.departments import load_departments
from service.common_issues.likeness import Meaning
from service.console.parts import ConsoleParts
from service.db import Database
from service.debt.regressions import regressions_path
from service.debt.routes import DebtParts
from service.debt.serving import SignedAnswers
from service.handoff.feed import StaffFeed
from service.settings import Settings


@pytest.fixture
def parts(
    settings: Settings, sqlite_database: Database, live: Live, encoder: Encoder
) -> ConsoleParts:
    reply = Reply(kind=ReplyKind.REFUSAL, text="不知道")
    result = TurnResult((reply,), "{}", TurnTrace("ask_policy", 0.9))
    return ConsoleParts(
        settings,
        sqlite_database,
        live,
        lambda text, day: result,
        feed=StaffFeed(sqlite_database),
        posted=lambda conversation_id, deliveries: None,
        hours=lambda: DISTRICT_HOURS,
        meaning=Meaning(encoder, load_departments()),
        debt=DebtParts(
            live=live,
            signed=SignedAnswers(sqlite_database, encoder, live),
            regressions=regressions_path(settings.data_dir),
            imported=dict,
            today=settings.today,
            join_alike=lambda: 0,
        ),
    )
