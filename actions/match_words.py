"""Says facts, conditions and dates of a match in Chinese, each as it was told or recorded."""

from __future__ import annotations

from collections.abc import Collection

from knowledge.composition import in_words
from knowledge.conditions import Checked, Truth, have_of, in_unit, nearest_gap
from knowledge.fields import Fields, FieldSpec
from knowledge.matching import ItemMatch
from knowledge.policy import Op
from knowledge.profile import Known, Source
from knowledge.timing import DateState, Timing
from knowledge.verdicts import Verdict

VERDICTS = {
    Verdict.ELIGIBLE: "符合",
    Verdict.UNKNOWN: "还差信息",
    Verdict.INELIGIBLE: "不符合",
}
_SIGNS = {Truth.MET: "✓", Truth.FAILED: "✗", Truth.UNKNOWN: "？"}
_SOURCES = {Source.REGISTRY: "登记信息", Source.PROFILE: "企业档案"}
_LEAST_SHOWN = 3
_TITLES_SHOWN = 2


def held_text(known: Known, spec: FieldSpec) -> str:
    """The value with its unit: 约3000万元; of a list of which a part is known, that part."""
    if isinstance(known.value, tuple) and not known.is_complete:
        held, lacked = "、".join(known.value), "、".join(known.lacks)
        parts = (held, f"没有{lacked}" if lacked else "")
        return "，".join(part for part in parts if part)
    about = "约" if known.is_approximate else ""
    return f"{about}{in_unit(known.value, spec.unit)}"


def fact_text(known: Known, spec: FieldSpec) -> str:
    """上年度营业收入 3200万元."""
    return f"{spec.label} {held_text(known, spec)}"


def have_text(checked: Checked, fields: Fields) -> str | None:
    """What the enterprise has, as a person reads it; ``None`` where it is unknown."""
    if checked.known is None:
        return have_of(checked, fields)
    return held_text(checked.known, fields[checked.criterion.field])


def label_of(checked: Checked, fields: Fields) -> str:
    """What a condition is on: a field, the titles asked for; of an alternative each part that is still open."""
    leaves = [leaf for leaf in checked.leaves() if leaf.truth is checked.truth]
    return "或".join(dict.fromkeys(_leaf_label(leaf, fields) for leaf in leaves))


def _leaf_label(leaf: Checked, fields: Fields) -> str:
    value = leaf.criterion.value
    if leaf.criterion.op is not Op.INCLUDES_ANY or not isinstance(value, tuple):
        return fields[leaf.criterion.field].label
    more = "等" if len(value) > _TITLES_SHOWN else ""
    return f"有无{'、'.join(map(str, value[:_TITLES_SHOWN]))}{more}"


def source_text(known: Known, is_derived: bool = False) -> str:
    """Where a fact came from and when: 您2026-11-23说的. ``is_derived``: it follows from the place they named."""
    day = f"{known.day}" if known.day else ""
    if is_derived:
        return f"按您{day}说的注册地推定"
    if known.source is Source.SAID:
        return f"您{day}说的"
    return f"{_SOURCES[known.source]}{'，' + day if day else ''}"


def condition_line(checked: Checked, fields: Fields, derived: Collection[str] = ()) -> str:
    """One condition: whether it holds, what is needed, what there is, where that is known from.

    ``derived`` are the fields nobody said that follow from others.
    """
    sign = _SIGNS[checked.truth]
    have = have_text(checked, fields)
    if have is None:
        return f"{sign} {checked.need}｜还不知道贵公司的情况"
    told = [
        source_text(leaf.known, leaf.criterion.field in derived)
        for leaf in checked.leaves()
        if leaf.known
    ]
    sources = "、".join(dict.fromkeys(told))
    if checked.truth is Truth.UNKNOWN:
        return f"{sign} {checked.need}｜目前只知道{have}（{sources}），还不能判断"
    gap = nearest_gap(checked) if checked.truth is Truth.FAILED else None
    off = f"，{gap.text}" if gap else ""
    return f"{sign} {checked.need}｜贵公司：{have}{off}（{sources}）"


def verdict_text(match: ItemMatch) -> str:
    """符合, 还差信息, 不符合，差一项 or 不符合."""
    if match.verdict is Verdict.INELIGIBLE and len(match.with_truth(Truth.FAILED)) == 1:
        return "不符合，差一项"
    return VERDICTS[match.verdict]


def why_line(match: ItemMatch, fields: Fields) -> str:
    """In one short line why the verdict is what it is."""
    if match.verdict is Verdict.ELIGIBLE:
        return f"记录的{len(match.criteria)}项条件都满足"
    if match.verdict is Verdict.UNKNOWN:
        open_ones = match.with_truth(Truth.UNKNOWN)
        named = list(dict.fromkeys(label_of(each, fields) for each in open_ones))
        more = f"等{len(named)}项" if len(named) > _LEAST_SHOWN else ""
        met = len(match.with_truth(Truth.MET))
        return f"{met}项满足，还要核实：{'、'.join(named[:_LEAST_SHOWN])}{more}"
    failed = match.with_truth(Truth.FAILED)[0]
    gap = nearest_gap(failed)
    off = f"，{gap.text}" if gap else ""
    return f"要求{failed.need}；贵公司：{have_text(failed, fields)}{off}"


def time_text(timing: Timing) -> str:
    """When it can be applied for, short."""
    return "申报时间待确认" if timing.state is DateState.UNKNOWN else timing.text


def amount_text(amount_cny: int | None) -> str:
    return f"最高{in_words(amount_cny)}" if amount_cny else "记录未写最高额"
