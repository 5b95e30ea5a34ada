"""Scores the dispatcher against labelled matters: right at once, right in three, triage, honesty of its confidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import LabelError
from knowledge.evaluate import share
from service.appeals.departments import Department
from service.appeals.dispatch import Dispatch, Dispatcher

DISPATCH_SETS = Path(__file__).parent / "data" / "dispatch"
BINS = 10
VAGUE = "vague"
_RESAMPLES = 2000


def _not_blank(value: str) -> str:
    if not value.strip():
        raise ValueError("is blank")
    return value


_Filled = Annotated[str, AfterValidator(_not_blank)]


class LabelledMatter(BaseModel):
    """A matter with the codes of the departments it may go to; several where it holds two topics.

    ``kind`` is one word for how it is written; of a ``vague`` one nobody could tell, so the centre's triage is right.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _Filled
    kind: _Filled
    departments: Annotated[tuple[_Filled, ...], Field(min_length=1, strict=False)]
    matter: _Filled


@dataclass(frozen=True)
class _Judged:
    row: LabelledMatter
    got: Dispatch
    names: frozenset[str]

    @property
    def is_right(self) -> bool:
        return self.got.department in self.names

    @property
    def is_in_three(self) -> bool:
        return self.is_right or any(c.department in self.names for c in self.got.candidates)

    @property
    def is_misled(self) -> bool:
        """A wrong department got it; the centre, which would pass it on, does not count."""
        return not self.is_right and not self.got.is_triage

    @property
    def first_is_right(self) -> bool:
        return self.got.candidates[0].department in self.names


def read_matters(path: Path, departments: Sequence[Department]) -> list[LabelledMatter]:
    """All matters of a JSON-lines file.

    Raises:
        LabelError: naming file, line and field of the first defect, an unknown department included.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except OSError as error:
        raise LabelError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise LabelError(f"{path}: byte {error.start}: not UTF-8") from error
    codes = {department.code for department in departments}
    rows: list[LabelledMatter] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = LabelledMatter.model_validate_json(line)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            field = ".".join(map(str, detail["loc"])) or "record"
            raise LabelError(f"{path.name}:{number}: {field}: {detail['msg']}") from error
        if unknown := sorted(set(row.departments) - codes):
            raise LabelError(f"{path.name}:{number}: departments: no department {unknown[0]!r}")
        rows.append(row)
    if not rows:
        raise LabelError(f"{path}: no matter in it; expected one JSON object a line")
    return rows


def evaluate_dispatch(
    rows: Sequence[LabelledMatter],
    dispatcher: Dispatcher,
    departments: Sequence[Department],
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The report of ``qifu eval dispatch``. Shares are ``{"value","low","high","n"}`` (95 %, Wilson). They count:

    - ``top1``: the department the matter was sent to is a right one. ``top3``: it, or one of the three candidates.
    - ``triage``: sent to the centre because nothing was sure. ``misled``: sent to a wrong department that is not the
      centre's triage. ``vague_triaged``: of those nobody could tell, sent to triage. ``sent_right``: of those sent
      to a department with confidence, right.
    - ``calibration``: ``ece`` is the mean distance between the first candidate's confidence and the share of it being
      right, over ten bins weighted by size (Naeini 2015), with a bootstrap interval; vague matters are left out, as
      no candidate is right.
    """
    names = {department.code: department.name for department in departments}
    judged = []
    for row in rows:
        right = frozenset(names[code] for code in row.departments)
        judged.append(_Judged(row, dispatcher.dispatch(row.matter), right))
        progress()
    return {
        **_shares(judged),
        "calibration": _calibration([each for each in judged if each.row.kind != VAGUE]),
        "by_kind": _by_kind(judged),
        "failures": [_failure(each) for each in judged if not each.is_right],
    }


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """The report for people, a line a number, failures last."""
    lines = [_line(title, report[key]) for key, title in _TITLES.items()]
    told = report["calibration"]
    if told["n"]:
        lines.append(
            f"把握校准误差 ECE      {told['ece']:.3f}  [{told['low']:.3f}, {told['high']:.3f}]  n={told['n']}"
        )
    lines += [
        _line(f"  {kind} 首派正确", found["top1"]) for kind, found in report["by_kind"].items()
    ]
    lines += [
        f"× {each['id']} {each['text'][:40]}：派给 {each['got']}（{each['confidence']:.2f}），应为 {'、'.join(each['want'])}"
        for each in report["failures"]
    ]
    return lines


_TITLES = {
    "top1": "首派正确",
    "top3": "前三有正确",
    "sent_right": "有把握而派出的正确",
    "misled": "派错部门",
    "triage": "转中心人工分拨",
    "vague_triaged": "说不清的转人工分拨",
}


def _shares(judged: Sequence[_Judged]) -> dict[str, Any]:
    return {
        "top1": share(each.is_right for each in judged),
        "top3": share(each.is_in_three for each in judged),
        "sent_right": share(each.is_right for each in judged if not each.got.is_triage),
        "misled": share(each.is_misled for each in judged),
        "triage": share(each.got.is_triage for each in judged),
        "vague_triaged": share(each.got.is_triage for each in judged if each.row.kind == VAGUE),
    }


def _by_kind(judged: Sequence[_Judged]) -> dict[str, Any]:
    kinds = dict.fromkeys(each.row.kind for each in judged)
    return {kind: _shares([each for each in judged if each.row.kind == kind]) for kind in kinds}


def _calibration(judged: Sequence[_Judged]) -> dict[str, Any]:
    if not judged:
        return {"ece": None, "low": None, "high": None, "n": 0, "bins": []}
    told = np.array([each.got.candidates[0].confidence for each in judged])
    true = np.array([each.first_is_right for each in judged], dtype=float)
    draws = np.random.default_rng(0).integers(0, len(told), (_RESAMPLES, len(told)))
    low, high = np.percentile([_ece(told[draw], true[draw]) for draw in draws], (2.5, 97.5))
    number = _bin_of(told)
    bins = [
        {
            "from": index / BINS,
            "confidence": round(float(told[number == index].mean()), 4),
            **share(bool(each) for each in true[number == index]),
        }
        for index in sorted({int(each) for each in number})
    ]
    return {
        "ece": round(_ece(told, true), 4),
        "low": round(float(low), 4),
        "high": round(float(high), 4),
        "n": len(told),
        "bins": bins,
    }


def _ece(told: Any, true: Any) -> float:
    number = _bin_of(told)
    confidence = np.bincount(number, told, BINS)
    right = np.bincount(number, true, BINS)
    return float(np.abs(confidence - right).sum() / len(told))


def _bin_of(told: Any) -> Any:
    return np.minimum((told * BINS).astype(int), BINS - 1)


def _failure(judged: _Judged) -> dict[str, Any]:
    return {
        "id": judged.row.id,
        "kind": judged.row.kind,
        "text": judged.row.matter,
        "got": judged.got.department,
        "is_triage": judged.got.is_triage,
        "confidence": judged.got.confidence,
        "candidates": [c.department for c in judged.got.candidates],
        "want": sorted(judged.names),
    }


def _line(title: str, found: Mapping[str, Any]) -> str:
    if not found["n"]:
        return f"{title}：没有可算的"
    return (
        f"{title}  {found['value']:.3f}  [{found['low']:.3f}, {found['high']:.3f}]  n={found['n']}"
    )
