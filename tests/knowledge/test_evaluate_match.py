"""`qifu eval match`: labels written apart from the product, every difference told, bad lines named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.catalogue import DATA, Catalogue
from knowledge.errors import LabelError
from knowledge.evaluate_match import evaluate_match, match_report_lines
from knowledge.match_labels import read_labelled_profiles
from knowledge.matching import Matcher
from knowledge.policy import Op
from knowledge.profile import read_profile
from tests.knowledge.label_oracle import items, label
from tests.knowledge.match_samples import profiles_of

FUTIAN = {"registered_district": "福田区"}
CLEAN = {"legal_person": True, "credit_ok": True}

# Read in the notices and decided by hand.
BY_HAND: list[tuple[str, dict[str, Any], str, str]] = [
    ("FT-001", {**FUTIAN, **CLEAN, "qualifications": ["国家高新技术企业"]}, "unknown",
     "whether the certificate is of last year is not told"),
    ("FT-001", {**FUTIAN, **CLEAN, "qualifications": []}, "ineligible",
     "the list of qualifications is complete and does not name it"),
    ("FT-001", {**FUTIAN, **CLEAN}, "unknown", "no list at all"),
    ("FT-006", {**FUTIAN, "credit_ok": True, "rd_expense_cny": 500_000}, "ineligible", "more than 500,000"),
    ("FT-006", {**FUTIAN, "credit_ok": True, "rd_expense_cny": 500_001}, "eligible", "more than 500,000"),
    ("FT-003", {**FUTIAN, "credit_ok": True, "qualifications": [], "gaoqi_score_last_year": 70}, "ineligible",
     "70 points have passed"),
    ("FT-012", {**FUTIAN, "loan_filed_same_year": True, "loan_repaid_on_time": True, "loan_amount_cny": 5_000_000,
     "net_profit_positive": True}, "eligible", "a loan of five million needs a profit, and there is one"),
    ("FT-012", {**FUTIAN, "loan_filed_same_year": True, "loan_repaid_on_time": True, "loan_amount_cny": 5_000_000},
     "unknown", "the profit decides and is not told"),
    ("FT-026", {**FUTIAN, "tax_district": "福田区", "legal_person": True, "hq_functions": True, "subsidiaries": 5,
     "district_contribution_cny": 9_999_999}, "ineligible", "below both thresholds"),
    ("CN-001", {"qualifications": ["专精特新中小企业", "专精特新小巨人"]}, "ineligible", "holds the title already"),
    ("CN-005", {"rd_expense_cny": 1, "negative_list_industry": False}, "eligible", "any expense at all"),
    ("CN-010", {"employees": 30}, "eligible", "thirty is still within"),
    ("CN-010", {"employees": 31}, "ineligible", "thirty-one is not"),
    ("GD-003", {"registered_city": "深圳市", "is_sme": True}, "ineligible", "Shenzhen is not among the pilot cities"),
    ("SZ-051", {"registered_city": "深圳市", "unemployment_insurance_months": 12, "serious_dishonesty": False,
     "layoff_rate_pct": 6}, "unknown", "a small enterprise may lay off more"),
    ("SZ-052", {"registered_city": "南京市"}, "ineligible", "another city, whatever is unknown besides"),
]  # fmt: skip


@pytest.fixture(scope="module")
def matcher(catalogue: Catalogue) -> Matcher:
    return Matcher(catalogue)


@pytest.mark.parametrize(("policy_id", "facts", "expected", "why"), BY_HAND)
def test_verdict_decided_by_hand(
    matcher: Matcher, policy_id: str, facts: dict[str, Any], expected: str, why: str
) -> None:
    profile, problems = read_profile(facts, matcher.fields)
    assert problems == []
    assert matcher.verdicts(profile)[policy_id] == expected, why
    assert label(items()[policy_id], facts)[0] == expected, "the oracle itself"


@settings(max_examples=300)
@given(st.data())
def test_verdicts_equal_an_oracle_that_reads_the_raw_lines(
    catalogue: Catalogue, matcher: Matcher, data: st.DataObject
) -> None:
    profile = data.draw(profiles_of(catalogue))
    facts = {field: known.value for field, known in profile.facts.items()}
    expected = {policy_id: label(criteria, facts)[0] for policy_id, criteria in items().items()}
    assert matcher.verdicts(profile) == expected


@pytest.mark.parametrize("name", ["dev", "test"])
class TestShipped:
    def test_every_label_is_met(self, matcher: Matcher, name: str) -> None:
        labelled = read_labelled_profiles(DATA / "match" / f"{name}.jsonl", matcher.rows)
        report = evaluate_match(labelled, matcher)
        assert len(labelled) >= 60
        assert report["accuracy"]["value"] == 1.0
        assert report["accuracy"]["n"] > 900
        assert report["failures"] == []
        assert report["problems"] == []

    def test_labels_are_those_of_the_oracle(self, matcher: Matcher, name: str) -> None:
        catalogue = items()
        for row in read_labelled_profiles(DATA / "match" / f"{name}.jsonl", matcher.rows):
            for each in row.labels:
                assert label(catalogue[each.policy_id], row.profile)[0] == each.label, row.id

    def test_all_ops_verdicts_and_missing_facts_occur(
        self, catalogue: Catalogue, matcher: Matcher, name: str
    ) -> None:
        rows = read_labelled_profiles(DATA / "match" / f"{name}.jsonl", matcher.rows)
        seen = {
            (criterion.op, each.label.value)
            for row in rows
            for each in row.labels
            for criterion in catalogue.policies[each.policy_id].criteria
        }
        assert {op for op, _ in seen} == set(Op)
        for verdict in ("eligible", "ineligible", "unknown"):
            assert len({op for op, given_label in seen if given_label == verdict}) >= 7


def test_shipped_files_share_no_profile(matcher: Matcher) -> None:
    dev, test = (
        read_labelled_profiles(DATA / "match" / f"{name}.jsonl", matcher.rows)
        for name in ("dev", "test")
    )
    assert not {row.id for row in dev} & {row.id for row in test}
    assert all(row.profile not in [other.profile for other in test] for row in dev)


def write(folder: Path, *rows: object) -> Path:
    path = folder / "labels.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def row(**changed: Any) -> dict[str, Any]:
    labels = [{"policy_id": "CN-010", "label": "eligible"}]
    return {"id": "a", "profile": {"employees": 30}, "labels": labels, **changed}


def test_difference_is_told_condition_by_condition(matcher: Matcher, tmp_path: Path) -> None:
    wrong = row(labels=[{"policy_id": "CN-010", "label": "ineligible"}, *row()["labels"][:0]])
    path = write(tmp_path, row(id="right"), wrong, row(id="odd", profile={"employes": 3}))
    report = evaluate_match(read_labelled_profiles(path, matcher.rows), matcher)
    assert report["accuracy"]["n"] == 3
    assert report["accuracy"]["value"] == pytest.approx(0.3333)
    assert report["confusion"]["ineligible"] == {"eligible": 1, "unknown": 0, "ineligible": 0}
    assert report["failures"][0] == {
        "id": "a",
        "policy_id": "CN-010",
        "got": "eligible",
        "want": "ineligible",
        "criteria": [{"need": "职工人数不超过30人", "verdict": "met"}],
    }
    assert [(each["where"], each["field"]) for each in report["problems"]] == [
        ("labels.jsonl:3", "employes")
    ]
    told = "\n".join(match_report_lines(report))
    assert "✗ a CN-010：应为 ineligible，判为 eligible" in told
    assert "labels.jsonl:3 employes" in told


@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        ("{", "labels.jsonl:2: not valid JSON"),
        ("[1]", "labels.jsonl:2: record: "),
        (row(profile=[]), "labels.jsonl:2: profile: "),
        (row(labels=[]), "labels.jsonl:2: labels: "),
        (row(id=""), "labels.jsonl:2: id: "),
        (row(labels=[{"policy_id": "CN-010", "label": "maybe"}]), "labels.jsonl:2: labels.0.label: "),
        (row(id="b", labels=[{"policy_id": "XX-1", "label": "unknown"}]), "labels.jsonl:2: labels.0.policy_id: the catalogue has no 'XX-1'"),
        (row(id="b", labels=[*row()["labels"], {"policy_id": "CN-010", "label": "unknown"}]), "labels.jsonl:2: labels.1.label: "),
    ],
)  # fmt: skip
def test_bad_line_is_named_by_file_and_line(
    matcher: Matcher, tmp_path: Path, spoiled: object, named: str
) -> None:
    with pytest.raises(LabelError) as caught:
        read_labelled_profiles(write(tmp_path, row(), spoiled, row(id="c"), "}"), matcher.rows)
    first, last = str(caught.value).splitlines()
    assert first.startswith(named)
    assert last.startswith("labels.jsonl:4: ")


def test_empty_or_missing_file_is_refused(matcher: Matcher, tmp_path: Path) -> None:
    with pytest.raises(LabelError, match="no profile in it"):
        read_labelled_profiles(write(tmp_path, ""), matcher.rows)
    with pytest.raises(LabelError, match="cannot be read"):
        read_labelled_profiles(tmp_path / "none.jsonl", matcher.rows)
