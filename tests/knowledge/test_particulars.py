"""The table of details by name: what asks for one, what states it, and that it stays fast and sound."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from knowledge.catalogue import Catalogue
from knowledge.lexical import fold
from knowledge.particulars import RECORD_CHARS, Record, asked_in, read_particulars
from knowledge.policy import Facet

LONGEST_S = 0.5


def called(text: str) -> set[str]:
    return {each.called for each in asked_in(fold(text))}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("审核过了之后多久到账", "到账时间"),
        ("几时打款", "到账时间"),
        ("一次给还是分几年给", "分几次发放"),
        ("发到公司账户还是个人卡", "收款账户"),
        ("攞到嘅錢要唔要扣稅", "这笔钱怎么缴税"),
        ("发票要专票还是普票", "专票还是普票"),
        ("会不会来现场核查", "现场核查"),
        ("外资企业能不能报", "外资或境外企业算不算"),
        ("分公司可以申请吗", "分公司或关联企业算不算"),
        ("没通过明年还能再报吗", "没通过能否再报"),
        ("一共几个名额", "名额"),
        ("搬走了要不要退钱", "退回或追缴"),
        ("和市里的能叠加吗", "能否叠加"),
        ("年龄有没有限制", "年龄"),
        ("每平米补多少", "单位面积的标准"),
    ],
)
def test_words_ask_for_a_detail(text: str, name: str) -> None:
    assert name in called(text)


@pytest.mark.parametrize(
    "text", ["给多少钱", "要什么条件", "归哪个部门管", "要交哪些材料", "现在还有效吗"]
)
def test_question_for_a_whole_facet_asks_for_no_detail(text: str) -> None:
    assert not called(text)


def test_record_states_a_detail_only_in_the_facets_that_count(catalogue: Catalogue) -> None:
    deadline = next(each for each in read_particulars() if each.called == "截止日期")
    policy = replace(catalogue.policies["FT-001"], window="受理期为2022-07-27至2022-11-30")
    assert Record(policy).facets_stating(deadline) == (Facet.WINDOW,)
    assert not Record(replace(policy, window=None)).states(deadline)


def test_validity_states_no_detail_unless_it_is_asked_for(catalogue: Catalogue) -> None:
    for each in read_particulars():
        if Facet.VALIDITY in each.within:
            assert each.called in {"政策失效的日期", "开始施行的日期", "证书或称号管几年"}


def test_names_are_unique_and_no_pattern_matches_nothing() -> None:
    table = read_particulars()
    assert len({each.called for each in table}) == len(table) >= 100
    assert not [each.called for each in table if each.asks.search("") or each.states.search("")]


@pytest.mark.parametrize("unit", ["多久", "的钱", "几年不能卖", "按", "第一档", "在"])
def test_long_records_and_questions_stay_fast(unit: str) -> None:
    question, record = unit * 60, (unit * RECORD_CHARS)[:RECORD_CHARS]
    started = time.process_time()
    for each in read_particulars():
        each.is_asked(question)
        each.states.search(record)
    assert time.process_time() - started < LONGEST_S * 4
