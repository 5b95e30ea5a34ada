"""Playing questions to the bot: what counts as asserted, offered or failed, and the day each question is asked."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from actions.replies import Button, CitationCard, Reply, ReplyKind
from bot.turn import Turn, TurnFailed, TurnResult, TurnTimeout, TurnTrace
from knowledge.labels import LabelledQuestion
from service.rehearsal import offered_policies, outcome_of, responder

TODAY = date(2026, 11, 24)
PERSON = Button(title="找人工", payload="/talk_to_human")


def card(policy_id: str, **changes: Any) -> CitationCard:
    fields: dict[str, Any] = {
        "policy_id": policy_id,
        "title": f"《{policy_id}》",
        "doc_no": None,
        "issuer": "某局",
        "clause": "扶持内容",
        "quote": "10万元",
        "valid_from": None,
        "valid_to": None,
        "status": "expired",
        "url": None,
    }
    return CitationCard(**{**fields, **changes})


def offer(policy_id: str) -> Button:
    payload = f'/ask_policy_detail{{"policy_id": "{policy_id}", "asked_facet": "amount"}}'
    return Button(title=policy_id, payload=payload)


def answer(*policy_ids: str, buttons: tuple[Button, ...] = ()) -> Reply:
    citations = [card(policy_id) for policy_id in policy_ids]
    return Reply(kind=ReplyKind.ANSWER, text="答", citations=citations, buttons=list(buttons))


def asking(*buttons: Button) -> Reply:
    return Reply(kind=ReplyKind.QUESTION, text="哪一项？", buttons=[*buttons, PERSON])


def result(*replies: Reply, candidates: tuple[tuple[str, float], ...] = ()) -> TurnResult:
    return TurnResult(replies, "{}", TurnTrace("ask_policy", 0.9, candidates))


class FakeBot:
    """Gives the results it was handed, one a turn, and keeps the turns."""

    def __init__(self, *given: TurnResult | Exception) -> None:
        self._given = list(given)
        self.turns: list[Turn] = []

    def turn(self, turn: Turn) -> TurnResult:
        self.turns.append(turn)
        given = self._given.pop(0)
        if isinstance(given, Exception):
            raise given
        return given


class TestOutcome:
    def test_answer_puts_all_it_cites_before_what_it_only_considered(self) -> None:
        candidates = (("C", 3.0), ("A", 2.0), ("D", 1.0))
        outcome = outcome_of(result(answer("A", "B", "A"), candidates=candidates), 7.0)
        assert not outcome.refused
        assert outcome.policies == ("A", "B", "C", "D")
        assert outcome.considered == ("C", "A", "D")
        assert [cited.status for cited in outcome.citations] == ["expired"] * 3
        assert (outcome.intent, outcome.latency_ms, outcome.chance) == ("ask_policy", 7.0, None)

    def test_refusal_keeps_what_was_considered_but_answers_from_nothing(self) -> None:
        refusal = Reply(kind=ReplyKind.REFUSAL, text="不知道", buttons=[PERSON])
        outcome = outcome_of(result(refusal, candidates=(("A", 1.0),)), 1.0)
        assert (outcome.refused, outcome.asked_back, outcome.clarified) == (True, False, False)
        assert (outcome.policies, outcome.considered) == ((), ("A",))

    def test_counter_question_offers_the_policies_of_its_buttons_once(self) -> None:
        outcome = outcome_of(result(asking(offer("A"), offer("B"), offer("A"))), 1.0)
        assert outcome.offered == ("A", "B")
        assert outcome.refused and outcome.clarified and outcome.asked_back

    def test_open_counter_question_offers_nothing(self) -> None:
        outcome = outcome_of(result(asking()), 1.0)
        assert (outcome.asked_back, outcome.offered, outcome.clarified) == (True, (), False)

    def test_buttons_of_an_answer_are_no_offer(self) -> None:
        outcome = outcome_of(result(answer("A", buttons=(offer("B"),))), 1.0)
        assert outcome.offered == ()

    def test_texts_of_all_replies_are_read(self) -> None:
        outcome = outcome_of(result(answer("A"), Reply(text="再见")), 1.0)
        assert outcome.text == "答\n再见"

    @pytest.mark.parametrize(
        "payload",
        ["/not_solved", "/ask_policy_detail", '/ask_policy_detail{"policy_id": 3}', "A"],
    )
    def test_other_buttons_offer_no_policy(self, payload: str) -> None:
        assert offered_policies(asking(Button(title="x", payload=payload))) == []

    def test_question_that_cites_asserts_and_offers_nothing(self) -> None:
        cited = asking(offer("A")).model_copy(update={"citations": [card("A")]})
        assert offered_policies(cited) == []


class TestResponder:
    def test_context_is_replayed_in_the_same_conversation(self) -> None:
        bot = FakeBot(result(answer("A")), result(answer("B")))
        question = LabelledQuestion.model_validate(
            {
                "id": "q",
                "text": "材料呢",
                "context": [{"role": "user", "text": "国高"}, {"role": "bot", "text": "10万"}],
            }
        )
        outcome = responder(bot, TODAY)(question)  # type: ignore[arg-type]  # a fake
        assert [turn.text for turn in bot.turns] == ["国高", "材料呢"]
        assert [turn.state for turn in bot.turns] == [None, "{}"]
        assert len({turn.session for turn in bot.turns}) == 1
        assert len({turn.message_id for turn in bot.turns}) == 2
        assert outcome.policies == ("B",)

    def test_questions_have_conversations_of_their_own(self) -> None:
        bot = FakeBot(result(answer("A")), result(answer("A")))
        respond = responder(bot, TODAY)  # type: ignore[arg-type]  # a fake
        for text in ("一", "二"):
            respond(LabelledQuestion(id=text, text=text))
        assert len({turn.session for turn in bot.turns}) == 2

    @pytest.mark.parametrize("day", [None, date(2024, 2, 29)])
    def test_question_is_asked_on_its_own_day(self, day: date | None) -> None:
        bot = FakeBot(result(answer("A")), result(answer("A")))
        question = LabelledQuestion.model_validate(
            {"id": "q", "text": "x", "as_of": day, "context": [{"role": "user", "text": "y"}]}
            if day
            else {"id": "q", "text": "x"}
        )
        responder(bot, TODAY)(question)  # type: ignore[arg-type]  # a fake
        assert {turn.as_of for turn in bot.turns} == {day or TODAY}

    @pytest.mark.parametrize("error", [TurnFailed("silent"), TurnTimeout("8 s")])
    def test_failed_turn_is_an_outcome_and_the_next_question_is_asked(
        self, error: Exception
    ) -> None:
        bot = FakeBot(error, result(answer("A")))
        respond = responder(bot, TODAY)  # type: ignore[arg-type]  # a fake
        failed, answered = (respond(LabelledQuestion(id=n, text=n)) for n in ("一", "二"))
        assert failed.refused and failed.error == f"{type(error).__name__}: {error}"
        assert answered.error is None and not answered.refused
