"""Finds enterprises for the pages, and gathers what is known of one."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import BaseModel
from sqlalchemy import String, cast, func, or_, select
from sqlalchemy.orm import Session

from knowledge.conditions import in_unit
from knowledge.fields import Fields
from knowledge.profile import Known, Profile, Source
from service.appeals.models import Appeal, AppealState
from service.conversations.models import Conversation, Message, Owner
from service.enterprises import speakers
from service.enterprises.models import HAS_ALIASES, Enterprise, SaidFact, Speaker, Standing
from service.enterprises.names import NameIndex
from service.enterprises.operations import find_enterprise
from service.enterprises.profiles import official_facts, pending_of, profile_of
from service.errors import NotFound
from service.staff.audit import AuditFilter, entries, record

MOST_FOUND = 20
_MOST_SHOWN = 50
_CODE_CHARS = 18
_SHORTEST_CODE = 4


class EnterpriseLine(BaseModel):
    """One enterprise in a list; ``why`` says in Chinese what matched."""

    credit_code: str
    name: str
    district: str | None
    is_verified: bool
    why: str


class FactView(BaseModel):
    """One fact; ``text`` is Chinese. ``official`` is what the file says where this contradicts it."""

    field: str
    label: str
    text: str
    source: Source
    day: date | None
    official: str | None = None


class SpeakerView(BaseModel):
    """Who speaks for the enterprise: a conversation, bound by a member of the staff."""

    session: str
    bound_by: str
    bound_at: datetime


class TalkView(BaseModel):
    """A conversation of the enterprise."""

    session: str
    channel: str
    owner: Owner
    updated_at: datetime
    messages: int


class AppealLine(BaseModel):
    """An appeal of the enterprise."""

    no: str
    state: AppealState
    department: str
    received_at: datetime
    due_at: datetime


class LookView(BaseModel):
    """Who opened the enterprise's data, when and what for; ``staff_id`` is absent for the command line."""

    staff_id: str | None
    at: datetime
    action: str
    purpose: str | None


class EnterpriseView(BaseModel):
    """What is known of one enterprise, newest first where there is an order."""

    credit_code: str
    name: str
    district: str | None
    is_verified: bool
    aliases: list[str]
    facts: list[FactView]
    said: list[FactView]
    pending: list[FactView]
    speakers: list[SpeakerView]
    conversations: list[TalkView]
    appeals: list[AppealLine]
    looks: list[LookView]


def search(db: Session, names: NameIndex, text: str) -> list[EnterpriseLine]:
    """At most ``MOST_FOUND``: those of this credit code or one that begins so, of this name or near it, of this alias."""
    wanted = "".join(text.split())
    if len(wanted) < 2:
        return []
    found = [(row, "信用代码") for row in _by_code(db, wanted.upper())]
    if not found:
        hits = names.find(db, wanted, MOST_FOUND)
        scores = {each.id: each.score for each in (*hits.exact, *hits.near)}
        rows = db.scalars(select(Enterprise).where(Enterprise.id.in_(scores))).all()
        same = {each.id for each in hits.exact}
        found = [(row, "名称相同" if row.id in same else "名称相近") for row in rows]
        found.sort(key=lambda each: -scores[each[0].id])
        found = [*((row, "别名") for row in _by_alias(db, wanted) if row.id not in scores), *found]
    return [_line(row, why) for row, why in found[:MOST_FOUND]]


def _by_code(db: Session, code: str) -> list[Enterprise]:
    if not (_SHORTEST_CODE <= len(code) <= _CODE_CHARS and code.isascii() and code.isalnum()):
        return []
    # All codes are 18 digits and capitals, so what begins with ``code`` lies between these two.
    first, last = code.ljust(_CODE_CHARS, "0"), code.ljust(_CODE_CHARS, "Z")
    query = select(Enterprise).where(Enterprise.credit_code.between(first, last))
    return list(db.scalars(query.order_by(Enterprise.credit_code).limit(MOST_FOUND)))


def _by_alias(db: Session, text: str) -> list[Enterprise]:
    aliases = cast(Enterprise.contact_aliases, String)
    escaped = text.replace("\\", "").replace("%", "").replace("_", "").replace('"', "")
    if len(escaped) < 2:
        return []
    query = select(Enterprise).where(
        HAS_ALIASES[db.get_bind().dialect.name], aliases.like(f"%{escaped}%")
    )
    return list(db.scalars(query.order_by(Enterprise.id).limit(MOST_FOUND)))


def _line(row: Enterprise, why: str) -> EnterpriseLine:
    return EnterpriseLine(
        credit_code=row.credit_code,
        name=row.name,
        district=row.district,
        is_verified=row.is_verified,
        why=why,
    )


def on_file(db: Session, credit_code: str) -> Enterprise:
    """The enterprise of a code; ``InvalidCreditCode`` or ``NotFound``."""
    enterprise = find_enterprise(db, credit_code)
    if enterprise is None:
        raise NotFound("没有这家企业的档案。", "credit_code")
    return enterprise


def profile_to_match(db: Session, credit_code: str) -> Profile:
    """What the enterprise is matched by: official facts, and what was said where it counts."""
    return profile_of(db, on_file(db, credit_code))


def enterprise_view(db: Session, credit_code: str, fields: Fields) -> EnterpriseView:
    """Everything the page shows; ``InvalidCreditCode`` or ``NotFound``."""
    row = on_file(db, credit_code)
    bound = list(
        db.scalars(
            select(Speaker)
            .where(Speaker.enterprise_id == row.id)
            .order_by(Speaker.bound_at.desc())
            .limit(_MOST_SHOWN)
        )
    )
    appeals = _appeals_of(db, row, [each.session for each in bound])
    sessions = {each.session for each in bound} | {each.session for each in appeals}
    return EnterpriseView(
        credit_code=row.credit_code,
        name=row.name,
        district=row.district,
        is_verified=row.is_verified,
        aliases=row.contact_aliases,
        facts=[_fact(name, each, fields) for name, each in official_facts(db, row.id).items()],
        said=_said(db, row, fields),
        pending=[
            _fact(each.field, each.said, fields, each.official) for each in pending_of(db, row)
        ],
        speakers=[
            SpeakerView(session=each.session, bound_by=each.bound_by, bound_at=each.bound_at)
            for each in bound
        ],
        conversations=_talks(db, sessions),
        appeals=[
            AppealLine(
                no=each.no,
                state=each.state,
                department=each.department,
                received_at=each.received_at,
                due_at=each.due_at,
            )
            for each in appeals
        ],
        looks=_looks(db, row),
    )


def _said(db: Session, row: Enterprise, fields: Fields) -> list[FactView]:
    query = select(SaidFact).where(
        SaidFact.enterprise_id == row.id, SaidFact.standing == Standing.IN_FORCE
    )
    views = []
    for each in db.scalars(query.order_by(SaidFact.field)):
        value = tuple(each.value) if isinstance(each.value, list) else each.value
        known = Known(value, Source.SAID, each.said_on, is_approximate=each.is_approximate)
        views.append(_fact(each.field, known, fields))
    return views


def _appeals_of(db: Session, row: Enterprise, sessions: list[str]) -> list[Appeal]:
    theirs = or_(Appeal.credit_code == row.credit_code, Appeal.session.in_(sessions))
    query = select(Appeal).where(theirs).order_by(Appeal.received_at.desc()).limit(_MOST_SHOWN)
    return list(db.scalars(query))


def _talks(db: Session, sessions: set[str]) -> list[TalkView]:
    query = (
        select(Conversation, func.count(Message.seq))
        .outerjoin(Message, Message.conversation_id == Conversation.id)
        .where(Conversation.id.in_(sessions))
        .group_by(Conversation.id)
        .order_by(Conversation.updated_at.desc())
        .limit(_MOST_SHOWN)
    )
    return [
        TalkView(
            session=each.id,
            channel=each.channel,
            owner=each.owner,
            updated_at=each.updated_at,
            messages=count,
        )
        for each, count in db.execute(query)
    ]


def _looks(db: Session, row: Enterprise) -> list[LookView]:
    found = entries(db, AuditFilter(subject=("enterprise", row.credit_code)), _MOST_SHOWN)
    return [
        LookView(staff_id=each.staff_id, at=each.at, action=each.action, purpose=each.purpose)
        for each in found
    ]


def _fact(name: str, known: Known, fields: Fields, official: Known | None = None) -> FactView:
    spec = fields.get(name)
    unit = spec.unit if spec else None
    return FactView(
        field=name,
        label=spec.label if spec else name,
        text=_shown(known, unit),
        source=known.source,
        day=known.day,
        official=_shown(official, unit) if official else None,
    )


def _shown(known: Known, unit: str | None) -> str:
    about = "约" if known.is_approximate else ""
    return about + in_unit(known.value, unit)


def bind_speaker(db: Session, credit_code: str, session: str, by: str, now: datetime) -> None:
    """Lets the speaker of a conversation speak for the enterprise, with an entry in the audit log.

    ``NotFound`` for a conversation that does not exist, or an enterprise not on file.
    """
    enterprise = on_file(db, credit_code)
    session = session.strip()
    if db.get(Conversation, session) is None:
        raise NotFound("没有这个会话，请核对会话编号。", "session")
    before = speakers.enterprise_of(db, session)
    speakers.bind(db, session, enterprise, by)
    detail: dict[str, Any] = {"session": session}
    if before is not None and before.id != enterprise.id:
        detail["instead_of"] = before.credit_code
    subject = ("enterprise", enterprise.credit_code)
    record(db, by, "speaker_bound", subject, now, detail=detail)


def unbind_speaker(db: Session, credit_code: str, session: str, by: str, now: datetime) -> None:
    """Takes the binding back, with an entry in the audit log; ``NotFound`` when there is none."""
    enterprise = on_file(db, credit_code)
    bound = speakers.enterprise_of(db, session)
    if bound is None or bound.id != enterprise.id:
        raise NotFound("这个会话没有绑定到该企业。", "session")
    speakers.unbind(db, session)
    subject = ("enterprise", enterprise.credit_code)
    record(db, by, "speaker_unbound", subject, now, detail={"session": session})
