"""What may stop the clock, extend it or turn an appeal away: the district's rules as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

ANSWER_AGAIN_WITHIN_WORKING_DAYS = 2
"""The shorter clock of an appeal that was answered but not solved."""

CLOSE_AFTER_WORKING_DAYS = 5
"""An answer nobody reacted to closes the appeal by itself after so many working days."""

MOST_EXTENSION_WORKING_DAYS = 5
"""The longest extension; it is given once."""


class PauseReason(StrEnum):
    """Why the clock stands still; nothing else may stop it."""

    MORE_FROM_REQUESTER = "more_from_requester"
    SUPERIOR = "superior"
    SITE_VISIT = "site_visit"
    EXPERT_REVIEW = "expert_review"
    OTHER_PROCEEDING = "other_proceeding"


@dataclass(frozen=True)
class Pause:
    """A named reason as both sides read it.

    ``at_most_days`` are the working days after which the clock runs on by itself.
    ``ends_on_supplement``: what the requester adds is what was waited for.
    """

    text: str
    at_most_days: int
    ends_on_supplement: bool = False


PAUSES: Mapping[PauseReason, Pause] = {
    PauseReason.MORE_FROM_REQUESTER: Pause("等待企业补充材料", 10, ends_on_supplement=True),
    PauseReason.SUPERIOR: Pause("等待上级批复", 20),
    PauseReason.SITE_VISIT: Pause("等待与企业约定的现场核查", 5),
    PauseReason.EXPERT_REVIEW: Pause("等待专家评审或检测结果", 15),
    PauseReason.OTHER_PROCEEDING: Pause("等待相关法定程序办结", 20),
}


class Category(StrEnum):
    """What the desk does not take up, after the city's guide of 2023-12-13 (first edition)."""

    JURISDICTION = "jurisdiction"
    PROCEEDINGS = "proceedings"
    PETITION = "petition"
    SECRETS = "secrets"
    ABUSE = "abuse"
    REPEATED = "repeated"
    OTHER = "other"


@dataclass(frozen=True)
class NotAccepted:
    """A category in words, and where to go instead unless the case worker names a better place."""

    text: str
    where_to_go: str


NOT_ACCEPTED: Mapping[Category, NotAccepted] = {
    Category.JURISDICTION: NotAccepted(
        "不属于本市行政管辖范围", "请向有管辖权的地方政府或部门反映，也可拨打12345咨询"
    ),
    Category.PROCEEDINGS: NotAccepted(
        "已进入或须通过诉讼、仲裁、纪检监察、行政复议、政府信息公开等程序解决",
        "请向受理该程序的法院、仲裁机构、纪检监察机关、复议机关或信息公开机构提出",
    ),
    Category.PETITION: NotAccepted("已进入信访程序", "请向受理该信访事项的机关查询办理情况"),
    Category.SECRETS: NotAccepted(
        "涉及国家秘密、商业秘密或个人隐私", "请勿在线上提供，改由线下向主管部门书面提出"
    ),
    Category.ABUSE: NotAccepted(
        "违法违背公序良俗、恶意攻击骚扰或没有实质内容", "请写明具体事项后重新提交"
    ),
    Category.REPEATED: NotAccepted(
        "正在办理或已依法办结，仍以同一事实和理由重复反映", "请查看原诉求的进度和答复"
    ),
    Category.OTHER: NotAccepted("依法不予受理的其他情形", "可拨打0755-82975860咨询"),
}
