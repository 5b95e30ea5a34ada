"""Enterprises by credit code: kept once, official facts over stated ones."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from service.db import Database
from service.enterprises.operations import (
    EnterpriseFacts,
    InvalidCreditCode,
    find_enterprise,
    keep_stated,
    normal_credit_code,
    upsert_enterprise,
)
from service.errors import InvalidInput

CODE = "91440300192189783K"


def test_unknown_enterprise_is_none(database: Database) -> None:
    with database.reading() as db:
        assert find_enterprise(db, CODE) is None


def test_upsert_inserts_then_updates_and_keeps_what_is_not_said(database: Database) -> None:
    with database.session() as db:
        first = upsert_enterprise(db, EnterpriseFacts(CODE, "甲公司", "福田区", ("小王",)))
    with database.session() as db:
        upsert_enterprise(
            db, EnterpriseFacts(CODE.lower(), " 甲  公司（新名） ", None, ("小李", "小王"))
        )
    with database.reading() as db:
        row = find_enterprise(db, f" {CODE[:8]}-{CODE[8:]} ")
    assert row is not None
    assert (row.id, row.name, row.district) == (first.id, "甲 公司（新名）", "福田区")
    assert row.contact_aliases == ["小王", "小李"]
    assert row.is_verified


def test_stated_facts_fill_a_gap_only(database: Database) -> None:
    with database.session() as db:
        assert not keep_stated(db, EnterpriseFacts(CODE, "听说的名字")).is_verified
        assert keep_stated(db, EnterpriseFacts(CODE, "另一个名字")).name == "听说的名字"
        assert upsert_enterprise(db, EnterpriseFacts(CODE, "登记的名字")).is_verified
        assert keep_stated(db, EnterpriseFacts(CODE, "另一个名字")).name == "登记的名字"


@pytest.mark.parametrize(
    "code",
    [
        "",
        "91440300192189783X",
        "9144030019218978",
        "91440300192189783K0",
        "统一社会信用代码",
        "\0" * 18,
    ],
)
def test_wrong_credit_code_is_refused(sqlite_database: Database, code: str) -> None:
    with pytest.raises(InvalidCreditCode, match="统一社会信用代码"):
        normal_credit_code(code)
    with pytest.raises(InvalidCreditCode), sqlite_database.session() as db:
        upsert_enterprise(db, EnterpriseFacts(code, "甲公司"))


@pytest.mark.parametrize("name", ["", "  ", "甲", "长" * 201])
def test_impossible_name_is_refused(sqlite_database: Database, name: str) -> None:
    with pytest.raises(InvalidInput, match="企业名称"), sqlite_database.session() as db:
        upsert_enterprise(db, EnterpriseFacts(CODE, name))


def test_racing_upserts_keep_one_row_and_every_alias(database: Database) -> None:
    def upsert(n: int) -> int:
        with database.session() as db:
            return upsert_enterprise(db, EnterpriseFacts(CODE, "甲公司", None, (f"联系人{n}",))).id

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(upsert, range(16)))) == 1
    with database.reading() as db:
        row = find_enterprise(db, CODE)
    assert row is not None and len(row.contact_aliases) == 16
