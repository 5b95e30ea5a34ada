"""Several questions, lists, comparisons, counter-questions and what leans on them, in a town of six policies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.answer import Answerer
from knowledge.discussion import Discussion
from knowledge.outcome import Answer, Refusal
from knowledge.policy import Facet, Status
from tests.knowledge.conversing import only, talk
from tests.knowledge.samples import (
    ALWAYS_ANSWER,
    ALWAYS_ASK_BACK,
    NEVER_ANSWER,
    TOWN,
    answerer_of,
    policy,
)

TODAY = date(2026, 11, 24)
LIST = "福田有哪些政策"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def town(folder: Path) -> Answerer:
    """Answers whatever it finds first."""
    return answerer_of(TOWN, folder, ALWAYS_ANSWER)


@pytest.fixture(scope="module")
def unsure(folder: Path) -> Answerer:
    """Asks back about whatever it finds."""
    return answerer_of(TOWN, folder, ALWAYS_ASK_BACK)


def cited(answer: Answer) -> list[str]:
    return [citation.clause.id for citation in answer.citations]


class TestTwoQuestions:
    TWO = "无人机奖励多少钱？直播电商奖励要什么材料？"

    def test_each_unclear_one_is_asked_back(self, unsure: Answerer) -> None:
        first, second = talk(unsure, self.TWO)
        assert first.offered[0] == "TT-001"
        assert second.offered[0] == "TT-002"

    def test_each_is_answered(self, town: Answerer) -> None:
        first, second = talk(town, self.TWO)
        assert (first.policy_id, second.policy_id) == ("TT-001", "TT-002")
        assert (first.question, second.question) == (
            "无人机奖励多少钱？",
            "直播电商奖励要什么材料？",
        )
        assert cited(first)[0] == "TT-001#amount"
        assert cited(second)[0] == "TT-002#materials"

    def test_the_last_is_under_discussion_afterwards(self, town: Answerer) -> None:
        assert only(talk(town, self.TWO, "那金额是多少")).policy_id == "TT-002"

    def test_about_one_policy_are_one_answer(self, town: Answerer) -> None:
        text = "无人机奖励多少钱？要什么材料？"
        answer = only(talk(town, text))
        assert answer.policy_id == "TT-001"
        assert {"TT-001#amount", "TT-001#materials"} <= set(cited(answer))
        assert {Facet.AMOUNT, Facet.MATERIALS} <= set(answer.facets)
        assert answer.question == text
        assert answer.text.count("《福田区无人机奖励》") == 1

    def test_joined_answer_is_no_surer_than_its_parts(self, answerer: Answerer) -> None:
        asked = "稳岗返还比例是多少？归哪个部门管？"
        joined = only(answerer.answers(asked, TODAY))
        assert joined.policy_id == "SZ-051"
        assert joined.chance <= answerer.answer("稳岗返还比例是多少？", TODAY).chance

    def test_what_nothing_is_found_for_is_said_once(self, folder: Path) -> None:
        answer = only(talk(answerer_of(TOWN, folder, NEVER_ANSWER), self.TWO))
        assert answer.refusal is Refusal.NOTHING_FOUND
        assert answer.question == self.TWO

    def test_real_ones_in_one_sentence(self, answerer: Answerer) -> None:
        asked = "稳岗返还比例是多少，另外福田国高重新认定奖励要什么材料"
        first, second = answerer.answers(asked, TODAY)
        assert (first.policy_id, second.policy_id) == ("SZ-051", "FT-001")
        assert first.question + second.question == asked


class TestComparison:
    ASKED = "无人机奖励和直播电商奖励哪个多"

    def test_both_are_cited_and_the_higher_is_named(self, town: Answerer) -> None:
        answer = only(talk(town, self.ASKED))
        assert answer.listed == ("TT-001", "TT-002")
        assert cited(answer) == ["TT-001#amount", "TT-002#amount"]
        assert "《福田区无人机奖励》更高（100万元，《福田区直播电商奖励》为50万元）" in answer.text
        assert "1. 《福田区无人机奖励》（现行有效）" in answer.text
        assert "2. 《福田区直播电商奖励》（已过期）" in answer.text

    def test_no_verdict_where_a_maximum_is_absent(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励和咖啡馆补贴哪个多"))
        assert answer.listed == ("TT-001", "TT-003")
        assert "更高" not in answer.text
        assert "《福田区咖啡馆补贴》的记录里没有最高额" in answer.text

    def test_equal_ones_are_told(self, town: Answerer) -> None:
        answer = only(talk(town, "直播电商奖励和菜市场改造哪个多"))
        assert "最高额相同，都是50万元" in answer.text

    def test_other_details_are_compared_without_a_verdict(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励和直播电商奖励的材料有什么不同"))
        assert cited(answer) == ["TT-001#materials", "TT-002#materials"]
        assert "最高额" not in answer.text

    def test_detail_that_one_lacks_is_named_there(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励和咖啡馆补贴的电话有什么不同"))
        first, second = answer.text.split("2. 《福田区咖啡馆补贴》")
        assert "记录里没有写咨询电话。" in first
        assert "咨询电话：0755-12345678" in second

    def test_second_can_be_asked_about(self, town: Answerer) -> None:
        answer = only(talk(town, self.ASKED, "第二个要什么材料"))
        assert cited(answer)[0] == "TT-002#materials"

    def test_real_ones(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "境内上市奖励和境外上市奖励哪个多"))
        assert answer.listed == ("FT-030", "FT-031")
        assert "最高额相同，都是1000万元" in answer.text


class TestList:
    def test_of_equals_those_in_force_come_first_and_the_expired_last(self, folder: Path) -> None:
        """Alike in everything else; the earlier one stands in the catalogue, the less it holds."""
        ranked = [
            policy("TT-011", "无人机奖励甲", status=Status.EXPIRED),
            policy("TT-012", "无人机奖励乙", valid_from=date(2027, 1, 1)),
            policy("TT-013", "无人机奖励丙", status=Status.UNKNOWN),
            policy("TT-014", "无人机奖励丁"),
        ]
        answer = only(talk(answerer_of(ranked, folder, ALWAYS_ANSWER), "无人机有哪些奖励"))
        assert answer.listed == ("TT-014", "TT-013", "TT-012", "TT-011")

    def test_in_force_first_then_unknown_then_not_yet_then_expired(self, town: Answerer) -> None:
        answer = only(talk(town, LIST))
        assert set(answer.listed) == {"TT-001", "TT-002", "TT-003", "TT-006"}
        order = [Status.CURRENT, Status.UNKNOWN, Status.UPCOMING, Status.EXPIRED]
        places = [order.index(citation.status) for citation in answer.citations]
        assert places == sorted(places)

    @pytest.mark.parametrize("text", ["福田有哪些人才奖励", "龙岗有哪些政策", "南山有什么政策"])
    def test_real_ones_are_all_stamped_and_the_expired_last(
        self, answerer: Answerer, text: str
    ) -> None:
        answer = only(talk(answerer, text))
        assert 2 <= len(answer.listed) <= 5
        assert [citation.policy.id for citation in answer.citations] == list(answer.listed)
        ended = [citation.status is Status.EXPIRED for citation in answer.citations]
        assert ended == sorted(ended)

    def test_of_another_district_holds_only_its_own(self, answerer: Answerer) -> None:
        answer = only(talk(answerer, "龙岗有哪些政策"))
        assert {citation.policy.place for citation in answer.citations} == {"龙岗区"}

    @pytest.mark.parametrize(
        ("text", "position"),
        [("第二个要什么条件", 1), ("最后那个的条件", -1), ("头一个有什么条件", 0)],
    )
    def test_ordinal_means_the_one_shown_there(
        self, town: Answerer, text: str, position: int
    ) -> None:
        listed = only(talk(town, LIST)).listed
        assert only(talk(town, LIST, text)).policy_id == listed[position]

    def test_is_kept_while_its_policies_are_spoken_of(self, town: Answerer) -> None:
        listed = only(talk(town, LIST)).listed
        said = (LIST, "第二个归哪个部门管", "那金额呢", "下一个归哪个部门管")
        assert only(talk(town, *said)).policy_id == listed[2]

    def test_is_kept_over_two_questions_about_one(self, town: Answerer) -> None:
        listed = only(talk(town, LIST)).listed
        said = (LIST, "第二个多少钱？归哪个部门管？", "第三个归哪个部门管")
        assert only(talk(town, *said)).policy_id == listed[2]

    def test_number_beyond_it_is_not_answered_with_another(self, town: Answerer) -> None:
        answer = only(talk(town, LIST, "第九个归哪个部门管"))
        assert (answer.refusal, answer.policy_id) == (Refusal.UNCLEAR, None)
        assert answer.text.startswith(f"刚才只列了{len(answer.offered)}项，")

    @pytest.mark.parametrize("said", ["第99个", "第十二个呢", "第〇个呢", "第五十个要什么条件"])
    def test_no_number_that_is_not_listed_is_answered(self, town: Answerer, said: str) -> None:
        assert only(talk(town, LIST, said)).refusal is Refusal.UNCLEAR


class TestCounterQuestion:
    def test_offers_and_cites_nothing(self, unsure: Answerer) -> None:
        answer = only(talk(unsure, "无人机奖励多少钱"))
        assert answer.refusal is Refusal.UNCLEAR
        assert answer.offered == ("TT-001", "TT-005")
        assert answer.citations == ()
        assert answer.policy_id is None
        assert "1. 《福田区无人机奖励》\n2. 《深圳市无人机奖励》" in answer.text
        assert "万元" not in answer.text

    def test_expired_one_is_marked(self, unsure: Answerer) -> None:
        answer = only(talk(unsure, "直播电商奖励多少钱"))
        assert "《福田区直播电商奖励》（已过期）" in answer.text

    @pytest.mark.parametrize(
        ("text", "policy_id"), [("第二个", "TT-005"), ("第一个", "TT-001"), ("最后那个", "TT-005")]
    )
    def test_is_answered_by_an_ordinal_with_what_was_asked(
        self, unsure: Answerer, text: str, policy_id: str
    ) -> None:
        answer = only(talk(unsure, "无人机奖励多少钱", text))
        assert answer.policy_id == policy_id
        assert cited(answer)[0] == f"{policy_id}#amount"

    def test_what_was_asked_is_kept_for_the_one_chosen(self, unsure: Answerer) -> None:
        answer = only(talk(unsure, "无人机奖励要什么材料", "第一个"))
        assert cited(answer)[0] == "TT-001#materials"

    def test_puts_nothing_under_discussion_that_nobody_chose(self, unsure: Answerer) -> None:
        assert only(talk(unsure, "无人机奖励多少钱")).discussion.policy_id is None


class TestLeaning:
    def test_materials_of_what_was_spoken_of(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励多少钱", "那材料呢"))
        assert cited(answer)[0] == "TT-001#materials"

    def test_the_like_that_was_shown_beside_it(self, town: Answerer) -> None:
        first = only(talk(town, "无人机奖励多少钱"))
        assert first.policy_id == "TT-001"
        assert first.related[0] == "TT-005"
        assert only(talk(town, "无人机奖励多少钱", "第二个呢")).policy_id == "TT-005"

    def test_expired_is_no_like_worth_a_button(self, town: Answerer) -> None:
        assert "TT-002" not in only(talk(town, "无人机奖励多少钱")).related

    def test_place_alone_asks_for_the_like_there(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励多少钱", "南山的呢"))
        assert cited(answer)[0] == "TT-004#amount"
        assert only(talk(town, "无人机奖励多少钱", "南山的呢", "那金额呢")).policy_id == "TT-004"

    def test_place_without_the_like_gets_an_honest_no(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励多少钱", "罗湖的呢"))
        assert answer.refusal is Refusal.NOTHING_FOUND
        assert "没有罗湖区与《福田区无人机奖励》同类的政策" in answer.text
        said = ("无人机奖励多少钱", "罗湖的呢", "那材料呢")
        assert cited(only(talk(town, *said)))[0] == "TT-001#materials"

    def test_unknown_subject_is_not_answered_with_what_was_spoken_of(
        self, answerer: Answerer
    ) -> None:
        for text in ("养老院床位补贴标准", "养猫补贴要什么材料", "离婚手续怎么办"):
            answer = only(talk(answerer, "稳岗返还比例是多少", text))
            assert answer.refusal is Refusal.NOTHING_FOUND, text

    def test_another_subject_is_another_policy(self, town: Answerer) -> None:
        said = ("无人机奖励多少钱", "直播电商奖励给多少", "那材料呢")
        assert cited(only(talk(town, *said)))[0] == "TT-002#materials"

    def test_nothing_is_spoken_of_at_the_beginning(self, town: Answerer) -> None:
        answer = only(talk(town, "那材料呢"))
        assert answer.refusal is Refusal.NOTHING_FOUND
        assert not answer.names_subject


class TestReadingInContext:
    """Short follow-ups on the shipped catalogue, where neighbouring policies could be mistaken for the one meant."""

    @pytest.mark.parametrize(
        ("said", "policy_id"),
        [
            (("国家级工业设计中心封顶多少", "省级呢"), "SZ-034"),
            (("龙岗省级专精特新奖多少", "国家级的呢"), "XQ-001"),
            (("创业大赛企业资助多少", "那个团队的呢，多少"), "SZ-011"),
            (("大企业稳岗返多少", "中小微呢"), "SZ-051"),
            (("福田金融业发展分项最高给多少", "现在还收吗"), "FT-033"),
            (("总部购房补助最高多少", "每年什么时候开放"), "SZ-062"),
        ],
    )
    def test_stays_with_what_is_spoken_of(
        self, answerer: Answerer, said: tuple[str, ...], policy_id: str
    ) -> None:
        assert only(talk(answerer, *said)).policy_id == policy_id

    def test_another_level_without_a_sum_of_its_own_is_another_policy(
        self, answerer: Answerer
    ) -> None:
        discussion = Discussion("FT-001", (Facet.AMOUNT,))
        assert answerer.answer("市里的呢", TODAY, discussion).policy_id != "FT-001"

    def test_both_of_a_comparison_can_be_asked_about(self, answerer: Answerer) -> None:
        asked = "国高租政府物业优惠和政府产业空间入驻有什么区别"
        answer = only(talk(answerer, asked, "这两个分别归哪个部门"))
        assert answer.listed == ("FT-005", "FT-057")
        assert {citation.clause.facet for citation in answer.citations} == {Facet.DEPARTMENT}

    def test_choice_left_open_is_made_by_what_is_asked_next(self, town: Answerer) -> None:
        discussion = Discussion(listed=("TT-003", "TT-001"))
        assert town.answer("要什么材料", TODAY, discussion).policy_id == "TT-001"

    def test_policies_offered_that_are_gone_are_not_spoken_of(self, town: Answerer) -> None:
        answer = town.answer("要什么材料", TODAY, Discussion(listed=("TT-998", "TT-999")))
        assert answer.refusal is Refusal.NOTHING_FOUND


class TestReadingAComparison:
    @pytest.mark.parametrize(
        ("asked", "listed"),
        [
            ("市级设计中心与国家级设计中心，资助上限比一下", ("SZ-033", "SZ-034")),
            ("市专精特新和省专精特新有什么不一样", ("SZ-013", "GD-002")),
            ("存量国高同首次迁入国高，哪个奖多", ("FT-001", "FT-002")),
            ("文化企业落户支持与购房支持的区别，上限一样？", ("FT-034", "FT-035")),
            ("英才荟里芯片和AI两个，哪个奖得多，人数一样吗", ("FT-049", "FT-050")),
        ],
    )
    def test_either_side_is_read_with_the_other(
        self, answerer: Answerer, asked: str, listed: tuple[str, str]
    ) -> None:
        assert only(answerer.answers(asked, TODAY)).listed == listed

    def test_two_clauses_that_ask_of_two_policies(self, answerer: Answerer) -> None:
        answers = answerer.answers("餐饮分档奖谁发，小微创业贷在福田谁办", TODAY)
        assert [answer.policy_id for answer in answers] == ["SZ-055", "SZ-045"]


class TestMissingDetail:
    def test_is_refused_naming_the_policy(self, town: Answerer) -> None:
        answer = only(talk(town, "无人机奖励的咨询电话"))
        assert (answer.refusal, answer.policy_id) == (Refusal.NOT_RECORDED, "TT-001")
        assert answer.text.startswith("《福田区无人机奖励》的记录里没有写咨询电话")

    @pytest.mark.parametrize(
        ("text", "note"),
        [
            ("直播电商奖励的咨询电话", "这一项已过期；"),
            ("咖啡馆补贴要什么材料", "这一项尚未施行；"),
        ],
    )
    def test_of_what_does_not_hold_says_so(self, town: Answerer, text: str, note: str) -> None:
        assert only(talk(town, text)).text.startswith(note)


class TestDay:
    @pytest.mark.parametrize(
        ("day", "line"),
        [
            (date(2026, 12, 31), "有效性：尚未施行，2027-01-01起施行。"),
            (date(2027, 1, 1), "有效性：现行有效，2027-01-01起施行。资金以当年安排为准。"),
        ],
    )
    def test_decides_whether_it_holds(self, town: Answerer, day: date, line: str) -> None:
        answer = town.answer("咖啡馆补贴还有效吗", day)
        assert answer.text.split("\n")[1] == line
