"""Who may speak for an enterprise, and what the desk then knows and keeps."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from knowledge.profile import Known, Source
from service.appeals.dispatch import Dispatcher
from service.db import Database
from service.desk import ServiceDesk
from service.enterprises.models import Enterprise
from service.enterprises.operations import find_enterprise
from service.enterprises.profiles import pending_of
from service.enterprises.speakers import bind, enterprise_of, unbind
from tests.knowledge.roster.companies import code_of, name_of
from tests.service.enterprises.test_profiles import found, official, on_file, take_in

__all__ = ["on_file"]
TUESDAY = date(2026, 11, 17)


def said(value: int) -> Known:
    return Known(value, Source.SAID, TUESDAY)


@pytest.fixture
def desk(on_file: Database) -> ServiceDesk:
    # Neither the dispatcher nor the encoder is asked for a profile.
    return ServiceDesk(on_file, object.__new__(Dispatcher), None)  # type: ignore[arg-type]


def bound(database: Database, session: str) -> None:
    with database.session() as db:
        bind(db, session, found(db), "staff-1")


def test_anonymous_speaker_is_shown_nothing_whatever_name_they_give(desk: ServiceDesk) -> None:
    assert desk.profile_of("web-1") is None
    assert desk.profile_of("web-1", name_of(1)) is None
    assert desk.profile_of("web-1", code_of(1)) is None


def test_bound_speaker_has_what_is_on_file(desk: ServiceDesk, on_file: Database) -> None:
    bound(on_file, "web-1")
    profile = desk.profile_of("web-1")
    assert profile is not None
    assert profile.name == name_of(1)
    assert profile.facts["employees"] == official(86)
    assert desk.profile_of("web-2") is None


def test_what_a_bound_speaker_says_is_kept_and_a_confirmed_value_replaces_the_file(
    desk: ServiceDesk, on_file: Database
) -> None:
    bound(on_file, "web-1")
    desk.keep_said_facts("web-1", {"annual_tax_cny": said(5_000_000), "employees": said(120)}, "m1")
    profile = desk.profile_of("web-1")
    assert profile is not None
    assert profile.facts["annual_tax_cny"] == said(5_000_000)
    assert profile.facts["employees"] == said(120)
    with on_file.reading() as db:
        assert pending_of(db, found(db)) == []


def test_what_an_anonymous_speaker_says_is_kept_nowhere(
    desk: ServiceDesk, on_file: Database
) -> None:
    desk.keep_said_facts("web-9", {"employees": said(120)}, "m1")
    bound(on_file, "web-1")
    profile = desk.profile_of("web-1")
    assert profile is not None and profile.facts["employees"] == official(86)


def test_binding_is_to_one_enterprise_and_can_be_taken_back(
    on_file: Database, tmp_path: Path
) -> None:
    take_in(on_file, tmp_path, f"企业名称,信用代码\n{name_of(2)},{code_of(2)}\n")
    bound(on_file, "web-1")
    with on_file.session() as db:
        other = find_enterprise(db, code_of(2))
        assert isinstance(other, Enterprise)
        bind(db, "web-1", other, "staff-2")
    with on_file.session() as db:
        now = enterprise_of(db, "web-1")
        assert now is not None and now.credit_code == code_of(2)
        assert unbind(db, "web-1") and not unbind(db, "web-1")
        assert enterprise_of(db, "web-1") is None
