"""The field dictionary: complete, readable, and strict about its own defects."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from knowledge.errors import CatalogueError
from knowledge.fields import FieldSpec, FieldType, Parser, nearest_name, read_fields

ROW: dict[str, Any] = {
    "name": "staff",
    "type": "number",
    "unit": "人",
    "label": "职工人数",
    "question": "有多少人？",
}


def write(folder: Path, *rows: dict[str, Any] | str) -> Path:
    path = folder / "fields.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_every_field_can_be_named_asked_and_bounded() -> None:
    fields = read_fields()
    assert len(fields) >= 145
    for name, spec in fields.items():
        assert spec.name == name
        assert spec.label and spec.question.endswith("？")
        if spec.type == "number":
            assert spec.low is not None and spec.high is not None and spec.low < spec.high


@pytest.mark.parametrize(
    ("suffix", "unit"),
    [("_cny", "CNY"), ("_pct", "%"), ("_years", "年"), ("_months", "月"), ("_sqm", "㎡")],
)
def test_unit_stands_in_the_name(suffix: str, unit: str) -> None:
    named = [spec for spec in read_fields().values() if spec.name.endswith(suffix)]
    assert named
    assert {spec.unit for spec in named} == {unit}


def test_labels_are_distinct() -> None:
    labels = [spec.label for spec in read_fields().values()]
    assert len(set(labels)) == len(labels)


@pytest.mark.parametrize(
    ("kind", "unit", "parser"),
    [
        ("number", "CNY", Parser.AMOUNT), ("number", "%", Parser.PERCENTAGE), ("number", "人", Parser.HEADCOUNT),
        ("number", "年", Parser.YEARS), ("number", "月", Parser.MONTHS), ("number", "项", Parser.COUNT),
        ("number", None, Parser.COUNT), ("boolean", None, Parser.YES_NO), ("string", None, Parser.CHOICE),
        ("string_list", None, Parser.CHOICES),
    ],
)  # fmt: skip
def test_how_a_value_is_read_follows_from_unit_and_type(
    kind: FieldType, unit: str | None, parser: Parser
) -> None:
    assert FieldSpec("x", kind, unit, "某", "？").parser is parser


def test_stated_parser_wins() -> None:
    assert FieldSpec("x", "number", "年", "某", "？", parse=Parser.COUNT).parser is Parser.COUNT


def test_one_line_is_one_field(tmp_path: Path) -> None:
    more = {**ROW, "name": "place", "type": "string", "unit": None, "values": {"福田区": ["福田"]}}
    fields = read_fields(write(tmp_path, ROW, "", more))
    assert list(fields) == ["staff", "place"]
    assert fields["place"].values == {"福田区": ("福田",)}


@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        ("{", "fields.jsonl:2: not valid JSON"),
        ({**ROW, "name": "x", "typ": "number"}, "fields.jsonl:2: typ: "),
        ({**ROW, "name": "x", "type": "text"}, "fields.jsonl:2: type: "),
        ({**ROW, "name": "x", "low": "none"}, "fields.jsonl:2: low: "),
        (ROW, "fields.jsonl:2: name: 'staff' is defined twice"),
    ],
)
def test_defect_is_named_by_file_and_line(
    tmp_path: Path, spoiled: dict[str, Any] | str, named: str
) -> None:
    with pytest.raises(CatalogueError) as caught:
        read_fields(write(tmp_path, ROW, spoiled))
    assert caught.value.problems[0].startswith(named)


def test_nearest_name() -> None:
    assert nearest_name("annual_revenu_cny", read_fields()) == "annual_revenue_cny"
    assert nearest_name("xyzzy", read_fields()) is None
