"""Search: the right policy first, filters by place, day and status, and the same ranking whatever came before."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from knowledge.catalogue import Catalogue
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder, Vectors
from knowledge.evidence import TOP
from knowledge.policy import Facet, Status
from knowledge.question import read_places, read_question
from knowledge.ranking import FEATURES, WORD_FEATURES
from knowledge.retrieval import Ranking, Retriever, System

QUESTIONS = {
    "首次认定国家高新技术企业在福田能拿多少钱": "FT-001",
    "規上國高第一次遷入福田畀幾多": "FT-002",
    "新落户租办公室福田有没有租金补贴": "FT-023",
    "珠江人才团队区里怎么配套": "FT-009",
    "专利质押融资福田贴不贴息": "FT-013",
    "深圳首台（套）装备资助比例": "SZ-029",
    "市里的稳岗返还比例": "SZ-051",
    "招高校毕业生有一次性补贴吗": "SZ-050",
    "龙岗企业研发投入补贴": "XQ-008",
    "光明区新增限上商贸入库奖": "XQ-006",
    "研发费用加计扣除能扣几成": "CN-005",
    "小型微利企业所得税优惠": "CN-008",
    "福府办规[2023]5号说的是什么": "FT-057",
    "境外参展 2025 年度中央资金 资助": "SZ-057",
}
ODD_TEXTS = ["", " ", "？", "\0", "\ud83d\ude00\ud800", "国", "a", "\u202e奖励\u202c", "补" * 3000]


def ids(ranking: Ranking) -> list[str]:
    return [hit.policy.id for hit in ranking.hits]


class TestRanking:
    @pytest.mark.parametrize(("text", "policy_id"), QUESTIONS.items())
    def test_right_policy_comes_first(
        self, retriever: Retriever, text: str, policy_id: str
    ) -> None:
        ranking = retriever.search(text)
        assert ids(ranking)[0] == policy_id
        assert ranking.chance >= retriever.calibrations.both.answer_from

    def test_every_policy_is_found_by_its_title(self, retriever: Retriever) -> None:
        found = {
            policy.id: ids(retriever.search(policy.title, 1))[0]
            for policy in retriever.catalogue.policies.values()
        }
        assert found == {policy_id: policy_id for policy_id in found}

    def test_hits_come_best_first_each_policy_once(self, retriever: Retriever) -> None:
        ranking = retriever.search("人才奖励", 20)
        scores = [hit.score for hit in ranking.hits]
        assert scores == sorted(scores, reverse=True)
        assert len(set(ids(ranking))) == 20

    def test_asking_for_fewer_cuts_the_same_ranking(self, retriever: Retriever) -> None:
        many, one = retriever.search("技术改造资助", 10), retriever.search("技术改造资助", 1)
        assert ids(one) == ids(many)[:1]
        assert one.chance == pytest.approx(many.chance)

    def test_more_than_there_are_gives_the_best_of_each_system(self, retriever: Retriever) -> None:
        hits = retriever.search("奖励", 500, system=System.BOTH).hits
        assert TOP <= len(hits) <= len(retriever.catalogue)
        assert [hit.policy.id for hit in hits] == list(dict.fromkeys(hit.policy.id for hit in hits))

    def test_matched_words_stand_in_question_and_policy(self, retriever: Retriever) -> None:
        hit = retriever.search("稳岗返还比例").hits[0]
        assert {"稳岗", "岗返", "返还"} <= set(hit.matched)

    def test_document_number_in_full_makes_its_policy_certain(self, retriever: Retriever) -> None:
        ranking = retriever.search("商贸入库，文件深光府规〔2023〕14号")
        assert ids(ranking)[0] == "XQ-006"
        assert ranking.chance == 1

    @pytest.mark.parametrize("number", ["深光府规〔2023〕4号", "国发〔2023〕14号"])
    def test_number_of_another_document_outweighs_nothing(
        self, retriever: Retriever, number: str
    ) -> None:
        assert ids(retriever.search(f"国高认定奖励，文件{number}"))[0] != "XQ-006"


class MarkedEncoder:
    """Every text has the same vector, but those that hold 火星 or 红色行星 have another."""

    name, dim = "marked", 2

    def queries(self, texts: Sequence[str]) -> Vectors:
        marked = ["火星" in text or "红色行星" in text for text in texts]
        return np.array([[0.0, 1.0] if each else [1.0, 0.0] for each in marked], np.float32)

    passages = queries


class TestWhatDecides:
    """Three policies alike but for what a test changes; the plain order is A, B, C."""

    @pytest.fixture
    def first(self, catalogue: Catalogue, tmp_path: Path) -> Callable[..., str]:
        plain = replace(
            catalogue.policies["FT-001"],
            place="福田区",
            title="奖励",
            aliases=(),
            status=Status.CURRENT,
            criteria=(),
            note=None,
        )

        def search(text: str, *changed: Mapping[str, Any]) -> str:
            kept = [
                replace(plain, id=f"TT-00{number}", **values)
                for number, values in enumerate(changed)
            ]
            cache = VectorCache(tmp_path)
            retriever = Retriever(Catalogue(kept), MarkedEncoder(), cache)
            return "ABC"[int(ids(retriever.search(text))[0][-1])]

        return search

    def test_words_of_a_clause(self, first: Callable[..., str]) -> None:
        words = {"summary": "购置无人机的，补贴一成。"}
        assert first("无人机", {}, {}, words) == "C"

    def test_words_of_a_title_before_those_of_a_clause(self, first: Callable[..., str]) -> None:
        said, named = {"summary": "购置无人机的，补贴一成。"}, {"title": "无人机补贴"}
        assert first("无人机", {}, said, named) == "C"

    def test_meaning_where_no_word_is_shared(self, first: Callable[..., str]) -> None:
        assert first("红色行星", {}, {"summary": "去火星的，补贴一成。"}, {}) == "B"

    def test_home_where_no_place_is_named(self, first: Callable[..., str]) -> None:
        assert first("奖励", {"place": "南山区"}, {"place": "深圳市"}, {}) == "C"

    def test_named_place_before_home(self, first: Callable[..., str]) -> None:
        assert first("深圳市奖励", {}, {"place": "深圳市"}, {}) == "B"

    def test_what_is_not_expired(self, first: Callable[..., str]) -> None:
        # The status stands in the text too, so the question shares no word with it.
        expired = {"status": Status.EXPIRED}
        assert first("红色行星", expired, expired, {}) == "C"


class TestSameAnswerWhateverCameBefore:
    def test_order_of_calls_changes_nothing(self, retriever: Retriever) -> None:
        forward = {text: retriever.search(text) for text in QUESTIONS}
        retriever.search("无关", statuses={Status.EXPIRED}, without=["FT-001"])
        backward = {text: retriever.search(text) for text in reversed(QUESTIONS)}
        assert forward == backward

    def test_another_retriever_over_the_same_catalogue_agrees(
        self,
        retriever: Retriever,
        catalogue: Catalogue,
        encoder: Encoder,
        vector_cache: VectorCache,
    ) -> None:
        other = Retriever(catalogue, encoder, vector_cache)
        for text in QUESTIONS:
            assert other.search(text) == retriever.search(text)

    def test_search_leaves_the_catalogue_as_it_was(
        self, retriever: Retriever, catalogue: Catalogue
    ) -> None:
        before = (dict(catalogue.policies), dict(catalogue.clauses))
        retriever.search("国高", without=["FT-001"])
        assert (catalogue.policies, catalogue.clauses) == before


class TestFilters:
    @pytest.mark.parametrize("place", ["南山区", "龙岗区", "福田区", "前海合作区"])
    def test_named_district_leaves_out_every_other_district(
        self, retriever: Retriever, place: str
    ) -> None:
        allowed = {place, "深圳市", "广东省", None}
        places = {hit.policy.place for hit in retriever.search(f"{place}奖励", 200).hits}
        assert place in places
        assert places <= allowed

    def test_named_city_keeps_the_district_named(self, retriever: Retriever) -> None:
        found = ids(retriever.search("深圳南山企业研发高成长支持"))
        assert found[0] == "XQ-003"

    def test_named_city_or_province_leaves_out_no_district_inside(
        self, retriever: Retriever
    ) -> None:
        for wide in ("深圳市", "广东省"):
            places = {hit.policy.place for hit in retriever.search(f"{wide}研发投入", 200).hits}
            assert {"深圳市", "福田区", "南山区", "龙岗区"} <= places

    @pytest.mark.parametrize(
        "text", ["专精特新奖励", "专精特新小巨人有什么奖励", "引进专精特新企业有扶持吗"]
    )
    def test_without_a_place_home_comes_before_its_neighbours(
        self, retriever: Retriever, text: str
    ) -> None:
        first = retriever.search(text).hits[0].policy.place
        assert first in {*read_places().around(read_places().home), None}

    @pytest.mark.parametrize("text", ["北京国高奖励", "广州的人才补贴多少钱"])
    def test_place_elsewhere_finds_nothing(self, retriever: Retriever, text: str) -> None:
        ranking = retriever.search(text)
        assert (ranking.hits, ranking.chance) == ((), 0.0)

    @pytest.mark.parametrize(
        ("day", "found"),
        [
            (date(2023, 5, 1), False),
            (date(2024, 6, 1), True),
            (date(2024, 12, 31), True),
            (date(2025, 1, 1), False),
        ],
    )
    def test_status_is_that_of_the_day(self, retriever: Retriever, day: date, found: bool) -> None:
        ranking = retriever.search("福田分布式光伏支持", as_of=day, statuses={Status.CURRENT})
        assert ("FT-018" in ids(ranking)) is found
        assert {hit.policy.status_on(day) for hit in ranking.hits} == {Status.CURRENT}

    def test_without_a_day_the_record_decides(self, retriever: Retriever) -> None:
        ranking = retriever.search("国高奖励", 200, statuses={Status.EXPIRED})
        assert {hit.policy.status for hit in ranking.hits} == {Status.EXPIRED}
        assert "FT-001" in ids(ranking)

    def test_a_day_alone_leaves_out_nothing(self, retriever: Retriever) -> None:
        later = ids(retriever.search("福田分布式光伏支持", 20, as_of=date(2030, 1, 1)))
        assert {"FT-017", "FT-018"} <= set(later)

    def test_policies_left_out_are_not_found(self, retriever: Retriever) -> None:
        whole = retriever.search("国高奖励", 10, system=System.WORDS)
        gone = ids(whole)[:2]
        rest = retriever.search("国高奖励", 8, without=gone, system=System.WORDS)
        assert ids(rest) == ids(whole)[2:]
        assert rest.chance < whole.chance

    def test_only_those_named_are_found(self, retriever: Retriever) -> None:
        kept = {"FT-001", "SZ-051", "TT-404"}
        assert set(ids(retriever.search("国高奖励", 10, only=kept))) == {"FT-001", "SZ-051"}
        assert retriever.search("国高奖励", only=()).hits == ()

    def test_leaving_out_all_finds_nothing(self, retriever: Retriever) -> None:
        ranking = retriever.search("国高奖励", without=list(retriever.catalogue.policies))
        assert (ranking.hits, ranking.chance) == ((), 0.0)

    def test_one_policy_left_is_found_without_a_second(self, retriever: Retriever) -> None:
        others = [policy_id for policy_id in retriever.catalogue.policies if policy_id != "FT-001"]
        ranking = retriever.search("国高奖励", without=others)
        assert ids(ranking) == ["FT-001"]
        assert np.isfinite(ranking.hits[0].features).all()


class TestChance:
    @pytest.mark.parametrize("text", [*ODD_TEXTS, *QUESTIONS, "北京", "今天天气怎么样"])
    def test_is_a_share_and_features_are_finite(self, retriever: Retriever, text: str) -> None:
        ranking = retriever.search(text)
        assert 0 <= ranking.chance <= 1
        for hit in ranking.hits:
            assert 0 <= hit.chance <= 1
            assert len(hit.features) == len(WORD_FEATURES if hit.cosine is None else FEATURES)
            assert np.isfinite(hit.features).all()

    def test_on_topic_question_has_more_of_it(self, retriever: Retriever) -> None:
        on = retriever.search("福田国高重新认定奖励").chance
        off = retriever.search("今天天气怎么样").chance
        assert off < retriever.calibrations.both.answer_from < on


class CountingEncoder:
    """The real vectors, and how many questions were encoded."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.name, self.dim, self.encoded = encoder.name, encoder.dim, 0

    def queries(self, texts: Sequence[str]) -> Vectors:
        self.encoded += len(texts)
        return self._encoder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._encoder.passages(texts)


class TestCascade:
    def test_sure_words_spare_the_encoding(
        self, catalogue: Catalogue, encoder: Encoder, vector_cache: VectorCache
    ) -> None:
        counting = CountingEncoder(encoder)
        retriever = Retriever(catalogue, counting, vector_cache)
        sure = retriever.search("市里的稳岗返还比例")
        assert counting.encoded == 0
        assert sure.hits[0].cosine is None
        unsure = retriever.search("办公室不够用了，区里有没有自己的楼")
        assert counting.encoded == 1
        assert unsure.hits[0].cosine is not None

    def test_where_words_are_sure_meaning_agrees(self, retriever: Retriever) -> None:
        for text in QUESTIONS:
            quick = retriever.search(text, system=System.WORDS)
            if quick.chance >= retriever.calibrations.words.answer_from:
                assert ids(retriever.search(text, system=System.BOTH))[0] == ids(quick)[0]


class TestHolds:
    def test_is_the_share_of_the_words_that_the_record_holds(self, retriever: Retriever) -> None:
        assert retriever.holds("FT-001", ["信用", "报告"]) == pytest.approx(1)
        assert retriever.holds("FT-001", ["火星"]) == 0
        assert 0 < retriever.holds("FT-001", ["信用", "火星"]) < 1
        assert retriever.holds("FT-001", []) == 0


class TestBestClause:
    def test_clause_that_holds_the_words_is_told_with_its_share(self, retriever: Retriever) -> None:
        clauses = retriever.catalogue.clauses_of("FT-001")
        found = retriever.best_clause("FT-001", ["信用", "报告"], clauses)
        assert found is not None
        assert found[0].facet is Facet.MATERIALS
        assert found[1] == pytest.approx(1)

    def test_no_words_or_no_clauses_give_none(self, retriever: Retriever) -> None:
        assert retriever.best_clause("FT-001", [], retriever.catalogue.clauses_of("FT-001")) is None
        assert retriever.best_clause("FT-001", ["信用"], []) is None


class TestNearestClauses:
    def test_come_in_the_order_of_the_document(self, retriever: Retriever) -> None:
        clauses = retriever.catalogue.clauses_of("FT-001")
        question = read_question("信用报告的受理部门，一次性奖励")
        found = retriever.nearest_clauses(question, clauses, 3)
        assert len(found) == 3
        assert [c for c in clauses if c in found] == found
        assert Facet.MATERIALS in {clause.facet for clause in found}

    def test_fewer_than_asked_for_are_all(self, retriever: Retriever) -> None:
        clauses = retriever.catalogue.clauses_of("FT-001")[:2]
        assert retriever.nearest_clauses(read_question("奖励"), clauses, 5) == clauses
        assert retriever.nearest_clauses(read_question("奖励"), [], 5) == []
