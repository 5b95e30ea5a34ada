"""A list of what is near to a need: nothing that has ended, all stamped, each one button away."""

from __future__ import annotations

from datetime import date

import pytest

from actions.answering import citation_card
from actions.match_state import OPENING
from actions.matching import MatchPolicies
from actions.replies import ReplyKind
from knowledge.answer import Answerer
from knowledge.live import Live
from knowledge.policy import Facet, Status
from tests.actions.fake_desk import FakeDesk
from tests.actions.hearing import Heard, hear
from tests.bot.talk import TODAY

WANTED = "想租办公室有什么政策适合我们"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def heard(live: Live, desk: FakeDesk) -> Heard:
    """What is said to a bare need."""
    return hear(MatchPolicies(live, desk), WANTED, intent="match_policies")


@pytest.mark.parametrize(
    "text", ["/match_policies", "帮我匹配政策", "我们能申请什么", "看看我们符合什么"]
)
def test_wish_without_a_fact_opens_the_form(live: Live, desk: FakeDesk, text: str) -> None:
    heard = hear(MatchPolicies(live, desk), text, intent="match_policies")
    assert heard.replies == []
    assert heard.follow_up == "match_form"
    assert heard.slots["matching"]["asking"] == OPENING
    assert heard.context.sources == []


def test_list_names_policies_that_are_not_expired_and_stamps_them(heard: Heard) -> None:
    (reply,) = heard.replies
    assert reply.kind is ReplyKind.ANSWER
    assert 1 <= len(reply.citations) <= 5
    for number, card in enumerate(reply.citations, 1):
        assert card.status in {Status.CURRENT, Status.UNKNOWN}
        stamp = "现行有效" if card.status == Status.CURRENT else "有效期未核实"
        assert f"{number}. 《{card.title}》（{stamp}" in reply.text
        assert f"）：{card.quote}" in reply.text
    assert "1 的条件" in heard.buttons


def test_list_is_kept_for_ordinals(heard: Heard) -> None:
    listed = [card.policy_id for card in heard.replies[0].citations]
    assert heard.slots["listed"] == listed
    assert heard.slots["policy_id"] == listed[0]
    assert heard.slots["facets"] == []


def test_trace_is_told_what_was_listed_and_what_it_rests_on(heard: Heard, live: Live) -> None:
    listed = heard.slots["listed"]
    assert [policy_id for policy_id, _ in heard.context.candidates] == listed
    stored = live.now.catalogue.clauses
    assert [stored[clause_id].policy_id for clause_id, _ in heard.context.sources] == listed
    assert all(stored[clause_id].hash == kept for clause_id, kept in heard.context.sources)


def test_every_policy_can_stand_in_a_list(answerer: Answerer) -> None:
    for policy_id in answerer.catalogue.policies:
        card = citation_card(answerer.cite(policy_id, Facet.AMOUNT, TODAY))
        assert card.quote


def test_citation_shows_the_validity_of_the_day(answerer: Answerer) -> None:
    policy = next(p for p in answerer.catalogue.policies.values() if p.valid_to)
    assert policy.valid_to is not None
    last, after = policy.valid_to, date(policy.valid_to.year + 1, 12, 31)
    cards = [citation_card(answerer.cite(policy.id, Facet.AMOUNT, day)) for day in (last, after)]
    assert [card.status for card in cards][1] == "expired"
    assert cards[0].status != "expired"
    assert cards[0].valid_to == last


@pytest.mark.parametrize(
    ("text", "said"),
    [("广州有哪些政策", "没有广州的政策"), ("盐田有哪些政策", "没有“盐田区”的政策")],
)
def test_list_by_place_is_no_wish_to_be_matched(
    live: Live, desk: FakeDesk, text: str, said: str
) -> None:
    heard = hear(MatchPolicies(live, desk), text, intent="match_policies")
    assert said in heard.text
    assert heard.follow_up is None
