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
