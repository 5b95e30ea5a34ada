"""Reading a question: facets, places, subject, document numbers; any text at all is read without failing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue
from knowledge.lexical import tokens
from knowledge.policy import Facet, Level
from knowledge.question import (
    asks_for_list,
    asks_for_money,
    asks_for_own_money,
    asks_for_promise,
    figures_of,
    is_ellipsis,
    points_back,
    read_places,
    read_question,
    years_of,
)

PIECES = st.sampled_from(
    [
        "福田",
        "北京",
        "上海证券交易所",
        "国高",
        "多少钱",
        "那",
        "材料",
        "福府办规〔2023〕5号",
        "\0",
        "\ud83d",
    ]
)
ANY_TEXT = st.text(st.characters(codec=None), max_size=80)


class TestFacets:
    @pytest.mark.parametrize(
        ("text", "facet"),
        [
            ("国高认定奖励多少钱", Facet.AMOUNT),
            ("最高能补几多", Facet.AMOUNT),
            ("封顶是几万", Facet.AMOUNT),
            ("要准备哪些材料", Facet.MATERIALS),
            ("要交咩资料", Facet.MATERIALS),
            ("申报条件是啥", Facet.CONDITIONS),
            ("有没有门槛", Facet.CONDITIONS),
            ("什么时候截止", Facet.WINDOW),
            ("几月几号开始报", Facet.WINDOW),
            ("归哪个部门管", Facet.DEPARTMENT),
            ("边个局负责", Facet.DEPARTMENT),
            ("怎么申报", Facet.PROCESS),
            ("点样申请", Facet.PROCESS),
            ("咨询电话给一个", Facet.CONTACT),
            ("这个政策还有效吗", Facet.VALIDITY),
            ("是不是过期了", Facet.VALIDITY),
        ],
    )
    def test_asked_facet_comes_first(self, text: str, facet: Facet) -> None:
        assert read_question(text).facets[0] is facet

    def test_traditional_spelling_names_the_same_facet(self) -> None:
        assert read_question("諮詢電話").facets == read_question("咨询电话").facets

    def test_several_facets_are_at_most_three_and_each_once(self) -> None:
        facets = read_question("电话、材料、截止时间、部门、条件、金额").facets
        assert len(set(facets)) == len(facets) <= 3

    def test_facet_that_is_asked_for_is_not_told_again_as_likely(self) -> None:
        for text in ("要什么材料", "电话和材料", "几时截止", "怎么申报", "多少钱"):
            question = read_question(text)
            assert not set(question.facets) & set(question.likely_facets)


class TestPlaces:
    @pytest.mark.parametrize(
        ("text", "places"),
        [
            ("福田的国高奖励", {"福田区"}),
            ("區裡給多少", {"福田区"}),
            ("深圳市级和南山有什么不同", {"深圳市", "南山区"}),
            ("深圳福田", {"深圳市", "福田区"}),
            ("省级专精特新", {"广东省"}),
            ("国高奖励", set()),
        ],
    )
    def test_named_places_are_found(self, text: str, places: set[str]) -> None:
        question = read_question(text)
        assert set(question.places) == places
        assert question.elsewhere is None

    @pytest.mark.parametrize(
        ("text", "elsewhere"),
        [
            ("北京有什么补贴", "北京"),
            ("广州国高奖励多少", "广州"),
            ("杭州的人才政策", "杭州"),
            ("在上海证券交易所上市，上海奖多少", "上海"),
            ("上海的企业去上海证券交易所上市", "上海"),
        ],
    )
    def test_place_the_catalogue_does_not_serve_is_named(self, text: str, elsewhere: str) -> None:
        question = read_question(text)
        assert question.elsewhere == elsewhere
        assert question.places == ()

    @pytest.mark.parametrize(
        "text",
        [
            "在上海证券交易所上市奖多少",
            "北京證券交易所上市有冇奖",
            "上海主板上市补贴",
            "北京证交所",
            "上海股票上市",
            "一半研发花在新加坡分部了",
            "有一部分研发在新加坡做的",
        ],
    )
    def test_stock_exchange_or_own_branch_is_no_place(self, text: str) -> None:
        assert read_question(text).elsewhere is None

    def test_move_from_elsewhere_to_a_served_place_is_about_the_served_place(self) -> None:
        question = read_question("从广州搬到福田有补贴吗")
        assert question.places == ("福田区",)
        assert question.elsewhere is None

    @pytest.mark.parametrize(
        ("text", "own"),
        [
            ("我们公司在南山，能申请吗", True),
            ("我司注册在龙岗", True),
            ("企业位于罗湖", True),
            ("南山有什么奖励", False),
            ("我们想知道，南山有什么奖励", False),
        ],
    )
    def test_own_place_is_told_from_a_place_asked_about(self, text: str, own: bool) -> None:
        assert read_question(text).names_own_place is own


class TestGazetteer:
    def test_home_and_every_wider_place(self) -> None:
        places = read_places()
        assert places.around(places.home) == ("福田区", "深圳市", "广东省")
        assert places.around("广东省") == ("广东省",)

    def test_every_narrower_place(self) -> None:
        places = read_places()
        assert "福田区" in places.inside("深圳市")
        assert {"深圳市", "福田区"} <= set(places.inside("广东省"))
        assert places.inside("福田区") == ()

    def test_reach_is_the_place_and_what_lies_around_and_inside(self) -> None:
        places = read_places()
        assert places.reach(["南山区"]) == {"南山区", "深圳市", "广东省"}
        assert "福田区" in places.reach(["深圳市"])
        assert places.reach([]) == frozenset()

    def test_every_place_of_the_catalogue_can_be_named(self, catalogue: Catalogue) -> None:
        used = {policy.place for policy in catalogue.policies.values() if policy.place}
        names = read_places().names
        assert used <= set(names)
        assert {place: read_question(place).places for place in used} == {
            place: (place,) for place in used
        }

    def test_no_name_means_two_places(self) -> None:
        places = read_places()
        said = [name for names in places.names.values() for name in names]
        assert len(said) == len(set(said))
        assert not set(said) & set(places.elsewhere)


class TestSubject:
    @pytest.mark.parametrize(
        "text",
        [
            "那材料呢",
            "怎么申报",
            "要什么条件",
            "最高多少钱",
            "那福田的呢",
            "电话多少",
            "唔该，几时截止呀",
            "请问一下这个政策还有效吗",
            "",
            "？？",
        ],
    )
    def test_follow_up_has_no_subject(self, text: str) -> None:
        assert read_question(text).subject == ()

    @pytest.mark.parametrize(
        ("text", "word"),
        [
            ("请问国高认定的材料", "国高"),
            ("小巨人给多少钱", "巨人"),
            ("我们想租办公用房", "用房"),
            ("ＩＰＯ有没有奖励", "上市"),
            ("研发费用加计扣除给多少", "研发"),
            ("企业研发给几多", "研发"),
            ("研发投入给几家", "研发"),
        ],
    )
    def test_subject_is_kept(self, text: str, word: str) -> None:
        assert word in read_question(text).subject

    def test_place_and_asking_words_are_no_subject(self) -> None:
        subject = set(read_question("请问福田小巨人奖励多少钱").subject)
        assert {"小巨", "巨人"} <= subject
        assert not {"请问", "福田", "奖励", "多少"} & subject


class TestLevels:
    @pytest.mark.parametrize(
        ("text", "levels"),
        [
            ("区里的人才奖励", {Level.DISTRICT}),
            ("市里的人才奖励", {Level.CITY}),
            ("深圳的人才奖励", {Level.CITY}),
            ("省级专精特新", {Level.PROVINCE}),
            ("国家级的小巨人", {Level.NATION}),
            ("国家高新技术企业奖励", set()),
            ("人才奖励", set()),
            ("区里和市里都有吗", {Level.DISTRICT, Level.CITY}),
        ],
    )
    def test_level_of_government_is_read(self, text: str, levels: set[Level]) -> None:
        assert read_question(text).levels == levels


class TestFigures:
    @pytest.mark.parametrize(
        ("text", "figures"),
        [
            ("营收3200万，86个人", {"3200万", "86人"}),
            ("65分到67分", {"65分", "67分"}),
            ("奖10%", {"10%"}),
            ("1,000万元", {"1000万"}),
            ("第2个", set()),
            ("2022年度", {"2022"}),
            ("五十万", {"50万"}),
            ("一个亿", {"1亿"}),
            ("没有数字", set()),
        ],
    )
    def test_figures_with_the_first_sign_of_their_unit(self, text: str, figures: set[str]) -> None:
        assert figures_of(text) == figures


class TestYears:
    @pytest.mark.parametrize(
        ("text", "years"),
        [
            ("2020年口径", {"2020"}),
            ("20年口径的总部政策", {"2020"}),
            ("2020年和2023年的", {"2020", "2023"}),
            ("补20年", set()),
            ("3年", set()),
            ("", set()),
        ],
    )
    def test_years_a_text_names(self, text: str, years: set[str]) -> None:
        assert years_of(text) == years


class TestNames:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("“星火燎原”项目有补贴吗", "星火燎原"),
            ("「星火燎原」能申请吗", "星火燎原"),
            ("珠江计划多少钱", "珠江计划"),
            ("养猫券怎么领", "养猫券"),
        ],
    )
    def test_what_has_a_name_of_its_own(self, text: str, name: str) -> None:
        assert any(said in name for said in read_question(text).names)

    def test_nothing_is_called_by_a_name(self) -> None:
        assert read_question("国高认定奖励多少钱").names == ()


class TestWhatIsNotMeant:
    def test_its_words_are_not_searched_for(self) -> None:
        question = read_question("时尚企业买楼封顶多少，不是新落户那个")
        assert not {"新落", "落户"} & set(question.words)
        assert {"新落", "落户"} <= set(question.not_meant)
        assert "时尚" in question.words

    @pytest.mark.parametrize("text", ["是不是要落户", "稳岗返还是不是过期了", "国高奖励"])
    def test_asking_whether_denies_nothing(self, text: str) -> None:
        assert read_question(text).not_meant == ()


class TestWays:
    """How something is asked, whatever it is about."""

    @pytest.mark.parametrize(
        "text", ["上市有哪些奖励", "福田有什么人才政策", "列一下贷款贴息的项目", "一共有几项补贴"]
    )
    def test_list_is_wanted(self, text: str) -> None:
        assert asks_for_list(text)

    @pytest.mark.parametrize("text", ["国高认定奖励多少钱", "要什么材料", "第二个呢", ""])
    def test_no_list_is_wanted(self, text: str) -> None:
        assert not asks_for_list(text)

    @pytest.mark.parametrize("text", ["国家级的呢", "那上市的呢？", "南山呢", "如果是大企业呢"])
    def test_what_is_asked_is_left_out(self, text: str) -> None:
        assert is_ellipsis(text)

    @pytest.mark.parametrize("text", ["呢", "国高认定奖励多少钱", "", "我们在南山，那要什么条件呢"])
    def test_nothing_is_left_out(self, text: str) -> None:
        assert not is_ellipsis(text)

    @pytest.mark.parametrize("text", ["这个还能报吗", "它几时截止", "刚才那项要什么材料"])
    def test_points_at_what_was_said(self, text: str) -> None:
        assert points_back(text)

    @pytest.mark.parametrize("text", ["国高奖励多少", "稳岗返还", ""])
    def test_points_at_nothing(self, text: str) -> None:
        assert not points_back(text)

    def test_promise_is_wanted(self) -> None:
        assert asks_for_promise("一定能拿到吧")
        assert not asks_for_promise("一定要有专利吗")

    def test_money_and_own_money(self) -> None:
        assert asks_for_money("多少钱")
        assert not asks_for_money("打几分才过")
        assert asks_for_own_money("区里给多少")
        assert not asks_for_own_money("深圳给多少")


class TestSynonyms:
    @pytest.mark.parametrize(
        ("text", "added"),
        [
            ("高企奖励", "国家高新技术企业"),
            ("IPO奖励", "上市"),
            ("ai企业", "人工智能"),
        ],
    )
    def test_catalogue_words_join_the_search(self, text: str, added: str) -> None:
        assert set(tokens(added)) <= set(read_question(text).words)

    @pytest.mark.parametrize("text", ["email奖励", "chain", "hai"])
    def test_latin_abbreviation_inside_a_word_is_not_meant(self, text: str) -> None:
        assert "智能" not in read_question(text).words


class TestDocumentNumber:
    @pytest.mark.parametrize(
        "text",
        [
            "福府办规〔2023〕5号",
            "请问福府办规〔2023〕5号还有效吗",
            "福府办规[2023]5号",
            "福府办规（2023）第5号",
            "福府办规【2023】5号",
            "福府辦規2023 5號".replace(" ", "第"),
        ],
    )
    def test_number_is_read_however_it_is_written(self, text: str) -> None:
        assert read_question(text).names_document("福府办规〔2023〕5号")

    @pytest.mark.parametrize(
        "other",
        [
            "福府办规〔2023〕15号",
            "福府办规〔2022〕5号",
            "福府规〔2023〕5号",
            "国发〔2023〕5号",
            None,
        ],
    )
    def test_other_number_year_or_issuer_is_another_document(self, other: str | None) -> None:
        assert not read_question("福府办规〔2023〕5号").names_document(other)

    def test_number_that_only_ends_alike_is_another_document(self) -> None:
        assert not read_question("福府〔2020〕2号").names_document("福府〔2020〕12号")

    @pytest.mark.parametrize("text", ["5号截止", "2023年5号", "国高", "3号楼"])
    def test_no_number_is_made_up(self, text: str) -> None:
        assert read_question(text).doc_no is None

    def test_every_stored_number_is_recognised(self, catalogue: Catalogue) -> None:
        numbers = [p.doc_no for p in catalogue.policies.values() if p.doc_no]
        assert numbers
        unread = [n for n in numbers if not read_question(f"{n}有什么补贴").names_document(n)]
        assert unread == []


@pytest.mark.parametrize(
    "text",
    [
        "国高奖励多少钱" * 14_286,
        "我们公司在" * 20_000 + "南山",
        "上海证券" * 25_000,
        "福府办规" * 25_000 + "〔2023〕5号",
        "不是" * 50_000,
        "国 " * 50_000,
        "补" * 100_000,
        "1" * 100_000,
        "“" * 100_000,
    ],
    ids=lambda text: f"{text[:6]!r}x{len(text)}",
)
def test_long_text_is_read_in_time(text: str) -> None:
    began = time.monotonic()
    question = read_question(text)
    assert asks_for_list(question.search_text) in (True, False)
    assert is_ellipsis(question.search_text) in (True, False)
    assert time.monotonic() - began < 5


@given(ANY_TEXT | st.lists(PIECES | ANY_TEXT, max_size=8).map("".join))
def test_any_text_is_read(text: str) -> None:
    question = read_question(text)
    assert question.text == text
    assert len(question.facets) <= 3
    assert not (question.places and question.elsewhere)
    question.search_text.encode("utf-8")


@given(st.lists(PIECES, max_size=6).map("".join))
def test_reading_is_the_same_every_time(text: str) -> None:
    assert read_question(text) == read_question(text)
