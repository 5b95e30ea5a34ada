"""Enterprises found by name: exactly, or the few that are near."""

from __future__ import annotations

import pytest

from service.db import Database
from service.enterprises.names import NameIndex, core_of, find_by_name, name_key
from service.enterprises.operations import EnterpriseFacts, upsert_enterprise
from tests.knowledge.roster.companies import code_of

NAMES = (
    "深圳市云帆智能科技有限公司",
    "深圳市云帆贸易有限公司",
    "深圳市远航文化传媒有限公司",
    "福田创新（深圳）投资合伙企业（有限合伙）",
    "ABC Technology Co., Ltd.",
)


@pytest.fixture
def named(sqlite_database: Database) -> Database:
    with sqlite_database.session() as db:
        for number, name in enumerate(NAMES):
            upsert_enterprise(db, EnterpriseFacts(code_of(number), name))
    return sqlite_database


def names(database: Database, text: str, index: NameIndex | None = None) -> list[str]:
    with database.reading() as db:
        found = find_by_name(db, text, index)
    return [each.name for each in found.exact or found.near]


@pytest.mark.parametrize(
    "typed",
    [NAMES[0], " 深圳市云帆智能科技 有限公司", "深圳市云帆智能科技有限公司\u3000"],
)
def test_exact_name_in_any_width_and_spacing(named: Database, typed: str) -> None:
    with named.reading() as db:
        found = find_by_name(db, typed)
    assert ([each.name for each in found.exact], found.near) == ([NAMES[0]], ())
    assert found.exact[0].score == 100


def test_exact_name_of_any_brackets_and_case(named: Database) -> None:
    with named.reading() as db:
        assert find_by_name(db, "福田创新(深圳)投资合伙企业(有限合伙)").exact
        assert find_by_name(db, "abc technology co., ltd.").exact


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("云帆智能", NAMES[0]),
        ("云帆智能科技公司", NAMES[0]),
        ("深圳云凡智能科技有限公司", NAMES[0]),
        ("云帆贸易", NAMES[1]),
        ("远航文化", NAMES[2]),
        ("福田创新投资", NAMES[3]),
    ],
)
def test_part_or_mistyped_name_finds_the_near_ones(named: Database, typed: str, first: str) -> None:
    with named.reading() as db:
        found = find_by_name(db, typed)
    assert found.exact == ()
    assert found.near[0].name == first
    assert len(found.near) <= 5
    assert [n.score for n in found.near] == sorted((n.score for n in found.near), reverse=True)


@pytest.mark.parametrize("typed", ["", "云", "  ", "完全不相干的名字"])
def test_nothing_near_is_nothing(named: Database, typed: str) -> None:
    assert names(named, typed) == []


def test_empty_register_finds_nothing(sqlite_database: Database) -> None:
    assert names(sqlite_database, "云帆智能") == []


def test_enterprises_of_one_name_are_all_told(named: Database) -> None:
    with named.session() as db:
        upsert_enterprise(db, EnterpriseFacts(code_of(90), NAMES[0]))
    assert names(named, NAMES[0]) == [NAMES[0], NAMES[0]]


def test_index_follows_new_and_changed_names(named: Database) -> None:
    index = NameIndex()
    assert names(named, NAMES[1], index) == [NAMES[1]]
    with named.session() as db:
        upsert_enterprise(db, EnterpriseFacts(code_of(1), "深圳市云帆国际贸易有限公司"))
        upsert_enterprise(db, EnterpriseFacts(code_of(91), "深圳市新来科技有限公司"))
    assert names(named, "深圳市云帆国际贸易有限公司", index) == ["深圳市云帆国际贸易有限公司"]
    assert names(named, "深圳市新来科技有限公司", index) == ["深圳市新来科技有限公司"]
    with named.reading() as db:
        assert index.find(db, NAMES[1]).exact == ()


def test_core_is_what_tells_names_apart() -> None:
    assert core_of(name_key(NAMES[0])) == "云帆智能科技"
    assert core_of(name_key("深圳市有限公司")) == "深圳市有限公司"
