"""Closes a debt by exactly one of three things, each checked, and words the question that will be asked again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from knowledge.catalogue import Catalogue
from service.debt.clause_history import has_changed_since
from service.debt.masking import masked
from service.debt.models import Cause, Closure, Debt, DebtState, SignedAnswer, SignedState
from service.debt.operations import get_debt
from service.errors import Conflict, InvalidInput
from service.staff.permissions import Staff

MIN_REASON_CHARS = 10


@dataclass(frozen=True)
class Patched:
    """The catalogue says it now: the policy, and clauses of it that read otherwise than when the debt was opened.

    Without clauses an import of the policy since then is what counts.
    """

    policy_id: str
    clause_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Signed:
    """An approved answer says it now."""

    answer_id: int


@dataclass(frozen=True)
class NothingNeeded:
    """Nothing has to change, and why."""

    reason: str


Settlement = Patched | Signed | NothingNeeded


@dataclass(frozen=True)
class Grounds:
    """What a closure is checked against: the catalogue in force, and when each policy was last imported."""

    catalogue: Catalogue
    imported: Mapping[str, datetime] = field(default_factory=dict)


def close_debt(
    db: Session,
    debt_id: int,
    staff: Staff,
    settlement: Settlement,
    grounds: Grounds,
    now: datetime,
    names: Iterable[str] = (),
) -> Debt:
    """Closes the debt and keeps its regression question with it; the file is written by ``regressions``.

    ``names`` are names of enterprises to mask besides those the words give away.

    ``Conflict`` when it is closed already, ``InvalidInput`` when the settlement does not hold.
    """
    debt = get_debt(db, debt_id)
    if debt.state is not DebtState.OPEN:
        raise Conflict("这条问题欠账已经关闭或并入别的一条。", "id")
    label: dict[str, Any]
    if isinstance(settlement, Patched):
        closure, closing, label = _by_catalogue(db, debt, settlement, grounds)
    elif isinstance(settlement, Signed):
        closure, closing, label = _by_answer(db, settlement)
    else:
        closure, closing, label = _by_reason(debt, settlement, grounds)
    debt.state, debt.closure, debt.closing = DebtState.CLOSED, closure, closing
    debt.closed_by, debt.closed_at = staff.id, now
    debt.regression = {
        "id": f"debt-{debt.id}",
        "text": masked(debt.question, names),
        "context": [],
        "adversarial": False,
        "kind": f"debt-{closure}",
        **label,
    }
    # Whoever asks the words of a joined debt from now on opens a new one.
    db.execute(
        update(Debt)
        .where(Debt.merged_into == debt.id)
        .values(state=DebtState.CLOSED, closed_at=now)
    )
    db.flush()
    return debt


def _by_catalogue(
    db: Session, debt: Debt, patched: Patched, grounds: Grounds
) -> tuple[Closure, dict[str, Any], dict[str, Any]]:
    catalogue = grounds.catalogue
    if patched.policy_id not in catalogue.policies:
        raise InvalidInput(f"目录里没有政策 {patched.policy_id[:64]}。", "policy_id")
    for clause_id in patched.clause_ids:
        clause = catalogue.clauses.get(clause_id)
        if clause is None or clause.policy_id != patched.policy_id:
            raise InvalidInput(
                f"政策 {patched.policy_id} 没有条款 {clause_id[:64]}。", "clause_ids"
            )
        if not has_changed_since(db, catalogue, clause_id, debt.opened_at):
            raise InvalidInput(f"条款 {clause_id} 在这条欠账登记以后没有改动。", "clause_ids")
    if not patched.clause_ids:
        imported = grounds.imported.get(patched.policy_id)
        if imported is None or imported <= debt.opened_at:
            raise InvalidInput(
                "这项政策在欠账登记以后没有重新导入；请先更新目录，或写明改了哪一条。", "policy_id"
            )
    hashes = {each: catalogue.clauses[each].hash for each in patched.clause_ids}
    closing = {"policy_id": patched.policy_id, "clauses": hashes}
    return Closure.CATALOGUE, closing, _answered_from([patched.policy_id])


def _by_answer(db: Session, signed: Signed) -> tuple[Closure, dict[str, Any], dict[str, Any]]:
    answer = db.get(SignedAnswer, signed.answer_id)
    if answer is None or answer.state is not SignedState.IN_FORCE:
        raise InvalidInput("没有这个编号的、已审定生效的答复。", "answer_id")
    policies = list(dict.fromkeys(clause.partition("#")[0] for clause, _ in answer.clauses))
    return Closure.FAQ, {"answer_id": answer.id}, _answered_from(policies)


def _by_reason(
    debt: Debt, nothing: NothingNeeded, grounds: Grounds
) -> tuple[Closure, dict[str, Any], dict[str, Any]]:
    reason = " ".join(nothing.reason.split())
    if len(reason) < MIN_REASON_CHARS:
        raise InvalidInput(f"请写明理由，至少 {MIN_REASON_CHARS} 个字。", "reason")
    was_answered = debt.cause is not Cause.REFUSAL and debt.policy_id in grounds.catalogue.policies
    label = _answered_from([debt.policy_id or ""]) if was_answered else _refused()
    return Closure.NONE, {"reason": reason[:1000]}, label


def _answered_from(policies: list[str]) -> dict[str, Any]:
    return {
        "policy_id": policies[0],
        "expected_policies_any": policies,
        "expected_answer_facts": [],
        "expected_action": "answer",
        "unanswerable": False,
    }


def _refused() -> dict[str, Any]:
    return {
        "policy_id": None,
        "expected_policies_any": [],
        "expected_answer_facts": [],
        "expected_action": "refuse",
        "unanswerable": True,
    }
