"""Finding enterprises, what the page gathers, and binding who speaks for one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from knowledge.fields import read_fields
from knowledge.profile import Known, Source
from service.console.queries_enterprises import (
    bind_speaker,
    enterprise_view,
    search,
    unbind_speaker,
)
from service.conversations.models import Conversation, Owner
from service.db import Database
from service.enterprises.models import EnterpriseImport, EnterpriseProfile
from service.enterprises.names import NameIndex
from service.enterprises.operations import EnterpriseFacts, find_enterprise, upsert_enterprise
from service.enterprises.profiles import keep_said_facts
from service.enterprises.speakers import enterprise_of
from service.errors import NotFound
from service.staff.audit import AuditFilter, entries
from tests.knowledge.roster.companies import code_of

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CODE, OTHER = code_of(1), code_of(2)


@pytest.fixture
def on_file(database: Database) -> Database:
    with database.session() as db:
        names = (
            "深圳市云帆智能科技有限公司",
            "深圳市云帆信息科技有限公司",
            "福田区海智餐饮有限公司",
        )
        for number, name in enumerate(names, start=1):
            aliases = ("云帆老张",) if number == 1 else ()
            upsert_enterprise(db, EnterpriseFacts(code_of(number), name, "福田区", aliases))
        for session in ("web-a", "web-b"):
            db.add(Conversation(id=session, channel="web", owner=Owner.BOT))
    return database


@pytest.mark.parametrize(
    ("text", "codes", "why"),
    [
        (CODE, [CODE], "信用代码"),
        (CODE.lower(), [CODE], "信用代码"),
        ("深圳市云帆智能科技有限公司", [CODE], "名称相同"),
        ("云帆老张", [CODE], "别名"),
        ("海智餐饮", [code_of(3)], "名称相近"),
    ],
)
def test_an_enterprise_is_found(on_file: Database, text: str, codes: list[str], why: str) -> None:
    with on_file.reading() as db:
        found = search(db, NameIndex(), text)
    assert [each.credit_code for each in found][: len(codes)] == codes
    assert found[0].why == why


def test_the_beginning_of_a_code_finds_all_that_begin_so(on_file: Database) -> None:
    with on_file.reading() as db:
        found = search(db, NameIndex(), CODE[:10])
    assert {each.credit_code for each in found} == {code_of(number) for number in (1, 2, 3)}


@pytest.mark.parametrize("text", ["", " ", "云", "%", "%%", "__", '"', "\\\\", "[]", "查" * 10_000])
def test_what_names_nobody_finds_nobody(on_file: Database, text: str) -> None:
    with on_file.reading() as db:
        assert search(db, NameIndex(), text) == []


def test_facts_are_shown_with_source_and_day_and_contradictions_beside_them(
    on_file: Database,
) -> None:
    said = Known(120, Source.SAID, date(2026, 11, 20))
    with on_file.session() as db:
        enterprise = find_enterprise(db, CODE)
        assert enterprise is not None
        taken = EnterpriseImport(file="f", source="registry", day=date(2026, 10, 31), rows=1)
        db.add(taken)
        db.flush()
        facts = {"employees": [86, taken.id]}
        db.add(EnterpriseProfile(enterprise_id=enterprise.id, facts=facts))
        db.flush()
        keep_said_facts(db, enterprise, {"employees": said}, "web-a")
    with on_file.reading() as db:
        view = enterprise_view(db, CODE, read_fields())
    (fact,), (pending,) = view.facts, view.pending
    assert (fact.text, fact.source, fact.day) == ("86人", Source.REGISTRY, date(2026, 10, 31))
    assert (pending.text, pending.official, pending.day) == ("120人", "86人", said.day)
    assert view.said == []


def test_binding_is_recorded_and_can_be_taken_back(on_file: Database) -> None:
    with on_file.session() as db:
        bind_speaker(db, CODE, " web-a ", "lin", NOW)
    with on_file.reading() as db:
        bound = enterprise_of(db, "web-a")
        view = enterprise_view(db, CODE, read_fields())
    assert bound is not None and bound.credit_code == CODE
    assert [each.session for each in view.speakers] == ["web-a"]
    assert [(each.session, each.messages) for each in view.conversations] == [("web-a", 0)]
    with on_file.session() as db:
        unbind_speaker(db, CODE, "web-a", "lin", NOW + timedelta(minutes=1))
    with on_file.reading() as db:
        assert enterprise_of(db, "web-a") is None
        recorded = entries(db, AuditFilter(subject=("enterprise", CODE)))
    assert [each.action for each in recorded] == ["speaker_unbound", "speaker_bound"]


def test_who_spoke_for_another_before_is_named_in_the_record(on_file: Database) -> None:
    with on_file.session() as db:
        bind_speaker(db, CODE, "web-a", "lin", NOW)
        bind_speaker(db, OTHER, "web-a", "lin", NOW)
        (entry,) = entries(db, AuditFilter(subject=("enterprise", OTHER)))
        assert entry.detail == {"session": "web-a", "instead_of": CODE}


def test_only_what_exists_is_bound_and_only_what_is_bound_is_unbound(on_file: Database) -> None:
    with on_file.session() as db:
        with pytest.raises(NotFound):
            bind_speaker(db, CODE, "web-unknown", "lin", NOW)
        bind_speaker(db, OTHER, "web-b", "lin", NOW)
        with pytest.raises(NotFound):
            unbind_speaker(db, CODE, "web-b", "lin", NOW)
