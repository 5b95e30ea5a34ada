"""Keeps the demo apart from anything real: whether a database may take it, and the mark it then carries."""

from __future__ import annotations

import os
import secrets
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from service.appeals.models import APPEAL_SEARCH, Appeal
from service.conversations import search
from service.conversations.models import Conversation
from service.db import Base, Database
from service.enterprises.models import Enterprise
from service.staff.accounts import Passwords
from service.staff.models import OfficeSetting, StaffAccount

BY = "demo"
_MARK = "demo"  # a key of office_settings that is none of the office's own
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # nothing that reads like something else


class Standing(StrEnum):
    """``EMPTY``: nothing of anybody's; ``BEGUN``: a demo whose filling was cut off; ``REAL``: hands off."""

    EMPTY = "empty"
    BEGUN = "begun"
    DEMO = "demo"
    REAL = "real"


def standing_of(db: Session) -> Standing:
    """What the database is; a demo only where the mark says so."""
    mark = db.get(OfficeSetting, _MARK)
    if mark is not None:
        return Standing.DEMO if mark.value["is_whole"] else Standing.BEGUN
    kept = (StaffAccount, Conversation, Appeal, Enterprise)
    is_empty = not any(db.scalar(select(func.count()).select_from(table)) for table in kept)
    return Standing.EMPTY if is_empty else Standing.REAL


def begin(db: Session, password_hash: str, now: datetime) -> bool:
    """Marks an empty database as a demo about to be filled; ``False`` when it is none any more."""
    standing = standing_of(db)
    if standing is Standing.BEGUN:
        _clear(db)  # nothing served yet when it was cut off, so all of it is the demo's
    elif standing is not Standing.EMPTY:
        return False
    value = {"is_whole": False, "password_hash": password_hash}
    db.add(OfficeSetting(key=_MARK, value=value, changed_by=BY, changed_at=now))
    return True


def end(db: Session) -> None:
    """Notes that everything is there."""
    mark = db.get_one(OfficeSetting, _MARK)
    mark.value = {**mark.value, "is_whole": True}


def keep_password_right(db: Session, password: str, passwords: Passwords) -> None:
    """Gives the demo's accounts this password, where they still have the one they were made with."""
    mark = db.get_one(OfficeSetting, _MARK)
    made_with = mark.value["password_hash"]
    if passwords.is_right(password, made_with):
        return
    fresh = passwords.hash(password)
    query = select(StaffAccount).where(
        StaffAccount.is_demo, StaffAccount.password_hash == made_with
    )
    for account in db.scalars(query):
        account.password_hash = fresh
    mark.value = {**mark.value, "password_hash": fresh}


def kept_password(data_dir: Path) -> str:
    """The demo's password: made at random once, kept where only this user can read it."""
    path = data_dir / "demo_password"
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        words = ["".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(4)]
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write("-".join(words))
    return path.read_text(encoding="ascii").strip()


def is_demo(database: Database) -> bool:
    """Whether the database carries the mark."""
    with database.reading() as db:
        return standing_of(db) in (Standing.DEMO, Standing.BEGUN)


def _clear(db: Session) -> None:
    search.INDEX.clear(db)
    APPEAL_SEARCH.clear(db)
    for table in reversed(Base.metadata.sorted_tables):
        db.execute(delete(table))
    db.expire_all()
