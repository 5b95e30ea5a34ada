"""What speaks for each policy: figures, place, level, validity, names; each seen in the column of its own name."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.evidence import DOC_NO_BONUS, NEIGHBOUR_PENALTY, TOP, z_scores
from knowledge.policy import Facet, Level, Policy, Status
from knowledge.ranking import RANK_FEATURES
from knowledge.retrieval import Retriever, System
from tests.knowledge.samples import policy, retriever_of

TODAY = date(2026, 11, 24)
PEERS = (
    policy("TT-001", "奖励甲", place="福田区", summary="企业营收3200万元以上的，奖励10万元。"),
    policy("TT-002", "奖励乙", place="南山区", status=Status.EXPIRED),
    policy("TT-003", "奖励丙", place="深圳市", level=Level.CITY, doc_no="深府规〔2023〕5号"),
    policy("TT-004", "奖励丁", place=None, level=Level.NATION, phone="0755-12345678"),
    policy("TT-005", "奖励戊（2020年口径）", place="福田区", valid_to=date(2020, 12, 31)),
)


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Retriever:
    return retriever_of(PEERS, tmp_path_factory.mktemp("vectors"))


def column(peers: Retriever, text: str, name: str) -> dict[str, float]:
    """One feature by policy id."""
    evidence = peers.weigh(text, System.WORDS)
    values = evidence.features[:, RANK_FEATURES.index(name)].tolist()
    ids = [peers.policy_at(int(row)).id for row in evidence.rows]
    return dict(zip(ids, values, strict=True))


def adjustment(peers: Retriever, text: str) -> dict[str, float]:
    evidence = peers.weigh(text, System.WORDS)
    ids = [peers.policy_at(int(row)).id for row in evidence.rows]
    return dict(zip(ids, evidence.adjustment.tolist(), strict=True))


def those(values: dict[str, float]) -> set[str]:
    return {policy_id for policy_id, value in values.items() if value > 0}


class TestFacts:
    def test_figures_the_text_has_and_lacks(self, peers: Retriever) -> None:
        held = column(peers, "营收3200万，86个人，奖励", "figures_held")
        missing = column(peers, "营收3200万，86个人，奖励", "figures_missing")
        assert (held["TT-001"], missing["TT-001"]) == (1, 1)
        assert (held["TT-002"], missing["TT-002"]) == (0, 2)

    def test_figures_count_three_at_most(self, peers: Retriever) -> None:
        text = "11万，22万，33万，44万，55万的奖励"
        assert column(peers, text, "figures_missing")["TT-001"] == 3

    def test_place_that_is_named(self, peers: Retriever) -> None:
        assert those(column(peers, "南山区奖励", "place_named")) == {"TT-002"}
        assert those(column(peers, "奖励", "place_named")) == set()

    def test_home_counts_only_where_no_place_is_named(self, peers: Retriever) -> None:
        assert those(column(peers, "奖励", "at_home")) == {"TT-001", "TT-005"}
        assert those(column(peers, "深圳市奖励", "at_home")) == set()

    def test_level_that_is_named(self, peers: Retriever) -> None:
        assert those(column(peers, "国家级的奖励", "level_named")) == {"TT-004"}
        others = those(column(peers, "国家级的奖励", "level_other"))
        assert others == {"TT-001", "TT-002", "TT-003", "TT-005"}
        assert those(column(peers, "奖励", "level_other")) == set()

    def test_what_has_ended_in_the_record(self, peers: Retriever) -> None:
        assert those(column(peers, "奖励", "expired")) == {"TT-002"}

    def test_what_is_not_meant_counts_where_a_title_holds_it(self, peers: Retriever) -> None:
        held = column(peers, "有没有奖励，不是奖励甲那个", "not_meant")
        assert max(held, key=lambda policy_id: held[policy_id]) == "TT-001"

    def test_year_that_the_title_names(self, peers: Retriever) -> None:
        assert those(column(peers, "2020年的奖励", "year_held")) == {"TT-005"}

    def test_facet_that_the_record_can_answer(self, peers: Retriever) -> None:
        asked = column(peers, "奖励的咨询电话", "facet_held")
        assert those(asked) == {"TT-004"}
        assert set(column(peers, "奖励丙", "facet_held").values()) <= {0.0, 0.5, 1.0}


class TestAdjustment:
    def test_neighbour_counts_less_where_no_place_is_named(self, peers: Retriever) -> None:
        assert adjustment(peers, "奖励") == {
            "TT-001": 0,
            "TT-002": -NEIGHBOUR_PENALTY,
            "TT-003": 0,
            "TT-004": 0,
            "TT-005": 0,
        }
        assert set(adjustment(peers, "南山区奖励").values()) == {0}

    def test_document_named_in_full(self, peers: Retriever) -> None:
        found = adjustment(peers, "奖励，深府规〔2023〕5号")
        assert those(found) == {"TT-003"}
        assert found["TT-003"] == DOC_NO_BONUS
        assert those(adjustment(peers, "奖励，深府规〔2023〕15号")) == set()


class TestReach:
    @pytest.mark.parametrize(
        ("text", "left_out"),
        [("奖励", set()), ("南山区奖励", {"TT-001", "TT-005"}), ("福田奖励", {"TT-002"})],
    )
    def test_other_districts_are_no_candidates(
        self, peers: Retriever, text: str, left_out: set[str]
    ) -> None:
        found = set(column(peers, text, "fused"))
        assert found == {each.id for each in PEERS} - left_out

    def test_elsewhere_has_no_candidates(self, peers: Retriever) -> None:
        evidence = peers.weigh("北京的奖励", System.WORDS)
        assert evidence.rows.tolist() == []
        assert evidence.features.shape == (0, len(RANK_FEATURES))


class TestCandidates:
    def test_are_the_best_of_each_system_each_once(self, tmp_path: Path) -> None:
        many: list[Policy] = [policy(f"TT-{n:03d}", f"奖励第{n}号") for n in range(3 * TOP)]
        evidence = retriever_of(many, tmp_path).weigh("奖励第7号", System.BOTH)
        rows = evidence.rows.tolist()
        assert TOP <= len(rows) <= 2 * TOP
        assert rows == sorted(set(rows))
        assert evidence.features.shape == (len(rows), len(RANK_FEATURES))
        assert np.isfinite(evidence.features).all()

    def test_day_decides_what_has_ended(self, peers: Retriever) -> None:
        then = peers.search("奖励戊", as_of=date(2020, 12, 31), system=System.WORDS).hits
        now = peers.search("奖励戊", as_of=TODAY, system=System.WORDS).hits
        score = {hit.policy.id: hit.score for hit in then}
        assert {hit.policy.id: hit.score for hit in now}["TT-005"] < score["TT-005"]


FINITE = st.floats(-1e6, 1e6, width=32)


class TestZScores:
    @given(st.lists(FINITE, min_size=2, max_size=120))
    def test_keep_the_order_and_are_finite(self, values: list[float]) -> None:
        scores = np.array(values, np.float32)
        standardised = z_scores(scores)
        assert standardised.shape == scores.shape
        assert np.isfinite(standardised).all()
        order = np.argsort(scores, kind="stable")
        assert (np.diff(standardised[order]) >= -1e-3).all()

    def test_are_deviations_above_the_mean_of_the_best(self) -> None:
        assert z_scores(np.array([1.0, 3.0], np.float32)) == pytest.approx([-1, 1], abs=1e-4)

    def test_all_alike_is_zero(self) -> None:
        assert z_scores(np.zeros(5, np.float32)).tolist() == [0] * 5

    def test_nothing_finite_is_zero(self) -> None:
        assert z_scores(np.full(3, -np.inf, np.float32)).tolist() == [0, 0, 0]


@pytest.mark.parametrize("facet", [Facet.AMOUNT, Facet.CONTACT])
def test_evidence_of_any_text_is_finite(peers: Retriever, facet: Facet) -> None:
    for text in ("", "？", "\ud800", "补" * 5000, f"奖励{facet.value}", "第" * 2000):
        for system in System:
            assert np.isfinite(peers.weigh(text, system).features).all()
