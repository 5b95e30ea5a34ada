"""What is said while policies are matched: the next question, the results, why one item fits or not."""

from __future__ import annotations

from collections.abc import Sequence

from actions.answering import PolicyTurn, detail_button, payload
from actions.appeal import PERSON
from actions.match_state import OPENING
from actions.match_talk import MatchTalk
from actions.match_words import (
    amount_text,
    condition_line,
    fact_text,
    have_text,
    held_text,
    label_of,
    source_text,
    time_text,
    verdict_text,
    why_line,
)
from actions.replies import Button, CriterionCard, DatesCard, GapCard, MatchCard, Reply, ReplyKind
from knowledge.bundle import Bundle, best_bundle
from knowledge.clauses import facets_recorded
from knowledge.composition import NO_PROMISE
from knowledge.conditions import Checked, Truth, nearest_gap
from knowledge.exclusions import read_exclusions
from knowledge.fields import Fields, FieldSpec
from knowledge.matching import TOP, ItemMatch
from knowledge.policy import Facet
from knowledge.similarity import similarity_to
from knowledge.timing import DateState
from knowledge.verdicts import Verdict

NEAR_SHOWN = 3
# The source of a fact nobody said that follows from the place they named.
DERIVED = "derived"
_WIDE = ("registered_city", "registered_province")
_ITEMS_WITH_BUTTONS = 3
_FEW_VALUES = 6
_MISSING_SHOWN = 6
_SHOW = Button(title="直接看结果", payload=payload("match_answer", told="show"))
_MORE = Button(title="继续回答", payload=payload("match_answer", told="more"))
_MISSING = Button(title="还差什么", payload=payload("match_missing"))
_NONE_FITS = Button(title="都不合适", payload="/not_solved")
_OPENING = (
    "可以的。请告诉我企业名称或统一社会信用代码，也可以直接说情况：在哪个区、做什么行业、有什么资质（如国高、专精特新）、"
    "去年营收和人数，一次说几样都行。不方便说名称就直接说“跳过”。"
)
_AGAIN = "请说说企业的情况：名称、哪个区、什么行业、有什么资质、去年营收和人数；不方便就说“跳过”。"


def question_reply(talk: MatchTalk, is_back: bool) -> Reply:
    """What was understood, then the one next question. ``is_back``: something else was answered in between."""
    state = talk.state
    lead = "回到刚才的问题：" if is_back else ""
    if state.pending:
        text, buttons = _which_holds(talk)
    elif (spec := talk.matcher.fields.get(state.asking or "")) is not None:
        text, buttons = spec.question, _answers(spec)
    else:
        is_again = is_back or bool(state.notes)
        text, buttons = _AGAIN if is_again else _OPENING, [_skip(OPENING), _SHOW]
    return Reply(
        kind=ReplyKind.QUESTION, text="\n".join([*state.notes, lead + text]), buttons=buttons
    )


def _which_holds(talk: MatchTalk) -> tuple[str, list[Button]]:
    name, said = next(iter(talk.state.pending.items()))
    spec, filed = talk.matcher.fields[name], talk.profile.facts[name]
    text = (
        f"{spec.label}登记的是{held_text(filed, spec)}（{source_text(filed)}），"
        f"您说的是{held_text(said.known, spec)}，以哪个为准？"
    )
    return text, [
        Button(
            title="以登记的为准", payload=payload("match_answer", asked_field=name, told="file")
        ),
        Button(
            title="以我说的为准", payload=payload("match_answer", asked_field=name, told="said")
        ),
        _SHOW,
    ]


def _answers(spec: FieldSpec) -> list[Button]:
    """One tap where the field has few answers, and the ways out."""
    told: dict[str, str] = {}
    if spec.type == "boolean":
        told = {"是": "yes", "否": "no"}
    elif spec.type == "string" and 0 < len(spec.values) <= _FEW_VALUES:
        told = {value: value for value in spec.values}
    buttons = [
        Button(title=title, payload=payload("match_answer", asked_field=spec.name, told=answer))
        for title, answer in told.items()
    ]
    return [*buttons, _skip(spec.name), _SHOW]


def _skip(name: str) -> Button:
    return Button(title="跳过", payload=payload("match_answer", asked_field=name, told="skip"))


def found_matches(talk: MatchTalk, turn: PolicyTurn) -> list[ItemMatch]:
    """The items to show, ten at most: what fits, what the facts do not decide, what is missed by one condition."""
    need, matcher = talk.state.need, talk.matcher
    similarity = similarity_to(need, turn.answerer.retriever, talk.day) if need else None
    ranked = matcher.match(talk.whole, talk.day, similarity, len(matcher.policies))
    missed = matcher.near_misses(talk.whole, talk.day, len(matcher.policies))
    near = [each for each in missed if _can_be_mended(each, matcher.fields)][:NEAR_SHOWN]
    fitting = [
        each
        for each in ranked
        if each.verdict is not Verdict.INELIGIBLE and each.timing.state is not DateState.EXPIRED
    ]
    speaking = [e for e in fitting if e.verdict is Verdict.ELIGIBLE or e.with_truth(Truth.MET)]
    if not need:
        speaking.sort(key=lambda e: e.verdict is not Verdict.ELIGIBLE and not _speaks_for(e))
    return [*(speaking or fitting)[: TOP - len(near)], *near]


def _speaks_for(match: ItemMatch) -> bool:
    """Whether more than the city speaks for it: nearly every item is for this one."""
    return any(each.criterion.field not in _WIDE for each in match.with_truth(Truth.MET))


def _can_be_mended(match: ItemMatch, fields: Fields) -> bool:
    """Whether an enterprise may come to meet what it misses: a figure, a title, a deed; never another industry or place."""
    (failed,) = match.with_truth(Truth.FAILED)
    return any(fields[leaf.criterion.field].type != "string" for leaf in failed.leaves())


def results_reply(talk: MatchTalk, turn: PolicyTurn, found: Sequence[ItemMatch]) -> Reply:
    """The results. Its text has paragraphs, an empty line between: summary, items, remarks."""
    fields = talk.matcher.fields
    bundle = best_bundle(talk.matcher.eligible(talk.whole, talk.day), read_exclusions())
    lines = [
        f"{number}. {verdict_text(each)}｜《{each.policy.title}》{amount_text(each.policy.amount_max_cny)}"
        f"｜{time_text(each.timing)}\n   {why_line(each, fields)}"
        for number, each in enumerate(found, 1)
    ]
    remarks = [*_bundle_lines(bundle), NO_PROMISE]
    if len(found) > _ITEMS_WITH_BUTTONS:
        remarks.insert(-1, "想知道其他项，直接说“第几个为什么”“第几个怎么申请”。")
    return Reply(
        kind=ReplyKind.MATCH,
        text="\n\n".join(
            part for part in (_summary(talk, found), "\n".join(lines), "\n".join(remarks)) if part
        ),
        citations=turn.cite(
            turn.answerer.cite(each.policy.id, Facet.CONDITIONS, talk.day) for each in found
        ),
        matches=[match_card(each, talk) for each in found],
        buttons=[*_item_buttons(found), _MISSING, _NONE_FITS, PERSON],
    )


def _summary(talk: MatchTalk, found: Sequence[ItemMatch]) -> str:
    count = {verdict: sum(e.verdict is verdict for e in found) for verdict in Verdict}
    told = (
        (Verdict.ELIGIBLE, "符合"),
        (Verdict.UNKNOWN, "还差信息"),
        (Verdict.INELIGIBLE, "只差一项"),
    )
    parts = [f"{words}的{count[verdict]}项" for verdict, words in told if count[verdict]]
    basis = "按目前知道的情况" if talk.has_facts else "您还没有说企业的情况，先按一般情况"
    if not parts:
        return "\n".join([*talk.state.notes, f"{basis}，目录里没有找到可以匹配的政策。"])
    return "\n".join(
        [*talk.state.notes, f"{basis}（{talk.day}），列出{'，'.join(parts)}：", *_known_lines(talk)]
    )


def known_text(talk: MatchTalk) -> str:
    """What was said, in one line; what only follows from it is left out."""
    fields = talk.matcher.fields
    said = [
        fact_text(each.known, fields[name])
        for name, each in talk.state.facts.items()
        if not each.is_derived and name in fields
    ]
    return "；".join(said)


def _known_lines(talk: MatchTalk) -> list[str]:
    said, need = known_text(talk), talk.state.need
    lines = [f"您说的：{said}"] if said else []
    return [*lines, f"您想要的：{need}（相近的排在前面）"] if need else lines


def _bundle_lines(bundle: Bundle) -> list[str]:
    if len(bundle.kept) < 2 and not bundle.dropped:
        return []
    names = "、".join(f"《{each.policy.title}》" for each in bundle.kept)
    total = f"，记录的最高额合计{amount_text(bundle.total_cny)}" if bundle.total_cny else ""
    return [
        f"组合建议：可以同时申报{names}{total.replace('合计最高', '合计')}。",
        *(f"不与《{each.policy.title}》同时申报：{each.reason}。" for each in bundle.dropped),
        *(f"注意：{each.reason}。" for each in bundle.limits),
    ]


def _item_buttons(found: Sequence[ItemMatch]) -> list[Button]:
    buttons: list[Button] = []
    for number, each in enumerate(found[:_ITEMS_WITH_BUTTONS], 1):
        policy_id = each.policy.id
        facet = _how(each)
        buttons.append(
            Button(title=f"{number} 为什么", payload=payload("explain_match", policy_id=policy_id))
        )
        buttons.append(detail_button(f"{number} 怎么申请", policy_id, facet))
    return buttons


def _how(match: ItemMatch) -> Facet:
    recorded = facets_recorded(match.policy)
    wanted = (Facet.PROCESS, Facet.MATERIALS, Facet.WINDOW)
    return next((facet for facet in wanted if facet in recorded), Facet.OVERVIEW)


def explanation_reply(talk: MatchTalk, turn: PolicyTurn, match: ItemMatch) -> Reply:
    """One item, condition by condition."""
    fields, policy = talk.matcher.fields, match.policy
    lines = [condition_line(each, fields, talk.state.derived) for each in match.criteria]
    if not lines:
        head = f"《{policy.title}》的记录里没有可以逐条核对的条件，请看下面的条款原文。"
    else:
        head = f"《{policy.title}》：{verdict_text(match)}（按目前知道的情况）"
    is_over = match.timing.state is DateState.EXPIRED
    more = [] if is_over else [detail_button("怎么申请", policy.id, _how(match))]
    if match.with_truth(Truth.UNKNOWN) and not is_over:
        more.append(_MORE)
    return Reply(
        kind=ReplyKind.MATCH,
        text="\n".join(
            [*talk.state.notes, head, *lines, f"时间：{match.timing.text}。", NO_PROMISE]
        ),
        citations=turn.cite([turn.answerer.cite(policy.id, Facet.CONDITIONS, talk.day)]),
        matches=[match_card(match, talk)],
        buttons=[*more, _NONE_FITS, PERSON],
    )


def missing_reply(talk: MatchTalk, turn: PolicyTurn, found: Sequence[ItemMatch]) -> Reply:
    """Which facts the undecided items wait for, and by what the near ones are missed."""
    fields = talk.matcher.fields
    waiting: dict[str, list[int]] = {}
    for number, each in enumerate(found, 1):
        for label in {label_of(one, fields) for one in each.with_truth(Truth.UNKNOWN)}:
            waiting.setdefault(label, []).append(number)
    ranked = sorted(waiting.items(), key=lambda each: (-len(each[1]), each[1]))
    lines = [
        f"- {label}：关系到第{'、'.join(map(str, numbers))}项"
        for label, numbers in ranked[:_MISSING_SHOWN]
    ]
    near = [
        f"- 第{number}项《{each.policy.title}》：{why_line(each, fields)}"
        for number, each in enumerate(found, 1)
        if each.verdict is Verdict.INELIGIBLE
    ]
    parts = [
        *(["还差这些信息：", *lines] if lines else []),
        *(["只差一项条件的：", *near] if near else []),
    ]
    return Reply(
        kind=ReplyKind.QUESTION,
        text="\n".join(parts or ["列出的项目没有还缺的信息。"]),
        buttons=[*([_MORE] if lines else []), _NONE_FITS, PERSON],
    )


def match_card(match: ItemMatch, talk: MatchTalk) -> MatchCard:
    policy, timing = match.policy, match.timing
    return MatchCard(
        policy_id=policy.id,
        title=policy.title,
        verdict=match.verdict,
        score=round(match.score or 0.0, 4),
        amount_max_cny=policy.amount_max_cny,
        criteria=[_criterion_card(each, match.clause_id, talk) for each in match.criteria],
        dates=DatesCard(
            state=timing.state, text=timing.text, closes=timing.closes, days_left=timing.days_left
        ),
    )


def _criterion_card(checked: Checked, clause: str, talk: MatchTalk) -> CriterionCard:
    fields = talk.matcher.fields
    gap = nearest_gap(checked) if checked.truth is Truth.FAILED else None
    known = checked.known
    source = None if known is None else str(known.source)
    if checked.criterion.field in talk.state.derived:
        source = DERIVED
    return CriterionCard(
        field=checked.criterion.field,
        verdict=checked.truth,
        have=have_text(checked, fields),
        need=checked.need,
        clause=clause,
        label="满足其中一项" if checked.parts else fields[checked.criterion.field].label,
        source=source,
        day=known.day if known else None,
        gap=GapCard(amount=gap.amount, unit=gap.unit, text=gap.text) if gap else None,
    )
