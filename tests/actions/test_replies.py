"""The contract of ``POST /api/chat`` (design.md, chapter 8): these names stay put."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime

import pytest
from pydantic import BaseModel, ValidationError

from actions.replies import (
    AppealCard,
    Author,
    Button,
    CitationCard,
    CriterionCard,
    DatesCard,
    GapCard,
    MatchCard,
    Reply,
    ReplyKind,
)

CITATION = CitationCard(
    policy_id="FT-001",
    title="标题",
    doc_no=None,
    issuer="某局",
    clause="扶持内容",
    quote="10万元",
    valid_from=date(2025, 1, 1),
    valid_to=None,
    status="current",
    url=None,
)
CRITERION = CriterionCard(field="headcount", verdict="met", have="86", need=">= 50", clause=None)
FULL = Reply(
    kind=ReplyKind.MATCH,
    text="文字",
    citations=[CITATION],
    matches=[
        MatchCard(
            policy_id="FT-001",
            title="标题",
            verdict="eligible",
            score=0.5,
            amount_max_cny=100000,
            criteria=[CRITERION],
        )
    ],
    appeal=AppealCard(
        no="FT-20261123-0001",
        state="filed",
        department="某局",
        due_at=datetime(2026, 11, 30, 10, tzinfo=UTC),
    ),
    buttons=[Button(title="补充", payload="/supplement_appeal")],
)
KEYS = {
    Reply: "id author kind text citations matches appeal buttons name",
    CitationCard: "policy_id title doc_no issuer clause quote valid_from valid_to status url",
    MatchCard: "policy_id title verdict score amount_max_cny criteria dates",
    CriterionCard: "field verdict have need clause label source day gap",
    DatesCard: "state text closes days_left",
    GapCard: "amount unit text",
    AppealCard: "no state department due_at",
    Button: "title payload",
}


@pytest.mark.parametrize("card", KEYS, ids=lambda card: card.__name__)
def test_keys_are_those_of_the_contract(card: type[BaseModel]) -> None:
    assert list(card.model_fields) == KEYS[card].split()


def test_closed_sets_are_those_of_the_contract() -> None:
    assert "|".join(ReplyKind) == "answer|refusal|match|appeal|question|handoff|text"
    assert "|".join(Author) == "bot|person|system"


def test_full_reply_as_json() -> None:
    body = json.loads(FULL.model_dump_json())
    assert list(body) == KEYS[Reply].split()
    assert body["citations"][0]["valid_from"] == "2025-01-01"
    assert body["citations"][0]["doc_no"] is None
    assert body["appeal"]["due_at"] == "2026-11-30T10:00:00Z"
    assert body["matches"][0]["criteria"][0] == {
        "field": "headcount",
        "verdict": "met",
        "have": "86",
        "need": ">= 50",
        "clause": None,
        "label": None,
        "source": None,
        "day": None,
        "gap": None,
    }


def test_plain_reply_has_all_keys() -> None:
    body = json.loads(Reply(text="好").model_dump_json())
    assert {**body, "id": ""} == {
        "id": "",
        "author": "bot",
        "kind": "text",
        "text": "好",
        "citations": [],
        "matches": [],
        "appeal": None,
        "buttons": [],
        "name": None,
    }


def test_reply_survives_the_way_through_rasa() -> None:
    assert Reply.model_validate(FULL.model_dump(mode="json")) == FULL


def test_ids_are_unique() -> None:
    assert Reply(text="好").id != Reply(text="好").id


def test_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError):
        Reply.model_validate({"text": "好", "html": "<b>好</b>"})
