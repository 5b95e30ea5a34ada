"""Turns stored as the worker stores them, and a small catalogue in force."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest

from actions.replies import Reply, ReplyKind
from bot.turn import TurnTrace
from knowledge.catalogue import Catalogue
from knowledge.policy import Policy, Status
from service.conversations import operations, turns
from service.conversations.operations import Backlog, Incoming
from service.conversations.turns import Lease, Outcome
from service.db import Database

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
TODAY = date(2026, 11, 23)
MINE = Lease("here:1:a:b", NOW + timedelta(seconds=30))
REFUSAL = Reply(kind=ReplyKind.REFUSAL, text="没找到")
ANSWER = Reply(kind=ReplyKind.ANSWER, text="五万元")

Take = Callable[..., str]


@pytest.fixture
def take(database: Database) -> Take:
    """Records a message and stores what a turn brought; the id of the message."""

    def take(
        said: str,
        *replies: Reply,
        intent: str = "ask_policy",
        confidence: float = 0.9,
        chance: float | None = 0.9,
        label: str | None = None,
        conversation: str = "web-a",
        now: datetime = NOW,
    ) -> str:
        incoming = Incoming(conversation, uuid4().hex, uuid4().hex, said)
        with database.session() as db:
            recorded = operations.record(db, incoming, MINE, Backlog(500, 20), now)
        assert recorded.claim is not None
        claim = replace(recorded.claim, is_button=said.startswith("/"))
        trace = TurnTrace(intent, confidence, (("FT-001", 0.8),), (), chance)
        with database.session() as db:
            turns.finish(db, claim, Outcome(replies or (ANSWER,), None, trace), MINE, now)
        return claim.message_id

    return take


def in_force(catalogue: Catalogue, policy_id: str, valid_to: date | None) -> Policy:
    return replace(
        catalogue.policies[policy_id],
        published=None, valid_from=None, valid_to=valid_to, status=Status.CURRENT,
    )  # fmt: skip


@pytest.fixture
def two(catalogue: Catalogue) -> Catalogue:
    """Two policies in force, the first until the end of next year."""
    return Catalogue(
        [
            in_force(catalogue, "FT-001", date(2027, 12, 31)),
            in_force(catalogue, "FT-002", date(2030, 12, 31)),
        ]
    )


def edited(catalogue: Catalogue, policy_id: str = "FT-001") -> Catalogue:
    """The catalogue with one policy saying something else."""
    return Catalogue(
        replace(policy, summary="改过的内容，奖励八万元。") if policy.id == policy_id else policy
        for policy in catalogue.policies.values()
    )


def changed_clauses(before: Catalogue, after: Catalogue) -> list[str]:
    return [
        i
        for i, c in after.clauses.items()
        if i in before.clauses and before.clauses[i].hash != c.hash
    ]
