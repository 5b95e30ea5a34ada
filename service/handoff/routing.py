"""Suggests who should take a conversation: the group's commissioner, else skill and load decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.conversations.models import Conversation, Owner
from service.errors import InvalidInput
from service.handoff.hours import Rules
from service.handoff.models import ServiceGroup, Skill

_MOST_TOPICS, _MOST_TOPIC_CHARS, _MOST_CONVERSATIONS = 30, 20, 100


@dataclass(frozen=True)
class Wanted:
    """What the conversation is about. ``department`` is a department's name, absent when unsure."""

    matter: str
    department: str | None = None


def suggest(
    db: Session, group_id: str | None, wanted: Wanted, rules: Rules, now: datetime
) -> str | None:
    """The staff id of who should take it; ``None`` when nobody is there or all have enough.

    A suggestion only: anybody who may answer can claim it.
    """
    there = present(db, rules, now)
    loads = _loads(db, [skill.staff_id for skill in there])
    free = [skill for skill in there if loads.get(skill.staff_id, 0) < skill.max_conversations]
    group = db.get(ServiceGroup, group_id) if group_id else None
    if not free:
        return None
    best = max(free, key=lambda skill: _fit(skill, group, wanted, loads))
    return best.staff_id


def present(db: Session, rules: Rules, now: datetime) -> list[Skill]:
    """Who says they are there and was seen lately, in the order of their ids."""
    since = now - timedelta(seconds=rules.away_after_s)
    return list(
        db.scalars(
            select(Skill)
            .where(Skill.is_present.is_(True), Skill.last_seen >= since)
            .order_by(Skill.staff_id)
        )
    )


def is_anybody_free(db: Session, rules: Rules, now: datetime) -> bool:
    """Whether somebody who is there can take one more."""
    there = present(db, rules, now)
    loads = _loads(db, [skill.staff_id for skill in there])
    return any(loads.get(skill.staff_id, 0) < skill.max_conversations for skill in there)


def set_presence(db: Session, staff_id: str, name: str, is_present: bool, now: datetime) -> Skill:
    """Notes that somebody came or left; a console calls it again now and then while it is open."""
    skill = db.get(Skill, staff_id) or Skill(
        staff_id=staff_id, name=name, topics=[], departments=[]
    )
    skill.name, skill.is_present, skill.last_seen = name, is_present, now
    db.add(skill)
    db.flush()
    return skill


def skill_of(db: Session, staff_id: str) -> Skill | None:
    """What somebody takes conversations about; ``None`` for who never said."""
    return db.get(Skill, staff_id)


def set_skill(
    db: Session,
    staff_id: str,
    name: str,
    topics: Sequence[str],
    departments: Sequence[str],
    max_conversations: int,
) -> Skill:
    """Says what somebody takes: topics (words of matters), departments (names), how many at once.

    ``InvalidInput`` naming the field.
    """
    words = list(dict.fromkeys(word.strip() for word in topics if word.strip()))
    if len(words) > _MOST_TOPICS or any(len(word) > _MOST_TOPIC_CHARS for word in words):
        raise InvalidInput(
            f"主题词最多{_MOST_TOPICS}个，每个不超过{_MOST_TOPIC_CHARS}个字。", "topics"
        )
    if not 1 <= max_conversations <= _MOST_CONVERSATIONS:
        raise InvalidInput(f"同时接待数应为1至{_MOST_CONVERSATIONS}。", "max_conversations")
    skill = db.get(Skill, staff_id) or Skill(staff_id=staff_id, is_present=False)
    skill.name, skill.topics, skill.departments = name, words, list(dict.fromkeys(departments))
    skill.max_conversations = max_conversations
    db.add(skill)
    db.flush()
    return skill


def _loads(db: Session, staff_ids: list[str]) -> dict[str, int]:
    rows = db.execute(
        select(Conversation.owner_staff, func.count())
        .where(Conversation.owner == Owner.PERSON, Conversation.owner_staff.in_(staff_ids))
        .group_by(Conversation.owner_staff)
    )
    return {staff: count for staff, count in rows if staff is not None}


def _fit(
    skill: Skill, group: ServiceGroup | None, wanted: Wanted, loads: dict[str, int]
) -> tuple[bool, int, bool, float]:
    """Compared from the left: the group's own, topics, department, then who has most room."""
    departments = {wanted.department, group.lead_department if group else None} - {None}
    topics = sum(topic in wanted.matter for topic in skill.topics if topic)
    load = loads.get(skill.staff_id, 0) / max(1, skill.max_conversations)
    return (
        group is not None and group.commissioner == skill.staff_id,
        topics,
        bool(departments & set(skill.departments)),
        -load,
    )
