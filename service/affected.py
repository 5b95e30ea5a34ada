"""Lists the answers, lists of policies and open appeals that a changed catalogue no longer bears out.

Every function works inside the caller's transaction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from knowledge.catalogue import Catalogue
from knowledge.policy import Status
from service.appeals.models import OPEN_STATES, Appeal, AppealState
from service.conversations.models import Message
from service.recall.models import AnswerSource, SourceKind
from service.settings import LOCAL_ZONE

_CLAUSES_PER_QUERY = 500


class Change(StrEnum):
    """What happened to a clause since somebody was told of it; one use may meet several.

    ``RENEWED``: its policy was said to be expired and is not any more.
    """

    REMOVED = "removed"
    CHANGED = "changed"
    EXPIRED = "expired"
    RENEWED = "renewed"


@dataclass(frozen=True)
class Use:
    """One answer that rests on a clause; ``question`` is what the person saw themselves say."""

    message_id: str
    conversation_id: str
    kind: SourceKind
    question: str
    answered_at: datetime


@dataclass(frozen=True)
class OpenAppeal:
    """An appeal about the policy whose requester may still add to it."""

    no: str
    state: AppealState
    department: str
    matter: str
    received_at: datetime


@dataclass(frozen=True)
class Affected:
    """One clause and one thing that happened to it, with all that relied on it, oldest first.

    ``clause_id`` is absent where the whole policy is meant: appeals are open about it, but no
    stored answer rests on it. ``title`` and ``label`` are absent where the catalogue holds neither.
    """

    policy_id: str
    clause_id: str | None
    change: Change
    title: str | None
    label: str | None
    uses: tuple[Use, ...]
    appeals: tuple[OpenAppeal, ...]


@dataclass(frozen=True)
class _Told:
    """A clause as it was told. ``status`` absent: the person was not told of the validity."""

    policy_id: str
    clause_id: str
    clause_hash: str
    status: str | None


def affected(
    session: Session,
    catalogue: Catalogue,
    as_of: date,
    since: date | None = None,
    policy_id: str | None = None,
    imported: Mapping[str, datetime] | None = None,
) -> list[Affected]:
    """Every clause that was relied on and is another by now, in the order of the ids.

    Compared with ``catalogue`` as it stands on ``as_of``; a clause changed and changed back is not
    affected. ``since`` leaves out what was said before that day (local time), ``policy_id`` all
    other policies. The open appeals of an affected policy are listed whenever they were filed. ``imported``
    tells when a policy was last changed by an import: an appeal filed before rests on the former record, also
    where it was filed because the record lacked something.
    """
    uses = _uses_by_change(session, catalogue, as_of, since, policy_id)
    appeals = _open_appeals(session, policy_id)
    found = [
        _affected(catalogue, policy, clause, change, by, appeals.get(policy, ()))
        for (policy, clause, change), by in uses.items()
    ]
    answered = {(each.policy_id, each.change) for each in found}
    for policy, waiting in appeals.items():
        changed_at = (imported or {}).get(policy)
        change = _change_of_policy(catalogue, policy, waiting, as_of, since, changed_at)
        if change and (policy, change) not in answered:
            found.append(_affected(catalogue, policy, None, change, (), waiting))
    return sorted(found, key=lambda each: (each.policy_id, each.clause_id or "", each.change))


def _uses_by_change(
    session: Session,
    catalogue: Catalogue,
    as_of: date,
    since: date | None,
    policy_id: str | None,
) -> Mapping[tuple[str, str, Change], Sequence[Use]]:
    wanted: list[ColumnElement[bool]] = []
    if since is not None:
        wanted.append(AnswerSource.answered_at >= datetime.combine(since, time.min, LOCAL_ZONE))
    if policy_id is not None:
        wanted.append(AnswerSource.policy_id == policy_id)
    suspects = _suspects(session, catalogue, as_of, wanted)
    found: dict[tuple[str, str, Change], list[Use]] = defaultdict(list)
    for start in range(0, len(suspects), _CLAUSES_PER_QUERY):
        rows = session.execute(
            select(AnswerSource, func.coalesce(Message.label, Message.text))
            .join(Message, Message.id == AnswerSource.message_id)
            .where(AnswerSource.clause_id.in_(suspects[start : start + _CLAUSES_PER_QUERY]))
            .where(*wanted)
            .order_by(AnswerSource.answered_at, AnswerSource.message_id)
        )
        for source, question in rows:
            for change in _changes(_as_told(source, catalogue), catalogue, as_of):
                use = Use(
                    source.message_id,
                    source.conversation_id,
                    source.kind,
                    question,
                    source.answered_at,
                )
                found[source.policy_id, source.clause_id, change].append(use)
    return found


def _suspects(
    session: Session, catalogue: Catalogue, as_of: date, wanted: Sequence[ColumnElement[bool]]
) -> list[str]:
    """The clauses of which some use may be affected: far fewer rows than there are answers."""
    variants = session.execute(
        select(
            AnswerSource.policy_id,
            AnswerSource.clause_id,
            AnswerSource.clause_hash,
            AnswerSource.status,
        )
        .where(*wanted)
        .distinct()
    )
    told = (_Told(*variant) for variant in variants)
    return sorted({each.clause_id for each in told if any(_changes(each, catalogue, as_of))})


def _changes(told: _Told, catalogue: Catalogue, as_of: date) -> Iterator[Change]:
    clause = catalogue.clauses.get(told.clause_id)
    if clause is None:
        yield Change.REMOVED
    elif clause.hash != told.clause_hash:
        yield Change.CHANGED
    policy = catalogue.policies.get(told.policy_id)
    if policy is None:
        return
    now = policy.status_of(clause, as_of) if clause else policy.status_on(as_of)
    is_expired = now is Status.EXPIRED
    if is_expired and told.status != Status.EXPIRED:
        yield Change.EXPIRED
    elif not is_expired and told.status == Status.EXPIRED:
        yield Change.RENEWED


def _as_told(source: AnswerSource, catalogue: Catalogue) -> _Told:
    """The use, with the policy's status on the day of the answer where none was told."""
    status, policy = source.status, catalogue.policies.get(source.policy_id)
    if status is None and policy is not None:
        status = policy.status_on(source.answered_at.astimezone(LOCAL_ZONE).date())
    return _Told(source.policy_id, source.clause_id, source.clause_hash, status)


def _change_of_policy(
    catalogue: Catalogue,
    policy_id: str,
    appeals: Sequence[OpenAppeal],
    as_of: date,
    since: date | None,
    changed_at: datetime | None,
) -> Change | None:
    """What happened to the policy since one of the appeals was filed; an appeal keeps no clauses."""
    days = [appeal.received_at.astimezone(LOCAL_ZONE).date() for appeal in appeals]
    filed = [day for day in days if since is None or day >= since]
    policy = catalogue.policies.get(policy_id)
    if not filed:
        return None
    if policy is None:
        return Change.REMOVED
    if changed_at and any(appeal.received_at < changed_at for appeal in appeals):
        return Change.CHANGED
    was_in_force = any(policy.status_on(day) is not Status.EXPIRED for day in filed)
    is_expired = policy.status_on(as_of) is Status.EXPIRED
    return Change.EXPIRED if is_expired and was_in_force else None


def _open_appeals(session: Session, policy_id: str | None) -> dict[str, tuple[OpenAppeal, ...]]:
    """The open appeals by policy, oldest first; those about no policy are left out."""
    query = select(Appeal).where(Appeal.state.in_(OPEN_STATES), Appeal.policy_id.is_not(None))
    if policy_id is not None:
        query = query.where(Appeal.policy_id == policy_id)
    found: dict[str, tuple[OpenAppeal, ...]] = defaultdict(tuple)
    for row in session.scalars(query.order_by(Appeal.received_at, Appeal.id)):
        assert row.policy_id is not None
        appeal = OpenAppeal(row.no, row.state, row.department, row.matter, row.received_at)
        found[row.policy_id] += (appeal,)
    return dict(found)


def _affected(
    catalogue: Catalogue,
    policy_id: str,
    clause_id: str | None,
    change: Change,
    uses: Sequence[Use],
    appeals: Sequence[OpenAppeal],
) -> Affected:
    policy = catalogue.policies.get(policy_id)
    clause = catalogue.clauses.get(clause_id or "")
    return Affected(
        policy_id=policy_id,
        clause_id=clause_id,
        change=change,
        title=policy.title if policy else None,
        label=clause.label if clause else None,
        uses=tuple(uses),
        appeals=tuple(appeals),
    )
