"""The catalogue reader: the demo catalogue equals its facts; every kind of defect is named with its place."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from knowledge.catalogue import DEMO_CATALOGUE, Catalogue, read_catalogue
from knowledge.errors import CatalogueError, KnowledgeError
from knowledge.fields import FieldSpec, FieldType, read_fields
from knowledge.policy import Criterion, Level, Op, Policy, Status

FACTS_FILE = Path(__file__).resolve().parents[2].parent / "shared/policies/catalogue-facts.jsonl"
TYPES: Mapping[str, FieldType] = {
    "staff": "number",
    "listed": "boolean",
    "district": "string",
    "qualifications": "string_list",
}
FIELDS: Mapping[str, FieldSpec] = {
    name: FieldSpec(name, kind, None, name, f"{name}？") for name, kind in TYPES.items()
}
TEN_STAFF = {"field": "staff", "op": "gte", "value": 10, "note": "员工不少于10人"}
ROW: dict[str, Any] = {
    "id": "TT-001",
    "title": "测试奖励",
    "aliases": ["试奖"],
    "level": "区",
    "place": "福田区",
    "issuer": "测试局",
    "doc_no": None,
    "source_url": None,
    "published": "2024-01-01",
    "valid_from": "2024-02-01",
    "valid_to": "2026-12-31",
    "status": "current",
    "category": "测试",
    "industries": ["科技"],
    "benefit_type": "一次性奖励",
    "amount_max_cny": 100000,
    "summary": "一次性奖励10万元。",
    "criteria": [TEN_STAFF],
    "materials": ["营业执照"],
    "window": None,
    "department": "测试局",
    "phone": None,
    "confidence": "high",
    "note": None,
    "inferred": ["valid_to"],
}


def line(**changed: Any) -> str:
    return json.dumps({**ROW, **changed}, ensure_ascii=False)


def without(key: str) -> str:
    return json.dumps({name: value for name, value in ROW.items() if name != key})


def criterion(field: str, op: str, value: object) -> dict[str, object]:
    return {"field": field, "op": op, "value": value, "note": "条件"}


def one_of(*alternatives: Mapping[str, object]) -> dict[str, object]:
    return criterion("any_of", "or", list(alternatives))


def write(folder: Path, *lines: str, name: str = "some.jsonl") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def problems_of(source: Path) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(source, FIELDS)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.fixture(scope="module")
def facts() -> dict[str, dict[str, Any]]:
    if not FACTS_FILE.is_file():
        pytest.skip("the shared policy facts are not beside this repository")
    rows = [json.loads(text) for text in FACTS_FILE.read_text(encoding="utf-8").splitlines()]
    return {row["id"]: row for row in rows}


def figures(text: str | None) -> Counter[str]:
    return Counter(re.findall(r"\d+(?:\.\d+)?", text or ""))


def conditions(criteria: Iterable[object]) -> list[object]:
    return [
        (c.field, c.op.value, conditions(c.value))
        if c.op is Op.OR and isinstance(c.value, tuple)
        else (c.field, c.op.value, list(c.value) if isinstance(c.value, tuple) else c.value)
        for c in criteria
        if isinstance(c, Criterion)
    ]


def stated_conditions(rows: list[dict[str, Any]]) -> list[object]:
    return [
        (row["field"], row["op"], stated_conditions(row["value"]))
        if row["op"] == "or"
        else (row["field"], row["op"], row["value"])
        for row in rows
    ]


class TestDemoCatalogue:
    def test_holds_149_policies_by_level(self, catalogue: Catalogue) -> None:
        assert Counter(policy.level for policy in catalogue.policies.values()) == {
            Level.DISTRICT: 73,
            Level.CITY: 63,
            Level.PROVINCE: 3,
            Level.NATION: 10,
        }
        assert len(catalogue) == 149

    def test_place_fits_level(self, catalogue: Catalogue) -> None:
        places = {
            level: {p.place for p in catalogue.policies.values() if p.level is level}
            for level in (Level.CITY, Level.PROVINCE, Level.NATION)
        }
        assert places == {
            Level.CITY: {"深圳市"},
            Level.PROVINCE: {"广东省"},
            Level.NATION: {None},
        }

    def test_ids_are_those_of_the_facts(
        self, catalogue: Catalogue, facts: dict[str, dict[str, Any]]
    ) -> None:
        assert set(catalogue.policies) == set(facts)

    @pytest.mark.parametrize(
        "key",
        [
            "title", "level", "issuer", "doc_no", "source_url", "published", "valid_from", "valid_to",
            "status", "category", "industries", "benefit_type", "amount_max_cny", "materials",
            "department", "phone", "confidence", "inferred",
        ],
    )  # fmt: skip
    def test_stated_fact_carries_over(
        self, catalogue: Catalogue, facts: dict[str, dict[str, Any]], key: str
    ) -> None:
        def plain(value: object) -> object:
            if isinstance(value, date):
                return value.isoformat()
            return list(value) if isinstance(value, tuple) else value

        ours = {policy.id: plain(getattr(policy, key)) for policy in catalogue.policies.values()}
        assert ours == {policy_id: fact[key] for policy_id, fact in facts.items()}

    def test_criteria_carry_over(
        self, catalogue: Catalogue, facts: dict[str, dict[str, Any]]
    ) -> None:
        ours = {policy.id: conditions(policy.criteria) for policy in catalogue.policies.values()}
        assert ours == {
            policy_id: stated_conditions(fact["criteria"]) for policy_id, fact in facts.items()
        }

    @pytest.mark.parametrize(
        ("ours", "theirs"),
        [("summary", "benefit_summary"), ("window", "window"), ("note", "note")],
    )
    def test_figures_carry_over_and_none_is_new(
        self, catalogue: Catalogue, facts: dict[str, dict[str, Any]], ours: str, theirs: str
    ) -> None:
        written = {p.id: figures(getattr(p, ours)) for p in catalogue.policies.values()}
        stated = {policy_id: figures(fact[theirs]) for policy_id, fact in facts.items()}
        assert written == stated

    def test_summaries_are_in_own_words(
        self, catalogue: Catalogue, facts: dict[str, dict[str, Any]]
    ) -> None:
        copied = [
            policy_id
            for policy_id, fact in facts.items()
            if catalogue.policies[policy_id].summary == fact["benefit_summary"]
        ]
        assert copied == []

    def test_every_condition_can_be_read_aloud(self, catalogue: Catalogue) -> None:
        assert all(c.note.strip() for p in catalogue.policies.values() for c in p.criteria)

    def test_field_dictionary_covers_every_criterion(self, catalogue: Catalogue) -> None:
        def names(criteria: Iterable[object]) -> set[str]:
            found: set[str] = set()
            for each in criteria:
                if isinstance(each, Criterion) and each.op is Op.OR:
                    assert isinstance(each.value, tuple)
                    found |= names(each.value)
                elif isinstance(each, Criterion):
                    found.add(each.field)
            return found

        used = set().union(*(names(policy.criteria) for policy in catalogue.policies.values()))
        fields = read_fields()
        assert used <= set(fields)
        assert all(spec.label and spec.question.endswith("？") for spec in fields.values())


class TestReading:
    def test_row_becomes_policy(self, tmp_path: Path) -> None:
        policy = read_catalogue(write(tmp_path, line()), FIELDS).policies["TT-001"]
        assert policy.aliases == ("试奖",)
        assert policy.status is Status.CURRENT
        assert policy.valid_to == date(2026, 12, 31)
        assert policy.criteria == (Criterion("staff", Op.GTE, 10, "员工不少于10人"),)

    def test_or_criterion_keeps_its_alternatives(self, tmp_path: Path) -> None:
        source = write(
            tmp_path, line(criteria=[one_of(TEN_STAFF, criterion("listed", "eq", True))])
        )
        (either,) = read_catalogue(source, FIELDS).policies["TT-001"].criteria
        assert either.value == (
            Criterion("staff", Op.GTE, 10, "员工不少于10人"),
            Criterion("listed", Op.EQ, True, "条件"),
        )

    @pytest.mark.parametrize(
        ("field", "op", "value"),
        [
            ("staff", "eq", 3),
            ("staff", "lt", 0.5),
            ("listed", "eq", False),
            ("district", "eq", "福田区"),
            ("district", "in", ["福田区", "南山区"]),
            ("qualifications", "includes_any", ["国高"]),
            ("qualifications", "excludes", ["国高"]),
        ],
    )
    def test_op_that_fits_its_field_is_accepted(
        self, tmp_path: Path, field: str, op: str, value: object
    ) -> None:
        source = write(tmp_path, line(criteria=[criterion(field, op, value)]))
        (read,) = read_catalogue(source, FIELDS).policies["TT-001"].criteria
        assert read.value == (tuple(value) if isinstance(value, list) else value)
        assert type(read.value) is (tuple if isinstance(value, list) else type(value))

    def test_texts_of_conditions_are_read_in_the_width_of_profiles(self, tmp_path: Path) -> None:
        source = write(
            tmp_path,
            line(
                criteria=[
                    criterion("district", "eq", "Ａ区（一）"),
                    criterion("qualifications", "includes_any", ["国高（重新认定） "]),
                ]
            ),
        )
        read = read_catalogue(source, FIELDS).policies["TT-001"].criteria
        assert [each.value for each in read] == ["A区(一)", ("国高(重新认定)",)]

    def test_byte_order_mark_blank_lines_and_windows_ends_are_no_defect(
        self, tmp_path: Path
    ) -> None:
        path = tmp_path / "bom.jsonl"
        text = f"\r\n{line()}\r\n  \r\n{line(id='TT-002')}"
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert list(read_catalogue(path, FIELDS).policies) == ["TT-001", "TT-002"]

    def test_folder_is_read_in_order_of_names(self, tmp_path: Path) -> None:
        write(tmp_path, line(id="TT-002"), name="b.jsonl")
        write(tmp_path, line(id="TT-001"), name="a.jsonl")
        write(tmp_path, "no catalogue", name="readme.txt")
        assert list(read_catalogue(tmp_path, FIELDS).policies) == ["TT-001", "TT-002"]

    def test_values_keep_the_line_separators_json_allows(self, tmp_path: Path) -> None:
        source = write(tmp_path, line(note="甲\u2028乙"))
        assert read_catalogue(source, FIELDS).policies["TT-001"].note == "甲\u2028乙"


class TestDefects:
    @pytest.mark.parametrize(
        ("spoiled", "named"),
        [
            (line(titel="x"), "titel: "),
            (without("title"), "title: "),
            (line(title="  "), "title: "),
            (line(title=None), "title: "),
            (json.dumps({**ROW, "title": "\ud800"}), "title: "),
            (line(id="tt 1"), "id: "),
            (line(level="镇"), "level: "),
            (line(status="Current"), "status: "),
            (line(status="upcoming"), "status: "),
            (line(confidence="sure"), "confidence: "),
            (line(source_url="javascript:alert(1)"), "source_url: "),
            (line(source_url="https://a.cn/x y"), "source_url: "),
            (line(amount_max_cny="100000"), "amount_max_cny: "),
            (line(amount_max_cny=0), "amount_max_cny: "),
            (line(amount_max_cny=-5), "amount_max_cny: "),
            (line(amount_max_cny=True), "amount_max_cny: "),
            (line(materials="营业执照"), "materials: "),
            (line(materials=[""]), "materials.0: "),
            (line(inferred=["valid_untl"]), "inferred: 'valid_untl' is no key"),
            (line(published="2024-13-01"), "published: "),
            (line(published="2023-02-29"), "published: "),
            (line(published="2024/01/01"), "published: "),
            (line(published="2024-1-1"), "published: "),
            (line(published="20240101"), "published: "),
            (line(published="2024-01-01T00:00:00"), "published: "),
            (line(published=""), "published: "),
            (line(published=86400), "published: "),
            (line(published="86400"), "published: "),
            (line(valid_from="2027-01-01"), "valid_to: 2026-12-31 lies before valid_from"),
            (line(criteria={}), "criteria: "),
            (line(criteria=["福田"]), "criteria.0: "),
            (line(criteria=[TEN_STAFF, criterion("staff", "more", 1)]), "criteria.1.op: "),
            (line(criteria=[{**TEN_STAFF, "why": "x"}]), "criteria.0.why: "),
            (line(criteria=[{**TEN_STAFF, "note": ""}]), "criteria.0.note: "),
            (line(criteria=[criterion("staff", "gte", None)]), "criteria.0.value: "),
            (line(criteria=[criterion("staff", "gte", float("nan"))]), "criteria.0.value: "),
            (line(criteria=[criterion("staff", "gte", float("inf"))]), "criteria.0.value: "),
            ("[1, 2]", "record: "),
            ("null", "record: "),
            ('{"id": "TT-001",', "column 17: not valid JSON: "),
            ("id: TT-001", "column 1: not valid JSON: "),
            ("[" * 100_000, "record: "),
            ('{"amount_max_cny": ' + "1" * 5000 + "}", "record: "),
        ],
    )  # fmt: skip
    def test_bad_row_is_named_by_file_line_and_field(
        self, tmp_path: Path, spoiled: str, named: str
    ) -> None:
        problems = problems_of(write(tmp_path, line(id="TT-009"), spoiled))
        assert len(problems) == 1
        assert problems[0].startswith(f"some.jsonl:2: {named}")
        assert len(problems[0]) < 400

    @pytest.mark.parametrize(
        ("field", "op", "value"),
        [
            ("staff", "gte", "10"),
            ("staff", "gte", True),
            ("staff", "gte", ["10"]),
            ("staff", "eq", False),
            ("staff", "includes_any", ["10"]),
            ("staff", "in", ["10"]),
            ("listed", "eq", "yes"),
            ("listed", "eq", 1),
            ("listed", "gte", 1),
            ("district", "eq", 7),
            ("district", "gt", 7),
            ("district", "in", "福田区"),
            ("district", "in", []),
            ("district", "excludes", ["福田区"]),
            ("qualifications", "includes_any", "国高"),
            ("qualifications", "eq", "国高"),
            ("qualifications", "in", ["国高"]),
        ],
    )
    def test_op_or_value_that_does_not_fit_the_field_is_refused(
        self, tmp_path: Path, field: str, op: str, value: object
    ) -> None:
        source = write(tmp_path, line(criteria=[criterion(field, op, value)]))
        (problem,) = problems_of(source)
        assert problem.startswith("some.jsonl:1: criteria.0.value: ")
        assert f"op {op!r}" in problem
        assert f"field {field!r}" in problem

    def test_unknown_field_comes_with_the_nearest_name(self, tmp_path: Path) -> None:
        source = write(tmp_path, line(criteria=[TEN_STAFF, criterion("staf", "gte", 1)]))
        assert problems_of(source) == [
            "some.jsonl:1: criteria.1.field: TT-001: unknown field 'staf'; did you mean 'staff'?"
        ]

    def test_unknown_op_comes_with_the_nearest_name_also_inside_an_alternative(
        self, tmp_path: Path
    ) -> None:
        wrong = one_of(TEN_STAFF, criterion("staf", "GTEE", 1))
        assert problems_of(write(tmp_path, line(criteria=[wrong]))) == [
            "some.jsonl:1: criteria.0.value.1.field: TT-001: unknown field 'staf'; did you mean 'staff'?",
            "some.jsonl:1: criteria.0.value.1.op: TT-001: unknown op 'GTEE' on 'staf'; did you mean 'gte'?",
        ]

    def test_unknown_field_unlike_any_other_comes_without_advice(self, tmp_path: Path) -> None:
        source = write(tmp_path, line(criteria=[criterion("xyzzy", "gte", 1)]))
        assert problems_of(source) == [
            "some.jsonl:1: criteria.0.field: TT-001: unknown field 'xyzzy'"
        ]

    def test_defect_inside_an_alternative_is_named_by_its_path(self, tmp_path: Path) -> None:
        nested = one_of(TEN_STAFF, one_of(criterion("staff", "gte", "ten")))
        (problem,) = problems_of(write(tmp_path, line(criteria=[nested])))
        assert problem.startswith("some.jsonl:1: criteria.0.value.1.value.0.value: 'ten' does not")

    @pytest.mark.parametrize(
        "malformed",
        [
            criterion("staff", "or", [TEN_STAFF]),
            criterion("any_of", "or", []),
            criterion("any_of", "or", "staff"),
            criterion("any_of", "or", ["staff"]),
            criterion("any_of", "eq", True),
        ],
    )
    def test_malformed_alternatives_are_refused(
        self, tmp_path: Path, malformed: dict[str, object]
    ) -> None:
        (problem,) = problems_of(write(tmp_path, line(criteria=[malformed])))
        assert problem.startswith("some.jsonl:1: criteria.0")
        assert "any_of" in problem

    def test_duplicate_id_across_files_names_both_places(self, tmp_path: Path) -> None:
        write(tmp_path, line(id="TT-002"), line(), name="a.jsonl")
        write(tmp_path, line(), name="b.jsonl")
        assert problems_of(tmp_path) == ["b.jsonl:1: id: 'TT-001' is already used at a.jsonl:2"]

    @pytest.mark.parametrize(
        ("spoiled", "key"),
        [
            (line()[:-1] + ', "title": "另一个"}', "title"),
            (line().replace('"op": "gte"', '"op": "gte", "op": "lte"'), "op"),
        ],
    )
    def test_duplicate_key_is_refused(self, tmp_path: Path, spoiled: str, key: str) -> None:
        assert problems_of(write(tmp_path, spoiled)) == [
            f"some.jsonl:1: {key}: this key stands twice in one object"
        ]

    def test_all_defects_are_told_at_once(self, tmp_path: Path) -> None:
        write(tmp_path, line(status="?", published="?"), "{", name="a.jsonl")
        write(tmp_path, line(criteria=[criterion("nil", "eq", 1)], inferred=["?"]), name="b.jsonl")
        assert [problem.split(": ")[:2] for problem in problems_of(tmp_path)] == [
            ["a.jsonl:1", "published"],
            ["a.jsonl:1", "status"],
            ["a.jsonl:2", "column 2"],
            ["b.jsonl:1", "inferred"],
            ["b.jsonl:1", "criteria.0.field"],
        ]

    def test_file_that_is_not_utf8_is_refused_with_the_byte(self, tmp_path: Path) -> None:
        path = tmp_path / "gbk.jsonl"
        path.write_bytes('{"title": "奖励"}'.encode("gbk"))
        assert problems_of(path) == ["gbk.jsonl: byte 11: not UTF-8; save the file as UTF-8"]

    @pytest.mark.parametrize("content", ["", "\n \n", "\ufeff"])
    def test_empty_file_is_refused(self, tmp_path: Path, content: str) -> None:
        (problem,) = problems_of(write(tmp_path, content))
        assert problem.startswith("some.jsonl: no policy in it")

    def test_folder_without_catalogue_files_is_refused(self, tmp_path: Path) -> None:
        write(tmp_path, line(), name="policies.json")
        assert problems_of(tmp_path) == [f"{tmp_path}: no .jsonl file in this folder"]

    def test_missing_file_is_refused(self, tmp_path: Path) -> None:
        missing = tmp_path / "nowhere.jsonl"
        assert problems_of(missing) == [f"{missing}: no such file or folder"]

    def test_folder_that_looks_like_a_file_is_refused(self, tmp_path: Path) -> None:
        (tmp_path / "trap.jsonl").mkdir()
        (problem,) = problems_of(tmp_path)
        assert problem.startswith(f"{tmp_path / 'trap.jsonl'}: cannot be read: ")

    def test_errors_belong_to_the_knowledge_family(self) -> None:
        assert issubclass(CatalogueError, KnowledgeError)


class TestFieldDictionary:
    def test_field_defined_twice_is_refused(self, tmp_path: Path) -> None:
        field = '{"name":"staff","type":"number","unit":null,"label":"员工","question":"几人？"}'
        with pytest.raises(CatalogueError, match=r"f\.jsonl:2: name: 'staff' is defined twice"):
            read_fields(write(tmp_path, field, field, name="f.jsonl"))

    def test_defect_names_file_line_and_key(self, tmp_path: Path) -> None:
        with pytest.raises(CatalogueError, match=r"f\.jsonl:1: label: "):
            read_fields(write(tmp_path, '{"name":"staff","type":"number"}', name="f.jsonl"))

    def test_units_stand_in_the_names(self) -> None:
        units = {"_cny": "CNY", "_pct": "%", "_years": "年", "_months": "月", "_sqm": "㎡"}
        said = {
            spec.name: spec.unit
            for spec in read_fields().values()
            if spec.name.endswith(tuple(units))
        }
        assert said
        assert said == {name: units[name[name.rindex("_") :]] for name in said}


def test_a_line_read_before_gives_the_very_same_policy(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first, second = (DEMO_CATALOGUE / "futian.jsonl").read_text(encoding="utf-8").split("\n")[:2]
    path.write_text(f"{first}\n{second}\n", encoding="utf-8")
    lines: dict[str, Policy] = {}
    before = read_catalogue(path, lines=lines)
    changed = second.replace("福田", "罗湖")
    path.write_text(f"{changed}\n{first}\n", encoding="utf-8")
    after = read_catalogue(path, lines=lines)
    old, new = list(before.policies.values()), list(after.policies.values())
    assert new[1] is old[0]
    assert new[0] != old[1]
    assert set(lines) == {first, changed}


def test_a_line_read_before_that_stands_twice_now_is_still_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    first = (DEMO_CATALOGUE / "futian.jsonl").read_text(encoding="utf-8").split("\n")[0]
    path.write_text(first, encoding="utf-8")
    lines: dict[str, Policy] = {}
    read_catalogue(path, lines=lines)
    path.write_text(f"{first}\n{first}\n", encoding="utf-8")
    with pytest.raises(CatalogueError, match="already used"):
        read_catalogue(path, lines=lines)
    assert list(lines) == [first]
