"""Says what a clause is about, by the headings it stands under and its own words; the rules are a table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.policy import Facet


@dataclass(frozen=True)
class FacetRule:
    """``pattern`` anywhere in a heading, or in a clause's words, makes it this facet; earlier rules go first."""

    facet: Facet
    pattern: re.Pattern[str]


def _rules(*rules: tuple[Facet, str]) -> tuple[FacetRule, ...]:
    return tuple(FacetRule(facet, re.compile(pattern)) for facet, pattern in rules)


# A heading that names its facet decides over what stands under it.
HEADINGS = _rules(
    (Facet.CONTACT, r"联系(方式|电话|人)|咨询(电话|方式|渠道)|联系我们|(业务|政策)咨询"),
    (Facet.MATERIALS, r"材料|资料|申请表|申报书|承诺书|附件清单|佐证|证明文件"),
    (Facet.WINDOW, r"(申[报请]|受理|办理|报名|提交|起止|开放)(日期|时间|时限|期限|期间|周期)|时间安排|截止(时间|日期)|申报批次"),
    (Facet.VALIDITY, r"有效期|施行日期|实施日期|执行期限|生效"),
    (Facet.CONDITIONS, r"条件|资格|(适用|支持|扶持|资助|奖励|补[贴助]|申[报请]|服务|受益)(对象|范围|主体)|^(对象|范围)$|申报主体|准入|(申报|基本|具体)要求|负面清单|不予(支持|受理|资助)"),
    (
        Facet.AMOUNT,
        r"(资助|奖励|补贴|补助|扶持|支持|资金|贴息|配套|奖补)(标准|额度|金额|内容|措施|政策|方式|项目|比例|力度|方向|类别|限额)|标准|额度|金额"
        r"|(奖励|补贴|资助|补助|支持|奖补|贴息|扶持|减免)$",
    ),
    (Facet.DEPARTMENT, r"(主管|责任|受理|实施|管理)(部门|单位|机构)|职责(分工)?|部门分工|组织机构"),
)  # fmt: skip
# A heading that only frames; words that tell more go first.
BROAD_HEADINGS = _rules(
    (Facet.AMOUNT, r"^(支持|鼓励|奖励|资助|扶持|加大|培育|加强.{0,8}支持)"),
    (
        Facet.PROCESS,
        r"流程|程序|申[报请]|审[核批查]|受理|拨付|办理|评审|公示|步骤|方式|渠道|途径|组织实施|监督|管理|绩效|验收|退出",
    ),
)
# Words that settle it wherever they stand, except under a heading that names its facet.
TELLING_WORDS = _rules(
    (Facet.VALIDITY, r"(自.{0,20}(起|后)(正式)?(施行|实施|执行|生效|试行|实行))|有效期(为|至|限|自|\d|[一二三四五六七八九十]|：)|同时废止|停止执行"),
    (Facet.CONTACT, r"(咨询|联系|服务|监督|举报|投诉)(电话|热线|方式|邮箱)|联系人[：:]|电话[：:]|\b0\d{2,3}-?\d{7,8}\b"),
    (Facet.DEPARTMENT, r"负责解释|(负责|承担).{0,30}(受理|审核|组织|管理|工作|实施)|是.{0,20}主管部门|为.{0,20}主管部门|主管部门[是为：:]|受理(部门|单位)[为是：:]"),
    (Facet.WINDOW, r"(申[报请]|受理|报名|提交|征集)(的)?(时间|期限|截止(?!之日)|日期)|截止(时间|日期|到|至)|逾期(不予|未|不)|于每年|集中受理|常年受理|全年受理"),
    (Facet.MATERIALS, r"(提交|提供|递交|报送|上传|准备|出具).{0,20}(材料|资料|文件|证明|申请表|申请书|营业执照|承诺书|复印件)|材料(清单|如下|包括)|申[报请]材料"),
    (Facet.CONDITIONS, r"(符合|具备|满足).{0,20}(条件|要求|规定|资格|情形)|适用于|(不予|不得|不再).{0,8}(受理|支持|资助|申报|申请|享受)|本(措施|办法|细则|规定|政策|若干措施)所称.{0,20}(企业|是指|单位)|注册(地|登记)|登记注册|依法(登记|注册|设立)|独立法人"),
    (
        Facet.AMOUNT,
        r"给予.{0,60}(奖励|资助|补贴|补助|支持|扶持|贴息|配套|减免|元|%|％)|\d\s?(万|亿|元)|(百分之|\d\s?[%％])|最高(不超过|可)?|(奖励|资助|补贴|补助|扶持|支持).{0,12}(标准|金额|额度|万元)|不超过.{0,12}(元|%|％)",
    ),
)  # fmt: skip
WORDS = _rules(
    (Facet.PROCESS, r"申[报请]|受理|审[核批查议]|公示|拨付|登录|网上|系统|平台提交|评审|流程|程序|下达|签订"),
    (Facet.DEPARTMENT, r"由.{0,24}(局|委|办|部门|中心|署|政府)负责|责任(单位|部门)"),
)  # fmt: skip
_OPENING = 80
_NAMES_AMOUNT = re.compile(r"(资助|奖励|补[贴助]|扶持|支持)(标准|额度|金额|内容|比例)")
_IS_CLAUSE = re.compile(r"[：:]|应当|符合|具备|提交|提供|下列|如下|以下|按|须")
_NAMED = re.compile(r"([^：:。，；]{2,10})[：:]")


def facet_of(headings: Sequence[str], text: str) -> Facet:
    """The facet of a clause; ``headings`` outermost first, lead-ins of lists included.

    A clause that names its facet itself (受理部门：…) is that. Then the nearest heading that names a facet, then telling
    words in the text (its opening before the rest), then a framing heading, then weaker words; what matches none is an
    overview.
    """
    if (named := _NAMED.match(text)) and (facet := _first(HEADINGS, named[1])):
        return facet
    nearest_first = [_words(heading) for heading in reversed(headings)]
    steps = (
        (HEADINGS, nearest_first),
        (TELLING_WORDS, [text[:_OPENING], text]),
        (BROAD_HEADINGS, nearest_first),
        (WORDS, [text]),
    )
    for rules, texts in steps:
        for each in texts:
            if facet := _first(rules, each):
                return facet
    return Facet.OVERVIEW


def _first(rules: Sequence[FacetRule], text: str) -> Facet | None:
    return next((rule.facet for rule in rules if rule.pattern.search(text)), None)


def names_facet(text: str) -> bool:
    """Whether a short line is the name of a facet and nothing else (申报条件, 受理时间), as unnumbered headings are."""
    if len(text) > 10 or _IS_CLAUSE.search(text):
        return False
    by_rule = any(rule.pattern.search(text) for rule in HEADINGS if rule.facet is not Facet.AMOUNT)
    return by_rule or _NAMES_AMOUNT.fullmatch(text) is not None


def _words(heading: str) -> str:
    """A heading without its number (第二章, 一、, （一）), so that ``^`` means its first word."""
    return re.sub(
        r"^(第\S{1,5}[编章节条]|附件\S{0,3}|[（(]?[一二三四五六七八九十\d]{1,3}[）)、.．]+)\s*",
        "",
        heading,
    )
