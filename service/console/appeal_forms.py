"""Says what each step of handling an appeal asks for on its form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a field is filled in."""

    TEXT = "text"
    LINE = "line"
    PAUSE = "pause"
    CATEGORY = "category"
    DEPARTMENT = "department"
    DEPARTMENTS = "departments"
    DAYS = "days"
    YES_NO = "yes_no"
    SCORE = "score"


@dataclass(frozen=True)
class Field:
    """One field; ``name`` is that of ``staff_routes.Step``. ``choices`` are the words for yes and no."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    is_needed: bool = True
    choices: tuple[str, str] = ("是", "否")


@dataclass(frozen=True)
class Form:
    """What a step is called and asks for; ``hint`` says what follows from it."""

    title: str
    hint: str
    fields: tuple[Field, ...] = ()


_LEAD = Field("lead", "主办部门", Kind.DEPARTMENT)
_CO = Field("co", "协办部门（可不选）", Kind.DEPARTMENTS, is_needed=False)

FORMS: Mapping[str, Form] = {
    "accept": Form("签收", "表示本部门受理，企业会收到通知。"),
    "answer": Form(
        "答复", "答复会发给企业并停止计时，同时请企业评价是否解决。", (Field("text", "答复内容"),)
    ),
    "settle": Form(
        "即时办结", "当场就能办好的，写明办理结果；企业会收到通知。", (Field("text", "办理结果"),)
    ),
    "explain": Form(
        "解释说明", "暂时办不了的，须同时写明原因和依据。",
        (Field("reason", "原因"), Field("basis", "依据（政策、条款或事实）", Kind.LINE)),
    ),
    "send-back": Form(
        "退回", "不属于本部门职责时退回企服中心，最多退回两次，办理期限不变。",
        (Field("reason", "退回理由"),),
    ),
    "escalate": Form(
        "提请区领导协调", "一个部门办不了的复杂事项，由牵头部门提请区领导协调。",
        (
            Field("reason", "需要协调什么"),
            Field("leader", "提请哪位领导", Kind.LINE, is_needed=False),
            _CO,
        ),
    ),
    "pause": Form(
        "暂停计时", "只能用列明的原因；企业看得到原因和说明。",
        (
            Field("category", "暂停原因", Kind.PAUSE),
            Field("note", "说明（可不填）", is_needed=False),
        ),
    ),
    "resume": Form("恢复计时", "计时从现在继续。"),
    "ask-extension": Form(
        "申请延期", "每件诉求只能申请一次，由企服中心审批。",
        (Field("days", "延期几个工作日", Kind.DAYS), Field("reason", "延期理由")),
    ),
    "extend": Form(
        "审批延期", "不批准须写明理由。",
        (
            Field("approved", "审批意见", Kind.YES_NO, choices=("批准", "不批准")),
            Field("note", "说明", is_needed=False),
        ),
    ),
    "dispatch": Form(
        "分派", "企业会收到由谁办理的通知，办理期限不变。",
        (_LEAD, _CO, Field("reason", "分派理由（可不填）", is_needed=False)),
    ),
    "arbitrate": Form(
        "仲裁", "两次退回后由企服中心确定主办部门，此后不能再退回。",
        (_LEAD, _CO, Field("reason", "仲裁理由")),
    ),
    "common": Form(
        "列为共性问题", "由企服中心牵头研究，原主办部门转为协办。", (Field("reason", "理由"),)
    ),
    "refuse": Form(
        "不予受理", "企业会看到情形、理由和去哪里办。",
        (
            Field("category", "情形", Kind.CATEGORY),
            Field("reason", "理由"),
            Field("where", "去哪里办（不填用默认指引）", Kind.LINE, is_needed=False),
        ),
    ),
    "rate": Form(
        "代记评价", "企业在电话里说的评价；没有解决的会重新办理。",
        (
            Field("solved", "解决了吗", Kind.YES_NO, choices=("已解决", "没解决")),
            Field("satisfied", "满意度（已解决时）", Kind.SCORE, is_needed=False),
            Field("note", "企业怎么说（可不填）", is_needed=False),
        ),
    ),
    "close": Form(
        "办结", "企业已另行表示认可时办结。", (Field("note", "说明（可不填）", is_needed=False),)
    ),
    "reopen": Form(
        "重新办理", "企业反映没有解决；重新开始较短的期限。", (Field("reason", "没有解决的是什么"),)
    ),
    "note": Form("内部备注", "只有同事看得到。", (Field("text", "备注"),)),
}  # fmt: skip
"""By the name of the step in ``staff_routes.STEPS``."""
