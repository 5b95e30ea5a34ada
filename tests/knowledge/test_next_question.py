"""The next question: what settles most, never what was asked, and none where little is gained."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge import next_question as module
from knowledge.catalogue import Catalogue
from knowledge.matching import Matcher
from knowledge.next_question import answers_to, next_question
from knowledge.policy import Criterion, Op, Policy, Status
from knowledge.profile import Profile
from knowledge.verdicts import Leaf, Verdict
from tests.knowledge.match_samples import (
    FIELDS,
    catalogue_of,
    criteria,
    either,
    knows,
    need,
    profiles,
    profiles_of,
)
from tests.knowledge.samples import policy

TODAY = date(2026, 11, 24)
LOCAL, TEN, LISTED = (
    need("place", "eq", "福田区"),
    need("staff", "gte", 10),
    need("listed", "eq", True),
)


def item(number: int, *parts: Criterion, **values: Any) -> Policy:
    return policy(f"TT-{number:03}", f"奖励{number}", criteria=parts, **values)


def matcher_of(*policies: Policy) -> Matcher:
    return Matcher(catalogue_of(*policies), FIELDS)


def asked(matcher: Matcher, profile: Profile, avoid: Any = ()) -> str | None:
    found = next_question(matcher, profile, TODAY, avoid)
    return found.spec.name if found else None


def test_field_that_settles_most_items_is_asked() -> None:
    matcher = matcher_of(item(1, TEN), item(2, TEN), item(3, TEN), item(4, LISTED), item(5, LISTED))
    found = next_question(matcher, Profile(), TODAY)
    assert found is not None
    assert (found.spec.name, found.settles, found.unknown) == ("staff", 3.0, 5)


def test_of_equals_the_one_that_brings_most_money_is_asked() -> None:
    matcher = matcher_of(
        item(1, TEN, amount_max_cny=10_000),
        item(2, TEN),
        item(3, LISTED, amount_max_cny=30_000),
        item(4, LISTED),
    )
    found = next_question(matcher, Profile(), TODAY)
    assert found is not None
    assert (found.spec.name, found.settles, found.money_cny) == ("listed", 2.0, 15_000.0)


def test_gain_counts_items_that_the_answer_fails_or_completes() -> None:
    # 是: the first is settled. 否: all three are.
    matcher = matcher_of(item(1, LISTED), item(2, LISTED, TEN), item(3, LISTED, TEN))
    found = next_question(matcher, Profile(), TODAY, {"staff"})
    assert found is not None
    assert found.settles == 2.0


def test_what_was_asked_or_refused_or_is_known_is_never_asked() -> None:
    matcher = matcher_of(*(item(n, LOCAL, TEN, LISTED) for n in range(8)))
    assert asked(matcher, Profile()) is not None
    seen: set[str] = set()
    while field := asked(matcher, Profile(), seen):
        assert field not in seen
        seen.add(field)
    assert seen == {"place", "staff", "listed"}
    assert asked(matcher, knows(place="福田区", staff=10), {"listed"}) is None


@pytest.mark.parametrize(
    ("amount", "field"), [(None, None), (1_999_999, None), (2_000_000, "listed")]
)
def test_little_gain_asks_nothing_unless_it_brings_much_money(
    amount: int | None, field: str | None
) -> None:
    assert asked(matcher_of(item(1, LISTED, amount_max_cny=amount)), Profile()) == field


def test_nothing_unknown_asks_nothing() -> None:
    matcher = matcher_of(item(1, LISTED), item(2, LISTED), item(3, LISTED))
    assert asked(matcher, knows(listed=True)) is None
    assert asked(matcher_of(), Profile()) is None


def test_what_cannot_be_applied_for_is_not_asked_about() -> None:
    closed = {"window": "申报期为2026-03-01至2026-04-01"}
    matcher = matcher_of(
        *(item(n, TEN, status=Status.EXPIRED) for n in range(5)),
        *(item(n, TEN, **closed) for n in range(5, 9)),
        item(10, LISTED),
        item(11, LISTED),
    )
    assert asked(matcher, Profile()) == "listed"


def test_condition_that_is_settled_otherwise_is_not_asked_about() -> None:
    matcher = matcher_of(*(item(n, either(LISTED, LOCAL), TEN) for n in range(4)))
    assert asked(matcher, knows(place="福田区")) == "staff"


@pytest.mark.parametrize(
    ("field", "conditions", "answers"),
    [
        ("listed", [("eq", True)], (True, False)),
        ("staff", [("gte", 10), ("lt", 70)], (9.0, 40.0, 71.0)),
        ("place", [("eq", "福田区"), ("in", ("南山区", "福田区"))], ("福田区", "南山区", "\x00")),
        ("titles", [("includes_any", ("国高",)), ("excludes", ("规上",))], ((), ("国高",), ("规上",))),
    ],
)  # fmt: skip
def test_answers_that_the_conditions_tell_apart(
    field: str, conditions: list[tuple[str, Any]], answers: tuple[Any, ...]
) -> None:
    leaves = [Leaf(field, Op(op), value) for op, value in conditions]
    assert tuple(answers_to(FIELDS[field], leaves)) == answers


items = st.lists(st.lists(criteria, min_size=1, max_size=3), min_size=1, max_size=6)


@given(items, profiles, st.sets(st.sampled_from(list(FIELDS))))
def test_gain_is_that_of_trying_every_answer(
    parts: list[list[Criterion]], profile: Profile, avoid: set[str]
) -> None:
    matcher = matcher_of(
        *(item(n, *each, amount_max_cny=600_000 * (n + 1)) for n, each in enumerate(parts))
    )
    tried = {
        field: gain
        for field in FIELDS
        if field not in avoid
        and field not in profile.facts
        and (gain := tried_out(matcher, profile, field))
    }
    worth = {
        field: gain
        for field, gain in tried.items()
        if gain[0] >= module.FEWEST_SETTLED or gain[1] >= module.LEAST_MONEY_CNY
    }
    found = next_question(matcher, profile, TODAY, avoid)
    if found is None:
        assert worth == {}
    else:
        assert (found.settles, found.money_cny) == pytest.approx(max(worth.values()))
        assert worth[found.spec.name] == pytest.approx((found.settles, found.money_cny))


def tried_out(matcher: Matcher, profile: Profile, field: str) -> tuple[float, float] | None:
    """The gain by the definition, one verdict at a time; ``None`` where nothing rests on the field."""
    numbers = matcher.table.by_field.get(field)
    if not numbers:
        return None
    answers = answers_to(FIELDS[field], [matcher.table.leaves[n - 1] for n in numbers])
    open_ids = [p for p, v in matcher.verdicts(profile).items() if v is Verdict.UNKNOWN]
    settled = money = 0.0
    for answer in answers:
        after = matcher.verdicts(profile.with_facts(knows(**{field: answer}).facts))
        settled += sum(after[p] is not Verdict.UNKNOWN for p in open_ids)
        money += sum(
            float(matcher.amounts[matcher.rows[p]])
            for p in open_ids
            if after[p] is Verdict.ELIGIBLE
        )
    return settled / len(answers), money / len(answers)


@given(st.data())
def test_questions_about_the_catalogue_come_to_an_end(
    catalogue: Catalogue, data: st.DataObject
) -> None:
    matcher, avoid = Matcher(catalogue), set[str]()
    profile = data.draw(profiles_of(catalogue))
    while found := next_question(matcher, profile, TODAY, avoid):
        assert found.spec.name not in avoid
        assert found.spec.name not in profile.facts
        avoid.add(found.spec.name)
    assert len(avoid) < 60
