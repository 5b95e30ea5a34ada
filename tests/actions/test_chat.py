"""Yes, no and a rating."""

from __future__ import annotations

import pytest

from actions.chat import Deny, Rate
from actions.desk import AppealReason
from knowledge.live import Live
from tests.actions.fake_desk import FakeDesk, Rating
from tests.actions.hearing import hear

QUESTION = {"question": "国高补贴多少钱"}


@pytest.mark.parametrize("text", ["不用了", "不是", "算了"])
@pytest.mark.parametrize("slots", [{}, QUESTION])
def test_plain_no_files_nothing(live: Live, text: str, slots: dict[str, str]) -> None:
    desk = FakeDesk()
    assert "随时告诉我" in hear(Deny(live, desk), text, slots=slots).text
    assert desk.appeals == {}


def test_no_that_says_the_answer_missed_is_filed(live: Live) -> None:
    desk = FakeDesk()
    hear(Deny(live, desk), "不是我要问的", slots=QUESTION)
    assert [draft.reason for draft in desk.drafts.values()] == [AppealReason.NOT_SOLVED]


def test_no_without_a_question_before_it_files_nothing(live: Live) -> None:
    desk = FakeDesk()
    hear(Deny(live, desk), "不是我要问的")
    assert desk.appeals == {}


@pytest.mark.parametrize("score", [1, 2, 3, 4, 5])
def test_rating_is_kept(score: int) -> None:
    desk = FakeDesk()
    heard = hear(Rate(desk), f"打{score}分", message_id="m", rating=score)
    assert desk.ratings == [Rating("s", score, f"打{score}分", "m")]
    assert f"{score} 分" in heard.text
    assert ("转人工" in heard.buttons) is (score <= 2)


def test_rating_without_a_score_is_asked_for_one() -> None:
    desk = FakeDesk()
    assert "1 到 5 分" in hear(Rate(desk), "我要评价").text
    assert desk.ratings == []


@pytest.mark.parametrize("text", ["算了", "不问这个了"])
def test_no_more_of_it_is_forgotten(live: Live, text: str) -> None:
    heard = hear(Deny(live, FakeDesk()), text, slots={**QUESTION, "policy_id": "FT-001"})
    assert "您想了解什么" in heard.text
    assert (heard.slots["policy_id"], heard.slots["question"]) == (None, None)


def test_what_follows_a_no_is_answered(live: Live) -> None:
    heard = hear(Deny(live, FakeDesk()), "算了，稳岗返还比例是多少", slots={"policy_id": "FT-001"})
    assert heard.slots["policy_id"] == "SZ-051"
