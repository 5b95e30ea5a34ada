"""Answers from imported documents: no summary, many clauses for a facet, the nearest ones shown word for word."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from knowledge.answer import Answerer
from knowledge.outcome import Answer, Refusal
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.telling import WORDING_SHOWN
from tests.knowledge.honesty import assert_honest
from tests.knowledge.samples import ALWAYS_ANSWER, answerer_of, document, policy

TODAY = date(2026, 11, 24)
MEASURES = document(
    "TT-201",
    "低空经济若干措施",
    (Facet.OVERVIEW, "为推动低空经济发展，制定本措施。"),
    (Facet.AMOUNT, "新建起降场的，按投资额的30%给予资助，每个不超过50万元。"),
    (Facet.AMOUNT, "开通载货航线的，每条一次性奖励20万元。"),
    (Facet.AMOUNT, "举办飞行大赛的，按实际支出的一半给予资助，最高100万元。"),
    (Facet.CONDITIONS, "申报单位应当在福田区实际经营满一年。"),
    (Facet.CONDITIONS, "申请航线奖励的，应当取得运营合格证。"),
    (Facet.MATERIALS, "申请表、营业执照、投资凭证。"),
    (Facet.DEPARTMENT, "本措施由区低空办负责解释。"),
    doc_no="福府办规〔2026〕9号",
    published=date(2026, 1, 5),
    valid_from=date(2026, 2, 1),
    valid_to=date(2028, 12, 31),
)
SPEECH = document(
    "TT-202",
    "数字文创座谈会纪要",
    (Facet.WINDOW, "会议于三月召开。"),
    (Facet.CONTACT, "联系人电话0755-87654321。"),
)
OTHERS = (
    policy("TT-001", "福田区咖啡馆补贴"),
    policy("TT-002", "福田区菜市场改造", status=Status.EXPIRED),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def papers(folder: Path) -> Answerer:
    return answerer_of([MEASURES, SPEECH, *OTHERS], folder, ALWAYS_ANSWER)


def ask(answerer: Answerer, text: str, day: date = TODAY) -> Answer:
    answer = answerer.answer(text, day)
    assert_honest(answer, answerer.catalogue, day)
    return answer


def cited(answer: Answer) -> list[str]:
    return [citation.clause.id for citation in answer.citations]


def detail(papers: Answerer, policy_id: str, facet: Facet, text: str = "") -> list[str]:
    answer = papers.detail(policy_id, [facet], TODAY, text)
    assert_honest(answer, papers.catalogue, TODAY)
    return cited(answer)


class TestAmong:
    @pytest.mark.parametrize(
        ("text", "clause_id"),
        [
            ("低空经济载货航线奖励多少钱", "TT-201#c3"),
            ("低空经济举办飞行大赛资助多少", "TT-201#c4"),
            ("低空经济新建起降场给多少", "TT-201#c2"),
        ],
    )
    def test_several_of_one_facet_the_one_that_speaks_of_it_is_shown(
        self, papers: Answerer, text: str, clause_id: str
    ) -> None:
        answer = ask(papers, text)
        assert answer.policy_id == "TT-201"
        assert clause_id in cited(answer)
        assert papers.catalogue.clauses[clause_id].text in answer.text

    def test_not_all_of_them_are_shown(self, papers: Answerer) -> None:
        shown = detail(papers, "TT-201", Facet.AMOUNT, "载货航线")
        amounts = [each for each in shown if each in {"TT-201#c2", "TT-201#c3", "TT-201#c4"}]
        assert len(amounts) == WORDING_SHOWN

    def test_they_stand_in_the_order_of_the_document(self, papers: Answerer) -> None:
        shown = detail(papers, "TT-201", Facet.AMOUNT, "飞行大赛，起降场")
        assert [each for each in shown if each in {"TT-201#c2", "TT-201#c4"}] == [
            "TT-201#c2",
            "TT-201#c4",
        ]

    @pytest.mark.parametrize(
        ("facet", "clause_id"),
        [
            (Facet.CONDITIONS, "TT-201#c5"),
            (Facet.MATERIALS, "TT-201#c7"),
            (Facet.DEPARTMENT, "TT-201#department"),
        ],
    )
    def test_facet_asked_for_is_shown(self, papers: Answerer, facet: Facet, clause_id: str) -> None:
        assert clause_id in detail(papers, "TT-201", facet)

    def test_each_is_cited_under_its_own_label(self, papers: Answerer) -> None:
        answer = ask(papers, "低空经济载货航线奖励多少钱")
        labels = {c.clause.id: c.clause.label for c in answer.citations}
        assert labels["TT-201#c3"] == "第3条"
        assert "第3条：开通载货航线的，每条一次性奖励20万元。" in answer.text.split("\n")

    def test_without_outline_not_all_are_shown_either(self, folder: Path) -> None:
        plain = replace(
            MEASURES, wording=tuple(replace(c, path=(), page=None) for c in MEASURES.wording)
        )
        answer = answerer_of([plain, *OTHERS], folder, ALWAYS_ANSWER).detail(
            "TT-201", [Facet.AMOUNT], TODAY, "载货航线"
        )
        amounts = [c for c in answer.citations if c.clause.facet is Facet.AMOUNT]
        assert len(amounts) == WORDING_SHOWN


class TestWhole:
    def test_overview_has_no_summary_and_shows_the_wording(self, papers: Answerer) -> None:
        answer = papers.detail("TT-201", [], TODAY)
        assert_honest(answer, papers.catalogue, TODAY)
        assert {c.clause.facet for c in answer.citations} >= {Facet.AMOUNT, Facet.CONDITIONS}
        assert answer.text.startswith("《低空经济若干措施》（福田区某局，福府办规〔2026〕9号）")

    def test_document_that_fits_no_facet_of_an_overview_shows_its_nearest(
        self, papers: Answerer
    ) -> None:
        assert detail(papers, "TT-202", Facet.OVERVIEW, "会议") == ["TT-202#c1", "TT-202#c2"]

    def test_is_found_by_its_number(self, papers: Answerer) -> None:
        assert ask(papers, "福府办规〔2026〕9号是什么").policy_id == "TT-201"

    def test_is_found_by_the_words_of_one_clause(self, papers: Answerer) -> None:
        assert ask(papers, "起降场的投资").policy_id == "TT-201"

    def test_can_stand_in_a_list(self, papers: Answerer) -> None:
        answer = ask(papers, "福田有哪些政策")
        assert "TT-201" in answer.listed
        assert "《低空经济若干措施》（现行有效，至2028-12-31）" in answer.text


class TestMissing:
    def test_detail_that_the_document_lacks_is_refused(self, papers: Answerer) -> None:
        answer = ask(papers, "低空经济措施的咨询电话")
        assert (answer.refusal, answer.policy_id) == (Refusal.NOT_RECORDED, "TT-201")

    def test_amount_that_the_document_lacks_is_refused(self, papers: Answerer) -> None:
        answer = papers.detail("TT-202", [Facet.AMOUNT], TODAY)
        assert answer.refusal is Refusal.NOT_RECORDED


@pytest.mark.parametrize(
    ("day", "stamp"),
    [
        (date(2026, 1, 31), "有效性：尚未施行"),
        (date(2026, 2, 1), "有效性：现行有效"),
        (date(2028, 12, 31), "有效性：现行有效"),
        (date(2029, 1, 1), "有效性：已过期"),
    ],
)
def test_validity_is_that_of_the_day(papers: Answerer, day: date, stamp: str) -> None:
    assert stamp in ask(papers, "低空经济载货航线奖励多少钱", day).text


def test_record_with_wording_shows_its_own_facts_first(folder: Path) -> None:
    both: Policy = replace(MEASURES, summary="按类别给予资助，最高100万元。")
    answerer = answerer_of([both, *OTHERS], folder, ALWAYS_ANSWER)
    answer = answerer.detail("TT-201", [Facet.AMOUNT], TODAY)
    assert cited(answer)[0] == "TT-201#amount"
    assert_honest(answer, answerer.catalogue, TODAY)


def test_article_is_shown_with_its_items(folder: Path) -> None:
    """A heading such as 应当符合以下条件： says nothing without them."""
    article = ("第二章 条件", "第五条")
    items = [
        ("第五条", "申报单位应当符合以下条件：", article),
        ("第五条第（一）项", "在本区注册满两年；", (*article, "（一）")),
        ("第五条第（二）项", "上年度营收超过一千万元；", (*article, "（二）")),
        ("第五条第（三）项", "没有严重失信记录。", (*article, "（三）")),
        ("第九条", "其他条件另行公布。", ("第三章 附则", "第九条")),
    ]
    wording = tuple(
        Clause(f"TT-301#c{n}", "TT-301", Facet.CONDITIONS, label, text, path)
        for n, (label, text, path) in enumerate(items, 1)
    )
    paper = replace(MEASURES, id="TT-301", title="飞行汽车试点措施", aliases=(), wording=wording)
    answer = answerer_of([paper, *OTHERS], folder, ALWAYS_ANSWER).detail(
        "TT-301", [Facet.CONDITIONS], TODAY, "飞行汽车试点措施申报单位的条件"
    )
    assert [f"TT-301#c{n}" for n in (1, 2, 3, 4)] == [
        each for each in cited(answer) if each != "TT-301#c5"
    ][:4]
