"""What is known of an enterprise: official facts stand until somebody confirms his word against them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from knowledge.fields import read_fields
from knowledge.profile import Known, Source
from service.db import Database
from service.enterprises.importing import import_enterprises
from service.enterprises.models import Enterprise
from service.enterprises.operations import find_enterprise
from service.enterprises.profiles import (
    Pending,
    agree,
    confirm,
    keep_said_facts,
    pending_of,
    profile_of,
    reject,
)
from tests.knowledge.roster.companies import code_of, name_of

MONDAY, TUESDAY = date(2026, 11, 16), date(2026, 11, 17)
GAOQI, KEXIAO = "国家高新技术企业", "科技型中小企业"
REGISTER = f"企业名称,信用代码,注册区,员工,资质\n{name_of(1)},{code_of(1)},福田,86,国高\n"


def said(
    value: bool | int | float | str | tuple[str, ...],
    *lacks: str,
    is_complete: bool = False,
    is_approximate: bool = False,
) -> Known:
    whole = is_complete or not isinstance(value, tuple)
    return Known(value, Source.SAID, TUESDAY, whole, lacks, is_approximate)


def official(value: bool | int | float | str | tuple[str, ...]) -> Known:
    return Known(value, Source.REGISTRY, MONDAY)


@pytest.fixture
def on_file(database: Database, tmp_path: Path) -> Database:
    """A database with one enterprise from a register."""
    take_in(database, tmp_path, REGISTER)
    return database


def take_in(database: Database, folder: Path, text: str, day: date = MONDAY) -> None:
    file = folder / "名录.csv"
    file.write_text(text, encoding="utf-8")
    import_enterprises(database, file, read_fields(), day=day)


def found(db: Session) -> Enterprise:
    enterprise = find_enterprise(db, code_of(1))
    assert enterprise is not None
    return enterprise


def test_profile_has_the_source_and_day_of_each_fact(on_file: Database) -> None:
    with on_file.reading() as db:
        profile = profile_of(db, found(db))
    assert (profile.name, profile.credit_code) == (name_of(1), code_of(1))
    assert profile.facts == {
        "registered_district": official("福田区"),
        "employees": official(86),
        "qualifications": official((GAOQI,)),
    }


def test_said_fact_fills_a_gap_at_once(on_file: Database) -> None:
    with on_file.session() as db:
        kept = keep_said_facts(db, found(db), {"core_ip": said(True)}, "web-1")
        assert (kept.in_force, kept.pending) == (("core_ip",), ())
    with on_file.reading() as db:
        assert profile_of(db, found(db)).facts["core_ip"] == said(True)


def test_said_fact_never_silently_overwrites_an_official_one(on_file: Database) -> None:
    with on_file.session() as db:
        kept = keep_said_facts(db, found(db), {"employees": said(95)}, "web-1")
        assert kept.pending == (Pending("employees", said(95), official(86)),)
    with on_file.reading() as db:
        assert profile_of(db, found(db)).facts["employees"] == official(86)
        assert pending_of(db, found(db)) == list(kept.pending)
    with on_file.session() as db:
        assert confirm(db, found(db), "employees", "web-1") == said(95)
    with on_file.reading() as db:
        assert profile_of(db, found(db)).facts["employees"] == said(95)
        assert pending_of(db, found(db)) == []


def test_rejected_word_is_gone(on_file: Database) -> None:
    with on_file.session() as db:
        keep_said_facts(db, found(db), {"employees": said(95)}, "web-1")
        assert reject(db, found(db), "employees")
        assert not reject(db, found(db), "employees")
        assert confirm(db, found(db), "employees", "web-1") is None
    with on_file.reading() as db:
        assert profile_of(db, found(db)).facts["employees"] == official(86)


def test_new_word_against_a_confirmed_one_is_confirmed_again(on_file: Database) -> None:
    with on_file.session() as db:
        keep_said_facts(db, found(db), {"employees": said(95)}, "web-1")
        confirm(db, found(db), "employees", "web-1")
        assert keep_said_facts(db, found(db), {"employees": said(95)}, "web-1").pending == ()
        assert keep_said_facts(db, found(db), {"employees": said(99)}, "web-1").pending
        assert profile_of(db, found(db)).facts["employees"] == said(95)


def test_returning_to_the_official_value_takes_the_word_back(on_file: Database) -> None:
    with on_file.session() as db:
        keep_said_facts(db, found(db), {"employees": said(95)}, "web-1")
        confirm(db, found(db), "employees", "web-1")
        keep_said_facts(db, found(db), {"employees": said(86)}, "web-1")
        assert profile_of(db, found(db)).facts["employees"] == official(86)
        assert pending_of(db, found(db)) == []


def test_parts_of_a_list_add_up(on_file: Database) -> None:
    with on_file.session() as db:
        enterprise = found(db)
        for fact in (said(("甲",)), said((), "乙"), said(("丙",))):
            keep_said_facts(db, enterprise, {"park_tags": fact}, "web-1")
        assert profile_of(db, enterprise).facts["park_tags"] == said(("甲", "丙"), "乙")


def test_part_that_fits_the_official_list_leaves_it_as_it_is(on_file: Database) -> None:
    with on_file.session() as db:
        kept = keep_said_facts(db, found(db), {"qualifications": said((GAOQI,))}, "web-1")
        assert kept.in_force == ("qualifications",)
        assert profile_of(db, found(db)).facts["qualifications"] == official((GAOQI,))


def test_member_the_official_list_lacks_waits_and_is_added_when_confirmed(
    on_file: Database,
) -> None:
    with on_file.session() as db:
        kept = keep_said_facts(db, found(db), {"qualifications": said((KEXIAO,))}, "web-1")
        assert [each.field for each in kept.pending] == ["qualifications"]
        confirm(db, found(db), "qualifications", "web-1")
        known = profile_of(db, found(db)).facts["qualifications"]
        assert (known.value, known.is_complete) == ((GAOQI, KEXIAO), True)


def test_rough_number_near_the_official_one_is_no_contradiction() -> None:
    assert agree(official(31_200_000), said(30_000_000, is_approximate=True))
    assert not agree(official(31_200_000), said(30_000_000))
    assert not agree(official(31_200_000), said(20_000_000, is_approximate=True))
    assert not agree(official(True), said(False, is_approximate=True))


def test_said_fact_needs_a_day(on_file: Database) -> None:
    with pytest.raises(ValueError, match=r"employees.*day"), on_file.session() as db:
        keep_said_facts(db, found(db), {"employees": Known(3, Source.SAID)}, "web-1")


class TestNewRegister:
    def test_contradicted_word_waits_for_confirmation(
        self, on_file: Database, tmp_path: Path
    ) -> None:
        with on_file.session() as db:
            facts = {"core_ip": said(True), "annual_tax_cny": said(500)}
            keep_said_facts(db, found(db), facts, "web-1")
        text = f"信用代码,是否拥有核心知识产权,纳税额\n{code_of(1)},否,500\n"
        take_in(on_file, tmp_path, text, TUESDAY)
        with on_file.reading() as db:
            facts_now = profile_of(db, found(db)).facts
            assert facts_now["core_ip"] == Known(False, Source.REGISTRY, TUESDAY)
            assert facts_now["annual_tax_cny"].value == 500
            assert [each.field for each in pending_of(db, found(db))] == ["core_ip"]

    def test_word_confirmed_against_the_same_value_stays(
        self, on_file: Database, tmp_path: Path
    ) -> None:
        with on_file.session() as db:
            keep_said_facts(db, found(db), {"employees": said(95)}, "web-1")
            confirm(db, found(db), "employees", "web-1")
        take_in(on_file, tmp_path, REGISTER, TUESDAY)
        with on_file.reading() as db:
            assert profile_of(db, found(db)).facts["employees"] == said(95)
        take_in(on_file, tmp_path, REGISTER.replace("86", "88"), TUESDAY)
        with on_file.reading() as db:
            assert profile_of(db, found(db)).facts["employees"].value == 88
            assert [each.said for each in pending_of(db, found(db))] == [said(95)]
