"""Signed answers: one person writes, another approves; out of force when what they cite changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from knowledge.catalogue import Catalogue
from knowledge.policy import Status
from service.debt.models import SignedAnswer, SignedState
from service.errors import Conflict, InvalidInput, NotFound, ServiceError
from service.staff.permissions import Permission, Staff

MAX_VARIANTS = 20
MAX_TEXT_CHARS = 3000
MAX_CLAUSES = 8
_SERVED = frozenset({Status.CURRENT, Status.UNKNOWN})


class NotAllowed(ServiceError):
    """Somebody without the permission, or the author approving their own answer."""

    status = 403
    code = "not_allowed"


@dataclass(frozen=True)
class AnswerDraft:
    """What an author hands in. ``clause_ids`` are what the answer rests on, at least one."""

    question: str
    text: str
    clause_ids: tuple[str, ...]
    valid_from: date
    valid_until: date
    variants: tuple[str, ...] = ()


def add_answer(
    db: Session, draft: AnswerDraft, author: Staff, catalogue: Catalogue, now: datetime
) -> SignedAnswer:
    """Keeps a draft with the clauses as they read now; nobody is told it before it is approved.

    ``InvalidInput`` naming the field; a cited policy must not end before the answer does.
    """
    if not author.may(Permission.DEBT_HANDLE):
        raise NotAllowed("您没有撰写审定答复的权限。")
    question, variants = _line(draft.question), tuple(map(_line, draft.variants))
    if not 4 <= len(question) <= 300:
        raise InvalidInput("问题应为 4 至 300 字。", "question")
    if len(variants) > MAX_VARIANTS or not all(4 <= len(each) <= 300 for each in variants):
        raise InvalidInput(f"其他问法最多 {MAX_VARIANTS} 条，每条 4 至 300 字。", "variants")
    if not 5 <= len(draft.text.strip()) <= MAX_TEXT_CHARS:
        raise InvalidInput(f"答复应为 5 至 {MAX_TEXT_CHARS} 字。", "text")
    if draft.valid_until < draft.valid_from:
        raise InvalidInput("有效期的最后一天不能早于第一天。", "valid_until")
    _check_clauses(draft, catalogue)
    answer = SignedAnswer(
        question=question,
        variants=list(dict.fromkeys(variants)),
        text=draft.text.strip(),
        clauses=[[each, catalogue.clauses[each].hash] for each in dict.fromkeys(draft.clause_ids)],
        state=SignedState.DRAFT,
        valid_from=draft.valid_from,
        valid_until=draft.valid_until,
        author=author.id,
        author_name=author.name,
        created_at=now,
    )
    db.add(answer)
    db.flush()
    return answer


def approve(
    db: Session, answer_id: int, approver: Staff, catalogue: Catalogue, day: date, now: datetime
) -> SignedAnswer:
    """Brings a draft or a suspended answer into force; what it cites is read anew by the approver's eyes.

    A suspended one is kept with the clauses as they read now. ``NotAllowed`` for the author, or without the
    permission.
    """
    answer = get_answer(db, answer_id)
    if not approver.may(Permission.FAQ_SIGN):
        raise NotAllowed("您没有审定答复的权限。")
    if approver.id == answer.author:
        raise NotAllowed("撰写人不能审定自己的答复，请由另一位有权限的人审定。")
    if answer.state is SignedState.IN_FORCE:
        raise Conflict("这条答复已经生效。", "id")
    if answer.valid_until < day:
        raise InvalidInput("有效期已过，请另写一条。", "valid_until")
    for clause_id, _ in answer.clauses:
        if clause_id not in catalogue.clauses:
            raise Conflict(f"引用的条款 {clause_id} 已不在目录里，请另写一条。", "clauses")
    was_draft = answer.state is SignedState.DRAFT
    now_reads = [[each, catalogue.clauses[each].hash] for each, _ in answer.clauses]
    if was_draft and now_reads != answer.clauses:
        raise Conflict("引用的条款在撰写以后有改动，请撰写人核对后另写一条。", "clauses")
    if problem := next(_faults(answer, catalogue, max(day, answer.valid_from), now_reads), None):
        raise Conflict(f"{problem}，不能生效。", "clauses")
    answer.clauses, answer.state = now_reads, SignedState.IN_FORCE
    answer.approver, answer.approver_name, answer.approved_at = approver.id, approver.name, now
    answer.suspended_because = answer.suspended_at = None
    _flush(db)
    return answer


def suspend(db: Session, answer_id: int, reason: str, now: datetime) -> SignedAnswer:
    """Takes an answer out of force, with the reason; one out of force already stays as it is."""
    answer = get_answer(db, answer_id)
    if answer.state is not SignedState.IN_FORCE:
        return answer
    if len(reason.strip()) < 2:
        raise InvalidInput("请写明暂停的理由。", "reason")
    answer.state, answer.suspended_at = SignedState.SUSPENDED, now
    answer.suspended_because = reason.strip()[:500]
    _flush(db)
    return answer


def suspend_changed(
    db: Session, catalogue: Catalogue, day: date, now: datetime
) -> list[SignedAnswer]:
    """Suspends every answer in force whose clauses read otherwise, are gone, or belong to an expired policy."""
    suspended = []
    for answer in db.scalars(
        select(SignedAnswer)
        .where(SignedAnswer.state == SignedState.IN_FORCE)
        .order_by(SignedAnswer.id)
        .with_for_update()
    ):
        if problem := next(_faults(answer, catalogue, day, answer.clauses), None):
            suspended.append(suspend(db, answer.id, problem, now))
    return suspended


def get_answer(db: Session, answer_id: int) -> SignedAnswer:
    """The answer, its row locked. ``NotFound`` when there is none."""
    query = select(SignedAnswer).where(SignedAnswer.id == answer_id).with_for_update()
    answer = db.scalars(query).one_or_none()
    if answer is None:
        raise NotFound(f"没有编号为 {answer_id} 的审定答复。", "id")
    return answer


def list_answers(db: Session, state: SignedState | None = None) -> list[SignedAnswer]:
    """Signed answers, newest first."""
    query = select(SignedAnswer).order_by(SignedAnswer.id.desc())
    return list(db.scalars(query if state is None else query.where(SignedAnswer.state == state)))


def _check_clauses(draft: AnswerDraft, catalogue: Catalogue) -> None:
    if not 1 <= len(draft.clause_ids) <= MAX_CLAUSES:
        raise InvalidInput(f"请引用 1 至 {MAX_CLAUSES} 条条款作为依据。", "clause_ids")
    for clause_id in draft.clause_ids:
        clause = catalogue.clauses.get(clause_id)
        if clause is None:
            raise InvalidInput(f"目录里没有条款 {clause_id[:64]}。", "clause_ids")
        policy = catalogue.policies[clause.policy_id]
        if policy.valid_to is not None and policy.valid_to < draft.valid_until:
            raise InvalidInput(
                f"《{policy.title}》有效期到 {policy.valid_to}，答复的有效期不能更晚。",
                "valid_until",
            )


def _faults(
    answer: SignedAnswer, catalogue: Catalogue, day: date, clauses: Sequence[Sequence[str]]
) -> Iterator[str]:
    for clause_id, hash_ in clauses:
        clause = catalogue.clauses.get(clause_id)
        if clause is None:
            yield f"引用的条款 {clause_id} 已不在目录里"
        elif clause.hash != hash_:
            yield f"引用的条款 {clause_id} 内容已改"
        elif catalogue.policies[clause.policy_id].status_on(day) not in _SERVED:
            yield f"引用的政策《{catalogue.policies[clause.policy_id].title}》不在有效期内"


def _line(text: str) -> str:
    return " ".join(text.split())


def _flush(db: Session) -> None:
    try:
        db.flush()
    except StaleDataError as error:
        raise Conflict("刚有人改过这条答复，请刷新后再做。", "id") from error
