"""Policies of a kind: category, industry or form of benefit, in the place or at the level that is named."""

from __future__ import annotations

import pytest

from knowledge.catalogue import Catalogue
from knowledge.kinds import policies_of_kind
from knowledge.policy import Level
from knowledge.question import read_question


def of_kind(text: str, catalogue: Catalogue) -> frozenset[str]:
    return policies_of_kind(read_question(text), catalogue.policies.values())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("有哪些贷款贴息", "贷款贴息"),
        ("人才服务有什么政策", "人才服务"),
        ("税收优惠都有哪些", "税收优惠"),
    ],
)
def test_kind_that_is_named(catalogue: Catalogue, text: str, kind: str) -> None:
    expected = {
        p.id
        for p in catalogue.policies.values()
        if kind in (p.category, p.benefit_type, *p.industries)
    }
    assert expected
    assert of_kind(text, catalogue) >= expected


def test_industry_is_a_kind(catalogue: Catalogue) -> None:
    industry = next(
        name for p in catalogue.policies.values() for name in p.industries if len(name) > 1
    )
    found = of_kind(f"{industry}有哪些补贴", catalogue)
    assert {p.id for p in catalogue.policies.values() if industry in p.industries} <= found


def test_place_that_is_named_must_fit(catalogue: Catalogue) -> None:
    found = of_kind("福田区有哪些贷款贴息", catalogue)
    assert found
    assert {catalogue.policies[policy_id].place for policy_id in found} == {"福田区"}


def test_level_that_is_named_must_fit(catalogue: Catalogue) -> None:
    found = of_kind("国家有哪些税收优惠", catalogue)
    assert found
    assert {catalogue.policies[policy_id].level for policy_id in found} == {Level.NATION}


def test_place_alone_means_all_of_it(catalogue: Catalogue) -> None:
    found = of_kind("南山有哪些政策", catalogue)
    assert found == {p.id for p in catalogue.policies.values() if p.place == "南山区"}


@pytest.mark.parametrize(
    "text", ["有哪些政策", "盐田有哪些奖励", "南山有哪些养猫补贴", "火星有哪些", ""]
)
def test_neither_kind_nor_place_is_nothing(catalogue: Catalogue, text: str) -> None:
    assert of_kind(text, catalogue) == frozenset()


def test_no_policies_is_nothing() -> None:
    assert policies_of_kind(read_question("福田有哪些贷款贴息"), []) == frozenset()
