"""Groups open appeals on one matter, one after the other in the order they were filed.

An appeal joins the issue whose members it is most like on average, or founds one with the most alike appeal that
stands alone. Whatever has been grouped stays, so a later appeal only adds to what staff have seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from knowledge.encoder import Vectors
from service.appeals.models import SYSTEM, UNANSWERED_STATES, Appeal
from service.common_issues.likeness import ALIKE_FROM, Meaning, Placed, likeness
from service.common_issues.models import (
    GROWING,
    AppealVector,
    CommonIssue,
    CommonIssueMember,
    IssueState,
)
from service.db import Database

TITLE_CHARS = 60
RECENT = timedelta(days=120)
"""Older appeals are no longer compared with; their issues keep them."""
_AT_ONCE = 500


@dataclass(frozen=True)
class Grouped:
    """What a run did: appeals looked at, those that joined an issue, issues newly proposed."""

    looked_at: int
    joined: int
    proposed: int


def group_open_appeals(database: Database, meaning: Meaning, now: datetime) -> Grouped:
    """Places every open appeal not placed yet; encodes outside of any transaction. Safe to repeat and to race."""
    total = Grouped(0, 0, 0)
    while True:
        with database.reading() as db:
            waiting = waiting_appeals(db, meaning.name, _AT_ONCE)
        if not waiting:
            return total
        vectors = meaning.vectors([matter for _, matter in waiting])
        found = {no: vectors[i] for i, (no, _) in enumerate(waiting)}
        with database.session() as db:
            done = place(db, found, meaning.name, now)
        total = Grouped(
            total.looked_at + done.looked_at,
            total.joined + done.joined,
            total.proposed + done.proposed,
        )
        if not done.looked_at:
            return total  # another process was faster


def waiting_appeals(db: Session, encoder: str, limit: int) -> list[tuple[int, str]]:
    """Open appeals without a vector of this encoder, oldest first: (id, matter)."""
    rows = db.execute(
        select(Appeal.id, Appeal.matter)
        .outerjoin(AppealVector, AppealVector.appeal_id == Appeal.id)
        .where(
            Appeal.state.in_(UNANSWERED_STATES),
            AppealVector.appeal_id.is_(None) | (AppealVector.encoder != encoder),
        )
        .order_by(Appeal.id)
        .limit(limit)
    )
    return [(row.id, row.matter) for row in rows]


def place(db: Session, vectors: Mapping[int, Vectors], encoder: str, now: datetime) -> Grouped:
    """Keeps the vectors and places each appeal, in the order of their ids."""
    appeals = list(
        db.scalars(
            select(Appeal).where(Appeal.id.in_(vectors)).order_by(Appeal.id).with_for_update()
        )
    )
    known = {
        row.appeal_id: row
        for row in db.scalars(select(AppealVector).where(AppealVector.appeal_id.in_(vectors)))
    }
    fresh = [a for a in appeals if a.id not in known or known[a.id].encoder != encoder]
    ground = _Ground.read(db, encoder, now - RECENT)
    joined = proposed = 0
    for appeal in fresh:
        vector = vectors[appeal.id].astype(np.float16)
        _keep(db, known.get(appeal.id), appeal.id, encoder, vector.tobytes())
        one = Placed(appeal.id, appeal.department, appeal.policy_id, vector.astype(np.float32))
        if appeal.id in ground.grouped or appeal.state not in UNANSWERED_STATES:
            ground.add(one)
            continue
        issue_id, likeness_to = ground.best_issue(one)
        if issue_id is None:
            partner, likeness_to = ground.best_alone(one)
            if partner is not None:
                issue_id = _propose(db, appeal, partner, likeness_to, now)
                ground.join(partner.appeal_id, issue_id)
                proposed += 1
        ground.add(one)
        if issue_id is not None:
            _join(db, issue_id, appeal.id, likeness_to, now)
            ground.join(appeal.id, issue_id)
            joined += 1
    db.flush()
    return Grouped(len(fresh), joined, proposed)


class _Ground:
    """The open appeals that stand so far, and which issue each is in."""

    def __init__(
        self, placed: Sequence[Placed], grouped: Mapping[int, int], growing: set[int]
    ) -> None:
        self.placed = {each.appeal_id: each for each in placed}
        self.grouped = dict(grouped)
        self._growing = growing
        self._refused: dict[int, set[int]] = defaultdict(set)

    @classmethod
    def read(cls, db: Session, encoder: str, since: datetime) -> _Ground:
        rows = db.execute(
            select(Appeal.id, Appeal.department, Appeal.policy_id, AppealVector.vector)
            .join(AppealVector, AppealVector.appeal_id == Appeal.id)
            .where(
                Appeal.state.in_(UNANSWERED_STATES),
                Appeal.received_at >= since,
                AppealVector.encoder == encoder,
            )
            .order_by(Appeal.id)
        )
        placed = [Placed(r.id, r.department, r.policy_id, _vector(r.vector)) for r in rows]
        members = db.execute(
            select(
                CommonIssueMember.appeal_id,
                CommonIssueMember.issue_id,
                CommonIssueMember.removed_at,
                CommonIssue.state,
            ).join(CommonIssue, CommonIssue.id == CommonIssueMember.issue_id)
        ).all()
        kept = {m.appeal_id: m.issue_id for m in members if m.removed_at is None}
        ground = cls(placed, kept, {m.issue_id for m in members if m.state in GROWING})
        for member in members:
            if member.removed_at is not None:
                ground._refused[member.appeal_id].add(member.issue_id)
        return ground

    def add(self, one: Placed) -> None:
        self.placed[one.appeal_id] = one

    def join(self, appeal_id: int, issue_id: int) -> None:
        self.grouped[appeal_id] = issue_id
        self._growing.add(issue_id)

    def best_issue(self, one: Placed) -> tuple[int | None, float]:
        """The issue whose members are on average alike, the earliest of equals."""
        members: dict[int, list[Placed]] = defaultdict(list)
        for appeal_id, issue_id in self.grouped.items():
            wanted = issue_id in self._growing and issue_id not in self._refused[one.appeal_id]
            if wanted and appeal_id in self.placed:
                members[issue_id].append(self.placed[appeal_id])
        return _best(
            {
                issue_id: float(likeness(one, members[issue_id]).mean())
                for issue_id in sorted(members)
            }
        )

    def best_alone(self, one: Placed) -> tuple[Placed | None, float]:
        alone = [
            each
            for each in self.placed.values()
            if each.appeal_id not in self.grouped
            and each.appeal_id != one.appeal_id
            # Two that staff took apart once do not found an issue again.
            and not self._refused[one.appeal_id] & self._refused[each.appeal_id]
        ]
        found = likeness(one, alone)
        best, value = _best({i: float(each) for i, each in enumerate(found)})
        return (None if best is None else alone[best]), value


def _best(found: Mapping[int, float]) -> tuple[int | None, float]:
    if not found:
        return None, 0.0
    best = max(found, key=lambda key: (found[key], -key))
    return (best, found[best]) if found[best] >= ALIKE_FROM else (None, found[best])


def _propose(
    db: Session, appeal: Appeal, partner: Placed, likeness_to: float, now: datetime
) -> int:
    first = db.get_one(Appeal, partner.appeal_id)
    issue = CommonIssue(title=_title(first.matter), state=IssueState.PROPOSED, created_at=now)
    db.add(issue)
    db.flush()
    _join(db, issue.id, partner.appeal_id, likeness_to, now)
    return issue.id


def _title(matter: str) -> str:
    line = " ".join(matter.split())
    return line if len(line) <= TITLE_CHARS else f"{line[:TITLE_CHARS]}…"


def _join(db: Session, issue_id: int, appeal_id: int, likeness_to: float, now: datetime) -> None:
    db.add(
        CommonIssueMember(
            issue_id=issue_id,
            appeal_id=appeal_id,
            likeness=round(likeness_to, 3),
            added_by=SYSTEM,
            added_at=now,
        )
    )


def _keep(
    db: Session, known: AppealVector | None, appeal_id: int, encoder: str, vector: bytes
) -> None:
    if known is None:
        db.add(AppealVector(appeal_id=appeal_id, encoder=encoder, vector=vector))
    else:
        known.encoder, known.vector = encoder, vector


def _vector(stored: bytes) -> Vectors:
    found: Vectors = np.frombuffer(stored, np.float16).astype(np.float32)
    return found
