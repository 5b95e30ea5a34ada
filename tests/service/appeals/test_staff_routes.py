"""The desk's endpoints: who may call which, lists, one appeal, every step, many at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import Request
from fastapi.testclient import TestClient

from service.app import create_app
from service.appeals.staff_routes import STEPS, appeals_staff_router
from service.appeals.visibility import NotYours
from service.db import Database
from service.desk import ServiceDesk
from service.settings import Settings
from service.staff.permissions import Permission, Staff
from tests.service.appeals.people import (
    ADMIN,
    CENTRE,
    COMMISSIONER,
    EVERYBODY,
    FINANCE,
    POWER,
    POWER_NAME,
    SCIENCE_NAME,
)
from tests.service.appeals.seams import Clock, draft
from tests.service.fakes import EchoBot, sorry

PHONE = "13800138000"


def require(permission: Permission) -> Callable[[Request], Staff]:
    """The sign-in of these tests: a header says who it is."""
    people = {staff.id: staff for staff in EVERYBODY}

    def person(request: Request) -> Staff:
        staff = people[request.headers["x-staff"]]
        if not staff.may(permission):
            raise NotYours("不行", "")
        return staff

    return person


@pytest.fixture
def database(sqlite_database: Database) -> Database:
    """One kind is enough here: the operations are tested on both."""
    return sqlite_database


@pytest.fixture
def client(settings: Settings, database: Database, clock: Clock) -> Iterator[TestClient]:
    router = appeals_staff_router(require, now=clock)
    app = create_app(settings, database, EchoBot(), sorry, routers=[router])
    with TestClient(app) as client:
        yield client


@pytest.fixture
def no(desk: ServiceDesk) -> str:
    return desk.file_appeal(draft("m1", phone=PHONE, company="甲公司")).no


@pytest.fixture
def call(client: TestClient) -> Callable[..., Any]:
    def do(staff: Staff, path: str, want: int = 200, **body: object) -> object:
        headers = {"x-staff": staff.id}
        url = f"/api/staff/appeals{path}"
        answer = (
            client.post(url, json=body, headers=headers)
            if path.count("/") > 1 or path == "/dispatch"
            else client.get(url, params=body, headers=headers)  # type: ignore[arg-type]
        )
        assert answer.status_code == want, answer.text
        return answer.json()

    return do


def test_an_appeal_goes_from_filing_to_rating_through_the_endpoints(
    call: Callable[..., Any], no: str
) -> None:
    assert call(POWER, f"/{no}/accept")["state"] == "accepted"
    assert call(POWER, f"/{no}/pause", category="more_from_requester", note="请补充地址")[
        "clock"
    ] == ("已暂停计时（等待企业补充材料），剩余5个工作日6小时")
    call(POWER, f"/{no}/resume")
    call(POWER, f"/{no}/ask-extension", days=2, reason="设备在途")
    call(CENTRE, f"/{no}/extend", approved=True)
    call(FINANCE, f"/{no}/note", want=404, text="看不见")
    call(POWER, f"/{no}/answer", text="已恢复供电")
    row = call(COMMISSIONER, f"/{no}/rate", solved=True, satisfied=5)
    assert (row["state"], row["extension"]) == ("closed", "extended")
    whole = call(CENTRE, f"/{no}")
    assert (whole["phone"], whole["solved"], whole["satisfied"]) == (PHONE, True, 5)
    assert [(e["by"], e["text"]) for e in whole["timeline"]] == [
        ("企业", "已收到企业的诉求"),
        ("系统", f"已分派给{POWER_NAME}"),
        ("供电张工", "责任部门已受理"),
        ("供电张工", "计时暂停：等待企业补充材料（请补充地址）"),
        ("供电张工", "计时恢复"),
        ("供电张工", "申请延期2个工作日"),
        ("李主任", "经批准延期2个工作日"),
        ("供电张工", "责任部门已答复：已恢复供电"),
        ("王专员", "企业确认已解决，办结"),
        ("王专员", "企业评价满意度5分"),
    ]
    assert whole["timeline"][0]["note"] == "小福没有答上"
    assert call(POWER, f"/{no}")["steps"] == ["reopen", "note"]


@pytest.mark.parametrize("name", sorted(STEPS))
def test_every_step_asks_for_its_permission(call: Callable[..., Any], no: str, name: str) -> None:
    permission = STEPS[name][0]
    call(ADMIN, f"/{no}/{name}", want=403)
    for staff in (POWER, COMMISSIONER):
        if not staff.may(permission):
            call(staff, f"/{no}/{name}", want=403)
    call(CENTRE, "/FT-20261123-9999/" + name, want=404, category="other", days=1)


def test_every_endpoint_needs_a_permission(client: TestClient, no: str) -> None:
    seen = 0
    for path, operations in client.app.openapi()["paths"].items():  # type: ignore[attr-defined]
        if path.startswith("/api/staff/appeals"):
            for method in operations:
                answer = client.request(
                    method, path.replace("{no}", no), headers={"x-staff": ADMIN.id},
                    json={"numbers": [no], "lead": "power"} if path.endswith("s/dispatch") else {},
                )  # fmt: skip
                assert answer.status_code == 403, path
                seen += 1
    assert seen == len(STEPS) + 5


def test_a_list_shows_the_own_and_filters(
    call: Callable[..., Any], desk: ServiceDesk, clock: Clock, no: str
) -> None:
    other = desk.file_appeal(draft("m2", "贷款续贷被拒", "web-2")).no
    assert [row["no"] for row in call(POWER, "")["appeals"]] == [no]
    assert {row["no"] for row in call(CENTRE, "")["appeals"]} == {no, other}
    for query, found in (
        ({"text": "停电"}, [no]),
        ({"text": "甲公司"}, [no]),
        ({"text": no}, [no]),
        ({"text": no.lower()[:11]}, [no, other]),
        ({"text": "停电 影响"}, [no]),
        ({"text": "停%电"}, []),
        ({"state": "accepted"}, []),
        ({"department": "finance"}, [other]),
        ({"overdue": True}, []),
        ({"received_from": "2026-11-24"}, []),
        ({"received_to": "2026-11-24"}, [no, other]),
    ):
        rows = call(CENTRE, "", order="due", **query)["appeals"]
        assert [row["no"] for row in rows] == found, query
    assert call(CENTRE, "/counts") == {"dispatched": 2}
    clock.at = clock.at.replace(month=12, day=1)
    rows = call(CENTRE, "", overdue=True)["appeals"]
    assert [(row["no"], row["is_overdue"]) for row in rows] == [(no, True), (other, True)]
    assert rows[0]["clock"] == "已逾期1小时"


def test_pages_follow_each_other_without_gap_or_repeat(
    call: Callable[..., Any], desk: ServiceDesk
) -> None:
    for n in range(23):
        desk.file_appeal(draft(f"m{n}", f"事项{n}", f"web-{n}"))
    for order in ("due", "newest"):
        seen, after = [], None
        while True:
            page = call(CENTRE, "", order=order, limit=5, **({"after": after} if after else {}))
            seen += [row["no"] for row in page["appeals"]]
            after = page["next"]
            if after is None:
                break
        assert len(seen) == len(set(seen)) == 23
        assert seen == sorted(seen, reverse=order == "newest")
    for wrong in ("x", "2026-01-01_1", "_", "2026-01-01T00:00:00+00:00_x"):
        call(CENTRE, "", want=422, after=wrong)


def test_many_are_dispatched_each_wholly_or_not_at_all(
    call: Callable[..., Any], desk: ServiceDesk, no: str
) -> None:
    closed = desk.file_appeal(draft("m2", "另一件", "web-2")).no
    call(CENTRE, f"/{closed}/settle", text="已办")
    results = call(
        CENTRE,
        "/dispatch",
        numbers=[no, closed, "FT-20261123-9999", no],
        lead="区科创局",
        co=["finance"],
    )
    assert [(r["no"], r["ok"]) for r in results] == [
        (no, True), (closed, False), ("FT-20261123-9999", False)
    ]  # fmt: skip
    assert "已办结" in results[1]["error"]
    whole = call(CENTRE, f"/{no}")
    assert whole["row"]["department"] == SCIENCE_NAME
    assert whole["row"]["co_departments"] == ["福田区金融工作局"]
    assert whole["first_department"] == POWER_NAME
    wrong = call(CENTRE, "/dispatch", numbers=[no], lead="火星局")
    assert not wrong[0]["ok"]


def test_choices_name_reasons_and_departments(call: Callable[..., Any]) -> None:
    got = call(POWER, "/choices")
    assert {"code": "superior", "text": "等待上级批复"} in got["pauses"]
    assert len(got["not_accepted"]) == 7
    assert {"code": "power", "name": POWER_NAME} in got["departments"]


def test_what_is_not_there_or_not_theirs_looks_the_same(call: Callable[..., Any], no: str) -> None:
    hidden = call(FINANCE, f"/{no}", want=404)
    assert hidden == call(FINANCE, "/FT-20261123-9999", want=404)
    assert hidden == call(FINANCE, f"/{no}/accept", want=404)
