"""Finds and keeps enterprises by credit code, inside the caller's transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session
from stdnum.cn import uscc
from stdnum.exceptions import ValidationError

from service.db import utc_now
from service.enterprises.models import Enterprise
from service.enterprises.names import name_key
from service.errors import InvalidInput


class InvalidCreditCode(InvalidInput):
    """The text is not a unified social credit code: wrong length, characters or check digit."""

    code = "invalid_credit_code"


@dataclass(frozen=True)
class EnterpriseFacts:
    """What is to be kept of an enterprise.

    ``district`` absent leaves a stored one as it is; aliases are added.
    """

    credit_code: str
    name: str
    district: str | None = None
    contact_aliases: tuple[str, ...] = ()


def normal_credit_code(text: str) -> str:
    """The 18 characters in upper case.

    ``InvalidCreditCode`` when length, characters or check digit are wrong.
    """
    try:
        return str(uscc.validate(text.upper()))
    except ValidationError as error:
        raise InvalidCreditCode(
            "统一社会信用代码不正确，请核对这18位字符。", "credit_code"
        ) from error


def find_enterprise(db: Session, credit_code: str) -> Enterprise | None:
    """The enterprise of a credit code, ``None`` when it is not on file.

    ``InvalidCreditCode`` for a wrong code.
    """
    code = normal_credit_code(credit_code)
    return db.scalars(select(Enterprise).where(Enterprise.credit_code == code)).one_or_none()


def upsert_enterprise(db: Session, facts: EnterpriseFacts) -> Enterprise:
    """Keeps what an official source says: inserts the enterprise or brings it up to date, verified.

    ``InvalidCreditCode`` or ``InvalidInput`` when code or name cannot be used.
    """
    row = _inserted_or_locked(db, facts)
    row.name, row.is_verified = _name(facts), True
    row.name_key = name_key(row.name)
    row.district = facts.district or row.district
    row.contact_aliases = list(dict.fromkeys((*row.contact_aliases, *facts.contact_aliases)))
    db.flush()
    return row


def keep_stated(db: Session, facts: EnterpriseFacts) -> Enterprise:
    """Keeps what somebody stated where nothing is on file; returns what is on file then.

    A chat proves nothing, so it never overwrites a name or a district.
    """
    return _inserted_or_locked(db, facts)


def _inserted_or_locked(db: Session, facts: EnterpriseFacts) -> Enterprise:
    code, now = normal_credit_code(facts.credit_code), utc_now()
    values: dict[str, Any] = {
        "credit_code": code,
        "name": _name(facts),
        "name_key": name_key(_name(facts)),
        "district": facts.district,
        "contact_aliases": list(facts.contact_aliases),
        "is_verified": False,
        "created_at": now,
        "updated_at": now,
    }
    is_sqlite = db.get_bind().dialect.name == "sqlite"
    insert = sqlite.insert(Enterprise) if is_sqlite else postgresql.insert(Enterprise)
    db.execute(insert.values(**values).on_conflict_do_nothing(index_elements=["credit_code"]))
    return db.scalars(
        select(Enterprise)
        .where(Enterprise.credit_code == code)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()


def _name(facts: EnterpriseFacts) -> str:
    name = " ".join(facts.name.split())
    if not 2 <= len(name) <= 200:
        raise InvalidInput("企业名称应为2至200个字。", "name")
    return name
