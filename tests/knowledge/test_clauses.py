"""Clauses of a policy: one for each facet the record has, none for what it lacks, text straight from the record."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS, clauses_of, validity_text
from knowledge.policy import Criterion, Facet, Level, Op, Policy, Status

FULL = Policy(
    id="TT-001",
    title="测试奖励",
    aliases=(),
    level=Level.DISTRICT,
    place="福田区",
    issuer="测试办",
    doc_no=None,
    source_url=None,
    published=date(2024, 1, 2),
    valid_from=date(2024, 2, 1),
    valid_to=date(2026, 12, 31),
    status=Status.CURRENT,
    category="测试",
    industries=(),
    benefit_type="一次性奖励",
    amount_max_cny=100000,
    summary="一次性奖励10万元。",
    criteria=(Criterion("staff", Op.GTE, 10, "员工不少于10人"),),
    materials=("营业执照", "纳税证明"),
    window="每年3月",
    department="测试局",
    phone="0755-1",
    confidence="high",
    note="先到先得",
    inferred=(),
)
BARE = replace(FULL, criteria=(), materials=(), window=None, phone=None, note=None)


def texts(policy: Policy) -> dict[Facet, str]:
    return {clause.facet: clause.text for clause in clauses_of(policy)}


def test_every_facet_of_a_full_record_has_its_text() -> None:
    assert texts(FULL) == {
        Facet.AMOUNT: "一次性奖励10万元。",
        Facet.CONDITIONS: "员工不少于10人",
        Facet.MATERIALS: "1. 营业执照；2. 纳税证明",
        Facet.WINDOW: "每年3月",
        Facet.DEPARTMENT: "由测试局负责（发布机关：测试办）",
        Facet.CONTACT: "0755-1",
        Facet.VALIDITY: "记录显示现行有效，2024-01-02发布，2024-02-01起施行，有效至2026-12-31",
        Facet.OVERVIEW: "先到先得",
    }


def test_what_a_record_lacks_has_no_clause() -> None:
    assert set(texts(BARE)) == {Facet.AMOUNT, Facet.DEPARTMENT, Facet.VALIDITY}


def test_issuer_that_is_the_department_is_named_once() -> None:
    assert texts(replace(FULL, issuer="测试局"))[Facet.DEPARTMENT] == "由测试局负责"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (Status.CURRENT, "记录没有写截止日期"),
        (Status.EXPIRED, "已过期"),
        (Status.UNKNOWN, "有效期未核实"),
    ],
)
def test_validity_without_dates_is_the_status_alone(status: Status, said: str) -> None:
    bare = replace(FULL, status=status, published=None, valid_from=None, valid_to=None)
    assert validity_text(bare) == said


def test_id_names_policy_and_facet_and_label_is_fixed() -> None:
    for clause in clauses_of(FULL):
        assert clause.id == f"TT-001#{clause.facet.value}"
        assert clause.policy_id == "TT-001"
        assert clause.label == LABELS[clause.facet]


def test_clauses_stay_the_same_when_another_part_of_the_record_changes() -> None:
    before, after = texts(FULL), texts(replace(FULL, window="每年4月"))
    assert {facet for facet in before if before[facet] != after[facet]} == {Facet.WINDOW}


def test_labels_differ() -> None:
    assert len(set(LABELS.values())) == len(LABELS) == len(Facet)


def test_catalogue_finds_clauses_by_id_and_by_policy(catalogue: Catalogue) -> None:
    for policy in catalogue.policies.values():
        clauses = catalogue.clauses_of(policy.id)
        assert clauses == list(clauses_of(policy))
        assert all(catalogue.clauses[clause.id] is clause for clause in clauses)
    assert len(catalogue.clauses) == sum(
        len(catalogue.clauses_of(policy_id)) for policy_id in catalogue.policies
    )


def test_unknown_policy_has_no_clauses(catalogue: Catalogue) -> None:
    with pytest.raises(KeyError):
        catalogue.clauses_of("TT-404")


class TestStatusOnADay:
    @pytest.mark.parametrize(
        ("day", "status"),
        [
            (date(2024, 1, 31), Status.UPCOMING),
            (date(2024, 2, 1), Status.CURRENT),
            (date(2026, 12, 31), Status.CURRENT),
            (date(2027, 1, 1), Status.EXPIRED),
        ],
    )
    def test_first_and_last_day_belong_to_the_term(self, day: date, status: Status) -> None:
        assert FULL.status_on(day) is status

    def test_term_that_is_past_was_in_force_while_it_ran(self) -> None:
        past = replace(FULL, status=Status.EXPIRED)
        assert past.status_on(date(2025, 1, 1)) is Status.CURRENT
        assert past.status_on(date(2027, 1, 1)) is Status.EXPIRED

    @pytest.mark.parametrize("status", [Status.EXPIRED, Status.UNKNOWN])
    def test_without_dates_the_record_decides(self, status: Status) -> None:
        undated = replace(FULL, status=status, published=None, valid_from=None, valid_to=None)
        assert undated.status_on(date(2000, 1, 1)) is status
        assert undated.status_on(date(2100, 1, 1)) is status

    def test_unverified_stays_unverified_within_its_term(self) -> None:
        unverified = replace(FULL, status=Status.UNKNOWN)
        assert unverified.status_on(date(2025, 1, 1)) is Status.UNKNOWN
        assert unverified.status_on(date(2027, 1, 1)) is Status.EXPIRED

    def test_nothing_holds_before_its_publication_when_no_first_day_is_given(self) -> None:
        published_only = replace(FULL, valid_from=None)
        assert published_only.status_on(date(2024, 1, 1)) is Status.UPCOMING
        assert published_only.status_on(date(2024, 1, 2)) is Status.CURRENT
