"""Puts stored clauses into an answer's words; every figure stands exactly as in its clause."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from knowledge.acts import ActKind, repeal_words
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
    day: date | None = None,
) -> str:
    """The answer about one policy: its name, the clauses asked for, what the record lacks, its validity.

    ``day`` is the day of the answer; without one no clause is marked as repealed by itself.
    """
    body = [
        f"{clause_line(clause)}{repealed_mark(policy, clause, day)}"
        for clause in shown
        if clause.facet is not Facet.VALIDITY
    ]
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


def repealed_mark(policy: Policy, clause: Clause, day: date | None) -> str:
    """What stands behind a clause that was repealed alone; nothing for any other."""
    act = policy.clause_repeal_on(clause.label, day) if day else None
    return f"（本条已过期：已{repeal_words(act)}）" if act else ""


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
            return f"有效性：现行有效{published}{'，' + since if since else ''}{until}{_coming(policy)}。资金以当年安排为准。"
        case Status.EXPIRED if policy.whole_repeals:
            return f"有效性：已过期{published}，已{repeal_words(policy.whole_repeals[0])}，仅供了解，不能再按此申报。"
        case Status.EXPIRED:
            return f"有效性：已过期{published}{until}，仅供了解，不能再按此申报。"
        case Status.UPCOMING:
            return f"有效性：尚未施行{'，' + since if since else published}{until}。"
        case Status.UNKNOWN:
            return f"有效性：有效期未核实{published}{until}，申报前请向{policy.department}确认。"


def _coming(policy: Policy) -> str:
    """How the last day came about, and a repeal still to come, of a policy that holds."""
    said = [
        f"，有效期经《{act.title}》{f'（{act.doc_no}）' if act.doc_no else ''}延长"
        for act in policy.acts
        if act.kind is ActKind.EXTENDED and act.until == policy.valid_to
    ]
    said += [f"，将{repeal_words(act)}" for act in policy.whole_repeals]
    return "".join(said)


def stamp(policy: Policy, status: Status) -> str:
    """The validity in brackets, short, for a line of a list."""
    match status:
        case Status.CURRENT:
            return f"现行有效，至{policy.valid_to:%Y-%m-%d}" if policy.valid_to else "现行有效"
        case Status.EXPIRED if policy.whole_repeals:
            day = policy.whole_repeals[0].day
            return f"已过期，{f'{day:%Y-%m-%d}起' if day else ''}已废止"
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


def listing_text(
    citations: Sequence[Citation], label: str = "", count: int | None = None, before: int = 0
) -> str:
    """A list; ``count`` is how many there are in all, ``before`` how many of them were shown already."""
    lines = [list_line(number, each) for number, each in enumerate(citations, 1)]
    count = len(lines) if count is None else count
    behind = count - before - len(lines)
    what = f"“{label}”的政策" if label else "与此相关的政策"
    head = f"目录里{what}有{count}项：" if not before else f"目录里{what}共{count}项，接着列："
    more = [f"还有{behind}项没有列出，说“还有呢”接着看。"] if behind else []
    return "\n".join([head, *lines, *more, "想看哪一项的条件、材料，直接说“第几个”即可。"])


def only_one_listed_text(label: str, count: int) -> str:
    last = "最后1项" if count > 1 else f"有{count}项"
    return f"目录里“{label}”的政策{last}："


def no_more_text(count: int) -> str:
    return f"刚才的{count}项已经全部列出，目录里没有更多了。"


def none_listed_text(label: str, above: int, unwritten: int) -> str:
    """Nothing fits; ``above`` policies of wider places hold there too, ``unwritten`` ones name no deadline."""
    more = f"上级的{above}项政策在那里可能适用，可以按用途问我。" if above else ""
    if unwritten:
        more += f"另有{unwritten}项没有写明这样的日期，能不能报请向受理部门核实。"
    return f"目录里没有“{label}”的政策，我不能凭空列出。{more}"


def _side_line(citation: Citation) -> str:
    is_repealed = any(act.repeals(citation.clause.label) for act in citation.policy.acts)
    mark = "（本条已废止）" if is_repealed and citation.status is Status.EXPIRED else ""
    return f"{clause_line(citation.clause)}{mark}"


def comparison_text(sides: Sequence[Side], *, with_verdict: bool, notes: Sequence[str] = ()) -> str:
    """Policies side by side; ``with_verdict`` adds which of the recorded maxima is the highest, where all have one."""
    lines = ["按目录里的记录对比："]
    for number, side in enumerate(sides, 1):
        status = side.citations[0].status
        lines.append(f"{number}. 《{side.policy.title}》（{stamp(side.policy, status)}）")
        lines += [_side_line(each) for each in side.citations]
        if side.missing:
            lines.append(f"记录里没有写{facet_names(side.missing)}。")
    lines += notes
    if with_verdict:
        lines.append(_verdict([side.policy for side in sides]))
    return "\n".join(lines)


def _verdict(policies: Sequence[Policy]) -> str:
    sums = [(p.amount_max_cny, p.title) for p in policies if p.amount_max_cny is not None]
    lacking = "、".join(f"《{p.title}》" for p in policies if p.amount_max_cny is None)
    if lacking and len(sums) < 2:
        return f"{lacking}的记录里没有最高额，无法直接比较多少；条件不同，请按各自条款核对。"
    without = f"{lacking}的记录里没有最高额，比不了。" if lacking else ""
    return without + _highest(sums)


def _highest(sums: Sequence[tuple[int, str]]) -> str:
    """Which of at least two recorded maxima, each with a title, is the highest."""
    highest = max(amount for amount, _ in sums)
    first = "、".join(f"《{title}》" for amount, title in sums if amount == highest)
    rest = [f"《{title}》为{in_words(amount)}" for amount, title in sums if amount < highest]
    if not rest:
        count = "两" if len(sums) == 2 else f"{len(sums)}"
        return f"{count}项记录的最高额相同，都是{in_words(highest)}；条件不同，请按各自条款核对。"
    more = "最高" if len(sums) > 2 else "更高"
    return (
        f"按记录的最高额，{first}{more}（{in_words(highest)}，"
        f"{'，'.join(rest)}）；条件不同，能否拿到以各自条款为准。"
    )


def in_words(amount_cny: int) -> str:
    """An amount in yuan as people say it, exactly: 100万元, 1.5亿元, 3000元."""
    for unit, name in ((_YI, "亿元"), (_WAN, "万元")):
        if amount_cny >= unit and amount_cny % (unit // _WAN) == 0:
            return f"{(Decimal(amount_cny) / unit).normalize():f}{name}"
    return f"{amount_cny}元"


def compared_for_money_text(said: str, named: Policy, giving: Policy) -> str:
    """Says which item with an amount stands for a side whose own record has none."""
    return (
        f"《{named.title}》本身没有写金额，“{said.strip()}”比的是{giving.level.value}级的"
        f"《{giving.title}》。"
    )


def too_many_sides_text(sides: Sequence[str], most: int) -> str:
    named = "、".join(sides)
    return f"您列了{len(sides)}项（{named}），一次最多比{most}项。请问先比哪几项？"


def which_matter_text(places: Sequence[str]) -> str:
    return (
        f"请问您想比{'和'.join(places)}的哪一类支持？例如“{'和'.join(places)}的研发补贴哪个多”。"
        "目录里的支持各有用途，不能笼统比多少。"
    )


def no_like_in_places_text(places: Sequence[str]) -> str:
    return f"目录里没有{'、'.join(places)}自己的同类政策，我不能拿别处的来回答。"


def alone_in_place_text(lacking: Sequence[str], place: str) -> str:
    return f"目录里没有{'、'.join(lacking)}自己的同类政策，比不了；下面是{place}的："


def applies_everywhere_text(policy: Policy, status: Status) -> str:
    return f"{policy.level.value}级另有《{policy.title}》（{stamp(policy, status)}），不分区，不能算作其中哪个区给的。"


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


NEW_SUBJECT = "好的，刚才的就先放下。您想了解什么，随时告诉我：政策名称、用途或遇到的问题都可以。"
PROMISE_OF_WHAT = "能不能批下来以受理部门的审核结果为准，谁都不能事先承诺。请问您说的是哪一项？告诉我名称或用途，我把条件列给您核对。"
NO_PROMISE = "能否获得以受理部门的审核结果为准，我不能代为承诺。"
UNKNOWN_NUMBER = "目录里没有您说的这个文号，下面是按内容找到的政策，请核对文号："
NOTHING_FOUND = "抱歉，政策目录里没有找到能回答这个问题的条款，我不能凭空回答。"


def elsewhere_text(home: str, place: str) -> str:
    return f"抱歉，我这里只收录{home}及上级的政策，没有{place}的政策，不能凭空回答。"


def holds_there_text(places: Sequence[str]) -> str:
    return f"目录里没有{'、'.join(places)}自己的同类政策；下面这一项在上级范围内适用："


def no_such_year_text(year: int, told: Sequence[int]) -> str:
    """``told`` are the years that the record shown names."""
    there = f"目录里有的是{'、'.join(map(str, told))}年的" if told else "目录里有的没有写明年度"
    return f"目录里没有{year}年的记录。{there}，不能当作{year}年的标准："


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
