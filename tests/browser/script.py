"""Holds the fake service's answers, one of every kind the page draws; the figures are made up."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from actions.replies import (
    AppealCard,
    Author,
    Button,
    CitationCard,
    CriterionCard,
    DatesCard,
    GapCard,
    MatchCard,
    Reply,
    ReplyKind,
)

APPEAL_NO = "FT-20261123-0001"
WITHDRAW = "/withdraw_appeal"
WHY = '/explain_match{"policy_id": "FT-009"}'
SENTENCE = "申报时请准备以下材料，并加盖公章后按顺序装订。"
LONG = SENTENCE * 14
VALIDITY = "有效性：已过期，有效至2023-12-31，仅供了解，不能再按此申报。"
LONG_LINES = "\n".join(
    [
        "《福田区国高企业认定支持（存量企业）》（福田区科技创新局）",
        "申报条件：" + "注册地在福田区，具有独立法人资格，信用良好；" * 5,
        "申报材料：" + "营业执照、纳税证明、认定证书、信用报告、资金申请表；" * 6,
        VALIDITY,
        "另有市级相近的《深圳市高新技术企业培育资助》，两项分别看各自条件。",
    ]
)
TWO_POLICIES = (
    "福田区支持战略性新兴产业和未来产业集群高质量发展若干措施（国家高新技术企业认定支持）",
    "深圳市高新技术企业培育资助项目管理办法（2026年度第一批，含新认定和重新认定两类企业）",
)


@dataclass(frozen=True)
class Answer:
    """``is_later``: the response is empty (202), the answer follows, on the stream if streamed."""

    replies: tuple[Reply, ...]
    owner: str | None = None
    is_later: bool = False
    is_streamed: bool = True


def _citation(title: str, status: str, url: str | None, **more: Any) -> CitationCard:
    card: dict[str, Any] = {
        "policy_id": "DEMO-1",
        "title": title,
        "doc_no": "福府办规〔2026〕1号",
        "issuer": "福田区科技创新局",
        "clause": "第八条 第二款",
        "quote": "对首次通过国家高新技术企业认定的，给予一次性奖励10万元；\n重新认定的，5万元。",
        "valid_from": date(2026, 1, 1),
        "valid_to": date(2028, 12, 31),
        "status": status,
        "url": url,
    }
    return CitationCard.model_validate(card | more)


def _policy_answer() -> Reply:
    return Reply(
        kind=ReplyKind.ANSWER,
        text="首次认定国家高新技术企业，可以获得一次性奖励 10 万元。\n\n"
        "· 注册地在福田区\n· 证书为上年度取得\n\n"
        "受理时间以当年申报通知为准。",
        citations=[
            _citation("福田区支持科技创新若干措施", "current", "https://www.szft.gov.cn/demo"),
            _citation(
                "福田区国高企业认定支持（2022年度）",
                "expired",
                "javascript:alert(1)",
                doc_no=None,
                clause="资助标准",
                valid_from=None,
                valid_to=date(2023, 12, 31),
            ),
            _citation(
                "深圳市高新技术企业培育资助", "unknown", None, valid_from=None, valid_to=None
            ),
        ],
        buttons=[
            Button(title="需要什么材料", payload="需要什么材料？"),
            Button(title="怎么申报", payload="怎么申报？"),
            Button(title="没解决我的问题", payload="/not_solved"),
        ],
    )


def _refusal() -> tuple[Reply, ...]:
    card = AppealCard(
        no=APPEAL_NO,
        state="dispatched",
        department="福田区企业服务中心",
        due_at=datetime(2026, 11, 30, 10, 0, tzinfo=UTC),
    )
    return (
        Reply(kind=ReplyKind.REFUSAL, text="这个问题我没有找到政策依据，不能随意回答。"),
        Reply(
            kind=ReplyKind.APPEAL,
            text="已为您登记诉求，责任部门会在期限前联系您。",
            appeal=card,
            buttons=[
                Button(title="补充说明", payload="/supplement_appeal"),
                Button(title="撤回诉求", payload=WITHDRAW),
                Button(title="转人工", payload="/talk_to_human"),
            ],
        ),
    )


def _match(title: str, verdict: str, amount: int | None, verdicts: str) -> MatchCard:
    names = {"m": "met", "f": "failed", "u": "unknown"}
    fields = ("注册地", "上年度营业收入", "员工人数", "国家高新技术企业")
    needs = ("福田区", "不低于 2,000 万元", "不少于 50 人", "已取得")
    haves = ("福田区", "1,200 万元", None, "是")
    criteria = [
        CriterionCard(
            field=fields[place],
            verdict=names[letter],
            have=haves[place],
            need=needs[place],
            clause="第五条",
        )
        for place, letter in enumerate(verdicts)
    ]
    return MatchCard(
        policy_id=title,
        title=title,
        verdict=verdict,
        score=0.8,
        amount_max_cny=amount,
        criteria=criteria,
    )


def _matching_in_talk() -> Reply:
    """What the dialogue says: summary, items, remarks; clauses and buttons of the first item."""
    card = _match("规模以上软件企业支持", "unknown", 12_500_000, "mf")
    failed = card.criteria[1].model_copy(
        update={
            "label": "去年收入",
            "clause": "FT-009#conditions",
            "source": "said",
            "day": date(2026, 11, 23),
            "gap": GapCard(amount=8e6, unit="CNY", text="差800万元"),
        }
    )
    card = card.model_copy(
        update={
            "policy_id": "FT-009",
            "criteria": [card.criteria[0], failed],
            "dates": DatesCard(state="open", text="受理中，2026-12-31截止"),
        }
    )
    clause = CitationCard(
        policy_id="FT-009",
        title=card.title,
        doc_no=None,
        issuer="某局",
        clause="申报条件",
        quote="上年度营业收入不低于2000万元",
        valid_from=None,
        valid_to=None,
        status="current",
        url=None,
    )
    return Reply(
        kind=ReplyKind.MATCH,
        text="列出还差信息的1项：\n\n1. 还差信息｜《规模以上软件企业支持》\n\n以审核结果为准。",
        matches=[card],
        citations=[clause],
        buttons=[
            Button(title="1 为什么", payload=WHY),
            Button(title="都不合适", payload="/not_solved"),
        ],
    )


def _matching() -> Reply:
    return Reply(
        kind=ReplyKind.MATCH,
        text="按您提供的信息，匹配到 4 项政策：",
        matches=[
            _match("国家高新技术企业认定奖励", "eligible", 100_000, "m"),
            _match("规模以上软件企业支持", "unknown", 12_500_000, "mfum"),
            _match("总部企业办公用房支持", "ineligible", 150_000_000, "mf"),
            _match("稳岗返还", "eligible", None, "m"),
        ],
        buttons=[Button(title="补充企业信息", payload="我来补充企业信息")],
    )


def _person() -> tuple[Reply, ...]:
    return (
        Reply(author=Author.SYSTEM, kind=ReplyKind.HANDOFF, text="服务专员 王敏 已接入，为您服务"),
        Reply(author=Author.PERSON, text="您好，我是服务专员王敏，请问有什么可以帮您？"),
    )


def _clarification() -> Reply:
    buttons = [Button(title=title, payload=f"/ask{title}") for title in TWO_POLICIES]
    return Reply(
        kind=ReplyKind.QUESTION,
        text="您问的是下面哪一项？",
        buttons=[*buttons, Button(title="转人工", payload="/talk_to_human")],
    )


def _two_answers() -> tuple[Reply, ...]:
    return (
        Reply(kind=ReplyKind.ANSWER, text="第一问：认定奖励10万元。"),
        Reply(kind=ReplyKind.ANSWER, text="第二问：由区科技创新局受理。"),
    )


def _queued() -> Reply:
    return Reply(
        author=Author.SYSTEM,
        kind=ReplyKind.HANDOFF,
        text="正在为您转接服务专员：您排在第 1 位",
        buttons=[Button(title="取消排队", payload="/cancel_person")],
    )


def answer_to(text: str) -> Answer:
    """What the script says to a message; a message it does not know is repeated word for word."""
    if "国高" in text or "国家高新" in text:
        return Answer((_policy_answer(),))
    if "月球" in text:
        return Answer(_refusal())
    if "逐项" in text:
        return Answer((_matching_in_talk(),))
    if "匹配" in text:
        return Answer((_matching(),))
    if "两问" in text:
        return Answer(_two_answers())
    if "哪一项" in text:
        return Answer((_clarification(),))
    if "全部规定" in text:
        return Answer((Reply(kind=ReplyKind.ANSWER, text=LONG_LINES),))
    if "材料" in text:
        return Answer((Reply(text=LONG),))
    if text == "/cancel_person":
        line = Reply(author=Author.SYSTEM, kind=ReplyKind.HANDOFF, text="已为您取消排队")
        return Answer((line,), owner="bot")
    if "请专员" in text:
        return Answer((_queued(),), owner="queued")
    if "人工" in text:
        return Answer(_person(), owner="person")
    if "慢" in text:
        return Answer((Reply(text="让您久等了。"),), is_later=True)
    if "吞掉" in text:
        return Answer((Reply(text="这条答复没有走推送。"),), is_later=True, is_streamed=False)
    if text == WITHDRAW:
        return Answer((Reply(text="诉求已撤回。"),))
    return Answer((Reply(text=text),))


TIMELINE: dict[str, Any] = {
    "no": APPEAL_NO,
    "state": "accepted",
    "department": "福田区企业服务中心",
    "due_at": "2026-11-30T10:00:00Z",
    "matter": "想把厂搬到月球有没有补贴",
    "due_note": "办理期限按周一至周五计算，可能调整。",
    "timeline": [
        {"state": "filed", "at": "2026-11-23T01:05:00Z", "text": "由机器人登记"},
        {"state": "dispatched", "at": "2026-11-23T01:06:00Z", "text": "派至福田区企业服务中心"},
        {"state": "accepted", "at": "2026-11-23T02:30:00Z", "text": ""},
    ],
}
