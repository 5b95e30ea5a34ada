"""Matches one profile and puts what was found into the shape that leaves the service."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from knowledge.bundle import Bundle, best_bundle
from knowledge.conditions import Checked, Gap, Truth, have_of, nearest_gap
from knowledge.exclusions import read_exclusions
from knowledge.fields import Fields
from knowledge.matching import TOP, ItemMatch, Matcher
from knowledge.next_question import NextQuestion, next_question
from knowledge.policy import Op
from knowledge.profile import Profile, ProfileProblem
from knowledge.timing import Timing
from service.matching.schemas import (
    BundleItemOut,
    BundleOut,
    CriterionOut,
    DatesOut,
    DroppedOut,
    GapOut,
    LimitOut,
    MatchAnswer,
    MatchOut,
    NearMissOut,
    ProblemOut,
    QuestionOut,
)


@dataclass(frozen=True)
class Wish:
    """What to match: whom, for which day, how near each item is to the stated need (absent where none was stated),
    how many results, and which fields were asked already.
    """

    profile: Profile
    as_of: date
    similarity: Mapping[str, float] | None = None
    top: int = TOP
    asked: Collection[str] = ()


def find_matches(
    matcher: Matcher, wish: Wish, problems: Sequence[ProfileProblem] = ()
) -> MatchAnswer:
    """The best items with every condition, the next question, near misses and the best compatible bundle."""
    profile, day, fields = wish.profile, wish.as_of, matcher.fields
    matches = matcher.match(profile, day, wish.similarity, wish.top)
    question = next_question(matcher, profile, day, wish.asked)
    bundle = best_bundle(matcher.eligible(profile, day), read_exclusions())
    return MatchAnswer(
        matches=[match_out(each, fields) for each in matches],
        next_question=_question_out(question) if question else None,
        near_misses=[_near_miss_out(each, fields) for each in matcher.near_misses(profile, day)],
        bundle=_bundle_out(bundle),
        problems=[ProblemOut(field=each.field, message=each.message) for each in problems],
    )


def match_out(match: ItemMatch, fields: Fields) -> MatchOut:
    """One item as it leaves the service."""
    policy = match.policy
    return MatchOut(
        policy_id=policy.id,
        title=policy.title,
        verdict=match.verdict,
        score=round(match.score or 0.0, 4),
        amount_max_cny=policy.amount_max_cny,
        criteria=[_criterion_out(each, match.clause_id, fields) for each in match.criteria],
        dates=_dates_out(match.timing, policy.valid_from, policy.valid_to),
        window=policy.window,
        department=policy.department,
        url=policy.source_url,
    )


def _criterion_out(checked: Checked, clause: str, fields: Fields) -> CriterionOut:
    criterion, known = checked.criterion, checked.known
    gap = nearest_gap(checked) if checked.truth is Truth.FAILED else None
    return CriterionOut(
        field=criterion.field,
        verdict=checked.truth,
        have=have_of(checked, fields),
        need=checked.need,
        clause=clause,
        label="满足其中一项" if criterion.op is Op.OR else fields[criterion.field].label,
        op=criterion.op,
        note=criterion.note,
        value=known.value if known else None,
        source=known.source if known else None,
        day=known.day if known else None,
        gap=_gap_out(gap) if gap else None,
        parts=[_criterion_out(part, clause, fields) for part in checked.parts],
    )


def _gap_out(gap: Gap) -> GapOut:
    return GapOut(amount=gap.amount, unit=gap.unit, text=gap.text)


def _dates_out(timing: Timing, valid_from: date | None, valid_to: date | None) -> DatesOut:
    return DatesOut(
        state=timing.state,
        text=timing.text,
        opens=timing.opens,
        closes=timing.closes,
        days_left=timing.days_left,
        status=timing.status,
        valid_from=valid_from,
        valid_to=valid_to,
    )


def _near_miss_out(match: ItemMatch, fields: Fields) -> NearMissOut:
    (missing,) = match.with_truth(Truth.FAILED)
    shown = match_out(match, fields)
    return NearMissOut(**dict(shown), missing=_criterion_out(missing, match.clause_id, fields))


def _question_out(question: NextQuestion) -> QuestionOut:
    spec = question.spec
    return QuestionOut(
        field=spec.name,
        label=spec.label,
        question=spec.question,
        type=spec.type,
        unit=spec.unit,
        settles=round(question.settles, 2),
        money_cny=round(question.money_cny),
        unknown=question.unknown,
    )


def _bundle_out(bundle: Bundle) -> BundleOut:
    return BundleOut(
        items=[
            BundleItemOut(
                policy_id=each.policy.id, title=each.policy.title, amount_max_cny=each.pays_cny
            )
            for each in bundle.kept
        ],
        total_cny=bundle.total_cny,
        dropped=[
            DroppedOut(
                policy_id=each.policy.id,
                title=each.policy.title,
                amount_max_cny=each.policy.amount_max_cny,
                group=each.group.id,
                rule=each.group.rule,
                reason=each.reason,
                inferred=each.group.inferred,
                in_favour_of=[rival.id for rival in each.in_favour_of],
            )
            for each in bundle.dropped
        ],
        limits=[
            LimitOut(group=each.id, policies=list(each.policies), reason=each.reason)
            for each in bundle.limits
        ],
    )
