"""Suggests who should take a conversation: the group's commissioner, else skill and load decide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service.conversations.models import Conversation, Owner
from service.handoff.hours import Rules
from service.handoff.models import ServiceGroup, Skill


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
