"""Answers carry their clauses; refusals become appeals."""

from __future__ import annotations

import json

import pytest

from actions.answering import PolicyAction, payload
from actions.desk import AppealReason
from actions.policy import (
    AnswerPolicy,
    ApplicationStatus,
    ApplyProject,
    CoreFallback,
    Fallback,
    OutOfScope,
)
from actions.replies import ReplyKind
from knowledge.answer import Answerer
from knowledge.live import Live
from knowledge.policy import Facet
from tests.actions.fake_desk import DEPARTMENT, FakeDesk
from tests.actions.hearing import hear

KNOWN = "首次认定国家高新技术企业在福田能拿多少钱"
UNKNOWN = "养老院床位补贴标准"
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


def test_answer_cites_the_stored_clause(live: Live, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(live, desk), KNOWN)
    (reply,) = heard.replies
    assert reply.kind is ReplyKind.ANSWER
    assert "10万元" in reply.text
    for card in reply.citations:
        stored = live.now.catalogue.clauses_of(card.policy_id)
        assert (card.clause, card.quote) in {(clause.label, clause.text) for clause in stored}
        assert card.title == live.now.catalogue.policies[card.policy_id].title
        assert card.quote in reply.text
    assert heard.slots["policy_id"] == reply.citations[0].policy_id
    assert KNOWN in heard.slots["question"]
    assert desk.appeals == {}


def test_candidates_are_told_to_the_trace(live: Live, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(live, desk), KNOWN)
    assert heard.context.candidates[0][0] == heard.slots["policy_id"]


def test_every_offered_detail_has_an_answer(live: Live, desk: FakeDesk) -> None:
    action = AnswerPolicy(live, desk)
    for policy_id in live.now.catalogue.policies:
        shown = hear(action, "/ask_policy_detail", policy_id=policy_id)
        offered = {t: p for t, p in shown.buttons.items() if p.startswith("/ask_policy_detail")}
        assert len(offered) <= 2
        for sent in offered.values():
            values = json.loads(sent.removeprefix("/ask_policy_detail"))
            assert hear(action, sent, **values).kinds == [ReplyKind.ANSWER], sent
    assert desk.appeals == {}


def test_follow_up_is_about_the_policy_under_discussion(live: Live, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(live, desk), "那需要什么材料", slots={"policy_id": "FT-001"})
    assert {card.policy_id for card in heard.replies[0].citations} == {"FT-001"}
    assert heard.slots["question"].endswith(
        f"（关于《{live.now.catalogue.policies['FT-001'].title}》）"
    )


def test_nothing_found_is_filed_at_once(live: Live, desk: FakeDesk) -> None:
    heard = hear(AnswerPolicy(live, desk), UNKNOWN, session="moon")
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


def test_turn_run_twice_files_once(live: Live, desk: FakeDesk) -> None:
    action = AnswerPolicy(live, desk)
    first = hear(action, UNKNOWN, message_id="same")
    assert hear(action, UNKNOWN, message_id="same").slots == first.slots
    assert len(desk.appeals) == 1


def test_missing_detail_is_filed_with_its_policy(live: Live, desk: FakeDesk) -> None:
    policy_id = facet_missing_somewhere(live.now, Facet.MATERIALS)
    policy = live.now.catalogue.policies[policy_id]
    heard = hear(
        AnswerPolicy(live, desk),
        payload("ask_policy_detail", policy_id=policy_id, asked_facet="materials"),
        policy_id=policy_id,
        asked_facet="materials",
    )
    assert heard.kinds == REFUSED
    (draft,) = desk.drafts.values()
    assert draft.matter == f"询问《{policy.title}》的申报材料"
    assert (draft.policy_id, draft.policy_department) == (policy_id, policy.department)


def test_button_of_a_policy_that_is_gone_is_no_payload_for_the_clerk(
    live: Live, desk: FakeDesk
) -> None:
    sent = payload("ask_policy_detail", policy_id="XX-999", asked_facet="materials")
    heard = hear(AnswerPolicy(live, desk), sent, policy_id="XX-999", asked_facet="materials")
    assert heard.kinds == REFUSED
    assert all("/" not in draft.matter for draft in desk.drafts.values())


def test_applying_shows_the_process(live: Live, desk: FakeDesk) -> None:
    heard = hear(ApplyProject(live, desk), "我要申报", slots={"policy_id": "FT-001"})
    assert heard.kinds == [ReplyKind.ANSWER]
    assert "受理部门" in {card.clause for card in heard.replies[0].citations}


@pytest.mark.parametrize("text", ["怎么申报", "我要申报", "在哪里提交申请"])
def test_applying_for_nothing_named_is_asked_back(live: Live, desk: FakeDesk, text: str) -> None:
    heard = hear(ApplyProject(live, desk), text)
    assert heard.kinds == [ReplyKind.QUESTION]
    assert desk.appeals == {}


def test_applying_for_the_unknown_is_filed(live: Live, desk: FakeDesk) -> None:
    assert hear(ApplyProject(live, desk), "我要申报养猫补贴").kinds == REFUSED


def test_progress_of_an_application_is_handed_on(live: Live, desk: FakeDesk) -> None:
    text = "我上周交的国高认定奖励申请到哪步了"
    heard = hear(ApplicationStatus(live, desk), text)
    assert heard.kinds == REFUSED
    (draft,) = desk.drafts.values()
    assert draft.matter == f"查询申报进度：{text}"


@pytest.mark.parametrize("text", ["😀😀", "……", "？？？", "嗯", "asdf", "a\x00b", "   ", ""])
@pytest.mark.parametrize("slots", [{}, {"policy_id": "FT-001"}])
def test_nothing_said_is_asked_back(
    live: Live, desk: FakeDesk, text: str, slots: dict[str, str]
) -> None:
    heard = hear(Fallback(live, desk), text, slots=slots, confidence=0.1)
    if any(char.isalnum() for char in text) and slots:
        return  # a word may still be about the policy under discussion
    assert heard.kinds == [ReplyKind.QUESTION]
    assert desk.appeals == {}


def test_unclear_question_that_the_catalogue_knows_is_answered(live: Live, desk: FakeDesk) -> None:
    assert hear(Fallback(live, desk), KNOWN, confidence=0.2).kinds == [ReplyKind.ANSWER]


def test_unclear_question_is_filed_as_such(live: Live, desk: FakeDesk) -> None:
    heard = hear(Fallback(live, desk), "把厂子挪到月亮上头去行不行得通", confidence=0.2)
    assert heard.kinds == REFUSED
    assert [draft.reason for draft in desk.drafts.values()] == [AppealReason.LOW_CONFIDENCE]


def test_surely_out_of_scope_files_nothing(live: Live, desk: FakeDesk) -> None:
    heard = hear(OutOfScope(live, desk), "今天天气怎么样", confidence=0.95)
    assert heard.kinds == [ReplyKind.REFUSAL]
    assert desk.appeals == {}


def test_doubtfully_out_of_scope_is_looked_up(live: Live, desk: FakeDesk) -> None:
    assert hear(OutOfScope(live, desk), KNOWN, confidence=0.4).kinds == [ReplyKind.ANSWER]
    assert hear(OutOfScope(live, desk), "今天天气怎么样", confidence=0.4).kinds == [
        ReplyKind.REFUSAL
    ]


def test_payload_is_read_back_as_it_was() -> None:
    assert payload("talk_to_human") == "/talk_to_human"
    sent = payload("ask_policy_detail", policy_id='a"}{b', asked_facet="金额")
    assert json.loads(sent.removeprefix("/ask_policy_detail")) == {
        "policy_id": 'a"}{b',
        "asked_facet": "金额",
    }


def test_names_are_those_of_the_domain(live: Live, desk: FakeDesk) -> None:
    actions: list[PolicyAction] = [AnswerPolicy(live, desk), Fallback(live, desk)]
    assert [action.name() for action in actions] == ["action_answer_policy", "action_fallback"]
    assert CoreFallback(live, desk).name() == "action_default_fallback"


class TestWhatNobodyNeedsToAnswer:
    """Said without an appeal: there is nothing for a clerk to find out."""

    @pytest.mark.parametrize("text", ["一定能拿到吗", "福田和罗湖哪个多", "盐田有哪些政策"])
    def test_files_nothing(self, live: Live, desk: FakeDesk, text: str) -> None:
        (reply,) = hear(AnswerPolicy(live, desk), text).replies
        assert reply.text
        assert "哪一项政策" not in reply.text
        assert desk.appeals == {}

    @pytest.mark.parametrize("action", [AnswerPolicy, Fallback, OutOfScope])
    @pytest.mark.parametrize("text", ["换个话题", "保证能批下来吗"])
    def test_whatever_the_message_was_taken_for(
        self, live: Live, desk: FakeDesk, action: type[PolicyAction], text: str
    ) -> None:
        (reply,) = hear(action(live, desk), text, confidence=0.95).replies
        assert reply.kind is ReplyKind.QUESTION
        assert desk.appeals == {}

    def test_new_subject_forgets_all(self, live: Live, desk: FakeDesk) -> None:
        slots = {"policy_id": "FT-001", "listed": ["FT-001", "FT-002"], "question": "国高"}
        heard = hear(AnswerPolicy(live, desk), "换个话题", slots=slots)
        assert heard.slots == {
            "question": None,
            "policy_id": None,
            "facets": [],
            "listed": [],
            "listing": None,
        }

    def test_list_goes_on_from_the_slots(self, live: Live, desk: FakeDesk) -> None:
        action = AnswerPolicy(live, desk)
        first = hear(action, "国家级的有哪些")
        second = hear(action, "还有呢", slots=first.slots)
        assert "共10项，接着列" in second.text
        assert not set(first.slots["listed"]) & set(second.slots["listed"])
