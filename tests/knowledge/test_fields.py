"""The field dictionary: complete for the catalogue, free of contradictions, found by what people call a field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from knowledge.catalogue import read_catalogue
from knowledge.errors import CatalogueError
from knowledge.fields import (
    Fields,
    FieldSpec,
    FieldType,
    Parser,
    field_called,
    nearest_name,
    read_fields,
)
from knowledge.policy import Criterion, Op


@pytest.fixture(scope="module")
def fields() -> Fields:
    return read_fields()


def leaves(criteria: Iterable[object]) -> Iterable[Criterion]:
    for each in criteria:
        assert isinstance(each, Criterion)
        if each.op is Op.OR:
            assert isinstance(each.value, tuple)
            yield from leaves(each.value)
        else:
            yield each


class TestCompleteness:
    def test_every_field_can_be_asked_for_named_and_read(self, fields: Fields) -> None:
        for spec in fields.values():
            assert spec.question.endswith("？") and spec.label, spec.name
            assert spec.synonyms or spec.values, spec.name
            assert (spec.low is not None and spec.high is not None) is (spec.type == "number")
            assert spec.values or spec.type not in ("string", "string_list"), spec.name

    def test_every_value_of_the_catalogue_is_a_value_of_its_field(self, fields: Fields) -> None:
        catalogue = read_catalogue()
        missing = {
            (leaf.field, value)
            for policy in catalogue.policies.values()
            for leaf in leaves(policy.criteria)
            if fields[leaf.field].type in ("string", "string_list")
            for value in (leaf.value if isinstance(leaf.value, tuple) else (leaf.value,))
            if value not in fields[leaf.field].values
        }
        assert missing == set()

    def test_every_threshold_of_the_catalogue_is_a_believable_number(self, fields: Fields) -> None:
        for policy in read_catalogue().policies.values():
            for leaf in leaves(policy.criteria):
                spec = fields[leaf.field]
                if spec.type == "number":
                    assert spec.low is not None and spec.high is not None
                    assert isinstance(leaf.value, int | float)
                    assert spec.low <= leaf.value <= spec.high, (policy.id, leaf)

    def test_no_name_stands_for_two_fields_read_alike(self, fields: Fields) -> None:
        counted = Counter(
            (spec.parser, name)
            for spec in fields.values()
            for name in spec.synonyms
            if spec.parser not in (Parser.CHOICE, Parser.YEAR)
        )
        assert [key for key, n in counted.items() if n > 1] == []

    @pytest.mark.parametrize("key", ["label", "question"])
    def test_labels_and_questions_are_unlike(self, fields: Fields, key: str) -> None:
        assert len({getattr(spec, key) for spec in fields.values()}) == len(fields)


class TestNames:
    @pytest.mark.parametrize(
        ("called", "name"),
        [
            ("annual_revenue_cny", "annual_revenue_cny"),
            ("上年度营业收入", "annual_revenue_cny"),
            ("营收", "annual_revenue_cny"),
            (" 营 业 收 入 ", "annual_revenue_cny"),
            ("I类知识产权", "ip_class1_count"),
            ("Ｉ类知识产权", "ip_class1_count"),
            ("职工人数", "employees"),
            ("注册在", None),  # a city, a district
            ("研发费用", None),  # an amount, a percentage
            ("自有办公用房", None),  # what the field denies
            ("心情", None),
        ],
    )
    def test_field_is_found_by_what_people_call_it(
        self, fields: Fields, called: str, name: str | None
    ) -> None:
        found = field_called(called, fields)
        assert (found.name if found else None) == name

    def test_value_is_found_by_what_people_say(self, fields: Fields) -> None:
        assert fields["registered_district"].value_said("福田") == "福田区"
        assert fields["tax_district"].value_said("福田") == "福田区"
        assert fields["industry"].value_said("saas") == "软件"
        assert fields["industry"].value_said("养猪") is None


class TestEntry:
    def written(self, folder: Path, *entries: dict[str, object]) -> Path:
        common = {"unit": None, "label": "项", "question": "？"}
        path = folder / "f.jsonl"
        path.write_text("\n".join(json.dumps({**common, **each}) for each in entries), "utf-8")
        return path

    def test_new_field_is_one_entry(self, tmp_path: Path) -> None:
        source = self.written(tmp_path, {"name": "robots", "type": "number", "unit": "台"})
        assert read_fields(source)["robots"].parser is Parser.COUNT

    @pytest.mark.parametrize(
        ("changed", "problem"),
        [
            ({"low": 2, "high": 1}, "low: 2 lies above high 1"),
            ({"values": {"x": []}}, "values: a number has none"),
            ({"type": "boolean", "values": {"yes": []}}, "values: those of a boolean are"),
            ({"type": "string", "values": {"a": ["x"], "b": ["X"]}}, "values: 'x' stands for two"),
            ({"synonym": ["x"]}, "synonym: "),
            ({"parse": "guess"}, "parse: "),
        ],
    )
    def test_entry_that_contradicts_itself_is_refused(
        self, tmp_path: Path, changed: dict[str, object], problem: str
    ) -> None:
        source = self.written(tmp_path, {"name": "robots", "type": "number", **changed})
        with pytest.raises(CatalogueError, match=rf"f\.jsonl:1: {problem}"):
            read_fields(source)

    def test_values_of_an_unknown_field_come_with_the_nearest(self, tmp_path: Path) -> None:
        place: dict[str, object] = {"name": "place", "type": "string", "values": {"a": ["b"]}}
        other: dict[str, object] = {"name": "other", "type": "string", "values_of": "plce"}
        with pytest.raises(
            CatalogueError, match=r"other: values_of: .*'plce'; did you mean 'place'"
        ):
            read_fields(self.written(tmp_path, place, other))

    def test_spec_is_plain_data(self) -> None:
        spec = FieldSpec("n", "boolean", None, "是否新", "新吗？")
        assert (spec.parser, spec.names) == (Parser.YES_NO, ("n", "是否新"))


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


@pytest.mark.parametrize(
    ("suffix", "unit"),
    [("_cny", "CNY"), ("_pct", "%"), ("_years", "年"), ("_months", "月"), ("_sqm", "㎡")],
)
def test_unit_stands_in_the_name(suffix: str, unit: str) -> None:
    named = [spec for spec in read_fields().values() if spec.name.endswith(suffix)]
    assert named
    assert {spec.unit for spec in named} == {unit}


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
