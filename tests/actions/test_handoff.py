"""Nobody who asks for a person waits in silence."""

from __future__ import annotations

from actions.desk import AppealReason
from actions.handoff import RequestPerson
from actions.replies import Author, ReplyKind
from tests.actions.fake_desk import DEPARTMENT, FakeDesk
from tests.actions.hearing import hear


def test_wish_is_queued_with_place_wait_and_hours_told() -> None:
    desk = FakeDesk()
    heard = hear(RequestPerson(desk), "转人工", phone="13800138000")
    assert heard.kinds == [ReplyKind.HANDOFF]
    assert desk.asked_by("s") == ["请求人工服务：转人工"]
    assert desk.drafts == {}
    (reply,) = heard.replies
    assert (reply.author, reply.appeal) == (Author.SYSTEM, None)
    for told in ("第 1 位", "预计 3 分钟", "工作日 9:00–12:00、14:00–18:00", "10 分钟内无人接入"):
        assert told in heard.text
    assert heard.buttons == {"取消排队": "/cancel_person"}


def test_wish_nobody_can_meet_is_filed_and_its_number_told() -> None:
    desk = FakeDesk(is_manned=False)
    heard = hear(RequestPerson(desk), "转人工", phone="13800138000")
    assert heard.kinds == [ReplyKind.HANDOFF]
    (draft,) = desk.drafts.values()
    assert (draft.matter, draft.reason) == ("请求人工服务：转人工", AppealReason.HUMAN_WANTED)
    assert draft.phone == "13800138000"
    (reply,) = heard.replies
    assert reply.appeal is not None
    assert reply.appeal.no == heard.slots["appeal_no"]
    assert reply.appeal.no in heard.text
    assert DEPARTMENT in heard.text
    assert "2026年11月30日 18:00" in heard.text
    assert "2026年11月24日 09:00恢复人工服务" in heard.text


def test_person_is_told_what_was_asked_before() -> None:
    desk = FakeDesk()
    hear(RequestPerson(desk), "/talk_to_human", slots={"question": "国高补贴多少钱"})
    assert desk.asked_by("s") == ["请求人工服务（此前询问：国高补贴多少钱）"]


def test_filed_wish_can_be_supplemented() -> None:
    heard = hear(RequestPerson(FakeDesk(is_manned=False)), "转人工")
    assert heard.buttons["补充"] == '/supplement_appeal{"appeal_no": "FT-20261123-0001"}'
