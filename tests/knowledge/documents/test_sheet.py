"""Workbooks of the catalogue: read strictly with the cell named, written so that they read back the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.catalogue import Catalogue, read_catalogue
from knowledge.documents.sheet import NAMES, read_sheet, write_sheet
from knowledge.errors import CatalogueError
from knowledge.fields import read_fields
from knowledge.policy import Clause, Facet, Policy
from tests.knowledge.documents.papers import saved

BASE: Policy = read_catalogue().policies["FT-001"]
ROW: dict[str, Any] = {
    "政策编号": "FT-301", "标题": "测试奖励", "层级": "区", "地区": "福田区", "发布机关": "福田区测试局", "发布日期": date(2024, 1, 2),
    "状态": "未核实", "类别": "产业资金", "支持方式": "一次性奖励", "最高金额（元）": 100000, "扶持内容": "一次性奖励10万元。",
    "申报条件": json.dumps([{"field": "staff_count", "op": "gte", "value": 10, "note": "不少于10人"}], ensure_ascii=False),
    "申报材料": "营业执照；申请表", "受理部门": "福田区测试局", "咨询电话": 82918333.0, "可信度": "高",
}  # fmt: skip


@pytest.fixture(scope="module")
def staff_field() -> str:
    """A number field the dictionary really has."""
    return next(name for name, spec in read_fields().items() if spec.type == "number")


def workbook(*rows: Sequence[object], title: str = "政策") -> bytes:
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(list(row))
    return saved(book)


def problems_of(data: bytes) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        read_sheet("表.xlsx", data, read_fields())
    return caught.value.problems


def row_with(staff_field: str, **changed: object) -> bytes:
    row = {**ROW, "申报条件": ROW["申报条件"].replace("staff_count", staff_field), **changed}
    return workbook(list(row), list(row.values()))


class TestReading:
    def test_row_with_chinese_names(self, staff_field: str) -> None:
        (policy,) = read_sheet("表.xlsx", row_with(staff_field), read_fields())
        assert policy.id == "FT-301"
        assert policy.published == date(2024, 1, 2)
        assert policy.materials == ("营业执照", "申请表")
        assert policy.criteria[0].field == staff_field
        assert (policy.phone, policy.amount_max_cny) == ("82918333", 100000)
        assert (policy.valid_to, policy.aliases, policy.confidence) == (None, (), "high")

    def test_row_with_keys_below_a_line_of_title(self, staff_field: str) -> None:
        keys = {name: key for key, name in NAMES.items()}
        row = {**ROW, "申报条件": None}
        data = workbook(["2025年政策一览"], [], [keys[name] for name in row], list(row.values()))
        assert [policy.id for policy in read_sheet("表.xlsx", data, read_fields())] == ["FT-301"]

    @pytest.mark.parametrize(
        ("changed", "wanted"),
        [
            ({"发布日期": "2024年1月"}, "表.xlsx: 政策!F2 published: published: "),
            ({"最高金额（元）": "十万"}, "表.xlsx: 政策!J2 amount_max_cny: amount_max_cny: "),
            ({"申报条件": "[{"}, "表.xlsx: 政策!L2 criteria: 不是有效的 JSON"),
            ({"标题": None}, "表.xlsx: 政策!B2 title: title: "),
            ({"层级": "街道"}, "表.xlsx: 政策!C2 level: level: "),
        ],
    )
    def test_defect_names_sheet_and_cell(
        self, staff_field: str, changed: dict[str, object], wanted: str
    ) -> None:
        problems = problems_of(row_with(staff_field, **changed))
        assert any(problem.startswith(wanted) for problem in problems), problems

    def test_unknown_column_is_named(self, staff_field: str) -> None:
        assert any(
            "Q1" in p and "奖金" in p for p in problems_of(row_with(staff_field, 奖金="一万"))
        )

    def test_same_policy_twice(self, staff_field: str) -> None:
        row = {**ROW, "申报条件": None}
        assert (
            "政策!A3" in problems_of(workbook(list(row), list(row.values()), list(row.values())))[0]
        )

    @pytest.mark.parametrize(
        "rows", [[["姓名", "年龄"], ["张三", 5]], [], [["标题", "发布机关"], ["甲", "乙"]]]
    )
    def test_no_catalogue_table(self, rows: list[list[object]]) -> None:
        assert "不是政策目录表" in problems_of(workbook(*rows))[0]

    def test_header_without_rows(self) -> None:
        assert "只有表头" in problems_of(workbook(list(ROW)))[0]

    def test_cell_in_the_far_corner_is_read_in_bounded_time(self, staff_field: str) -> None:
        book = openpyxl.load_workbook(BytesIO(row_with(staff_field)))
        book.active.cell(1_048_576, 16_384, "角")
        assert [p.id for p in read_sheet("表.xlsx", saved(book), read_fields())] == ["FT-301"]

    def test_clauses_of_no_policy(self, catalogue: Catalogue) -> None:
        clause = Clause("FT-999#c1", "FT-999", Facet.AMOUNT, "第一条", "奖励。")
        stray = replace(catalogue.policies["FT-001"], wording=(clause,))
        assert any("FT-999#c1" in problem for problem in problems_of(write_sheet([stray])))


class TestWriting:
    def test_catalogue_reads_back_the_same(self, catalogue: Catalogue) -> None:
        policies = list(catalogue.policies.values())
        assert read_sheet("a.xlsx", write_sheet(policies), read_fields()) == policies

    @given(
        st.lists(
            st.text(st.sampled_from("甲乙；[]=\"'_x000D_,\n 1"), min_size=1, max_size=12)
            .map(str.strip)
            .filter(bool),
            max_size=3,
        ),
        st.text(st.sampled_from("=+-@甲1_x41\n；[ "), min_size=1).map(str.strip).filter(bool),
    )
    def test_awkward_texts_read_back_the_same(self, texts: list[str], word: str) -> None:
        clause = Clause("FT-001#c1", "FT-001", Facet.AMOUNT, word, word, tuple(texts), 3)
        policy = replace(BASE, aliases=tuple(texts), note=word, wording=(clause,))
        assert read_sheet("a.xlsx", write_sheet([policy]), read_fields()) == [policy]

    def test_text_too_long_for_a_cell(self) -> None:
        with pytest.raises(CatalogueError, match="导出为 jsonl"):
            write_sheet([replace(BASE, note="长" * 40_000)])
