"""Exclusion groups: those that ship rest on clauses of the catalogue; a defective file is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from knowledge.bundle import best_bundle
from knowledge.catalogue import Catalogue
from knowledge.errors import CatalogueError
from knowledge.exclusions import Exclusion, Rule, read_exclusions

ONE = "- {id: a, rule: not_twice, policies: [FT-001, FT-002], reason: 三选一}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "exclusions.yml"
    path.write_text(text, encoding="utf-8")
    return path


class TestShipped:
    def test_groups_name_items_and_clauses_of_the_catalogue(self, catalogue: Catalogue) -> None:
        for group in read_exclusions():
            assert set(group.policies) <= set(catalogue.policies), group.id
            assert group.basis, group.id
            assert set(group.basis) <= set(catalogue.clauses), group.id
            assert {each.split("#")[0] for each in group.basis} <= set(group.policies), group.id
            assert group.reason

    def test_what_is_read_says_so_in_its_clause(self, catalogue: Catalogue) -> None:
        words = ("重复", "替代", "取代", "三选一", "最高等级", "不得超过")
        for group in read_exclusions():
            if not group.inferred:
                said = "".join(catalogue.clauses[each].text for each in group.basis)
                assert any(word in said for word in words), group.id

    def test_every_rule_is_in_use(self) -> None:
        assert {group.rule for group in read_exclusions()} == set(Rule)

    def test_best_of_the_whole_catalogue_keeps_no_pair_that_excludes_itself(
        self, catalogue: Catalogue
    ) -> None:
        bundle = best_bundle(list(catalogue.policies.values()), read_exclusions())
        kept = {each.policy.id for each in bundle.kept}
        for group in read_exclusions():
            if group.rule is not Rule.CAP:
                assert len(kept & set(group.policies)) == 1, group.id
        assert "SZ-034" in kept and "SZ-033" not in kept


def test_one_group(tmp_path: Path) -> None:
    assert read_exclusions(write(tmp_path, ONE)) == (
        Exclusion("a", Rule.NOT_TWICE, ("FT-001", "FT-002"), "三选一"),
    )


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("- {id: [", "not valid YAML"),
        ("a: 1", "groups: "),
        ("- {id: a, rule: never, policies: [A, B], reason: x}", "0.rule: "),
        ("- {id: a, rule: cap, policies: [A, B]}", "0.reason: "),
        ("- {id: a, rule: cap, policies: [A, B], reason: x, caps: 1}", "0.caps: "),
        ("- {id: a, rule: cap, policies: [A], reason: x}", "a: policies: "),
        ("- {id: a, rule: cap, policies: [A, A], reason: x}", "a: policies: "),
        ("- {id: a, rule: not_twice, policies: [A, B], reason: x, cap_cny: 5}", "a: cap_cny: "),
        ("- {id: a, rule: cap, policies: [A, B], reason: x, cap_cny: 0}", "a: cap_cny: "),
        (ONE + ONE, "a: id: is used twice"),
    ],
)
def test_defect_is_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_exclusions(write(tmp_path, text))
    assert caught.value.problems[0].startswith(f"exclusions.yml: {named}")
