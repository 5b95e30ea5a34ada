"""What a match keeps of what was said: confirmed before it overrides the file, corrected, capped, of one session only."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from actions.match_form import HearFacts, ShowMatches
from actions.match_state import MOST_QUESTIONS, OPENING, SLOT, MatchState, read_state
from actions.match_talk import need_of_text
from actions.matching import MatchPolicies
from actions.replies import ReplyKind
from bot.runtime import BotRuntime
from knowledge.live import Live
from knowledge.profile import Known, Profile, Source
from tests.actions.fake_desk import FakeDesk
from tests.actions.hearing import Heard, hear
from tests.bot.talk import TODAY, Talk, kinds_of, only, text_of

FILED = date(2026, 3, 1)


@pytest.fixture
def own_desk() -> FakeDesk:
    return FakeDesk()


def bound(session: str, desk: FakeDesk) -> None:
    """Binds the session to an enterprise with a registered revenue and list of titles."""
    facts = {
        "registered_district": Known("福田区", Source.REGISTRY, FILED),
        "registered_city": Known("深圳市", Source.REGISTRY, FILED),
        "registered_province": Known("广东省", Source.REGISTRY, FILED),
        "annual_revenue_cny": Known(32_000_000, Source.REGISTRY, FILED),
        "qualifications": Known(("规上服务业",), Source.PROFILE, FILED),
    }
    desk.profiles[session] = Profile(facts, "深圳市某某有限公司", None)


def state_of(heard: Heard) -> MatchState:
    return read_state(heard.slots[SLOT])


def say(live: Live, desk: FakeDesk, text: str, state: MatchState, **more: Any) -> Heard:
    """One message inside the form."""
    return hear(HearFacts(live, desk), text, slots={SLOT: state.to_json()}, **more)


class TestOnFile:
    """The enterprise of the speaker is known."""

    def test_is_used_without_asking_who_they_are(self, live: Live, own_desk: FakeDesk) -> None:
        bound("s", own_desk)
        heard = hear(MatchPolicies(live, own_desk), "帮我匹配政策", intent="match_policies")
        assert state_of(heard).asking not in (None, OPENING)

    def test_value_that_contradicts_is_asked_back_and_not_used(
        self, bot: BotRuntime, desk: FakeDesk
    ) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        result = talk.say("我们去年营收2300万")
        assert (
            "登记的是3200万元（登记信息，2026-03-01），您说的是2300万元，以哪个为准？"
            in text_of(result)
        )
        assert "记下" not in text_of(result)
        assert desk.said_facts.get(talk.session, {}) == {}

    @pytest.mark.parametrize("answer", ["以我说的为准", "我说的", "后者", "2300万"])
    def test_confirmed_value_is_used_and_kept(
        self, bot: BotRuntime, desk: FakeDesk, answer: str
    ) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("我们去年营收2300万")
        result = talk.press(answer) if answer.startswith("以") else talk.say(answer)
        assert "记下：上年度营业收入 2300万元" in text_of(result)
        known = desk.said_facts[talk.session]["annual_revenue_cny"]
        assert known == Known(23_000_000, Source.SAID, TODAY)

    @pytest.mark.parametrize("answer", ["以登记的为准", "按登记的", "前者"])
    def test_file_can_be_right(self, bot: BotRuntime, desk: FakeDesk, answer: str) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("我们去年营收2300万")
        result = talk.press(answer) if answer == "以登记的为准" else talk.say(answer)
        assert "以登记的为准：上年度营业收入 3200万元" in text_of(result)
        assert "annual_revenue_cny" not in desk.said_facts.get(talk.session, {})

    def test_unanswered_value_is_not_used_in_the_results(
        self, bot: BotRuntime, desk: FakeDesk
    ) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("我们去年营收2300万")
        assert "2300" not in text_of(talk.say("看结果"))

    def test_yes_says_not_which_of_the_two(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("我们去年营收2300万")
        again = text_of(talk.say("好的"))
        assert "没听懂" in again and "以哪个为准" in again
        assert "以登记的为准：上年度营业收入 3200万元" in text_of(talk.say("好的"))
        assert "annual_revenue_cny" not in desk.said_facts.get(talk.session, {})

    def test_file_that_is_gone_is_not_asked_about(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("我们去年营收2300万")
        del desk.profiles[talk.session]
        assert "登记" not in text_of(talk.say("86个人"))

    def test_what_only_follows_is_not_kept(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        desk.profiles[talk.session] = Profile()
        talk.say("我们是福田的，86个人")
        assert set(desk.said_facts[talk.session]) == {"registered_district", "employees"}

    def test_enterprise_is_named(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        assert "按深圳市某某有限公司登记的信息匹配" in text_of(talk.say("帮我匹配政策"))

    def test_title_the_file_lacks_is_asked_back(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        said = text_of(talk.say("我们是国高"))
        assert "登记的是规上服务业（企业档案，2026-03-01），您说的是国家高新技术企业" in said

    def test_same_value_is_not_asked_back(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        assert "以哪个为准" not in text_of(talk.say("我们去年营收3200万，86个人"))

    def test_source_of_each_value_is_shown(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("帮我匹配政策，我们有86个人")
        result = talk.say("看结果")
        sources = {
            (one.source, one.day)
            for card in only(result, ReplyKind.MATCH).matches
            for one in card.criteria
            if one.source
        }
        assert ("registry", FILED) in sources


class TestSessions:
    def test_facts_of_one_session_reach_no_other(self, bot: BotRuntime, desk: FakeDesk) -> None:
        mine, theirs = Talk(bot), Talk(bot)
        bound(mine.session, desk)
        mine.say("我们是软件公司，86个人")
        theirs.say("帮我匹配政策")
        said = text_of(theirs.say("看结果"))
        assert "86" not in said and "3200" not in said and "软件" not in (theirs.state or "")
        assert "您还没有说企业的情况" in said
        assert desk.said_facts.get(theirs.session) is None
        mine.say("看结果")
        assert "86人" in text_of(mine.last) if mine.last else False

    def test_file_never_enters_the_state(self, bot: BotRuntime, desk: FakeDesk) -> None:
        talk = Talk(bot)
        bound(talk.session, desk)
        talk.say("帮我匹配政策")
        assert "32000000" not in (talk.state or "")
        assert "深圳市某某有限公司" not in (talk.state or "")


class TestHearing:
    def test_facts_are_kept_with_words_and_day(self, live: Live, own_desk: FakeDesk) -> None:
        heard = say(live, own_desk, "我们去年营收三千多万", MatchState(asking=OPENING))
        (said,) = state_of(heard).facts.values()
        assert (said.value, said.day, said.text) == (30_000_000, "2026-11-23", "三千多万")
        assert said.is_approximate
        assert state_of(heard).notes == ("记下：上年度营业收入 约3000万元",)

    def test_district_gives_city_and_province(self, live: Live, own_desk: FakeDesk) -> None:
        state = state_of(say(live, own_desk, "我们在福田", MatchState(asking=OPENING)))
        assert {name: each.value for name, each in state.facts.items()} == {
            "registered_district": "福田区",
            "registered_city": "深圳市",
            "registered_province": "广东省",
        }
        assert state.derived == {"registered_city", "registered_province"}

    def test_new_place_takes_the_old_one_back(self, live: Live, own_desk: FakeDesk) -> None:
        state = state_of(say(live, own_desk, "我们在福田", MatchState(asking=OPENING)))
        moved = state_of(say(live, own_desk, "我们注册在东莞", state))
        assert "registered_district" not in moved.facts
        assert moved.facts["registered_city"].value == "东莞市"

    def test_refused_is_never_asked_again(self, live: Live, own_desk: FakeDesk) -> None:
        state = MatchState(asking="employees", asked={"employees": 1})
        after = state_of(say(live, own_desk, "不方便说", state))
        assert "employees" in after.avoid
        assert after.asking != "employees"

    def test_question_comes_back_after_another_fact_but_not_for_ever(
        self, live: Live, own_desk: FakeDesk
    ) -> None:
        state = MatchState(asking="employees", asked={"employees": 1})
        first = state_of(say(live, own_desk, "去年营收3200万", state))
        assert first.asking == "employees"
        second = state_of(say(live, own_desk, "研发费用80万", first))
        assert second.asking != "employees"
        assert "employees" in second.avoid

    def test_at_most_so_many_questions(self, live: Live, own_desk: FakeDesk) -> None:
        state, asked = MatchState(asking=OPENING, asked={OPENING: 1}), []
        for _ in range(20):
            heard = say(live, own_desk, "跳过", state)
            state = state_of(heard)
            if heard.slots["match_told"]:
                break
            asked.append(state.asking)
        assert len(asked) == MOST_QUESTIONS == len(set(asked))
        assert state.is_ended

    def test_same_message_is_taken_in_once(self, live: Live, own_desk: FakeDesk) -> None:
        state = MatchState(asking=OPENING, heard="m")
        assert say(live, own_desk, "我们86个人", state, message_id="m").slots == {}

    @pytest.mark.parametrize(
        "text", ["算了", "停止", "不填了", "先这样吧", "退出", "够了", "直接看结果"]
    )
    def test_stop_words_end_it_even_after_a_yes_or_no_question(
        self, live: Live, own_desk: FakeDesk, text: str
    ) -> None:
        state = MatchState(asking="legal_person", asked={"legal_person": 1})
        heard = say(live, own_desk, text, state, intent="deny")
        assert heard.slots["match_told"] == "done"
        assert state_of(heard).facts == {}

    @pytest.mark.parametrize(
        "told", [{"told": "86亿"}, {"asked_field": "nothing", "told": "yes"}, {}, {"told": "file"}]
    )
    def test_odd_button_changes_nothing(
        self, live: Live, own_desk: FakeDesk, told: dict[str, str]
    ) -> None:
        state = MatchState(asking="employees", asked={"employees": 1})
        heard = say(live, own_desk, "/match_answer", state, intent="match_answer", **told)
        assert state_of(heard).facts == {}

    @pytest.mark.parametrize(
        "text", ["国高" * 1000, "我们86个人，" * 300, "😀" * 2000, "1" * 2000, "万" * 2000, "\x00 "]
    )
    def test_long_and_odd_input(self, bot: BotRuntime, text: str) -> None:
        talk = Talk(bot)
        talk.say("帮我匹配政策")
        result = talk.say(text)
        assert result.replies
        assert len(result.state) < 20_000
        assert ReplyKind.MATCH in kinds_of(talk.say("看结果"))


class TestState:
    def test_survives_json(self, live: Live, own_desk: FakeDesk) -> None:
        text = "我们是福田的国高，不是规上，去年营收三千多万"
        state = state_of(say(live, own_desk, text, MatchState(asking=OPENING)))
        assert read_state(json.loads(json.dumps(state.to_json()))) == state

    @pytest.mark.parametrize("raw", [None, "", 3, [], {}, {"facts": {"x": {}}}, {"new_key": 1}])
    def test_nothing_and_what_is_not_ours_is_a_new_one(self, raw: object) -> None:
        assert read_state(raw) == MatchState()

    def test_need_is_what_is_wished(self) -> None:
        assert need_of_text("我们是福田的软件公司，想租办公室，86个人") == "想租办公室"
        assert need_of_text("我们86个人") == ""


def test_results_put_verdict_first_and_cite_each_item(live: Live, own_desk: FakeDesk) -> None:
    text = "我们是福田的软件公司，去年营收3200万，国高，86个人，研发费用80万"
    state = state_of(say(live, own_desk, text, MatchState(asking=OPENING)))
    heard = hear(ShowMatches(live, own_desk), "看结果", slots={SLOT: state.to_json()})
    (reply,) = heard.replies
    order = ["eligible", "unknown", "ineligible"]
    places = [order.index(card.verdict) for card in reply.matches]
    assert places == sorted(places)
    assert 1 <= len(reply.matches) <= 10
    assert [c.policy_id for c in reply.citations] == [c.policy_id for c in reply.matches]
    assert heard.slots["listed"] == [card.policy_id for card in reply.matches]
    for card in reply.matches:
        assert card.dates is not None and card.dates.state != "expired"
        if card.verdict == "ineligible":
            assert sum(one.verdict == "failed" for one in card.criteria) == 1
    _summary, items, remarks = reply.text.split("\n\n")
    assert len(items.split("\n")) == 2 * len(reply.matches)
    assert "不能代为承诺" in remarks
