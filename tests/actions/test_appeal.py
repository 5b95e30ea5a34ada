"""Appeals in conversation: filed at once or asked for, supplemented, withdrawn, followed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from actions.appeal import (
    OPEN_STATES,
    STATES,
    AppealSolved,
    AppealStatus,
    FileAppeal,
    HearMatter,
    HearSupplement,
    NotSolved,
    OpenSupplement,
    SubmitAppeal,
    SupplementAppeal,
    WithdrawAppeal,
    appeal_reply,
    chinese_time,
)
from actions.desk import Appeal, AppealDraft, AppealReason
from actions.replies import ReplyKind
from service.appeals.models import AppealState
from tests.actions.fake_desk import DEPARTMENT, DUE_AT, FakeDesk
from tests.actions.hearing import hear

MATTER = "园区的公共充电桩坏了半个月没人修"


@pytest.fixture
def desk() -> FakeDesk:
    return FakeDesk()


@pytest.fixture
def filed(desk: FakeDesk) -> Appeal:
    """An open appeal of the session ``s``."""
    return desk.file_appeal(AppealDraft("s", "filed", MATTER, AppealReason.REQUESTED))


@pytest.mark.parametrize(
    "text", [MATTER, "楼下施工扰民没人管", "我要投诉物业乱收费", "反映一下：隔壁天天装修太吵了"]
)
def test_problem_told_in_full_is_filed_at_once(desk: FakeDesk, text: str) -> None:
    heard = hear(SubmitAppeal(desk), text)
    assert heard.kinds == [ReplyKind.APPEAL]
    (draft,) = desk.drafts.values()
    assert (draft.matter, draft.reason) == (text, AppealReason.REQUESTED)
    assert heard.slots["appeal_no"] in heard.text


@pytest.mark.parametrize(
    "text",
    ["我要提诉求", "你好，我想反映个问题", "怎么提诉求？", "/submit_appeal", "帮我登记一下诉求"],
)
def test_opening_alone_asks_for_the_matter(desk: FakeDesk, text: str) -> None:
    heard = hear(SubmitAppeal(desk), text)
    assert heard.follow_up == "appeal_form"
    assert desk.appeals == {}


def test_who_speaks_is_filed_with_the_matter(desk: FakeDesk) -> None:
    hear(
        SubmitAppeal(desk),
        MATTER,
        phone="13800138000",
        credit_code="91440300708461136T",
        company="深圳某某有限公司",
    )
    (draft,) = desk.drafts.values()
    assert (draft.phone, draft.credit_code) == ("13800138000", "91440300708461136T")
    assert draft.company == "深圳某某有限公司"


def test_form_files_what_it_heard(desk: FakeDesk) -> None:
    heard = hear(FileAppeal(desk), "就是这样", slots={"appeal_matter": MATTER})
    assert [draft.matter for draft in desk.drafts.values()] == [MATTER]
    assert heard.slots["appeal_matter"] is None


@pytest.mark.parametrize(
    "text", ["没解决", "答非所问", "你没有回答我的问题", "不是我想问的", "冇解决"]
)
def test_not_solved_files_the_last_question(desk: FakeDesk, text: str) -> None:
    slots = {"question": "国高补贴多少钱", "policy_id": "FT-001"}
    hear(SubmitAppeal(desk), text, slots=slots)
    (draft,) = desk.drafts.values()
    assert draft.reason is AppealReason.NOT_SOLVED
    assert draft.matter == f"国高补贴多少钱（用户反馈：{text}）"
    assert draft.policy_id == "FT-001"


def test_not_solved_by_button_files_the_question_alone(desk: FakeDesk) -> None:
    hear(NotSolved(desk), "/not_solved", slots={"question": "国高补贴多少钱"})
    assert [draft.matter for draft in desk.drafts.values()] == ["国高补贴多少钱"]


def test_not_solved_without_a_question_asks_for_the_matter(desk: FakeDesk) -> None:
    assert hear(NotSolved(desk), "/not_solved").follow_up == "appeal_form"
    assert desk.appeals == {}


@pytest.mark.parametrize("action", [SubmitAppeal, AppealStatus])
@pytest.mark.parametrize("text", ["撤回诉求", "帮我把诉求撤回", "取消工单", "不用办那个诉求了"])
def test_withdrawing_by_words(
    desk: FakeDesk, filed: Appeal, action: type[SubmitAppeal | AppealStatus], text: str
) -> None:
    heard = hear(action(desk), text, slots={"appeal_no": filed.no})
    assert heard.kinds == [ReplyKind.APPEAL]
    assert "已撤回" in heard.text
    assert heard.buttons == {}
    assert heard.slots == {"appeal_no": None}
    assert desk.appeals[filed.no].state == "withdrawn"


def test_withdrawing_names_its_number(desk: FakeDesk, filed: Appeal) -> None:
    newer = desk.file_appeal(AppealDraft("s", "m2", "停水", AppealReason.REQUESTED))
    hear(
        WithdrawAppeal(desk),
        "/withdraw_appeal",
        appeal_no=filed.no,
        slots={"appeal_no": newer.no},
    )
    assert desk.appeals[filed.no].state == "withdrawn"
    assert desk.appeals[newer.no].state == "dispatched"


@pytest.mark.parametrize("action", [WithdrawAppeal, OpenSupplement, AppealStatus])
def test_nothing_filed_yet_is_said(
    desk: FakeDesk, action: type[WithdrawAppeal | OpenSupplement | AppealStatus]
) -> None:
    heard = hear(action(desk), "诉求")
    assert heard.kinds == [ReplyKind.TEXT]
    assert "还没有诉求" in heard.text


@pytest.mark.parametrize("action", [WithdrawAppeal, OpenSupplement, AppealStatus, SupplementAppeal])
def test_appeals_of_others_are_invisible(
    desk: FakeDesk,
    filed: Appeal,
    action: type[WithdrawAppeal | OpenSupplement | AppealStatus | SupplementAppeal],
) -> None:
    heard = hear(
        action(desk),
        f"{filed.no} 到哪了",
        session="other",
        appeal_no=filed.no,
        slots={"appeal_no": filed.no, "supplement_text": "也算我一个"},
    )
    assert heard.kinds == [ReplyKind.TEXT]
    assert MATTER not in heard.text
    assert DEPARTMENT not in heard.text
    assert heard.follow_up is None
    assert desk.appeals[filed.no] == filed
    assert desk.supplements == {}


@pytest.mark.parametrize("action", [SubmitAppeal, AppealStatus])
@pytest.mark.parametrize("text", ["补充诉求", "我想补充一下说明", "诉求再补充点"])
def test_supplementing_by_words_opens_the_form(
    desk: FakeDesk, filed: Appeal, action: type[SubmitAppeal | AppealStatus], text: str
) -> None:
    heard = hear(action(desk), text, slots={"appeal_no": filed.no})
    assert heard.follow_up == "supplement_form"
    assert heard.slots == {"appeal_no": filed.no}


@pytest.mark.parametrize("state", sorted(set(STATES) - OPEN_STATES))
def test_closed_appeal_takes_no_supplement(desk: FakeDesk, filed: Appeal, state: str) -> None:
    desk.move(filed.no, state)
    opened = hear(OpenSupplement(desk), "补充", appeal_no=filed.no)
    assert opened.follow_up is None
    added = hear(
        SupplementAppeal(desk), "x", slots={"appeal_no": filed.no, "supplement_text": "还有一件"}
    )
    assert "不能再补充" in added.text
    assert added.slots == {"supplement_text": None}
    assert desk.supplements == {}


def test_supplement_is_added(desk: FakeDesk, filed: Appeal) -> None:
    slots = {"appeal_no": filed.no, "supplement_text": "联系人王先生"}
    heard = hear(SupplementAppeal(desk), "联系人王先生", slots=slots)
    assert desk.supplements == {filed.no: ["联系人王先生"]}
    assert filed.no in heard.text
    assert heard.slots == {"supplement_text": None}


@pytest.mark.parametrize("state", sorted(STATES))
def test_progress_names_the_state(desk: FakeDesk, filed: Appeal, state: str) -> None:
    desk.move(filed.no, state)
    heard = hear(AppealStatus(desk), "诉求办到哪了")
    assert STATES[state] in heard.text
    assert MATTER in heard.text
    assert ("前答复" in heard.text) is (state in OPEN_STATES)
    assert ("撤回" in heard.buttons) is (state in OPEN_STATES)


def test_progress_of_one_number(desk: FakeDesk, filed: Appeal) -> None:
    desk.file_appeal(AppealDraft("s", "m2", "停水", AppealReason.REQUESTED))
    heard = hear(AppealStatus(desk), f"{filed.no}进度", appeal_no=filed.no)
    assert len(heard.replies) == 1
    assert heard.slots == {"appeal_no": filed.no}


def test_progress_shows_the_three_newest(desk: FakeDesk) -> None:
    for number in range(5):
        desk.file_appeal(AppealDraft("s", f"m{number}", f"第{number}件", AppealReason.REQUESTED))
    heard = hear(AppealStatus(desk), "诉求进度")
    assert ["第4件" in heard.text, "第2件" in heard.text, "第1件" in heard.text] == [
        True,
        True,
        False,
    ]


def test_long_matter_is_cut_in_the_progress(desk: FakeDesk) -> None:
    desk.file_appeal(AppealDraft("s", "m", "停电" * 1000, AppealReason.REQUESTED))
    assert len(hear(AppealStatus(desk), "诉求进度").text) < 200


def test_states_are_those_of_the_service() -> None:
    assert set(STATES) == {str(state) for state in AppealState}


@pytest.mark.parametrize("action", [SubmitAppeal, NotSolved])
def test_not_solved_after_an_answered_appeal_reopens_it(
    desk: FakeDesk, filed: Appeal, action: type[SubmitAppeal | NotSolved]
) -> None:
    desk.move(filed.no, "answered")
    heard = hear(action(desk), "没解决，还是不行", slots={"question": "国高补贴多少钱"})
    assert desk.appeals[filed.no].state == "reopened"
    assert desk.reactions == {filed.no: (False, "没解决，还是不行")}
    assert "重新办理" in heard.text and heard.slots == {"appeal_no": filed.no}
    assert len(desk.drafts) == 1


def test_the_button_under_a_policy_answer_means_the_question(desk: FakeDesk, filed: Appeal) -> None:
    desk.move(filed.no, "answered")
    hear(NotSolved(desk), "/not_solved", slots={"question": "国高补贴多少钱"})
    assert desk.appeals[filed.no].state == "answered"
    assert len(desk.drafts) == 2


def test_the_buttons_under_an_answer_name_their_appeal(desk: FakeDesk, filed: Appeal) -> None:
    desk.move(filed.no, "answered")
    solved = hear(AppealSolved(desk), "/appeal_solved", appeal_no=filed.no)
    assert desk.reactions == {filed.no: (True, "")}
    assert list(solved.buttons) == ["5 分", "4 分", "3 分", "2 分", "1 分"]
    again = hear(AppealSolved(desk), "/appeal_solved", appeal_no=filed.no)
    unsolved = hear(NotSolved(desk), "/not_solved", appeal_no=filed.no)
    for heard in (again, unsolved):
        assert "没有找到" in heard.text and heard.kinds == [ReplyKind.TEXT]


def test_progress_tells_the_clock_of_the_desk(desk: FakeDesk, filed: Appeal) -> None:
    desk.appeals[filed.no] = replace(filed, progress="剩余2个工作日（…前答复）")
    assert "剩余2个工作日（…前答复）" in hear(AppealStatus(desk), "诉求进度").text


def test_repeat_says_that_it_joined(filed: Appeal) -> None:
    assert "已并入" in appeal_reply(replace(filed, joined=True)).text
    assert "已为您登记" in appeal_reply(filed).text


def test_time_is_told_in_shanghai() -> None:
    assert chinese_time(DUE_AT) == "2026年11月30日 18:00"
    assert chinese_time(datetime(2026, 12, 31, 16, 5, tzinfo=UTC)) == "2027年1月1日 00:05"


@pytest.mark.parametrize(
    ("text", "intent", "confidence", "is_heard"),
    [
        (MATTER, "submit_appeal", 0.9, True),
        ("停电", "submit_appeal", 0.4, True),
        ("气死我了充电桩坏了半个月", "complaint_angry", 0.6, True),
        ("隔壁太吵", "out_of_scope", 0.5, True),
        ("垃圾机器人", "complaint_angry", 0.9, False),
        ("讲个笑话", "chitchat", 0.9, False),
        ("今天天气怎么样", "out_of_scope", 0.9, False),
        ("好的", "affirm", 0.95, False),
        ("五星好评", "rate_service", 0.95, False),
        ("我要提诉求", "submit_appeal", 0.95, False),
        ("/match_policies", "match_policies", 1.0, False),
        ("？？？", "nlu_fallback", 0.1, False),
        ("😀", "affirm", 0.3, False),
    ],
)
@pytest.mark.parametrize("action", [HearMatter, HearSupplement])
def test_form_hears_only_what_may_be_its_answer(
    action: type[HearMatter], text: str, intent: str, confidence: float, is_heard: bool
) -> None:
    slot = action.slot
    heard = hear(action(), text, intent=intent, confidence=confidence, slots={slot: text})
    assert heard.slots == ({} if is_heard else {slot: None})
    assert heard.replies == []
