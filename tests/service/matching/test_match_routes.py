"""POST /api/match: the contract of the answer, what is wrong with a profile named beside it, refusals in the service's form."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from knowledge.answer import Answerer
from knowledge.catalogue import Catalogue
from knowledge.dense import VectorCache
from knowledge.live import Live
from knowledge.retrieval import Retriever
from service.app import create_app
from service.db import Database
from service.limits import TokenBuckets
from service.matching.routes import matching_router
from service.settings import Settings
from tests.knowledge.samples import HashedEncoder
from tests.service.fakes import EchoBot, sorry

SOFTWARE = {
    "registered_district": "福田区",
    "registered_city": "深圳市",
    "industry": "软件",
    "annual_revenue_cny": 32_000_000,
    "qualifications": ["国家高新技术企业"],
    "employees": 86,
}
DAY = "2026-11-24"


@pytest.fixture(scope="module")
def live(catalogue: Catalogue, tmp_path_factory: pytest.TempPathFactory) -> Live:
    cache = VectorCache(tmp_path_factory.mktemp("vectors"))
    return Live(Answerer(Retriever(catalogue, HashedEncoder(), cache)))


@pytest.fixture
def client(settings: Settings, sqlite_database: Database, live: Live) -> Iterator[TestClient]:
    router = matching_router(live, TokenBuckets(5))
    app = create_app(settings, sqlite_database, EchoBot(), sorry, routers=[router])
    with TestClient(app, client=("127.0.0.1", 50000)) as client:
        yield client


def match(client: TestClient, profile: object, **body: object) -> dict[str, Any]:
    content = json.dumps({"profile": profile, "as_of": DAY, **body})
    headers = {"Content-Type": "application/json"}
    response = client.post("/api/match", content=content, headers=headers)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def test_answer_has_the_shape_of_the_contract(client: TestClient, catalogue: Catalogue) -> None:
    answer = match(client, SOFTWARE, need=None, top=10)
    assert list(answer) == ["matches", "next_question", "near_misses", "bundle", "problems"]
    assert len(answer["matches"]) == 10
    for each in answer["matches"]:
        assert list(each)[:6] == [
            "policy_id",
            "title",
            "verdict",
            "score",
            "amount_max_cny",
            "criteria",
        ]
        assert each["score"] == 0.0
        assert each["dates"]["state"] in {"open", "closing_soon", "upcoming", "unknown", "expired"}
        for criterion in each["criteria"]:
            assert list(criterion)[:5] == ["field", "verdict", "have", "need", "clause"]
            assert criterion["clause"] in catalogue.clauses
            assert criterion["verdict"] in {"met", "failed", "unknown"}
            assert (criterion["have"] is None) == (criterion["verdict"] == "unknown")


def test_condition_tells_value_source_day_and_gap(client: TestClient) -> None:
    profile = {"employees": 301, "taxable_income_cny": 1_000_000, "assets_total_cny": 50_000_000}
    answer = match(client, profile)
    (near,) = [each for each in answer["near_misses"] if each["policy_id"] == "CN-008"]
    missing = near["missing"]
    assert near["verdict"] == "ineligible"
    assert (missing["field"], missing["verdict"]) == ("employees", "failed")
    assert (missing["have"], missing["need"]) == ("301人", "职工人数不超过300人")
    assert missing["gap"] == {"amount": 1.0, "unit": "人", "text": "超出1人"}
    assert (missing["value"], missing["source"]) == (301, "profile")
    assert missing["day"]
    assert missing["clause"] == "CN-008#conditions"
    assert near["dates"]["text"]


def test_expired_item_is_stamped_and_never_in_bundle_or_near_misses(client: TestClient) -> None:
    profile = {**SOFTWARE, "rd_expense_cny": 900_000, "credit_ok": True, "legal_person": True}
    answer = match(client, profile, top=50)
    states = {each["policy_id"]: each["dates"]["state"] for each in answer["matches"]}
    assert states["FT-006"] == "expired"
    eligible = [each for each in answer["matches"] if each["verdict"] == "eligible"]
    is_expired = [each["dates"]["state"] == "expired" for each in eligible]
    assert is_expired == sorted(is_expired)
    offered = {each["policy_id"] for each in answer["bundle"]["items"]}
    assert offered and "FT-006" not in offered
    assert all(each["dates"]["state"] != "expired" for each in answer["near_misses"])


def test_need_orders_within_the_verdict(client: TestClient) -> None:
    answer = match(client, {"registered_city": "深圳市"}, need="境外参展", top=50)
    scores = [
        each["score"] for each in answer["matches"]
        if each["verdict"] == "unknown" and each["dates"]["state"] != "expired"
    ]  # fmt: skip
    assert max(scores) > 0
    assert answer["matches"][0]["policy_id"] == "SZ-057"


def test_next_question_is_not_one_that_was_asked(client: TestClient) -> None:
    first = match(client, SOFTWARE)["next_question"]
    assert first["field"] not in SOFTWARE
    assert first["question"].endswith("？")
    second = match(client, SOFTWARE, asked=[first["field"]])["next_question"]
    assert second["field"] != first["field"]


def test_bundle_drops_what_excludes_itself(client: TestClient) -> None:
    titles = ["市级工业设计中心", "国家级工业设计中心"]
    answer = match(client, {"registered_city": "深圳市", "qualifications": titles})
    assert [each["policy_id"] for each in answer["bundle"]["items"]] == ["SZ-034"]
    (dropped,) = answer["bundle"]["dropped"]
    assert (dropped["policy_id"], dropped["in_favour_of"]) == ("SZ-033", ["SZ-034"])
    assert "最高等级" in dropped["reason"]
    assert answer["bundle"]["total_cny"] == 5_000_000


def test_bad_facts_are_named_and_the_rest_is_used(client: TestClient) -> None:
    bad = {
        "employees": -86,
        "annual_revenue_cny": 10**18,
        "is_sme": "是",
        "legal_person": 1,
        "qualifications": "国高",
        "revenu": 3,
        "credit_ok": None,
        "annual_tax_cny": [1],
        "\ud800": 1,
    }
    answer = match(client, {**bad, "registered_district": "福田区"})
    named = [problem["field"] for problem in answer["problems"]]
    assert named[:-1] == [
        "employees", "annual_revenue_cny", "is_sme", "legal_person", "qualifications", "revenu", "annual_tax_cny",
    ]  # fmt: skip
    assert all(problem["message"] for problem in answer["problems"])
    assert len(named) == 8
    used = {c["field"] for each in answer["matches"] for c in each["criteria"] if c["have"]}
    assert used == {"registered_district"}


@pytest.mark.parametrize("profile", [{}, {"name": "某公司"}, {"employees": None}])
def test_nothing_known_is_no_error(client: TestClient, profile: dict[str, Any]) -> None:
    answer = match(client, profile)
    assert {each["verdict"] for each in answer["matches"]} == {"unknown"}
    assert answer["problems"] == []


@pytest.mark.parametrize(
    ("body", "status", "where"),
    [
        (b"[1]", 422, "body"), (b"3", 422, "body"), (b'"x"', 422, "body"), (b"null", 422, "body"), (b"", 422, "body"),
        (b"{", 400, "body"), (b"[" * 50_000, 400, "/api/match"), (b'{"profile": ' + b"9" * 5_000 + b"}", 400, "/api/match"),
        (b"{}", 422, "profile"), (b'{"profile": []}', 422, "profile"), (b'{"profile": null}', 422, "profile"),
        (b'{"profile": {}, "need": 5}', 422, "need"), (b'{"profile": {}, "as_of": "tomorrow"}', 422, "as_of"),
        (b'{"profile": {}, "as_of": 20261124}', 422, "as_of"), (b'{"profile": {}, "top": 0}', 422, "top"),
        (b'{"profile": {}, "top": 51}', 422, "top"), (b'{"profile": {}, "top": "5"}', 422, "top"),
        (b'{"profile": {}, "top": true}', 422, "top"), (b'{"profile": {}, "asked": "x"}', 422, "asked"),
    ],
)  # fmt: skip
def test_request_that_cannot_be_read_is_refused_in_the_form_of_the_service(
    client: TestClient, body: bytes, status: int, where: str
) -> None:
    response = client.post("/api/match", content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert set(error) == {"code", "message", "where"}
    assert error["message"]
    assert error["where"] == where


def test_day_changes_the_date_state(client: TestClient) -> None:
    little_giant = {
        "qualifications": ["专精特新中小企业"], "market_years": 3, "annual_revenue_cny": 50_000_000,
        "main_business_ratio_pct": 90, "revenue_cagr_2y_pct": 5, "debt_ratio_pct": 75, "rd_expense_2y_cny": 12_000_000,
        "rd_expense_ratio_pct": 3, "ip_class1_count": 4, "market_share_pct": 10, "zjtx_score": 60,
    }  # fmt: skip

    def state(day: str) -> str:
        found = match(client, little_giant, as_of=day, top=50)
        (one,) = [each for each in found["matches"] if each["policy_id"] == "CN-001"]
        assert one["verdict"] == "eligible"
        return str(one["dates"]["state"])

    assert [state(day) for day in ("2026-03-01", "2026-04-01", "2026-05-01")] == [
        "upcoming",
        "closing_soon",
        "closed",
    ]


def test_one_address_is_limited(settings: Settings, sqlite_database: Database, live: Live) -> None:
    router = matching_router(live, TokenBuckets(2))
    app = create_app(settings, sqlite_database, EchoBot(), sorry, routers=[router])
    with TestClient(app, client=("203.0.113.5", 50000)) as client:
        codes = [client.post("/api/match", json={"profile": {}}).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
