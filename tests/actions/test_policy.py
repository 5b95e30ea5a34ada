"""Answers carry their clauses; refusals become appeals."""

from __future__ import annotations

import json
from datetime import date

import pytest

from actions.desk import AppealReason
from actions.policy import (
    AnswerPolicy,
    ApplicationStatus,
    ApplyProject,
    Fallback,
    ListPolicies,
    OutOfScope,
    PolicyAction,
    citation_card,
    payload,
)
from actions.replies import ReplyKind
from knowledge.answer import Answerer
from knowledge.policy import Facet, Status
from tests.actions.fake_desk import DEPARTMENT, FakeDesk
from tests.actions.hearing import hear
from tests.bot.talk import TODAY

KNOWN = "首次认定国家高新技术企业在福田能拿多少钱"
UNKNOWN = "我们想把厂搬到月球有补贴吗"
REFUSED = [ReplyKind.REFUSAL, ReplyKind.APPEAL]


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


def facet_missing_somewhere(answerer: Answerer, facet: Facet) -> str:
    """A policy whose record does not hold ``facet``."""
    return next(
        policy_id
        for policy_id in answerer.catalogue.policies
        if facet not in {clause.facet for clause in answerer.catalogue.clauses_of(policy_id)}
    )


def test_answer_cites_the_stored_clause(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(answerer, desk), KNOWN)
    (reply,) = heard.replies
    assert reply.kind is ReplyKind.ANSWER
    assert "10万元" in reply.text
    for card in reply.citations:
        stored = answerer.catalogue.clauses_of(card.policy_id)
        assert (card.clause, card.quote) in {(clause.label, clause.text) for clause in stored}
        assert card.title == answerer.catalogue.policies[card.policy_id].title
        assert card.quote in reply.text
    assert heard.slots["policy_id"] == reply.citations[0].policy_id
    assert KNOWN in heard.slots["question"]
    assert desk.appeals == {}


def test_candidates_are_told_to_the_trace(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(answerer, desk), KNOWN)
    assert heard.context.candidates[0][0] == heard.slots["policy_id"]


def test_every_offered_detail_has_an_answer(answerer: Answerer, desk: FakeDesk) -> None:
    action = AnswerPolicy(answerer, desk)
    for policy_id in answerer.catalogue.policies:
        shown = hear(action, "/ask_policy_detail", policy_id=policy_id)
        offered = {t: p for t, p in shown.buttons.items() if p.startswith("/ask_policy_detail")}
        assert len(offered) <= 2
        for sent in offered.values():
            values = json.loads(sent.removeprefix("/ask_policy_detail"))
            assert hear(action, sent, **values).kinds == [ReplyKind.ANSWER], sent
    assert desk.appeals == {}


def test_follow_up_is_about_the_policy_under_discussion(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(answerer, desk), "那需要什么材料", slots={"policy_id": "FT-001"})
    assert {card.policy_id for card in heard.replies[0].citations} == {"FT-001"}
    assert heard.slots["question"].endswith(
        f"（关于《{answerer.catalogue.policies['FT-001'].title}》）"
    )


def test_nothing_found_is_filed_at_once(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(answerer, desk), UNKNOWN, session="moon")
    assert heard.kinds == REFUSED
    assert not any(reply.citations for reply in heard.replies)
    (draft,) = desk.filed_by("moon")
    assert (draft.matter, draft.reason) == (UNKNOWN, AppealReason.NO_ANSWER)
    assert draft.policy_id is None
    filed = heard.replies[1]
    assert filed.appeal is not None
    assert heard.slots["appeal_no"] == filed.appeal.no
    assert filed.appeal.no in filed.text
    assert DEPARTMENT in filed.text
    assert "2026年11月30日 18:00" in filed.text
    assert {"补充", "撤回", "转人工"} <= set(heard.buttons)


def test_turn_run_twice_files_once(answerer: Answerer, desk: FakeDesk) -> None:
    action = AnswerPolicy(answerer, desk)
    first = hear(action, UNKNOWN, message_id="same")
    assert hear(action, UNKNOWN, message_id="same").slots == first.slots
    assert len(desk.appeals) == 1


def test_missing_detail_is_filed_with_its_policy(answerer: Answerer, desk: FakeDesk) -> None:
    policy_id = facet_missing_somewhere(answerer, Facet.MATERIALS)
    policy = answerer.catalogue.policies[policy_id]
    heard = hear(
        AnswerPolicy(answerer, desk),
        payload("ask_policy_detail", policy_id=policy_id, asked_facet="materials"),
        policy_id=policy_id,
        asked_facet="materials",
    )
    assert heard.kinds == REFUSED
    (draft,) = desk.drafts.values()
    assert draft.matter == f"询问《{policy.title}》的申报材料"
    assert (draft.policy_id, draft.policy_department) == (policy_id, policy.department)


def test_button_of_a_policy_that_is_gone_is_no_payload_for_the_clerk(
    answerer: Answerer, desk: FakeDesk
) -> None:
    sent = payload("ask_policy_detail", policy_id="XX-999", asked_facet="materials")
    heard = hear(AnswerPolicy(answerer, desk), sent, policy_id="XX-999", asked_facet="materials")
    assert heard.kinds == REFUSED
    assert all("/" not in draft.matter for draft in desk.drafts.values())


def test_applying_shows_the_process(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(ApplyProject(answerer, desk), "我要申报", slots={"policy_id": "FT-001"})
    assert heard.kinds == [ReplyKind.ANSWER]
    assert "受理部门" in {card.clause for card in heard.replies[0].citations}


@pytest.mark.parametrize("text", ["怎么申报", "我要申报", "在哪里提交申请"])
def test_applying_for_nothing_named_is_asked_back(
    answerer: Answerer, desk: FakeDesk, text: str
) -> None:
    heard = hear(ApplyProject(answerer, desk), text)
    assert heard.kinds == [ReplyKind.QUESTION]
    assert desk.appeals == {}


def test_applying_for_the_unknown_is_filed(answerer: Answerer, desk: FakeDesk) -> None:
    assert hear(ApplyProject(answerer, desk), "我要申报养猫补贴").kinds == REFUSED


def test_progress_of_an_application_is_handed_on(answerer: Answerer, desk: FakeDesk) -> None:
    text = "我上周交的国高认定奖励申请到哪步了"
    heard = hear(ApplicationStatus(answerer, desk), text)
    assert heard.kinds == REFUSED
    (draft,) = desk.drafts.values()
    assert draft.matter == f"查询申报进度：{text}"


@pytest.mark.parametrize("text", ["😀😀", "……", "？？？", "嗯", "asdf", "a\x00b", "   ", ""])
@pytest.mark.parametrize("slots", [{}, {"policy_id": "FT-001"}])
def test_nothing_said_is_asked_back(
    answerer: Answerer, desk: FakeDesk, text: str, slots: dict[str, str]
) -> None:
    heard = hear(Fallback(answerer, desk), text, slots=slots, confidence=0.1)
    if any(char.isalnum() for char in text) and slots:
        return  # a word may still be about the policy under discussion
    assert heard.kinds == [ReplyKind.QUESTION]
    assert desk.appeals == {}


def test_unclear_question_that_the_catalogue_knows_is_answered(
    answerer: Answerer, desk: FakeDesk
) -> None:
    assert hear(Fallback(answerer, desk), KNOWN, confidence=0.2).kinds == [ReplyKind.ANSWER]


def test_unclear_question_is_filed_as_such(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(Fallback(answerer, desk), "把厂子挪到月亮上头去行不行得通", confidence=0.2)
    assert heard.kinds == REFUSED
    assert [draft.reason for draft in desk.drafts.values()] == [AppealReason.LOW_CONFIDENCE]


def test_surely_out_of_scope_files_nothing(answerer: Answerer, desk: FakeDesk) -> None:
    heard = hear(OutOfScope(answerer, desk), "今天天气怎么样", confidence=0.95)
    assert heard.kinds == [ReplyKind.REFUSAL]
    assert desk.appeals == {}


def test_doubtfully_out_of_scope_is_looked_up(answerer: Answerer, desk: FakeDesk) -> None:
    assert hear(OutOfScope(answerer, desk), KNOWN, confidence=0.4).kinds == [ReplyKind.ANSWER]
    assert hear(OutOfScope(answerer, desk), "今天天气怎么样", confidence=0.4).kinds == [
        ReplyKind.REFUSAL
    ]


@pytest.mark.parametrize(
    "text", ["/match_policies", "帮我匹配政策", "我们能申请什么", "看看我们符合什么"]
)
def test_list_without_a_description_is_asked_for_one(
    answerer: Answerer, desk: FakeDesk, text: str
) -> None:
    heard = hear(ListPolicies(answerer, desk), text)
    assert heard.kinds == [ReplyKind.QUESTION]
    assert "哪个区" in heard.text
    assert heard.slots == {}


def test_list_names_policies_that_are_not_expired(answerer: Answerer, desk: FakeDesk) -> None:
    text = "我们是福田的软件公司，去年营收3200万，86个人"
    heard = hear(ListPolicies(answerer, desk), text, district="福田区", headcount=86)
    (reply,) = heard.replies
    assert reply.kind is ReplyKind.ANSWER
    assert 1 <= len(reply.citations) <= 5
    for number, card in enumerate(reply.citations, 1):
        assert card.status in {Status.CURRENT, Status.UNKNOWN}
        assert f"{number}. 《{card.title}》：{card.quote}" in reply.text
    assert heard.slots["policy_id"] == reply.citations[0].policy_id
    assert "1 的条件" in heard.buttons


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


def test_payload_is_read_back_as_it_was(answerer: Answerer) -> None:
    assert payload("talk_to_human") == "/talk_to_human"
    sent = payload("ask_policy_detail", policy_id='a"}{b', asked_facet="金额")
    assert json.loads(sent.removeprefix("/ask_policy_detail")) == {
        "policy_id": 'a"}{b',
        "asked_facet": "金额",
    }


def test_names_are_those_of_the_domain(answerer: Answerer, desk: FakeDesk) -> None:
    actions: list[PolicyAction] = [AnswerPolicy(answerer, desk), Fallback(answerer, desk)]
    assert [action.name() for action in actions] == ["action_answer_policy", "action_fallback"]
