"""Tables on disk: what is wrong with them is said with file and line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from knowledge.errors import TableError
from knowledge.table_files import TableFile
from tests.knowledge.tables import write

ROWS = [{"name": "甲", "staff": "1"}, {"name": "乙", "staff": "2"}, {"name": "丙", "staff": "3"}]


def read(path: Path, rows: int = 2) -> list[tuple[list[int], dict[str, list[object]]]]:
    return [
        (
            list(piece.lines or ()),
            {k: c if isinstance(c, list) else c.to_pylist() for k, c in piece.cells.items()},
        )
        for piece in TableFile(path).pieces(rows)
    ]


@pytest.mark.parametrize(("name", "first"), [("a.csv", 2), ("a.jsonl", 1), ("a.parquet", 1)])
def test_pieces_hold_all_rows_with_their_lines(tmp_path: Path, name: str, first: int) -> None:
    assert read(write(tmp_path / name, ROWS)) == [
        ([first, first + 1], {"name": ["甲", "乙"], "staff": ["1", "2"]}),
        ([first + 2], {"name": ["丙"], "staff": ["3"]}),
    ]


def test_only_parquet_knows_its_rows_beforehand(tmp_path: Path) -> None:
    assert TableFile(write(tmp_path / "a.parquet", ROWS)).rows == 3
    assert TableFile(write(tmp_path / "a.csv", ROWS)).rows is None


def test_lines_are_those_of_an_editor(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text('\ufeffname,staff\n"甲\n乙",1\n\n丙,2\n', encoding="utf-8")
    assert read(file) == [([2, 5], {"name": ["甲\n乙", "丙"], "staff": ["1", "2"]})]


def test_objects_need_not_have_the_same_keys(tmp_path: Path) -> None:
    file = write(tmp_path / "a.jsonl", [{"name": "甲"}, {"staff": 2}])
    assert read(file) == [([1, 2], {"name": ["甲", None], "staff": [None, 2]})]


BROKEN = [
    ("a.csv", "name,staff\n甲,1\n乙\n", "a.csv:3：有 1 格，表头有 2 格"),
    ("a.csv", 'name,staff\n甲,"1\n', "a.csv:"),
    ("a.csv", "name,name\n甲,1\n", "a.csv：有重名的列：name"),
    ("a.csv", "", "a.csv：是空的"),
    ("a.jsonl", '{"name": "甲"}\n{"name": }\n', "a.jsonl:2：第 10 个字符起不是 JSON"),
    ("a.jsonl", "[1]\n", "a.jsonl:1：应为一个 JSON 对象"),
    ("a.jsonl", "[" * 100_000, "a.jsonl:1：读不出来的 JSON"),
    ("a.parquet", "PAR1", "a.parquet：不是完整的 parquet 文件"),
    ("a.xls", "", "a.xls：只能读 .parquet、.csv、.jsonl 文件"),
]


@pytest.mark.parametrize(("name", "text", "said"), BROKEN)
def test_a_broken_file_is_refused_with_its_place(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(TableError) as error:
        read(tmp_path / name)
    assert str(error.value).startswith(said)


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("name,staff\n甲,1\n".encode("gb18030"))
    with pytest.raises(TableError, match="不是 UTF-8"):
        read(tmp_path / "a.csv")


def test_a_cut_parquet_is_refused(tmp_path: Path) -> None:
    whole = write(tmp_path / "a.parquet", ROWS).read_bytes()
    (tmp_path / "b.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError, match=r"b\.parquet：不是完整的"):
        TableFile(tmp_path / "b.parquet")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="没有这个文件"):
        TableFile(tmp_path / "a.csv")


def test_parquet_pages_that_rotted_are_told(tmp_path: Path) -> None:
    file = tmp_path / "a.parquet"
    pq.write_table(pa.table({"staff": list(range(5000))}), file, compression="gzip")
    data = bytearray(file.read_bytes())
    data[40:400] = b"\xff" * 360
    file.write_bytes(data)
    with pytest.raises(TableError, match=r"a\.parquet：第 1 行之后读不出来"):
        read(file)
