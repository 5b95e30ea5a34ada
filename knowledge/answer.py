"""Answers a policy question in plain Chinese from stored clauses, or says honestly that it cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from knowledge.catalogue import Catalogue
from knowledge.clauses import LABELS
from knowledge.encoder import Encoder
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.question import Question, read_places, read_question
from knowledge.retrieval import Hit, Ranking, Retriever

# A clause that holds this share of the question's words is shown although its facet was not asked for by name.
SPEAKS_OF_IT = 0.35
_HOW = re.compile(r"免申|免.{0,2}申请|申请|申报|平台|网")
_FIGURE = re.compile(
    r"[\d一二两三四五六七八九十百千]+(\.\d+)?\s*(个)?(百分点|万|亿|元|%|折|倍|成)|百分之|全额|免[征缴费租]|减半"
)


class Refusal(StrEnum):
    """Why no answer was given."""

    NOTHING_FOUND = "nothing_found"
    ELSEWHERE = "elsewhere"
    NOT_RECORDED = "not_recorded"


@dataclass(frozen=True)
class Citation:
    """A stored clause and the policy it stands in, as of the day of the answer."""

    clause: Clause
    policy: Policy
    status: Status


@dataclass(frozen=True)
class Answer:
    """What to say. ``citations`` is empty exactly when ``refusal`` is set.

    ``policy_id`` is the policy spoken of, also when the detail asked for is not in its record. ``candidates`` are
    the policies considered, best first. ``names_subject`` is false for a question like 怎么申报 with nothing in it.
    """

    text: str
    citations: tuple[Citation, ...]
    refusal: Refusal | None
    policy_id: str | None
    facets: tuple[Facet, ...]
    candidates: tuple[Hit, ...]
    chance: float
    names_subject: bool = True


class Answerer:
    """Answers from one catalogue through one retriever."""

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever

    @property
    def catalogue(self) -> Catalogue:
        return self._retriever.catalogue

    @property
    def encoder(self) -> Encoder:
        return self._retriever.encoder

    def answer(
        self,
        text: str,
        as_of: date,
        under_discussion: str | None = None,
        default: Facet | None = None,
    ) -> Answer:
        """Answers ``text`` as of a day.

        ``under_discussion`` is the policy the person was last told of; a question without a subject of its own
        (那材料呢) is about it. ``default`` is the facet meant when the text names none.
        """
        asked = read_question(text)
        if under_discussion in self.catalogue.policies and asked.leans_on_context:
            facets = asked.facets or ((default,) if default else ())
            return self.detail(under_discussion, facets, as_of, text)
        ranking = self._retriever.search(text)
        if default and not ranking.question.facets:
            ranking = replace(ranking, question=replace(ranking.question, facets=(default,)))
        if under_discussion in self.catalogue.policies and self._is_follow_up(
            ranking, under_discussion
        ):
            return self.detail(under_discussion, ranking.question.facets, as_of, text)
        if ranking.question.elsewhere:
            return _refuse(_elsewhere_text(ranking.question), Refusal.ELSEWHERE, ranking)
        if not ranking.hits or not self._is_answerable(ranking):
            return _refuse(_NOTHING_FOUND, Refusal.NOTHING_FOUND, ranking)
        return self._about(ranking.hits[0].policy, ranking.question, as_of, ranking)

    def detail(
        self, policy_id: str, facets: Sequence[Facet], as_of: date, text: str = ""
    ) -> Answer:
        """Answers about a known policy: the facets asked for, or an overview.

        Raises:
            KeyError: the catalogue holds no such policy.
        """
        question = replace(read_question(text), facets=tuple(facets))
        hit = Hit(self.catalogue.policies[policy_id], 0.0, 0.0, ())
        return self._about(hit.policy, question, as_of, Ranking(question, (hit,), 1.0, ()))

    def cite(self, policy_id: str, facet: Facet, as_of: date) -> Citation:
        """The stored clause of one facet. Raises ``KeyError`` when the record has none."""
        policy = self.catalogue.policies[policy_id]
        clause = self.catalogue.clauses[f"{policy_id}#{facet.value}"]
        return Citation(clause, policy, policy.status_on(as_of))

    def listing(self, text: str, as_of: date, top: int = 5) -> Ranking:
        """The policies nearest to a described need that are not known to be expired."""
        return self._retriever.search(
            text, top, as_of=as_of, statuses={Status.CURRENT, Status.UNKNOWN}
        )

    def _is_answerable(self, ranking: Ranking) -> bool:
        question, best = ranking.question, ranking.hits[0].policy
        if question.doc_no and best.doc_no:
            return question.names_document(best.doc_no)
        if not question.subject:
            return False
        if _asks_another_district(question, best):
            return False
        return ranking.chance >= self._retriever.calibrations.both.answer_from

    def _is_follow_up(self, ranking: Ranking, policy_id: str) -> bool:
        """Whether the question leans on the policy under discussion instead of naming a subject of its own."""
        question = ranking.question
        if question.elsewhere or question.doc_no:
            return False
        if _is_out_of_reach(question, self.catalogue.policies[policy_id]):
            return False
        if not question.subject:
            return True
        if ranking.hits and ranking.hits[0].policy.id != policy_id:
            return ranking.chance < self._retriever.calibrations.both.answer_from and bool(
                question.facets
            )
        return True

    def _about(self, policy: Policy, question: Question, as_of: date, ranking: Ranking) -> Answer:
        clauses = {clause.facet: clause for clause in self.catalogue.clauses_of(policy.id)}
        asked = question.facets or (Facet.OVERVIEW,)
        shown: list[Clause] = []
        missing: list[Facet] = []
        for facet in asked:
            found = _clauses_for(facet, policy, clauses)
            shown += found
            if not found:
                missing.append(facet)
        if not shown:
            answer = _refuse(_not_recorded_text(policy, missing), Refusal.NOT_RECORDED, ranking)
            return replace(answer, policy_id=policy.id, facets=tuple(asked))
        best = self._retriever.best_clause(policy.id, question.subject, list(clauses.values()))
        if best and best[1] >= SPEAKS_OF_IT:
            shown.append(best[0])
        shown = list(dict.fromkeys(shown))
        status = policy.status_on(as_of)
        return Answer(
            text=_compose(policy, shown, missing, status, as_of),
            citations=tuple(Citation(clause, policy, status) for clause in shown),
            refusal=None,
            policy_id=policy.id,
            facets=tuple(asked),
            candidates=ranking.hits,
            chance=ranking.chance,
        )


def _clauses_for(facet: Facet, policy: Policy, clauses: dict[Facet, Clause]) -> list[Clause]:
    """The stored clauses that answer one facet; empty when the record does not hold the detail."""
    if facet is Facet.OVERVIEW:
        wanted = [Facet.AMOUNT, Facet.CONDITIONS, Facet.OVERVIEW]
    elif facet is Facet.PROCESS:
        wanted = [Facet.WINDOW, Facet.MATERIALS, Facet.DEPARTMENT, Facet.OVERVIEW]
        if _HOW.search(policy.summary):
            wanted.insert(0, Facet.AMOUNT)
    elif facet is Facet.AMOUNT:
        has_figure = policy.amount_max_cny is not None or _FIGURE.search(policy.summary)
        wanted = [Facet.AMOUNT] if has_figure else []
    elif facet is Facet.VALIDITY:
        wanted = [Facet.VALIDITY, Facet.WINDOW]
    else:
        wanted = [facet]
    return [clauses[each] for each in wanted if each in clauses]


def _asks_another_district(question: Question, policy: Policy) -> bool:
    """南山有什么奖励 asks for that district's own policy; 我们在南山 only says where the enterprise is."""
    if question.names_own_place or not question.places:
        return False
    places = read_places()
    districts = [place for place in question.places if places.inside(place) == ()]
    if not districts or places.home in districts or len(districts) < len(question.places):
        return False
    return policy.place not in districts


def _is_out_of_reach(question: Question, policy: Policy) -> bool:
    """那南山呢, said of another district's policy, asks for something else; 我们在南山 only says where one is."""
    if question.names_own_place or not question.places or policy.place is None:
        return False
    return policy.place not in read_places().reach(question.places)


def _compose(
    policy: Policy, shown: Sequence[Clause], missing: Sequence[Facet], status: Status, day: date
) -> str:
    number = f"，{policy.doc_no}" if policy.doc_no else ""
    lines = [f"《{policy.title}》（{policy.issuer}{number}）"]
    lines += [
        f"{clause.label}：{clause.text}" for clause in shown if clause.facet is not Facet.VALIDITY
    ]
    unanswered = [facet for facet in missing if facet is not Facet.AMOUNT]
    if unanswered:
        lines.append(f"记录里没有写{'、'.join(LABELS[facet] for facet in unanswered)}。")
    lines.append(validity_line(policy, status, day))
    return "\n".join(lines)


def validity_line(policy: Policy, status: Status, day: date) -> str:
    """One sentence on whether the policy may be relied on that day."""
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


_NOTHING_FOUND = "抱歉，政策目录里没有找到能回答这个问题的条款，我不能凭空回答。"


def _elsewhere_text(question: Question) -> str:
    return f"抱歉，我这里只收录{read_places().home}及上级的政策，没有{question.elsewhere}的政策，不能凭空回答。"


def _not_recorded_text(policy: Policy, missing: Sequence[Facet]) -> str:
    names = "、".join(LABELS[facet] for facet in missing)
    if Facet.AMOUNT in missing:
        names = names.replace(LABELS[Facet.AMOUNT], "具体金额")
    return f"《{policy.title}》的记录里没有写{names}，我不能凭空回答。"


def _refuse(text: str, reason: Refusal, ranking: Ranking) -> Answer:
    question = ranking.question
    return Answer(
        text,
        (),
        reason,
        None,
        question.facets,
        ranking.hits,
        ranking.chance,
        bool(question.subject),
    )
