"""Enterprises from a table: good facts are kept, the rest is named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.enterprise_table import EnterpriseTable, Intake, Slice
from knowledge.errors import TableError
from knowledge.profile import Profile, read_profile
from knowledge.table_files import Piece
from tests.knowledge.tables import RECORDS, SMALL, write


def opened(path: Path, rows: Sequence[Mapping[str, Any]]) -> tuple[EnterpriseTable, list[Slice]]:
    table = EnterpriseTable(write(path, rows), SMALL)
    return table, list(table.slices(2))


def plain(profile: Profile) -> Any:
    facts = {name: (type(known.value), known.value) for name, known in profile.facts.items()}
    return facts, profile.name, profile.credit_code


@given(records=st.lists(RECORDS, min_size=1, max_size=8))
def test_a_row_holds_what_a_profile_of_it_holds(records: list[Mapping[str, Any]]) -> None:
    intake = Intake(SMALL)
    cells = {key: [record.get(key) for record in records] for record in records for key in record}
    found = intake.slice(Piece(len(records), cells, range(1, len(records) + 1)))
    problems = 0
    for row, record in enumerate(records):
        profile, wrong = read_profile(record, SMALL)
        facts = {name: known.value for name, known in found.profile(row).facts.items()}
        assert facts == {name: known.value for name, known in profile.facts.items()}
        problems += len(wrong)
    assert intake.problems.count == problems


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_all_formats_give_the_same(tmp_path: Path, kind: str) -> None:
    rows: list[dict[str, Any]] = [
        {"name": " 甲 ", "credit_code": "C1", "staff": 86, "exported": True, "district": "福田"},
        {"name": "乙", "credit_code": None, "staff": None, "exported": False, "district": None},
        {"name": None, "credit_code": None, "staff": 2.5, "exported": None, "district": "罗湖区"},
    ]
    table, slices = opened(tmp_path / f"a.{kind}", rows)
    assert [key for each in slices for key in each.keys.to_pylist()] == [
        "C1",
        "乙",
        "第 4 行" if kind == "csv" else "第 3 行",
    ]
    assert [plain(each.profile(row)) for each in slices for row in range(len(each))] == [
        (
            {"staff": (int, 86), "exported": (bool, True), "district": (str, "福田区")},
            "甲",
            "C1",
        ),
        ({"exported": (bool, False)}, "乙", None),
        ({"staff": (float, 2.5), "district": (str, "罗湖区")}, None, None),
    ]
    assert (table.problems.count, table.is_synthetic) == (0, False)


class TestProblems:
    def test_cells_are_named_by_line_and_column_and_counted(self, tmp_path: Path) -> None:
        rows = [{"staff": "1"}] * 2 + [{"staff": "-5"}] * 30 + [{"staff": "八"}]
        table, slices = opened(tmp_path / "a.csv", rows)
        assert table.problems.count == 31
        assert table.problems.by_column == {"staff": 31}
        assert len(table.problems.shown) == 20
        assert table.problems.shown[0] == "第 4 行 staff：-5人 太小，不应低于 0人"
        assert sum(each.column("staff").known.sum() for each in slices) == 2

    def test_an_unknown_column_is_named_once_with_the_nearest_field(self, tmp_path: Path) -> None:
        table, _ = opened(tmp_path / "a.csv", [{"staf": "1", "tax": "1"}] * 5)
        assert list(table.problems.columns.values()) == [
            "没有“staf”这个字段，是不是 staff（staff），这一列没有用上"
        ]

    def test_a_label_stands_for_its_field(self, tmp_path: Path) -> None:
        table, (found,) = opened(tmp_path / "a.csv", [{"企业名称": "甲", "所在街道": "梅林街道"}])
        assert found.profile(0).facts["street"].value == "梅林街道"
        assert (found.names[0].as_py(), table.problems.columns) == ("甲", {})

    def test_two_columns_of_one_field_are_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="“tax”和“纳税”两列：是同一项"):
            opened(tmp_path / "a.csv", [{"tax": "1", "纳税": "2"}])

    def test_a_table_of_something_else_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(TableError, match="没有一列是认识的字段"):
            opened(tmp_path / "a.csv", [{"name": "甲", "colour": "2"}])

    def test_a_table_without_rows_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_text("staff\n")
        with pytest.raises(TableError, match="一家企业也没有"):
            list(EnterpriseTable(tmp_path / "a.csv", SMALL).slices())

    def test_names_that_are_no_text_name_nobody(self, tmp_path: Path) -> None:
        rows = [{"name": 5, "credit_code": ["x"], "staff": 1}, {"name": "\ud800甲", "staff": 2}]
        file = tmp_path / "a.jsonl"
        file.write_text("\n".join(json.dumps(row) for row in rows))
        (found,) = EnterpriseTable(file, SMALL).slices()
        assert found.keys.to_pylist() == ["第 1 行", "?甲"]

    @pytest.mark.parametrize(
        ("field", "values", "kept"),
        [
            ("tax", [0.0, True, 2], [0, None, 2]),
            ("exported", [False, float("nan"), True], [False, None, True]),
            ("exported", [True, 1, None], [True, None, None]),
        ],
    )
    def test_true_is_no_number_and_one_is_not_true(
        self, tmp_path: Path, field: str, values: list[Any], kept: list[Any]
    ) -> None:
        rows = [{field: value, "staff": 1} for value in values]
        table = EnterpriseTable(write(tmp_path / "a.jsonl", rows), SMALL)
        (found,) = table.slices()
        assert [found.column(field).value(row) for row in range(3)] == kept
        assert table.problems.count == 1


class TestSynthetic:
    def test_a_column_says_it(self, tmp_path: Path) -> None:
        table, _ = opened(tmp_path / "a.csv", [{"staff": "1", "synthetic": "true"}])
        assert table.is_synthetic

    def test_the_metadata_says_it(self, tmp_path: Path) -> None:
        labelled = pa.table({"staff": [1]}).replace_schema_metadata({"synthetic": "true"})
        pq.write_table(labelled, tmp_path / "a.parquet")
        assert EnterpriseTable(tmp_path / "a.parquet", SMALL).is_synthetic


class TestFind:
    ROWS = ({"name": "甲", "credit_code": "C1", "staff": 1}, {"name": "乙", "staff": 2})

    @pytest.mark.parametrize(("key", "staff"), [("甲", 1), ("C1", 1), ("乙", 2)])
    def test_by_name_or_code(self, tmp_path: Path, key: str, staff: int) -> None:
        table = EnterpriseTable(write(tmp_path / "a.jsonl", self.ROWS), SMALL)
        assert table.find(key).facts["staff"].value == staff

    def test_nobody_and_several(self, tmp_path: Path) -> None:
        table = EnterpriseTable(write(tmp_path / "a.jsonl", [*self.ROWS, self.ROWS[0]]), SMALL)
        with pytest.raises(TableError, match="没有一家企业的名称或信用代码是“丙”"):
            table.find("丙")
        with pytest.raises(TableError, match="有 2 家企业"):
            table.find("甲")
