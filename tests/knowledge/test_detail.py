"""Whether a record holds the very detail asked for: what is looked at, and what comes of it on the catalogue."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.detail import Details, asking_part
from knowledge.facets import facets_of
from knowledge.lexical import fold
from knowledge.outcome import Refusal

TODAY = date(2026, 11, 24)


@pytest.fixture(scope="module")
def details(catalogue: Catalogue) -> Details:
    return Details(catalogue)


@pytest.mark.parametrize(
    ("text", "policy_id", "left"),
    [
        ("国高企业租用区政府物业的租金优惠最多可以租多少平方", "FT-005", "最多可以租多少平方"),
        ("要盖章的表格有哪几份", "FT-010", "要盖章的表格有哪几份"),
    ],
)
def test_names_of_the_policy_are_no_part_of_what_is_asked(
    catalogue: Catalogue, text: str, policy_id: str, left: str
) -> None:
    assert asking_part(fold(text), catalogue.policies[policy_id]) == left


@pytest.mark.parametrize(
    ("text", "policy_id", "held"),
    [
        ("审核通过后几个工作日到账", "FT-001", -1.0),
        ("证书几年有效", "CN-002", 1.0),
        ("要什么条件", "FT-001", 0.0),
    ],
)
def test_unit_asked_for_is_looked_up_in_the_record(
    details: Details, catalogue: Catalogue, text: str, policy_id: str, held: float
) -> None:
    figures, _ = details.features(text, catalogue.policies[policy_id])
    assert figures[0] == held


@pytest.mark.parametrize(
    ("text", "policy_id"),
    [
        ("福田存量国高认定支持，审核过了以后多少个工作日钱到账", "FT-001"),
        ("福田A级景区认定支持去年一共批了几家", "FT-048"),
        ("信用服务业办公用房租金支持2025年最后批了多少家公司", "FT-019"),
    ],
)
def test_detail_no_record_holds_is_refused_by_name(
    answerer: Answerer, text: str, policy_id: str
) -> None:
    answer = answerer.answer(text, TODAY)
    assert (answer.refusal, answer.policy_id) == (Refusal.DETAIL_NOT_RECORDED, policy_id)
    assert not answer.citations
    assert "没有写您问的这一点" in answer.text


@pytest.mark.parametrize("asked", ["给多少钱", "有什么条件", "归哪个部门管", "现在还有效吗"])
def test_plain_question_is_never_taken_for_a_missing_detail(answerer: Answerer, asked: str) -> None:
    """One in fifty may go wrong: the model is cut there on the development questions."""
    answers = [
        answerer.detail(policy.id, facets_of(asked), TODAY, f"{policy.title}{asked}")
        for policy in answerer.catalogue.policies.values()
    ]
    wrong = [a.policy_id for a in answers if a.refusal is Refusal.DETAIL_NOT_RECORDED]
    assert len(wrong) <= len(answers) // 50, wrong


def test_missing_detail_is_called_by_its_name(answerer: Answerer) -> None:
    answer = answerer.answer("福田存量国高认定支持，审核过了以后多少个工作日钱到账", TODAY)
    assert "没有写您问的这一点（到账时间" in answer.text


@pytest.mark.parametrize(
    ("text", "policy_id", "unstated"),
    [
        ("钱打到公司账户还是个人卡", "FT-001", ("收款账户",)),
        ("要不要盖公章", "FT-038", ("盖章和签字",)),
        ("装修合同要不要交", "FT-038", ()),
        ("要什么条件", "FT-001", ()),
    ],
)
def test_details_asked_for_and_not_stated_are_named(
    details: Details, catalogue: Catalogue, text: str, policy_id: str, unstated: tuple[str, ...]
) -> None:
    assert details.unstated(text, catalogue.policies[policy_id]) == unstated


def test_detail_stated_under_another_facet_is_answered_from_there(answerer: Answerer) -> None:
    """The record has no window; the day counts among the conditions."""
    answer = answerer.answer("16年底搬进福田的，搬迁安置支持认哪天以后搬来的", TODAY)
    assert (answer.refusal, answer.policy_id) == (None, "FT-025")
    assert "2017-01-01" in answer.text
