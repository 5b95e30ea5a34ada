"""Scores match verdicts against labelled profiles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from knowledge.conditions import check
from knowledge.evaluate import share
from knowledge.match_labels import LabelledProfile
from knowledge.matching import Matcher
from knowledge.profile import Profile, read_profile
from knowledge.verdicts import Verdict


def evaluate_match(
    profiles: Sequence[LabelledProfile],
    matcher: Matcher,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """The report of ``qifu eval match``; its keys are a contract.

    ``accuracy`` is the share of labels met, with its 95 % interval; ``confusion`` counts by label, then by verdict;
    ``failures`` holds each label missed with the condition by condition truth. ``problems`` names the facts of the
    profiles that were not used; a label may rest on one of them.
    """
    confusion = {want.value: {got.value: 0 for got in Verdict} for want in Verdict}
    hits: list[bool] = []
    failures: list[dict[str, Any]] = []
    problems: list[dict[str, str]] = []
    for labelled in profiles:
        profile, wrong = read_profile(labelled.profile, matcher.fields)
        problems += [
            {"where": labelled.where, "field": each.field, "message": each.message}
            for each in wrong
        ]
        verdicts = matcher.verdicts(profile)
        for label in labelled.labels:
            got = verdicts[label.policy_id]
            confusion[label.label.value][got.value] += 1
            hits.append(got is label.label)
            if got is not label.label:
                about = {"id": labelled.id, "policy_id": label.policy_id}
                truths = _truths(matcher, label.policy_id, profile)
                failures.append({**about, "got": got, "want": label.label, "criteria": truths})
        progress()
    return {
        "accuracy": share(hits),
        "profiles": len(profiles),
        "confusion": confusion,
        "failures": failures,
        "problems": problems,
    }


def _truths(matcher: Matcher, policy_id: str, profile: Profile) -> list[dict[str, str]]:
    policy = matcher.policies[matcher.rows[policy_id]]
    checked = [check(criterion, profile, matcher.fields) for criterion in policy.criteria]
    return [{"need": each.need, "verdict": each.truth.value} for each in checked]


def match_report_lines(report: dict[str, Any]) -> Iterator[str]:
    """The report in Chinese, for a terminal."""
    accuracy = report["accuracy"]
    yield (
        f"判定正确 {accuracy['value']:.4f}  [{accuracy['low']:.4f}, {accuracy['high']:.4f}]"
        f"  n={accuracy['n']}，企业 {report['profiles']} 家"
    )
    yield "标注 → 判定"
    for want, counted in report["confusion"].items():
        yield f"  {want:10} " + "  ".join(f"{got} {count}" for got, count in counted.items())
    for each in report["failures"]:
        yield f"✗ {each['id']} {each['policy_id']}：应为 {each['want']}，判为 {each['got']}"
        for criterion in each["criteria"]:
            yield f"    {criterion['verdict']:8} {criterion['need']}"
    for each in report["problems"]:
        yield f"! {each['where']} {each['field']}：{each['message']}"
