"""What sweep, reach and what-if found, in lines for people and as JSON documents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from knowledge.conditions import Checked, Truth, in_unit, need_of
from knowledge.fields import FieldSpec, read_fields
from knowledge.policy import Criterion, Op, Policy, Status

if TYPE_CHECKING:
    from knowledge.enterprise_table import EnterpriseTable, Problems
    from knowledge.profile import Profile
    from knowledge.reach import Effect
    from knowledge.sweep import SweepReport
    from knowledge.tally import Tally
    from knowledge.verdicts import Verdict

_VERDICTS = {"eligible": "符合", "unknown": "还不能确定", "ineligible": "不符合"}
_EFFECTS = {
    "gained": "新符合",
    "lost": "不再符合",
    "unknown": "缺资料，不能确定",
    "ruled_out": "原来不能确定、现在不符合",
    "same": "不受影响",
}
_TRUTHS = {Truth.MET: "✓", Truth.FAILED: "✗", Truth.UNKNOWN: "?"}
_STATUSES = {
    Status.CURRENT: "现行有效",
    Status.EXPIRED: "已过期",
    Status.UNKNOWN: "有效与否没有核实",
    Status.UPCOMING: "还没开始",
}
_DIMENSIONS = {"industry": "按行业", "street": "按街道"}
_GROUPS = 12
_SYNTHETIC = "这份企业表是合成数据，不是真实企业。"


def problem_lines(problems: Problems, file: str) -> Iterator[str]:
    """Unknown columns, the first cells that were not used, how many there are in all."""
    for said in (*problems.columns.values(), *problems.shown):
        yield f"{file} {said}"
    if problems.count:
        each = "，".join(f"{column} {count}" for column, count in problems.by_column.most_common(8))
        yield f"{file} 共 {problems.count} 格没有用上，按未知处理：{each}"


def problems_document(problems: Problems) -> dict[str, Any]:
    return {
        "count": problems.count,
        "by_column": dict(problems.by_column),
        "first": problems.shown,
        "unknown_columns": problems.columns,
    }


def sweep_lines(report: SweepReport, out: Path, seconds: float) -> Iterator[str]:
    yield (
        f"{report.enterprises:,} 家企业 × {report.policies:,} 项政策，"
        f"{report.conditions:,} 个不同的条件，用时 {seconds:.1f} 秒"
    )
    yield "  ".join(f"{_VERDICTS[key]} {count:,}" for key, count in _pairs(report).items())
    if report.unconditional:
        named = "、".join(report.unconditional[:5])
        yield f"{len(report.unconditional)} 项政策没有录入条件，对谁都算符合：{named}"
    if report.is_synthetic:
        yield _SYNTHETIC
    yield f"已写入 {out}"


def sweep_document(report: SweepReport) -> dict[str, Any]:
    return {
        "ok": True,
        "enterprises": report.enterprises,
        "policies": report.policies,
        "conditions": report.conditions,
        "pairs": _pairs(report),
        "unconditional": list(report.unconditional),
        "synthetic": report.is_synthetic,
        "problems": problems_document(report.problems),
    }


def reach_lines(policy: Policy, status: Status, tally: Tally, is_synthetic: bool) -> Iterator[str]:
    yield f"{policy.id}《{policy.title}》（{_STATUSES[status]}）"
    yield "  ".join(f"{_VERDICTS[key]} {tally.counts[key]:,}" for key in _VERDICTS)
    yield from _group_lines(tally, ("eligible", "unknown"), _VERDICTS)
    if tally.first["eligible"]:
        yield f"符合的例如：{'、'.join(tally.first['eligible'])}"
    if is_synthetic:
        yield _SYNTHETIC


def reach_document(
    policy: Policy, status: Status, tally: Tally, table: EnterpriseTable
) -> dict[str, Any]:
    return {
        "ok": True,
        "policy_id": policy.id,
        "title": policy.title,
        "status": status,
        **_tally_document(tally),
        **_table_document(table),
    }


def effect_lines(effect: Effect, spec: FieldSpec, is_synthetic: bool) -> Iterator[str]:
    yield f"{effect.policy.id}《{effect.policy.title}》"
    for old, new in _changes(effect, spec.name):
        yield f"{need_of(old, spec)} → {need_of(new, spec)}"
    yield f"符合 {effect.before['eligible']:,} → {effect.after['eligible']:,}"
    counts = effect.tally.counts
    yield "  ".join(f"{said} {counts[key]:,}" for key, said in _EFFECTS.items())
    shown = ("gained", "lost", "unknown")
    yield from _group_lines(effect.tally, shown, _EFFECTS)
    for key in shown:
        if effect.tally.first[key]:
            yield f"{_EFFECTS[key]}的例如：{'、'.join(effect.tally.first[key])}"
    if is_synthetic:
        yield _SYNTHETIC


def effect_document(effect: Effect, field: str, table: EnterpriseTable) -> dict[str, Any]:
    return {
        "ok": True,
        "policy_id": effect.policy.id,
        "field": field,
        "changes": [
            {"op": old.op, "before": old.value, "after": new.value}
            for old, new in _changes(effect, field)
        ],
        "before": dict(effect.before),
        "after": dict(effect.after),
        **_tally_document(effect.tally),
        **_table_document(table),
    }


def reason_lines(
    policy: Policy, status: Status, profile: Profile, verdict: Verdict, checked: Sequence[Checked]
) -> Iterator[str]:
    who = profile.name or profile.credit_code or "这家企业"
    yield f"{who} 对 {policy.id}《{policy.title}》（{_STATUSES[status]}）：{_VERDICTS[verdict]}"
    for each in checked:
        yield f"  {_TRUTHS[each.truth]} {_reason(each)}"


def reasons_document(
    policy: Policy, status: Status, profile: Profile, verdict: Verdict, checked: Sequence[Checked]
) -> dict[str, Any]:
    return {
        "ok": True,
        "enterprise": profile.credit_code or profile.name,
        "policy_id": policy.id,
        "title": policy.title,
        "status": status,
        "verdict": verdict,
        "criteria": [_reason_document(each) for each in checked],
    }


def _reason(checked: Checked) -> str:
    if checked.parts:
        return "；或 ".join(f"{_TRUTHS[part.truth]} {_reason(part)}" for part in checked.parts)
    if checked.known is None:
        return f"{checked.need}：没有这项资料"
    have = in_unit(checked.known.value, read_fields()[checked.criterion.field].unit)
    return f"{checked.need}：现为 {have}{f'，{checked.gap.text}' if checked.gap else ''}"


def _reason_document(checked: Checked) -> dict[str, Any]:
    criterion = checked.criterion
    return {
        "field": criterion.field,
        "verdict": checked.truth,
        "have": checked.known.value if checked.known else None,
        "need": checked.need,
        "gap": checked.gap.text if checked.gap else None,
        "note": criterion.note,
        "alternatives": [_reason_document(part) for part in checked.parts],
    }


def _pairs(report: SweepReport) -> dict[str, int]:
    return {key: next((n for v, n in report.pairs.items() if v == key), 0) for key in _VERDICTS}


def _group_lines(tally: Tally, keys: Sequence[str], names: dict[str, str]) -> Iterator[str]:
    for dimension, title in _DIMENSIONS.items():
        groups = tally.by(dimension, keys)
        if not groups:
            continue
        yield title
        for name, counts in groups[:_GROUPS]:
            told = "  ".join(f"{names[key]} {counts[key]:,}" for key in keys)
            yield f"  {name}：{told}"
        if len(groups) > _GROUPS:
            yield f"  ……另有 {len(groups) - _GROUPS} 组"


def _tally_document(tally: Tally) -> dict[str, Any]:
    groups = {
        f"by_{name}": {group: dict(counts) for group, counts in tally.by(name, tally.labels)}
        for name in _DIMENSIONS
    }
    return {"counts": dict(tally.counts), **groups, "first": tally.first}


def _table_document(table: EnterpriseTable) -> dict[str, Any]:
    return {"synthetic": table.is_synthetic, "problems": problems_document(table.problems)}


def _changes(effect: Effect, field: str) -> Iterator[tuple[Criterion, Criterion]]:
    pairs = zip(_leaves(effect.policy.criteria), _leaves(effect.changed.criteria), strict=True)
    yield from (pair for pair in pairs if pair[0] != pair[1] and pair[0].field == field)


def _leaves(criteria: Any) -> Iterator[Criterion]:
    for criterion in criteria:
        if criterion.op is Op.OR:
            yield from _leaves(criterion.value)
        else:
            yield criterion
