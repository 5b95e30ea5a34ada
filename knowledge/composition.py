"""Puts stored clauses into an answer's words; every figure stands exactly as in its clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge.clauses import LABELS
from knowledge.policy import Clause, Facet, Policy, Status

# Of a long first clause the reader sees only a part before the fold; validity must not fall behind it.
SHORT_CLAUSE_CHARS = 110
_WAN = 10_000
_YI = 100_000_000


@dataclass(frozen=True)
class Citation:
    """A stored clause and the policy it stands in, as of the day of the answer."""

    clause: Clause
    policy: Policy
    status: Status


@dataclass(frozen=True)
class Side:
    """One policy of a comparison: what is shown of it, and the facets asked for that its record lacks."""

    citations: tuple[Citation, ...]
    missing: tuple[Facet, ...]

    @property
    def policy(self) -> Policy:
        return self.citations[0].policy


def compose(
    policy: Policy,
    shown: Sequence[Clause],
    missing: Sequence[Facet],
    status: Status,
    asked: Sequence[Facet],
) -> str:
    """The answer about one policy: its name, the clauses asked for, what the record lacks, its validity."""
    body = [clause_line(clause) for clause in shown if clause.facet is not Facet.VALIDITY]
    if missing:
        body.insert(1, f"记录里没有写{facet_names(missing)}。")
    validity = validity_line(policy, status)
    at_once = Facet.VALIDITY in asked or not body or len(body[0]) > SHORT_CLAUSE_CHARS
    body.insert(0 if at_once else 1, validity)
    return "\n".join([heading(policy), *body])


def heading(policy: Policy) -> str:
    number = f"，{policy.doc_no}" if policy.doc_no else ""
    return f"《{policy.title}》（{policy.issuer}{number}）"


def clause_line(clause: Clause) -> str:
    return f"{clause.label}：{clause.text}"


def facet_names(facets: Sequence[Facet]) -> str:
    """Facets as a reader knows them; 扶持内容 without a figure lacks the amount, not the content."""
    return "、".join("具体金额" if f is Facet.AMOUNT else LABELS[f] for f in facets)


def validity_line(policy: Policy, status: Status) -> str:
    """One sentence on whether the policy may be relied on."""
    until = f"，有效至{policy.valid_to:%Y-%m-%d}" if policy.valid_to else ""
    since = f"{policy.valid_from:%Y-%m-%d}起施行" if policy.valid_from else ""
    published = f"（{policy.published:%Y-%m-%d}发布）" if policy.published else ""
    match status:
        case Status.CURRENT:
            return f"有效性：现行有效{published}{'，' + since if since else ''}{until}。资金以当年安排为准。"
        case Status.EXPIRED:
            return f"有效性：已过期{published}{until}，仅供了解，不能再按此申报。"
        case Status.UPCOMING:
            return f"有效性：尚未施行{'，' + since if since else published}{until}。"
        case Status.UNKNOWN:
            return f"有效性：有效期未核实{published}{until}，申报前请向{policy.department}确认。"


def stamp(policy: Policy, status: Status) -> str:
    """The validity in brackets, short, for a line of a list."""
    match status:
        case Status.CURRENT:
            return f"现行有效，至{policy.valid_to:%Y-%m-%d}" if policy.valid_to else "现行有效"
        case Status.EXPIRED:
            return f"已过期，有效至{policy.valid_to:%Y-%m-%d}" if policy.valid_to else "已过期"
        case Status.UPCOMING:
            return "尚未施行"
        case Status.UNKNOWN:
            return "有效期未核实"


def list_line(number: int, citation: Citation) -> str:
    policy = citation.policy
    return (
        f"{number}. 《{policy.title}》（{stamp(policy, citation.status)}）：{citation.clause.text}"
    )


def listing_text(citations: Sequence[Citation]) -> str:
    lines = [list_line(number, each) for number, each in enumerate(citations, 1)]
    return "\n".join(
        [
            f"目录里与此相关的政策有{len(lines)}项：",
            *lines,
            "想看哪一项的条件、材料，直接说“第几个”即可。",
        ]
    )


def comparison_text(sides: Sequence[Side], *, with_verdict: bool) -> str:
    """Two policies side by side; ``with_verdict`` adds which of the recorded maxima is higher, where both are."""
    lines = ["按目录里的记录对比："]
    for number, side in enumerate(sides, 1):
        status = side.citations[0].status
        lines.append(f"{number}. 《{side.policy.title}》（{stamp(side.policy, status)}）")
        lines += [clause_line(each.clause) for each in side.citations]
        if side.missing:
            lines.append(f"记录里没有写{facet_names(side.missing)}。")
    if with_verdict:
        lines.append(_verdict([side.policy for side in sides]))
    return "\n".join(lines)


def _verdict(policies: Sequence[Policy]) -> str:
    first, second = policies
    one, two = first.amount_max_cny, second.amount_max_cny
    if one is None or two is None:
        lacking = "、".join(f"《{p.title}》" for p in policies if p.amount_max_cny is None)
        return f"{lacking}的记录里没有最高额，无法直接比较多少；条件不同，请按各自条款核对。"
    if one == two:
        return f"两项记录的最高额相同，都是{in_words(one)}；条件不同，请按各自条款核对。"
    more, less = (first, second) if one > two else (second, first)
    return (
        f"按记录的最高额，《{more.title}》更高（{in_words(max(one, two))}，"
        f"《{less.title}》为{in_words(min(one, two))}）；条件不同，能否拿到以各自条款为准。"
    )


def in_words(amount_cny: int) -> str:
    """An amount in yuan as people say it, exactly: 100万元, 1.5亿元, 3000元."""
    for unit, name in ((_YI, "亿元"), (_WAN, "万元")):
        if amount_cny >= unit and amount_cny % (unit // _WAN) == 0:
            return f"{(Decimal(amount_cny) / unit).normalize():f}{name}"
    return f"{amount_cny}元"


def ended_mark(policy: Policy, day: date) -> str:
    """（已过期） or （尚未施行） behind a name; nothing where the policy may hold."""
    status = policy.status_on(day)
    return f"（{stamp(policy, status)}）" if status in (Status.EXPIRED, Status.UPCOMING) else ""


def clarification_text(policies: Sequence[Policy], day: date) -> str:
    lines = [
        f"{number}. 《{policy.title}》{ended_mark(policy, day)}"
        for number, policy in enumerate(policies, 1)
    ]
    return "\n".join(
        ["我不太确定您问的是哪一项，请点一下：", *lines, "都不是的话，换个说法再问，或者转人工。"]
    )


def only_listed_text(policies: Sequence[Policy], day: date) -> str:
    lines = [
        f"{number}. 《{policy.title}》{ended_mark(policy, day)}"
        for number, policy in enumerate(policies, 1)
    ]
    return "\n".join([f"刚才只列了{len(lines)}项，请问您说的是哪一项：", *lines])


NO_PROMISE = "能否获得以受理部门的审核结果为准，我不能代为承诺。"
UNKNOWN_NUMBER = "目录里没有您说的这个文号，下面是按内容找到的政策，请核对文号："
NOTHING_FOUND = "抱歉，政策目录里没有找到能回答这个问题的条款，我不能凭空回答。"


def elsewhere_text(home: str, place: str) -> str:
    return f"抱歉，我这里只收录{home}及上级的政策，没有{place}的政策，不能凭空回答。"


def holds_there_text(places: Sequence[str]) -> str:
    return f"目录里没有{'、'.join(places)}自己的同类政策；下面这一项在上级范围内适用："


def not_alike_text(policy: Policy, places: Sequence[str]) -> str:
    return (
        f"抱歉，目录里没有{'、'.join(places)}与《{policy.title}》同类的政策，我不能拿别处的来回答。"
    )


def not_recorded_text(policy: Policy, missing: Sequence[Facet], day: date) -> str:
    """What the record lacks, with the policy's validity, so that nobody waits for the detail of an expired one."""
    return f"{_ended_note(policy, day)}《{policy.title}》的记录里没有写{facet_names(missing)}，我不能凭空回答。"


def detail_not_recorded_text(policy: Policy, day: date, unstated: Sequence[str] = ()) -> str:
    """The same where it is no facet that lacks but the one thing asked, by its name where it has one: 到账时间."""
    named = f"（{'、'.join(unstated)}）" if unstated else ""
    return f"{_ended_note(policy, day)}《{policy.title}》的记录里没有写您问的这一点{named}，我不能凭空回答。"


def _ended_note(policy: Policy, day: date) -> str:
    notes = {Status.EXPIRED: "这一项已过期；", Status.UPCOMING: "这一项尚未施行；"}
    return notes.get(policy.status_on(day), "")
