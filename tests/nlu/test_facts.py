"""Facts with typed values and units, by table."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlu.evaluate import evaluate_facts
from nlu.facts import Fact, extract

EVAL = Path(__file__).resolve().parents[2] / "nlu" / "eval"


def values(text: str, kind: str) -> list[str | int | float]:
    return [fact.value for fact in extract(text) if fact.kind == kind]


@pytest.mark.parametrize(
    ("text", "yuan"),
    [
        ("去年营收5000万", [50_000_000]),
        ("两千三百万", [23_000_000]),
        ("2千3百万", [23_000_000]),
        ("1.2亿", [120_000_000]),
        ("1.15亿元", [115_000_000]),
        ("一点二亿", [120_000_000]),
        ("三千五百万元", [35_000_000]),
        ("50w补贴", [500_000]),
        ("12,000,000元", [12_000_000]),
        ("12 000 000元", [12_000_000]),
        ("5 000 万", [50_000_000]),
        ("５０００萬", [50_000_000]),
        ("¥1,260,000", [1_260_000]),
        ("人民币 2,350,000.00 元", [2_350_000]),
        ("一个亿", [100_000_000]),
        ("1亿2000万", [120_000_000]),
        ("一亿两千万", [120_000_000]),
        ("三万五", [35_000]),
        ("5万5", [55_000]),
        ("一万零八百元", [10_800]),
        ("伍佰万元整", [5_000_000]),
        ("三千多万", [30_000_000]),
        ("五百来万", [5_000_000]),
        ("营收过亿", [100_000_000]),
        ("300-500万", [3_000_000, 5_000_000]),
        ("三百到五百万", [3_000_000, 5_000_000]),
        ("三五百万", [3_000_000, 5_000_000]),
        ("300万~500万", [3_000_000, 5_000_000]),
        ("营收（万元）：1500", [15_000_000]),
        ("月租三千五", [3_500]),
        ("员工50，300万营收", [3_000_000]),
    ],
)
def test_amount_is_read_in_yuan(text: str, yuan: list[int]) -> None:
    assert values(text, "amount") == yuan


@pytest.mark.parametrize(
    "text",
    [
        "500万美元", "50w粉丝", "2000平的厂房", "100万参数", "福企新十条", "世界500强", "万科", "千万别交",
        "深圳市百万庄商贸有限公司", "深圳市五千年文化传播有限公司", "深工信规〔2025〕7号", "12345打不通", "十万火急", "第三条",
    ],
)  # fmt: skip
def test_other_figures_are_no_amounts(text: str) -> None:
    assert values(text, "amount") == []


@pytest.mark.parametrize(
    ("text", "per_cent"),
    [
        ("15%", [15]),
        ("１２．５％", [12.5]),
        ("百分之二十", [20]),
        ("百分之12.5", [12.5]),
        ("三成", [30]),
        ("两成半", [25]),
        ("七八成", [70, 80]),
        ("十个点", [10]),
        ("1.5个百分点", [1.5]),
        ("千分之五", [0.5]),
        ("5%-10%", [5, 10]),
        ("5-10%", [5, 10]),
        ("百分之三到五", [3, 5]),
        ("刚成立", []),
        ("一成不变", [10]),
        ("完成两项", []),
        ("下午三个点钟", []),
    ],
)
def test_percentage(text: str, per_cent: list[float]) -> None:
    assert values(text, "percentage") == per_cent


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("86个人", [86]),
        ("员工一百二十名", [120]),
        ("五十多人", [50]),
        ("三四十个人", [30, 40]),
        ("十七八个人", [17, 18]),
        ("5到8个人", [5, 8]),
        ("人数：75", [75]),
        ("在册职工1,280人", [1280]),
        ("1.5万人", [15_000]),
        ("员工大概四十来个", [40]),
        ("社保52人", [52]),
        ("更正下 员工是95不是59", [95]),
        ("第三人", []),
        ("叫一个人来", []),
        ("每人1500元", []),
        ("还想招10人", []),
        ("5个人工智能项目", []),
        ("500人民币", []),
        ("员工30%是研发", []),
    ],
)
def test_headcount(text: str, people: list[int]) -> None:
    assert values(text, "headcount") == people


@pytest.mark.parametrize(
    ("text", "years", "calendar"),
    [
        ("成立三年半", [3.5], []),
        ("成立半年", [0.5], []),
        ("成立18个月", [1.5], []),
        ("成立15年了", [15], []),
        ("2-3年", [2, 3], []),
        ("15年成立", [], [2015]),
        ("一五年注册的", [], [2015]),
        ("零八年来的深圳", [], [2008]),
        ("98年成立", [], [1998]),
        ("二〇一八年成立", [], [2018]),
        ("2018年3月5日成立", [], [2018]),
        ("总部政策2023版", [], [2023]),
        ("第三年", [], []),
        ("去年今年每年", [], []),
        ("一年几次", [], []),
        ("一年最多贴多少", [], []),
        ("2000平", [], []),
        ("营收2023万", [], []),
    ],
)
def test_length_of_time_and_calendar_year(
    text: str, years: list[float], calendar: list[int]
) -> None:
    assert (values(text, "years"), values(text, "year")) == (years, calendar)


@pytest.mark.parametrize(
    "typed",
    [
        "91110000600037341L",
        "代码 91110000600037341l",
        "911100006000 37341L",
        "9111-0000-6000-3734-1L",
        "９１１１００００６０００３７３４１Ｌ",
        "信用代码：91110000600037341L，谢谢",
    ],
)
def test_credit_code_is_captured_leniently(typed: str) -> None:
    assert values(typed, "credit_code") == ["91110000600037341L"]


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("91110000600037341M", "校验码"),
        ("9111000060003734OL", "字母O"),
        ("信用代码9111000060003734", "16位"),
        ("税号：91110000600037341L5", "19位"),
    ],
)
def test_wrong_credit_code_says_why(typed: str, why: str) -> None:
    [fact] = [fact for fact in extract(typed) if fact.kind.endswith("credit_code")]
    assert fact.kind == "invalid_credit_code"
    assert why in (fact.note or "")


@pytest.mark.parametrize(
    "typed", ["11010519491231002X", "6222021234567890123", "13800138000", "FT-20261123-0001"]
)
def test_other_long_numbers_are_no_credit_codes(typed: str) -> None:
    assert not [fact for fact in extract(typed) if fact.kind.endswith("credit_code")]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("我们公司叫深圳市云帆智能科技有限公司", ["深圳市云帆智能科技有限公司"]),
        ("我们是华为技术有限公司", ["华为技术有限公司"]),
        ("做软件的深圳市小福科技有限公司，86人", ["深圳市小福科技有限公司"]),
        (
            "深圳市甲乙科技有限公司和深圳市丙丁贸易有限公司",
            ["深圳市甲乙科技有限公司", "深圳市丙丁贸易有限公司"],
        ),
        ("企业名称：深圳市福田(集团)股份有限公司", ["深圳市福田（集团）股份有限公司"]),
        ("北京智源华海科技有限公司深圳分公司", ["北京智源华海科技有限公司深圳分公司"]),
        ("我司系深圳创远投资合伙企业（有限合伙）", ["深圳创远投资合伙企业（有限合伙）"]),
        ("深圳市福田区中洲会计师事务所", ["深圳市福田区中洲会计师事务所"]),
        ("我们是恒生服装厂", ["恒生服装厂"]),
        ("ABC Technology Co., Ltd.", ["ABC Technology Co., Ltd."]),
        ("我们是一家有限公司", []),
        ("会计师事务所", []),
        ("我们集团有三家工厂", []),
        ("我们是外资研发中心", []),
        ("分公司可以吗", []),
    ],
)
def test_company_name(text: str, names: list[str]) -> None:
    assert values(text, "company") == names


def test_words_inside_a_company_name_say_nothing_else() -> None:
    assert [fact.kind for fact in extract("深圳市福田区新能源软件有限公司")] == ["company"]


@pytest.mark.parametrize(
    ("text", "kind", "names"),
    [
        ("国高补贴", "qualification", ["国家高新技术企业"]),
        ("我们是小巨人", "qualification", ["专精特新小巨人"]),
        ("专精特新“小巨人”", "qualification", ["专精特新小巨人"]),
        ("專精特新有咩補貼", "qualification", ["专精特新中小企业"]),
        ("省专精特新奖励", "qualification", ["省级专精特新"]),
        ("国高+科小都有，还是规模以上服务业", "qualification", ["国家高新技术企业", "科技型中小企业", "规上服务业"]),
        ("没有国高", "qualification", []),
        ("没有国高", "lacks_qualification", ["国家高新技术企业"]),
        ("高企没评上", "lacks_qualification", ["国家高新技术企业"]),
        ("有没有国高补贴", "lacks_qualification", []),
        ("注册在南山，办公在车公庙", "district", ["南山区", "福田区"]),
        ("小福田科技", "district", []),
        ("區：光明；行業：新能源", "district", ["光明区"]),
        ("光明正大", "district", []),
        ("搞AI的", "industry", ["人工智能"]),
        ("send an EMAIL", "industry", []),
        ("芯片设计", "industry", ["集成电路"]),
        ("停电影响生产", "industry", []),
        ("我们在会展中心附近", "industry", []),
    ],
)  # fmt: skip
def test_words_get_the_catalogue_names(text: str, kind: str, names: list[str]) -> None:
    assert values(text, kind) == names


def test_wanted_qualification_is_marked_as_planned() -> None:
    [fact] = extract("我们准备申报国高")
    assert (fact.kind, fact.value, fact.note) == ("qualification", "国家高新技术企业", "planned")


@pytest.mark.parametrize(
    ("text", "facets"),
    [
        ("国高补贴多少钱", ["amount"]),
        ("稳岗返还几多钱", ["amount"]),
        ("额度呢", ["amount"]),
        ("什么条件", ["conditions"]),
        ("我们够不够格", ["conditions"]),
        ("那要啥材料", ["materials"]),
        ("截止到几时", ["window"]),
        ("几时可以报", ["window"]),
        ("在哪里申请", ["process"]),
        ("怎么申请呀", ["process"]),
        ("点样申请", ["process"]),
        ("找谁办", ["department"]),
        ("归哪个部门管", ["department"]),
        ("电话多少", ["contact"]),
        ("这个政策还有效吗", ["validity"]),
        ("有咩要求同埋几多钱", ["conditions", "amount"]),
        ("你好", []),
        ("楼下施工扰民", []),
    ],
)
def test_facet(text: str, facets: list[str]) -> None:
    assert values(text, "facet") == facets


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("FT-20261123-0001 进度", "appeal_no", "FT-20261123-0001"),
        ("查单号 ft20261120 0011", "appeal_no", "FT-20261120-0011"),
        ("20261101-0009 处理完没", "appeal_no", "FT-20261101-0009"),
        ("我电话138 0013 8000", "phone", "13800138000"),
        ("给个五星", "rating", 5),
        ("⭐⭐⭐", "rating", 3),
        ("打3分", "rating", 3),
        ("打80分", "rating", 4),
        ("不太满意", "rating", 2),
        ("非常不满意", "rating", 1),
    ],
)
def test_numbers_of_appeals_phones_and_ratings(text: str, kind: str, value: str | int) -> None:
    assert values(text, kind) == [value]


@pytest.mark.parametrize("text", ["五星级酒店", "满意度多少", "评65分以上没过"])
def test_no_rating_is_read_into_other_words(text: str) -> None:
    assert values(text, "rating") == []


def test_spans_refer_to_what_was_typed() -> None:
    typed = "@小福 我\u200b司營收 １２００萬，國高"
    facts = extract(typed)
    assert [(fact.kind, fact.text) for fact in facts] == [
        ("amount", "１２００萬"),
        ("qualification", "國高"),
    ]
    assert all(typed[fact.start : fact.end] == fact.text for fact in facts)


def test_units_stand_beside_the_values() -> None:
    facts = extract("营收800万，增长20%，30人，做了三年")
    assert [(fact.value, fact.unit) for fact in facts] == [
        (8_000_000, "CNY"), (20, "%"), (30, "人"), (3, "年"),
    ]  # fmt: skip


def test_fact_is_frozen() -> None:
    with pytest.raises(AttributeError):
        extract("30人")[0].value = 40  # type: ignore[misc]


@given(
    st.text(
        alphabet="一二三十百千万亿0123456789.,- 年月人%元成个点到有限公司深圳市国高A/", max_size=60
    )
)
def test_any_text_gives_well_formed_facts(typed: str) -> None:
    for fact in extract(typed):
        assert isinstance(fact, Fact)
        assert typed[fact.start : fact.end] == fact.text != ""


@pytest.mark.parametrize(
    "part", ["1", "一", "千", "深圳", "1-", "1 ", "一万", "a1", "给", "有限公司", "我们是"]
)
def test_hostile_length_does_not_cost_seconds(part: str) -> None:
    started = time.process_time()
    extract(part * 50_000)
    assert time.process_time() - started < 1.0


def test_held_out_facts_are_found() -> None:
    report = evaluate_facts(EVAL / "facts.jsonl")
    assert report["precision"]["value"] >= 0.95
    assert report["recall"]["value"] >= 0.95
