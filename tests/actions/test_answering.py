"""One turn about policies: a reply for each answer, the trace told of each clause, one catalogue from end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from actions.answering import PolicyTurn, payload
from actions.base import Said
from actions.context import TurnContext
from actions.policy import AnswerPolicy
from actions.replies import Reply, ReplyKind
from knowledge.answer import Answerer
from knowledge.live import Live
from tests.actions.fake_desk import FakeDesk
from tests.actions.hearing import Heard, hear
from tests.bot.talk import TODAY
from tests.knowledge.samples import (
    ALWAYS_ANSWER,
    ALWAYS_ASK_BACK,
    NEVER_ANSWER,
    TOWN,
    answerer_of,
    policy,
)

TWO = "无人机奖励多少钱？直播电商奖励要什么材料？"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("vectors")


@pytest.fixture(scope="module")
def town(folder: Path) -> Answerer:
    return answerer_of(TOWN, folder, ALWAYS_ANSWER)


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


def ask(answerer: Answerer, desk: FakeDesk, text: str, before: Heard | None = None) -> Heard:
    """One turn, after what an earlier one left in the slots."""
    return hear(AnswerPolicy(Live(answerer), desk), text, slots=before.slots if before else {})


def press(answerer: Answerer, desk: FakeDesk, before: Heard, title: str) -> Heard:
    """Presses a button that was offered."""
    sent = before.buttons[title]
    values = json.loads(sent.removeprefix("/ask_policy_detail"))
    action = AnswerPolicy(Live(answerer), desk)
    return hear(action, sent, slots=before.slots, **values)


class TestReplies:
    def test_each_answer_is_one_reply(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, TWO)
        assert heard.kinds == [ReplyKind.ANSWER, ReplyKind.ANSWER]
        assert [{c.policy_id for c in reply.citations} for reply in heard.replies] == [
            {"TT-001"},
            {"TT-002"},
        ]
        assert desk.appeals == {}

    def test_the_last_is_remembered(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, TWO)
        assert heard.slots["policy_id"] == "TT-002"
        assert heard.slots["facets"] == ["materials"]
        assert heard.slots["question"] == "直播电商奖励要什么材料？（关于《福田区直播电商奖励》）"

    def test_two_about_one_policy_are_one_reply(self, town: Answerer, desk: FakeDesk) -> None:
        assert ask(town, desk, "无人机奖励多少钱？要什么材料？").kinds == [ReplyKind.ANSWER]

    def test_answer_and_refusal_in_one_message(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, "无人机奖励多少钱？北京的奖励多少钱？")
        assert heard.kinds == [ReplyKind.ANSWER, ReplyKind.REFUSAL, ReplyKind.APPEAL]
        assert [draft.matter for draft in desk.drafts.values()] == ["北京的奖励多少钱？"]

    def test_two_refusals_are_one_appeal_with_both_questions(
        self, folder: Path, desk: FakeDesk
    ) -> None:
        never = answerer_of(TOWN, folder, NEVER_ANSWER)
        heard = ask(never, desk, "无人机奖励多少钱？北京的奖励多少钱？")
        assert heard.kinds == [ReplyKind.REFUSAL, ReplyKind.REFUSAL, ReplyKind.APPEAL]
        (draft,) = desk.drafts.values()
        assert draft.matter == "无人机奖励多少钱？；北京的奖励多少钱？"

    def test_like_of_it_at_another_level_is_named(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, "无人机奖励多少钱")
        (reply,) = heard.replies
        assert reply.citations[0].policy_id == "TT-001"
        assert "另有市级相近的《深圳市无人机奖励》" in reply.text.split("\n")[-1]
        assert heard.buttons["深圳市无人机奖励"] == payload("ask_policy_detail", policy_id="TT-005")
        assert {card.policy_id for card in reply.citations} == {"TT-001"}

    def test_real_district_policy_comes_before_that_of_the_city(
        self, live: Live, desk: FakeDesk
    ) -> None:
        heard = hear(AnswerPolicy(live, desk), "购置办公用房有补助吗")
        assert heard.replies[0].citations[0].policy_id.startswith("FT-")


class TestCounterQuestion:
    @pytest.fixture
    def heard(self, folder: Path, desk: FakeDesk) -> Heard:
        return ask(answerer_of(TOWN, folder, ALWAYS_ASK_BACK), desk, "无人机奖励多少钱")

    def test_asks_and_neither_cites_nor_files(self, heard: Heard, desk: FakeDesk) -> None:
        (reply,) = heard.replies
        assert reply.kind is ReplyKind.QUESTION
        assert reply.citations == []
        assert heard.context.sources == []
        assert desk.appeals == {}

    def test_offers_each_policy_with_what_was_asked(self, heard: Heard) -> None:
        for title, policy_id in (("福田区无人机奖励", "TT-001"), ("深圳市无人机奖励", "TT-005")):
            values = json.loads(heard.buttons[title].removeprefix("/ask_policy_detail"))
            assert values == {"policy_id": policy_id, "asked_facet": "amount"}
        assert {"没解决", "转人工"} <= set(heard.buttons)

    def test_pressed_button_answers(self, heard: Heard, town: Answerer, desk: FakeDesk) -> None:
        answered = press(town, desk, heard, "深圳市无人机奖励")
        assert {card.policy_id for card in answered.replies[0].citations} == {"TT-005"}

    def test_ordinal_answers(self, heard: Heard, town: Answerer, desk: FakeDesk) -> None:
        answered = ask(town, desk, "第二个", heard)
        assert {card.policy_id for card in answered.replies[0].citations} == {"TT-005"}


class TestList:
    def test_is_remembered_and_its_buttons_lead_into_it(
        self, town: Answerer, desk: FakeDesk
    ) -> None:
        heard = ask(town, desk, "福田有哪些政策")
        listed = heard.slots["listed"]
        assert len(listed) == 4
        for number in (1, 2, 3):
            values = json.loads(
                heard.buttons[f"{number} 的条件"].removeprefix("/ask_policy_detail")
            )
            assert values == {"policy_id": listed[number - 1], "asked_facet": "conditions"}

    def test_survives_a_pressed_button(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, "福田有哪些政策")
        listed = heard.slots["listed"]
        number = listed.index("TT-001") + 1
        pressed = press(town, desk, heard, f"{number} 的条件")
        assert pressed.kinds == [ReplyKind.ANSWER]
        assert pressed.slots["listed"] == listed
        after = ask(town, desk, "最后那个归哪个部门管", pressed)
        assert after.slots["policy_id"] == listed[-1] != "TT-001"


class TestTrace:
    def test_each_clause_cited_is_told_with_its_hash(self, town: Answerer, desk: FakeDesk) -> None:
        heard = ask(town, desk, TWO)
        stored = town.catalogue.clauses
        quoted = [(c.policy_id, c.quote) for reply in heard.replies for c in reply.citations]
        told = heard.context.sources
        assert [(stored[i].policy_id, stored[i].text) for i, _ in told] == quoted
        assert all(stored[clause_id].hash == kept for clause_id, kept in told)

    def test_candidates_and_chances_are_told_for_each_answer(
        self, town: Answerer, desk: FakeDesk
    ) -> None:
        heard = ask(town, desk, TWO)
        first, second = town.answers(TWO, TODAY)
        assert heard.context.chances == [first.chance, second.chance]
        expected = [hit.policy.id for answer in (first, second) for hit in answer.candidates]
        assert [policy_id for policy_id, _ in heard.context.candidates] == expected

    def test_refusal_tells_no_clause(self, folder: Path, desk: FakeDesk) -> None:
        never = answerer_of(TOWN, folder, NEVER_ANSWER)
        heard = ask(never, desk, "无人机奖励多少钱")
        assert heard.context.sources == []
        assert len(heard.context.chances) == 1
        assert heard.context.candidates

    def test_real_answer_rests_on_what_the_catalogue_holds(
        self, live: Live, desk: FakeDesk
    ) -> None:
        heard = hear(AnswerPolicy(live, desk), "稳岗返还比例是多少")
        stored = live.now.catalogue.clauses
        assert heard.context.sources
        assert all(stored[clause_id].hash == kept for clause_id, kept in heard.context.sources)


class TestExchange:
    """A catalogue that comes into force while a turn is answered."""

    NEW = (policy("TT-001", "福田区无人机奖励", summary="对无人机企业，给予一次性奖励99万元。"),)

    def said(self, text: str) -> Said:
        return Said(text, "ask_policy", 0.9, (), {}, TurnContext("s", "m", TODAY))

    def test_turn_ends_on_the_catalogue_it_began_with(
        self, town: Answerer, folder: Path, desk: FakeDesk
    ) -> None:
        live, new = Live(town), answerer_of(self.NEW, folder, ALWAYS_ANSWER)
        replies: list[Reply] = []

        def say(reply: Reply) -> None:
            replies.append(reply)
            live.exchange(new)

        AnswerPolicy(live, desk).act(self.said(TWO), say)
        assert [reply.kind for reply in replies] == [ReplyKind.ANSWER, ReplyKind.ANSWER]
        assert replies[1].citations[0].policy_id == "TT-002"
        assert live.now is new

    def test_next_turn_answers_from_the_new_one(
        self, town: Answerer, folder: Path, desk: FakeDesk
    ) -> None:
        live = Live(town)
        action = AnswerPolicy(live, desk)
        assert "99万元" not in hear(action, "无人机奖励多少钱").text
        live.exchange(answerer_of(self.NEW, folder, ALWAYS_ANSWER))
        assert "99万元" in hear(action, "无人机奖励多少钱").text

    def test_policy_under_discussion_that_is_gone_is_not_spoken_of(
        self, town: Answerer, folder: Path, desk: FakeDesk
    ) -> None:
        live = Live(town)
        action = AnswerPolicy(live, desk)
        before = hear(action, "直播电商奖励要什么材料")
        live.exchange(answerer_of(self.NEW, folder, ALWAYS_ANSWER))
        heard = hear(action, "那金额呢", slots=before.slots)
        assert "直播" not in heard.text
        assert not any(reply.citations for reply in heard.replies)


def test_turn_without_slots_begins_a_discussion(town: Answerer, desk: FakeDesk) -> None:
    said = Said("无人机奖励多少钱", "ask_policy", 0.9, (), {}, TurnContext("s", "m", TODAY))
    (answer,) = PolicyTurn(town, desk, said, lambda reply: None).answers()
    assert answer.discussion.policy_id == "TT-001"
