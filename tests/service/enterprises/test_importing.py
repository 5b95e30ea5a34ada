"""Files of enterprises taken in: added or brought up to date, all or nothing, everything wrong named."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select

from knowledge.errors import RosterError
from knowledge.fields import read_fields
from knowledge.profile import Source
from service.db import Database
from service.enterprises import importing
from service.enterprises.importing import ImportReport, import_enterprises
from service.enterprises.models import Enterprise, EnterpriseImport, EnterpriseProfile
from service.enterprises.operations import EnterpriseFacts, find_enterprise, keep_stated
from service.enterprises.profiles import profile_of
from tests.knowledge.roster.companies import code_of, name_of

FIELDS = read_fields()


def take_in(database: Database, folder: Path, *lines: str, is_dry: bool = False) -> ImportReport:
    file = folder / "名录.csv"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return import_enterprises(database, file, FIELDS, is_dry=is_dry)


def count(database: Database, table: type[object]) -> int | None:
    with database.reading() as db:
        return db.scalar(select(func.count()).select_from(table))


HEADER = "企业名称,信用代码,注册区,员工"


def test_import_adds_and_another_one_brings_up_to_date(database: Database, tmp_path: Path) -> None:
    first = take_in(
        database,
        tmp_path,
        HEADER,
        f"{name_of(1)},{code_of(1)},福田,86",
        f"{name_of(2)},{code_of(2)},南山,12",
    )
    assert (first.added, first.updated, first.facts, first.is_written) == (2, 0, 4, True)
    second = take_in(
        database,
        tmp_path,
        "企业名称,信用代码,注册区,纳税额",
        f"{name_of(1)}（新名）,{code_of(1)},罗湖,500",
        f",{code_of(2)},,",
        f"{name_of(3)},{code_of(3)},,",
    )
    assert (second.added, second.updated) == (1, 2)
    with database.reading() as db:
        enterprise = find_enterprise(db, code_of(1))
        assert enterprise is not None
        assert (enterprise.name, enterprise.district) == (f"{name_of(1)}（新名）", "罗湖区")
        assert enterprise.is_verified
        facts = profile_of(db, enterprise).facts
        assert {name: fact.value for name, fact in facts.items()} == {
            "registered_district": "罗湖区",
            "employees": 86,
            "annual_tax_cny": 500,
        }
        other = find_enterprise(db, code_of(2))
        assert other is not None and (other.name, other.district) == (name_of(2), "南山区")


def test_enterprise_only_stated_before_is_verified(database: Database, tmp_path: Path) -> None:
    with database.session() as db:
        keep_stated(db, EnterpriseFacts(code_of(1), "听说的名字", contact_aliases=("小王",)))
    take_in(database, tmp_path, HEADER, f"{name_of(1)},{code_of(1)},福田,86")
    with database.reading() as db:
        row = find_enterprise(db, code_of(1))
    assert row is not None
    assert (row.name, row.is_verified, row.contact_aliases) == (name_of(1), True, ["小王"])


def test_wrong_rows_are_named_and_good_ones_kept(database: Database, tmp_path: Path) -> None:
    report = take_in(
        database,
        tmp_path,
        HEADER,
        f"{name_of(1)},{code_of(1)},福田,86",
        f"{name_of(2)},123,福田,86",
        f",{code_of(3)},福田,86",
        f"{name_of(4)},{code_of(4)},福田,很多",
    )
    assert (report.added, report.left_out, report.problem_count) == (2, 2, 3)
    assert sorted(problem.row for problem in report.problems) == [3, 4, 5]
    assert count(database, Enterprise) == 2


def test_dry_run_tells_the_same_and_writes_nothing(database: Database, tmp_path: Path) -> None:
    lines = (HEADER, f"{name_of(1)},{code_of(1)},福田,86", f",{code_of(2)},福田,86")
    dry = take_in(database, tmp_path, *lines, is_dry=True)
    assert (dry.added, dry.updated, dry.left_out, dry.is_written) == (1, 0, 1, False)
    assert count(database, Enterprise) == count(database, EnterpriseImport) == 0
    wet = take_in(database, tmp_path, *lines)
    assert (wet.added, wet.facts, wet.problem_count) == (dry.added, dry.facts, dry.problem_count)


def test_nothing_is_half_written(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "_AT_ONCE", 2)
    lines = [f"{name_of(n)},{code_of(n)},福田,86" for n in range(1, 8)]

    def stop_late(step: str, done: int, total: int | None) -> None:
        if step == "写入" and done >= 6:
            raise KeyboardInterrupt

    file = tmp_path / "名录.csv"
    file.write_text("\n".join([HEADER, *lines]), encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        import_enterprises(database, file, FIELDS, progress=stop_late)
    for table in (Enterprise, EnterpriseProfile, EnterpriseImport):
        assert count(database, table) == 0
    assert import_enterprises(database, file, FIELDS).added == 7


def test_file_that_cannot_be_used_writes_nothing(database: Database, tmp_path: Path) -> None:
    with pytest.raises(RosterError, match="没有统一社会信用代码"):
        take_in(database, tmp_path, "企业名称,员工", "甲公司,3")
    assert count(database, EnterpriseImport) == 0


def test_progress_counts_rows_read_and_written(database: Database, tmp_path: Path) -> None:
    steps: list[tuple[str, int, int | None]] = []
    file = tmp_path / "名录.csv"
    file.write_text(f"{HEADER}\n{name_of(1)},{code_of(1)},福田,86\n", encoding="utf-8")
    import_enterprises(
        database,
        file,
        FIELDS,
        source=Source.PROFILE,
        progress=lambda step, done, total: steps.append((step, done, total)),
    )
    assert [(step, done) for step, done, _ in steps] == [("读取", 1), ("写入", 1)]
    with database.reading() as db:
        enterprise = find_enterprise(db, code_of(1))
        assert enterprise is not None
        assert profile_of(db, enterprise).facts["employees"].source is Source.PROFILE
