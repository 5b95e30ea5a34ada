"""Questions that go on about the policy under discussion, and ones that change the subject."""

from __future__ import annotations

from datetime import date

import pytest

from knowledge.answer import Answerer
from knowledge.discussion import Discussion
from knowledge.follow_up import FIGURES, features_of, read_model

TODAY = date(2026, 11, 24)


@pytest.mark.parametrize(
    ("discussed", "text"),
    [
        ("CN-002", "这本证能管几年"),
        ("CN-001", "负债率呢，有红线吗"),
        ("FT-019", "两处办公室都能补吗"),
    ],
)
def test_question_goes_on_about_the_policy_under_discussion(
    answerer: Answerer, discussed: str, text: str
) -> None:
    assert answerer.answer(text, TODAY, Discussion(discussed)).policy_id == discussed


@pytest.mark.parametrize(
    ("discussed", "text", "now"),
    [
        ("FT-001", "小微企业的创业担保贷款最多能贷多少", "SZ-045"),
        ("SZ-036", "稳岗返还比例是多少", "SZ-051"),
        ("FT-005", "福田产业人才住房谁来申请", "FT-058"),
    ],
)
def test_question_that_names_another_policy_changes_the_subject(
    answerer: Answerer, discussed: str, text: str, now: str
) -> None:
    assert answerer.answer(text, TODAY, Discussion(discussed)).policy_id == now


def test_features_are_named_and_bounded(answerer: Answerer) -> None:
    ranking = answerer.retriever.search("那材料要几份", as_of=TODAY)
    policy = answerer.catalogue.policies["FT-001"]
    figures, grams = features_of(ranking, policy, answerer.retriever)
    assert len(figures) == len(FIGURES) == len(read_model().mean)
    assert (figures >= 0).all() and (figures <= 5).all()
    assert "材料" in grams
