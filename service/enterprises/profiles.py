"""Keeps what is known of an enterprise: what files say, what its people say, and what waits to be confirmed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.profile import Known, Profile, Source
from service.enterprises.models import (
    Enterprise,
    EnterpriseImport,
    EnterpriseProfile,
    SaidFact,
    Standing,
)

# A number given roughly contradicts no official one this near to it.
_ROUGHLY = 0.1


@dataclass(frozen=True)
class Pending:
    """A said fact that contradicts the official one, and the official one."""

    field: str
    said: Known
    official: Known


@dataclass(frozen=True)
class Kept:
    """What became of facts that were said: fields that count now, and those that wait to be confirmed."""

    in_force: tuple[str, ...] = ()
    pending: tuple[Pending, ...] = ()


def profile_of(db: Session, enterprise: Enterprise) -> Profile:
    """What is known of an enterprise: official facts, and what was said where it fills a gap or was confirmed."""
    official = Profile(official_facts(db, enterprise.id), enterprise.name, enterprise.credit_code)
    said = _said(db, enterprise.id, Standing.IN_FORCE)
    return official.joined({row.field: _known(row) for row in said})


def official_facts(db: Session, enterprise_id: int) -> dict[str, Known]:
    """What files say of an enterprise, by field."""
    row = db.get(EnterpriseProfile, enterprise_id)
    if row is None:
        return {}
    numbers = {number for _, number in row.facts.values()}
    imports = {
        each.id: each
        for each in db.scalars(select(EnterpriseImport).where(EnterpriseImport.id.in_(numbers)))
    }
    return {
        name: Known(_value(value), Source(imports[number].source), imports[number].day)
        for name, (value, number) in row.facts.items()
    }


def keep_said_facts(
    db: Session, enterprise: Enterprise, facts: Mapping[str, Known], session: str
) -> Kept:
    """Keeps what somebody said in a session; what contradicts an official fact waits to be confirmed.

    What agrees with the official fact takes back an earlier word against it. Parts of a list add up.
    """
    _lock(db, enterprise)
    official = official_facts(db, enterprise.id)
    in_force = {row.field: row for row in _said(db, enterprise.id, Standing.IN_FORCE)}
    kept: list[str] = []
    pending: list[Pending] = []
    for name, fact in facts.items():
        if name in official and agree(official[name], fact):
            if _tells_nothing_new(official[name], fact):
                _drop(db, enterprise.id, name)
            else:
                _store(db, enterprise.id, name, fact, Standing.IN_FORCE, session)
            kept.append(name)
            continue
        current = _known(in_force[name]) if name in in_force else None
        is_confirmed = name in official and current is not None and agree(current, fact)
        whole = fact if current is None else current.joined(fact)
        if name not in official or is_confirmed:
            _store(db, enterprise.id, name, whole, Standing.IN_FORCE, session)
            kept.append(name)
        else:
            _store(db, enterprise.id, name, fact, Standing.PENDING, session)
            pending.append(Pending(name, fact, official[name]))
    db.flush()
    return Kept(tuple(kept), tuple(pending))


def pending_of(db: Session, enterprise: Enterprise) -> list[Pending]:
    """Said facts that wait to be confirmed, by field name; those no official fact stands against any more are left out."""
    official = official_facts(db, enterprise.id)
    return [
        Pending(row.field, _known(row), official[row.field])
        for row in _said(db, enterprise.id, Standing.PENDING)
        if row.field in official
    ]


def confirm(db: Session, enterprise: Enterprise, field: str, session: str) -> Known | None:
    """Lets the pending word on a field count from now on; ``None`` where nothing was pending."""
    _lock(db, enterprise)
    row = db.get(SaidFact, (enterprise.id, field, Standing.PENDING))
    if row is None:
        return None
    said = _known(row)
    _drop(db, enterprise.id, field)
    _store(db, enterprise.id, field, said, Standing.IN_FORCE, session)
    db.flush()
    return said


def reject(db: Session, enterprise: Enterprise, field: str) -> bool:
    """Drops the pending word on a field; whether there was one."""
    _lock(db, enterprise)
    row = db.get(SaidFact, (enterprise.id, field, Standing.PENDING))
    if row is not None:
        db.delete(row)
        db.flush()
    return row is not None


def talked_about(db: Session) -> frozenset[int]:
    """The enterprises of which something said counts."""
    return frozenset(
        db.scalars(select(SaidFact.enterprise_id).where(SaidFact.standing == Standing.IN_FORCE))
    )


def suspend_contradicted(
    db: Session,
    enterprise_ids: Iterable[int],
    old: Mapping[int, Mapping[str, Any]],
    new: Mapping[int, Mapping[str, Any]],
) -> int:
    """Makes said facts pending that a new official value contradicts; those confirmed against the same value stay.

    ``old`` and ``new`` are official values by enterprise and field. How many were suspended comes back.
    """
    rows = db.scalars(
        select(SaidFact).where(
            SaidFact.enterprise_id.in_(list(enterprise_ids)),
            SaidFact.standing == Standing.IN_FORCE,
        )
    ).all()
    suspended = 0
    for row in rows:
        now = new.get(row.enterprise_id, {})
        before = old.get(row.enterprise_id, {})
        if row.field not in now or before.get(row.field) == now[row.field]:
            continue
        said, session = _known(row), row.said_by
        if not agree(Known(_value(now[row.field]), Source.REGISTRY), said):
            _drop(db, row.enterprise_id, row.field)
            _store(db, row.enterprise_id, row.field, said, Standing.PENDING, session)
            suspended += 1
    db.flush()
    return suspended


def agree(official: Known, said: Known) -> bool:
    """Whether a said fact may stand beside an official one; a rough number need only be near."""
    if official.agrees_with(said):
        return True
    one, other = official.value, said.value
    if not said.is_approximate or not _is_number(one) or not _is_number(other):
        return False
    return abs(float(one) - float(other)) <= _ROUGHLY * abs(float(one))  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _tells_nothing_new(official: Known, said: Known) -> bool:
    return official.is_complete or not isinstance(said.value, tuple)


def _said(db: Session, enterprise_id: int, standing: Standing) -> list[SaidFact]:
    query = (
        select(SaidFact)
        .where(SaidFact.enterprise_id == enterprise_id, SaidFact.standing == standing)
        .order_by(SaidFact.field)
    )
    return list(db.scalars(query))


def _lock(db: Session, enterprise: Enterprise) -> None:
    db.execute(select(Enterprise.id).where(Enterprise.id == enterprise.id).with_for_update())


def _drop(db: Session, enterprise_id: int, field: str) -> None:
    """Removes what was said of a field, counting or pending."""
    for standing in Standing:
        row = db.get(SaidFact, (enterprise_id, field, standing))
        if row is not None:
            db.delete(row)
    db.flush()


def _store(
    db: Session, enterprise_id: int, field: str, fact: Known, standing: Standing, session: str
) -> None:
    value = list(fact.value) if isinstance(fact.value, tuple) else fact.value
    row = db.get(SaidFact, (enterprise_id, field, standing))
    if row is None:
        row = SaidFact(enterprise_id=enterprise_id, field=field, standing=standing)
        db.add(row)
    if fact.day is None:
        raise ValueError(f"{field}: a said fact needs the day it was said on")
    row.value, row.lacks = value, list(fact.lacks)
    row.is_complete, row.is_approximate = fact.is_complete, fact.is_approximate
    row.said_on, row.said_by = fact.day, session


def _known(row: SaidFact) -> Known:
    return Known(
        _value(row.value),
        Source.SAID,
        row.said_on,
        is_complete=row.is_complete,
        lacks=tuple(row.lacks),
        is_approximate=row.is_approximate,
    )


def _value(stored: Any) -> Any:
    return tuple(stored) if isinstance(stored, list) else stored
