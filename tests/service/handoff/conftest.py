"""A desk to hand conversations over at: a clock, staff, and a visitor who writes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from actions.replies import Reply
from service.conversations import operations, turns
from service.conversations.models import Conversation, OutboxRow, Owner, OwnerChange
from service.conversations.operations import Backlog, Incoming, Recorded
from service.conversations.turns import Claim, Finished, Lease, Outcome
from service.db import Database
from service.handoff import queue
from service.handoff.hours import Rules
from service.handoff.queue import Answered
from service.handoff.routing import Wanted
from service.staff.permissions import Role, Staff

MONDAY = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)  # 9:00 in Shanghai
LI = Staff("li", "李敏", Role.COMMISSIONER)
WANG = Staff("wang", "王强", Role.COMMISSIONER)
CENTRE = Staff("centre", "中心值班", Role.CENTRE)
RULES = Rules()


@dataclass
class Counter:
    """One conversation at the desk, with a clock that the test moves."""

    database: Database
    conversation: str = "web-a"
    now: datetime = MONDAY
    lease: Lease = field(default_factory=lambda: Lease("here:1:a:b", MONDAY + timedelta(days=9)))

    def later(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now

    def say(self, text: str, client_id: str | None = None) -> Recorded:
        message = Incoming(self.conversation, uuid4().hex, client_id or uuid4().hex, text)
        with self.database.session() as db:
            return operations.record(db, message, self.lease, Backlog(500, 20), self.now)

    def finish(self, claim: Claim | None, *replies: str, state: str = "s") -> Finished:
        assert claim is not None
        outcome = Outcome([Reply(text=text) for text in replies or ("好",)], state)
        with self.database.session() as db:
            return turns.finish(db, claim, outcome, self.lease, self.now)

    def ask_for_person(self, rules: Rules = RULES, matter: str = "转人工") -> Answered:
        """A turn in which the visitor asks for a person."""
        claim = self.say("转人工").claim
        assert claim is not None
        with self.database.session() as db:
            answered = queue.ask_for_person(
                db, self.conversation, claim.message_id, Wanted(matter), rules, self.now
            )
        self.finish(claim, "转接中")
        return answered

    def run(self, operation: Any, *arguments: Any) -> Any:
        """An operation on this conversation, in a transaction of its own."""
        with self.database.session() as db:
            return operation(db, self.conversation, *arguments, self.now)

    @property
    def row(self) -> Conversation:
        with self.database.reading() as db:
            return db.scalars(
                select(Conversation).where(Conversation.id == self.conversation)
            ).one()

    @property
    def owner(self) -> Owner:
        return self.row.owner

    def shown(self) -> list[tuple[str, str]]:
        """Author and text of all that the visitor was told, in order."""
        with self.database.reading() as db:
            bodies = db.scalars(
                select(OutboxRow.body)
                .where(OutboxRow.conversation_id == self.conversation)
                .order_by(OutboxRow.seq)
            ).all()
        return [(body["author"], body["text"]) for body in bodies]

    def lines(self) -> list[str]:
        """The lines that tell of a change of owner."""
        return [text for author, text in self.shown() if author == "system"]

    def changes(self) -> list[OwnerChange]:
        with self.database.reading() as db:
            return list(
                db.scalars(
                    select(OwnerChange)
                    .where(OwnerChange.conversation_id == self.conversation)
                    .order_by(OwnerChange.version)
                )
            )


@pytest.fixture
def counter(database: Database) -> Counter:
    return Counter(database)
