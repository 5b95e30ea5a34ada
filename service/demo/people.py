"""Puts the demo's staff, groups, canned replies and enterprises in place."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from knowledge.fields import read_fields
from service.appeals.clock import shanghai_day
from service.console.queries_enterprises import bind_speaker
from service.conversations.models import Conversation
from service.db import Database
from service.demo.script import ENTERPRISES, Person, Script
from service.demo.standing import BY
from service.enterprises.importing import import_enterprises
from service.handoff import routing
from service.handoff.models import ServiceGroup
from service.staff import office
from service.staff.accounts import NewAccount, Passwords, create_account
from service.staff.canned import keep_canned
from service.staff.permissions import Role, Staff

WAIT_MINUTES = 30
"""Patience of the demo's desk: whoever tries it needs longer than a commissioner at work."""


class _Hashed(Passwords):
    """One password, hashed once: every account of the demo gets the same."""

    def __init__(self, encoded: str) -> None:
        self._encoded = encoded

    def hash(self, password: str) -> str:
        return self._encoded


def put_people(db: Session, script: Script, password: str, encoded: str, now: datetime) -> None:
    """Accounts with the one password, who takes what, groups, texts, the office's patience."""
    hashed = _Hashed(encoded)
    for person in script.staff:
        new = NewAccount(
            person.id, person.name, person.role, password, person.department, is_demo=True
        )
        create_account(db, new, hashed, BY, now)
        if person.role is Role.COMMISSIONER:
            skill = routing.set_presence(db, person.id, person.name, True, now)
            skill.topics = list(person.topics)
    for group in script.groups:
        db.add(ServiceGroup(**group.model_dump()))
    for text in script.canned:
        keep_canned(db, text.shortcut, text.title, text.text, BY, now)
    office.change_office(db, "person_wait_minutes", WAIT_MINUTES, BY, now)


def put_enterprises(database: Database, now: datetime) -> None:
    """The demo's register, taken in as any register is."""
    import_enterprises(database, ENTERPRISES, read_fields(), day=shanghai_day(now))


def place(
    db: Session, conversation_id: str, group: str | None, code: str | None, by: str, now: datetime
) -> None:
    """Says which group a conversation belongs to, and for which enterprise its visitor speaks."""
    db.get_one(Conversation, conversation_id).group_id = group
    db.flush()
    if code is not None:
        bind_speaker(db, code, conversation_id, by, now)


def staff_of(person: Person) -> Staff:
    """The person as operations know them."""
    return Staff(person.id, person.name, person.role, person.department)
