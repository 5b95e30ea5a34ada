"""Files of enterprises: every kind and encoding read alike, good rows kept, everything wrong named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import RosterError
from knowledge.fields import read_fields
from knowledge.roster.cells import read_cell
from knowledge.roster.reading import Roster, RosterRow, open_roster
from tests.knowledge.roster.companies import code_of, name_of, to_xlsx

FIELDS = read_fields()
DAY = date(2026, 11, 20)
HEADER = ["企业名称", "统一社会信用代码", "注册区", "营收（万元）", "员工人数", "企业资质"]
CSV = "\n".join(
    [
        ",".join(HEADER),
        f"{name_of(1)},{code_of(1)},福田,3200,86,国高；科小",
        f"{name_of(2)},{code_of(2)},南山区,,12,无",
    ]
)


def write(folder: Path, name: str, data: bytes | str) -> Path:
    path = folder / name
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


def read(path: Path, given: Mapping[str, str] | None = None) -> tuple[list[RosterRow], Roster]:
    roster = open_roster(path, FIELDS, given, DAY)
    return list(roster.rows), roster


def said(roster: Roster) -> list[str]:
    return [str(problem) for problem in roster.problems]


FIRST = {
    "registered_district": "福田区",
    "annual_revenue_cny": 32_000_000,
    "employees": 86,
    "qualifications": ("国家高新技术企业", "科技型中小企业"),
}
SECOND = {"registered_district": "南山区", "employees": 12, "qualifications": ()}


class TestKinds:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
    def test_csv_of_any_encoding(self, tmp_path: Path, encoding: str) -> None:
        rows, roster = read(write(tmp_path, "a.csv", CSV.encode(encoding)))
        assert [(r.number, r.credit_code, r.name) for r in rows] == [
            (2, code_of(1), name_of(1)),
            (3, code_of(2), name_of(2)),
        ]
        assert [row.facts for row in rows] == [FIRST, SECOND]
        assert (roster.problems, roster.unmapped) == ([], ())

    @pytest.mark.parametrize("delimiter", ["\t", ";", "|"])
    def test_csv_of_another_delimiter(self, tmp_path: Path, delimiter: str) -> None:
        rows, _ = read(write(tmp_path, "a.csv", CSV.replace(",", delimiter)))
        assert rows[0].facts == FIRST

    def test_quoted_line_breaks_do_not_shift_row_numbers(self, tmp_path: Path) -> None:
        text = f'企业名称,统一社会信用代码,员工\n"甲\n公司",{code_of(1)},3\n乙公司,{code_of(2)},x\n'
        rows, roster = read(write(tmp_path, "a.csv", text))
        assert [(row.number, row.name) for row in rows] == [(2, "甲 公司"), (4, "乙公司")]
        assert said(roster) == ["a.csv：第4行：“员工”列：应为数字，写的是 'x'，这一格没有用上"]

    def test_xlsx_with_title_percentages_and_dates(self, tmp_path: Path) -> None:
        rows: list[list[object]] = [
            ["企业一览表"],
            [],
            ["企业名称", "统一社会信用代码", "研发占比", "资产负债率", "成立日期", "员工"],
            [name_of(1), code_of(1), 0.08, 40, datetime(2019, 3, 1), 86],
        ]
        path = write(tmp_path, "a.xlsx", to_xlsx(rows, {"C4": "0.0%"}))
        (row,), roster = read(path)
        assert roster.problems == []
        assert row.number == 4
        assert row.facts == {
            "rd_expense_ratio_pct": 8,
            "debt_ratio_pct": 40,
            "registered_years": 7.72,
            "employees": 86,
        }

    def test_jsonl_with_the_names_of_the_fields(self, tmp_path: Path) -> None:
        lines = [
            {"name": name_of(1), "credit_code": code_of(1), "employees": 86, "core_ip": True},
            {"name": name_of(2), "credit_code": code_of(2), "qualifications": ["国高"], "employees": None},
        ]  # fmt: skip
        text = "\n".join(map(json.dumps, lines)) + "\n{broken\n[1]\n"
        rows, roster = read(write(tmp_path, "a.jsonl", text))
        assert [row.facts for row in rows] == [
            {"employees": 86, "core_ip": True},
            {"qualifications": ("国家高新技术企业",)},
        ]
        assert [problem.row for problem in roster.problems] == [3, 4]
        assert roster.rows_left_out == 2

    def test_parquet(self, tmp_path: Path) -> None:
        pyarrow = pytest.importorskip("pyarrow")
        parquet = pytest.importorskip("pyarrow.parquet")
        table = pyarrow.table(
            {
                "name": [name_of(1), name_of(2)],
                "credit_code": [code_of(1), code_of(2)],
                "employees": pyarrow.array([86, None], pyarrow.int32()),
                "qualifications": [["国高"], []],
            }
        )
        parquet.write_table(table, tmp_path / "a.parquet")
        rows, _ = read(tmp_path / "a.parquet")
        assert [row.facts for row in rows] == [
            {"employees": 86, "qualifications": ("国家高新技术企业",)},
            {"qualifications": ()},
        ]

    @pytest.mark.parametrize(
        ("name", "data", "why"),
        [
            ("a.pdf", b"x", r"不能读 \.pdf 文件"),
            ("a.csv", b"", "文件是空的"),
            ("a.csv", b"\x81", "不是 UTF-8 也不是 GB18030"),
            ("a.csv", "心情,天气\n好,晴\n".encode(), "没有认识的列名"),
            ("a.csv", "企业名称,员工\n甲公司,3\n".encode(), "没有统一社会信用代码这一列"),
            ("a.xlsx", b"PK not really", "不是有效的 xlsx"),
            ("a.parquet", b"PAR1 not really", "不是有效的 parquet"),
            ("a.jsonl", b"[]\n", "没有认识的键"),
        ],
    )
    def test_file_that_cannot_be_used_is_refused_whole(
        self, tmp_path: Path, name: str, data: bytes, why: str
    ) -> None:
        with pytest.raises(RosterError, match=f"^{name}：.*{why}"):
            open_roster(write(tmp_path, name, data), FIELDS)


class TestColumns:
    def columns(self, folder: Path, header: str, given: Mapping[str, str] | None = None) -> Roster:
        return open_roster(write(folder, "a.csv", f"{header}\n"), FIELDS, given)

    def test_unmapped_columns_come_with_the_nearest_name(self, tmp_path: Path) -> None:
        roster = self.columns(tmp_path, "统一社会信用代码,上年度营业收人,心情")
        assert [(each.header, each.near) for each in roster.unmapped] == [
            ("上年度营业收人", "上年度营业收入"),
            ("心情", None),
        ]

    def test_map_names_the_rest(self, tmp_path: Path) -> None:
        roster = self.columns(
            tmp_path,
            "社会信用代码,甲,乙（万元）,备注",
            {"甲": "employees", "乙": "上年度营业收入", "备注": "忽略"},
        )
        assert [(each.header, each.key, each.factor) for each in roster.mapping.columns] == [
            ("社会信用代码", "credit_code", 1),
            ("甲", "employees", 1),
            ("乙（万元）", "annual_revenue_cny", 10_000),
        ]
        assert roster.unmapped == ()

    def test_unit_of_the_column_tells_a_sum_from_a_share(self, tmp_path: Path) -> None:
        roster = self.columns(tmp_path, "信用代码,研发费用(万元),研发投入（%）")
        assert [each.key for each in roster.mapping.columns] == [
            "credit_code",
            "rd_expense_cny",
            "rd_expense_ratio_pct",
        ]

    @pytest.mark.parametrize(
        ("given", "why"),
        [
            ({"信用代玛": "employees"}, "没有“信用代玛”这一列，是不是“信用代码”"),
            ({"员工": "employes"}, "没有“employes”这个字段，是不是“职工人数”"),
        ],
    )
    def test_unknown_name_in_map_comes_with_the_nearest(
        self, tmp_path: Path, given: Mapping[str, str], why: str
    ) -> None:
        with pytest.raises(RosterError, match=why):
            self.columns(tmp_path, "信用代码,员工", given)

    def test_two_columns_of_one_meaning_are_refused_unless_one_is_chosen(
        self, tmp_path: Path
    ) -> None:
        header = "信用代码,员工,职工人数"
        with pytest.raises(RosterError, match=r"员工、职工人数 都是“职工人数”.*--map"):
            self.columns(tmp_path, header)
        chosen = self.columns(tmp_path, header, {"员工": "employees"})
        assert [each.header for each in chosen.mapping.columns] == ["信用代码", "员工"]
        ignored = self.columns(tmp_path, header, {"员工": "忽略"})
        assert [each.header for each in ignored.mapping.columns] == ["信用代码", "职工人数"]


class TestRows:
    def test_wrong_rows_and_cells_are_named_and_the_rest_is_kept(self, tmp_path: Path) -> None:
        good, twice = code_of(1), code_of(2)
        text = "\n".join(
            [
                "企业名称,统一社会信用代码,员工,负债率,是否独立法人",
                f"{name_of(1)},{good},86,40%,是",
                f"甲公司,{good[:-1]}{'X' if good[-1] != 'X' else 'Y'},1,,",
                "乙公司,,1,,",
                f"丙公司,{twice},-3,400000,也许",
                f"丁公司,{twice},5,,",
                "戊公司,9.144E+17,5,,",
                f"己公司,{code_of(3)}",
            ]
        )
        rows, roster = read(write(tmp_path, "a.csv", text))
        assert [(row.number, row.facts) for row in rows] == [
            (2, {"employees": 86, "debt_ratio_pct": 40, "legal_person": True}),
            (5, {}),
            (8, {}),
        ]
        assert [(p.row, p.column, p.is_whole_row) for p in roster.problems] == [
            (3, "统一社会信用代码", True),
            (4, "统一社会信用代码", True),
            (5, "员工", False),
            (5, "负债率", False),
            (5, "是否独立法人", False),
            (6, None, True),
            (7, "统一社会信用代码", True),
        ]
        messages = [problem.message for problem in roster.problems]
        assert "校验码" in messages[0] and "请补上" in messages[1]
        assert "-3人 太小" in messages[2] and "请核对单位" in messages[3]
        assert "应为是（true）或否（false）" in messages[4]
        assert "在第5行已经有了" in messages[5] and "设为文本" in messages[6]
        assert (roster.problem_count, roster.rows_left_out) == (7, 4)

    def test_values_the_dictionary_does_not_list_are_counted(self, tmp_path: Path) -> None:
        lines = [f"{code_of(n)},{'养猪' if n < 3 else '软件'}" for n in range(5)]
        rows, roster = read(write(tmp_path, "a.csv", "\n".join(["信用代码,行业", *lines])))
        assert rows[0].facts == {"industry": "养猪"}
        assert roster.unlisted == {"industry": {"养猪": 3}}

    def test_of_very_many_problems_a_thousand_are_kept(self, tmp_path: Path) -> None:
        text = "信用代码,员工\n" + "x,1\n" * 1500
        _, roster = read(write(tmp_path, "a.csv", text))
        assert (len(roster.problems), roster.problem_count) == (1000, 1500)


class TestCells:
    @pytest.mark.parametrize(
        ("cell", "name", "factor", "value"),
        [
            ("3,200万元", "annual_revenue_cny", 1, 32_000_000),
            ("3200万元", "annual_revenue_cny", 10_000, 32_000_000),
            ("3200", "annual_revenue_cny", 10_000, 32_000_000),
            (3200.5, "annual_revenue_cny", 10_000, 32_005_000),
            ("32000000元", "annual_revenue_cny", 10_000, 32_000_000),
            ("￥1.2亿", "annual_revenue_cny", 1, 120_000_000),
            ("３２００", "employees", 1, 3200),
            ("86人", "employees", 1, 86),
            ("8%", "rd_expense_ratio_pct", 1, 8),
            (7.5, "rd_expense_ratio_pct", 1, 7.5),
            ("2019-03-01", "registered_years", 1, 7.72),
            ("2019年3月", "registered_years", 1, 7.72),
            (20190301, "registered_years", 1, 7.72),
            (5, "registered_years", 1, 5),
            (date(2021, 5, 1), "listing_year", 1, 2021),
            ("有", "core_ip", 1, True),
            ("否", "core_ip", 1, False),
            (1, "core_ip", 1, True),
            (0.0, "core_ip", 1, False),
            ("国高,科小/小巨人", "qualifications", 1, ("国家高新技术企业", "科技型中小企业", "专精特新小巨人")),
            ("无", "qualifications", 1, ()),
            ("福田", "registered_district", 1, "福田区"),
        ],
    )  # fmt: skip
    def test_cell_becomes_value(self, cell: object, name: str, factor: int, value: object) -> None:
        assert read_cell(cell, FIELDS[name], factor, DAY) == (value, "")

    @pytest.mark.parametrize("cell", [None, "", "  ", "-", "N/A", "未知", float("nan")])
    @pytest.mark.parametrize("name", ["employees", "core_ip", "industry", "qualifications"])
    def test_empty_cell_is_unknown(self, cell: object, name: str) -> None:
        assert read_cell(cell, FIELDS[name], 1, DAY) == (None, "")

    @pytest.mark.parametrize(
        ("cell", "name"),
        [("许多", "employees"), (10**18, "annual_revenue_cny"), ("也许", "core_ip"), (True, "employees")],
    )  # fmt: skip
    def test_cell_that_cannot_be_used_says_why(self, cell: object, name: str) -> None:
        value, wrong = read_cell(cell, FIELDS[name], 1, DAY)
        assert value is None and wrong

    @given(
        st.one_of(
            st.none(), st.booleans(), st.integers(), st.floats(), st.dates(), st.text(),
            st.lists(st.text()), st.binary(), st.text("0123456789,.万亿元%-E年月", max_size=12),
        ),
        st.sampled_from(list(FIELDS)),
    )  # fmt: skip
    def test_no_cell_breaks_the_reading(self, cell: object, name: str) -> None:
        value, wrong = read_cell(cell, FIELDS[name], 10_000, DAY)
        assert value is None or not wrong
