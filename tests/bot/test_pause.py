"""What a conversation was about: kept between turns in the state, forgotten after half an hour of silence."""

from __future__ import annotations

import json
from typing import Any

import pytest

from actions.replies import ReplyKind
from bot.runtime import BotRuntime
from tests.bot.talk import Talk, kinds_of, text_of

QUESTION = "福田R&D投入支持多少"
LIST = "龙岗有哪些政策"
SLOTS = ("policy_id", "facets", "listed")


def slots_of(talk: Talk) -> dict[str, Any]:
    """The discussion as the state holds it; absent means nothing."""
    assert talk.state is not None
    events = json.loads(talk.state)
    return {e["name"]: e["value"] for e in events if e["event"] == "slot" and e["name"] in SLOTS}


def be_silent(talk: Talk, minutes: float) -> None:
    """Lets time pass: everything that was said moves into the past."""
    assert talk.state is not None
    events = json.loads(talk.state)
    for event in events:
        event["timestamp"] -= minutes * 60
    talk.state = json.dumps(events, ensure_ascii=False)


def test_policy_and_facets_are_kept(talk: Talk) -> None:
    talk.say(QUESTION)
    slots = slots_of(talk)
    assert slots["policy_id"] == "FT-006"
    assert slots["facets"] == ["amount"]


def test_list_is_kept_in_the_order_shown(talk: Talk) -> None:
    shown = [card.policy_id for card in talk.say(LIST).replies[0].citations]
    assert slots_of(talk)["listed"] == shown
    answered = talk.say("第二个归哪个部门管").replies[0]
    assert {card.policy_id for card in answered.citations} == {shown[1]}
    assert slots_of(talk)["listed"] == shown


def test_another_subject_ends_the_list(talk: Talk) -> None:
    shown = [card.policy_id for card in talk.say(LIST).replies[0].citations]
    talk.say("稳岗返还比例是多少")
    assert slots_of(talk)["policy_id"] == "SZ-051"
    assert not set(slots_of(talk).get("listed") or ()) & set(shown)


def test_small_talk_leaves_the_discussion_alone(talk: Talk) -> None:
    talk.say(QUESTION)
    before = slots_of(talk)
    talk.say("谢谢")
    assert slots_of(talk) == before
    assert {c.policy_id for c in talk.say("归哪个部门管").replies[0].citations} == {"FT-006"}


def test_short_pause_forgets_nothing(talk: Talk) -> None:
    talk.say(QUESTION)
    be_silent(talk, 29)
    assert {c.policy_id for c in talk.say("归哪个部门管").replies[0].citations} == {"FT-006"}


@pytest.mark.parametrize("first", [QUESTION, LIST])
@pytest.mark.parametrize("then", ["归哪个部门管", "那材料呢", "第二个归哪个部门管"])
def test_half_an_hour_of_silence_forgets_the_topic(bot: BotRuntime, first: str, then: str) -> None:
    talk = Talk(bot)
    assert kinds_of(talk.say(first)) == [ReplyKind.ANSWER]
    be_silent(talk, 31)
    result = talk.say(then)
    assert all(not reply.citations for reply in result.replies), text_of(result)
    assert not any(slots_of(talk).values())


def test_two_conversations_keep_their_own_lists(bot: BotRuntime) -> None:
    one, other = Talk(bot), Talk(bot)
    listed = [card.policy_id for card in one.say(LIST).replies[0].citations]
    compared = [
        c.policy_id for c in other.say("境内上市奖励和境外上市奖励哪个多").replies[0].citations
    ]
    answered = one.say("第二个归哪个部门管"), other.say("第二个归哪个部门管")
    found = [{card.policy_id for card in result.replies[0].citations} for result in answered]
    assert found == [{listed[1]}, {compared[1]}]
