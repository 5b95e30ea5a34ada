"""Gathers what somebody who takes a conversation over must know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service.appeals.models import OPEN_STATES
from service.appeals.operations import list_for_session
from service.conversations.models import Message, OutboxRow
from service.enterprises.speakers import enterprise_of

_LAST_REPLIES = 60
_LAST_TRIES = 10


@dataclass(frozen=True)
class EnterpriseCard:
    """The enterprise the speaker is bound to."""

    name: str
    credit_code: str
    district: str | None
    is_verified: bool


@dataclass(frozen=True)
class MatchShown:
    """One policy of the last match; ``failed`` and ``unknown`` are conditions in words."""

    policy_id: str
    title: str
    verdict: str
    failed: list[str]
    unknown: list[str]


@dataclass(frozen=True)
class CitedClause:
    """A clause the visitor was shown already."""

    policy_id: str
    title: str
    clause: str


@dataclass(frozen=True)
class Try:
    """One thing the bot tried: what was asked, how it was understood, what kind of reply came.

    ``intent`` and ``confidence`` (0-1) are absent where the bot was not asked, ``kind`` where nothing
    was replied.
    """

    text: str
    intent: str | None
    confidence: float | None
    kind: str | None
    policy_ids: list[str]


@dataclass(frozen=True)
class OpenAppeal:
    """An appeal of this conversation that is still open."""

    no: str
    state: str
    department: str
    matter: str
    due_at: datetime


@dataclass(frozen=True)
class Packet:
    """The whole; ``enterprise`` is absent for a speaker bound to none."""

    enterprise: EnterpriseCard | None
    last_match: list[MatchShown]
    cited: list[CitedClause]
    tries: list[Try]
    open_appeals: list[OpenAppeal]


def packet_of(db: Session, conversation_id: str) -> Packet:
    """What is known now, from what was said, replied and filed in the conversation."""
    replies = [
        (message_id, body)
        for message_id, body in db.execute(
            select(OutboxRow.message_id, OutboxRow.body)
            .where(OutboxRow.conversation_id == conversation_id)
            .order_by(OutboxRow.seq.desc())
            .limit(_LAST_REPLIES)
        )
    ]
    bodies = [body for _, body in replies]
    return Packet(
        enterprise=_enterprise(db, conversation_id),
        last_match=_last_match(bodies),
        cited=_cited(bodies),
        tries=_tries(db, conversation_id, {m: b["kind"] for m, b in reversed(replies) if m}),
        open_appeals=[
            OpenAppeal(row.no, str(row.state), row.department, row.matter, row.due_at)
            for row in list_for_session(db, conversation_id)
            if row.state in OPEN_STATES
        ],
    )


def _enterprise(db: Session, conversation_id: str) -> EnterpriseCard | None:
    found = enterprise_of(db, conversation_id)
    if found is None:
        return None
    return EnterpriseCard(found.name, found.credit_code, found.district, found.is_verified)


def _last_match(bodies: list[dict[str, Any]]) -> list[MatchShown]:
    matches: list[dict[str, Any]] = next(
        (body["matches"] for body in bodies if body["matches"]), []
    )
    return [
        MatchShown(
            policy_id=card["policy_id"],
            title=card["title"],
            verdict=card["verdict"],
            failed=_conditions(card, "failed"),
            unknown=_conditions(card, "unknown"),
        )
        for card in matches
    ]


def _conditions(card: dict[str, Any], verdict: str) -> list[str]:
    return [
        f"{each.get('label') or each['field']}：要求{each['need']}，现为{each['have'] or '未提供'}"
        for each in card["criteria"]
        if each["verdict"] == verdict
    ]


def _cited(bodies: list[dict[str, Any]]) -> list[CitedClause]:
    clauses = {
        CitedClause(card["policy_id"], card["title"], card["clause"]): None
        for body in bodies
        for card in body["citations"]
    }
    return list(clauses)


def _tries(db: Session, conversation_id: str, kinds: dict[str, str]) -> list[Try]:
    rows = db.scalars(
        select(Message)
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.seq.desc())
        .limit(_LAST_TRIES)
    ).all()
    return [
        Try(
            text=row.label or row.text,
            intent=row.intent,
            confidence=row.confidence,
            kind=kinds.get(row.id),
            policy_ids=[str(pair[0]) for pair in row.candidates or ()][:3],
        )
        for row in reversed(rows)
    ]
