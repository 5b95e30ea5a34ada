"""Whether a policy holds on a day: nothing holds before it begins, for ever, or after a later paper ended it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from knowledge.acts import Act, ActKind, repeal_words
from knowledge.catalogue import Catalogue, read_row
from knowledge.clauses import clauses_of, validity_text
from knowledge.composition import compose, repealed_mark, stamp, validity_line
from knowledge.documents.rows import row_of
from knowledge.policy import Clause, Facet, Policy, Status
from knowledge.timing import timing_of
from knowledge.windows import read_window
from tests.knowledge.samples import policy

OPEN = policy("TT-001", "甲奖励办法", published=date(2020, 3, 1), status_as_of=None)
BARE = policy("TT-002", "乙奖励", status_as_of=None)
REPEAL = Act(
    ActKind.REPEALED,
    "关于废止甲奖励办法的通知",
    "福府规〔2024〕9号",
    "福田区人民政府",
    date(2024, 6, 1),
)


@pytest.mark.parametrize(
    ("title", "day", "status"),
    [
        ("甲奖励办法", date(2020, 2, 29), Status.UPCOMING),
        ("甲奖励办法", date(2020, 3, 1), Status.CURRENT),
        ("甲奖励办法", date(2025, 2, 28), Status.CURRENT),
        ("甲奖励办法", date(2025, 3, 1), Status.UNKNOWN),
        ("甲奖励办法", date(2035, 1, 1), Status.UNKNOWN),
        ("甲奖励暂行办法", date(2023, 2, 28), Status.CURRENT),
        ("甲奖励暂行办法", date(2023, 3, 1), Status.UNKNOWN),
        ("甲奖励办法（试行）", date(2023, 3, 1), Status.UNKNOWN),
    ],
)
def test_without_a_last_day_it_is_said_to_hold_for_the_longest_term_only(
    title: str, day: date, status: Status
) -> None:
    assert replace(OPEN, title=title).status_on(day) is status


@pytest.mark.parametrize("day", [date(2019, 1, 1), date(2026, 11, 24), date(2035, 1, 1)])
def test_without_any_date_nobody_says_that_it_holds(day: date) -> None:
    assert BARE.status_on(day) is Status.UNKNOWN
    assert "现行有效" not in validity_text(BARE) + validity_line(BARE, BARE.status_on(day))


@pytest.mark.parametrize(
    ("day", "status"),
    [
        (date(2019, 1, 1), Status.UNKNOWN),
        (date(2026, 4, 15), Status.CURRENT),
        (date(2031, 11, 23), Status.CURRENT),
        (date(2031, 11, 24), Status.UNKNOWN),
        (date(2035, 1, 1), Status.UNKNOWN),
    ],
)
def test_a_status_written_down_on_a_day_speaks_of_that_time(day: date, status: Status) -> None:
    assert replace(BARE, status_as_of=date(2026, 11, 24)).status_on(day) is status


def test_a_status_written_down_within_the_term_does_not_lengthen_it() -> None:
    seen = replace(OPEN, status_as_of=date(2024, 12, 1))
    assert seen.status_on(date(2025, 3, 1)) is Status.UNKNOWN


def test_a_status_written_down_after_the_term_counts() -> None:
    seen = replace(OPEN, status_as_of=date(2026, 5, 1))
    assert seen.status_on(date(2026, 11, 24)) is Status.CURRENT


def test_the_29th_of_february() -> None:
    leap = replace(OPEN, published=date(2024, 2, 29))
    assert leap.status_on(date(2029, 2, 28)) is Status.CURRENT
    assert leap.status_on(date(2029, 3, 1)) is Status.UNKNOWN


@pytest.mark.parametrize("stored", list(Status)[:3])
def test_a_stated_last_day_is_unaffected(stored: Status) -> None:
    dated = replace(OPEN, status=stored, valid_to=date(2030, 12, 31))
    assert dated.status_on(date(2031, 1, 1)) is Status.EXPIRED
    at_once = dated.status_on(date(2029, 1, 1))
    assert at_once is (Status.UNKNOWN if stored is Status.UNKNOWN else Status.CURRENT)


def test_a_repealed_policy_is_over_from_the_day_of_the_repeal_on() -> None:
    over = replace(OPEN, valid_to=date(2026, 12, 31), acts=(REPEAL,))
    assert over.status_on(date(2024, 5, 31)) is Status.CURRENT
    assert over.status_on(date(2024, 6, 1)) is Status.EXPIRED
    said = validity_line(over, Status.EXPIRED)
    assert "已过期" in said and repeal_words(REPEAL) in said
    assert stamp(over, Status.EXPIRED) == "已过期，2024-06-01起已废止"
    assert "将自2024-06-01起被" in validity_line(over, Status.CURRENT)
    assert "福府规〔2024〕9号" in timing_of(over, read_window(None), date(2024, 7, 1)).text
    assert repeal_words(REPEAL) in validity_text(over)


def test_a_repeal_without_a_day_counts_at_once() -> None:
    over = replace(OPEN, acts=(replace(REPEAL, day=None),))
    assert over.status_on(date(2021, 1, 1)) is Status.EXPIRED
    assert "已被福田区人民政府" in validity_line(over, Status.EXPIRED)


def worded(*labels: str) -> Policy:
    clauses = tuple(
        Clause(f"TT-001#c{n}", "TT-001", Facet.AMOUNT, label, f"给予奖励{n}万元。")
        for n, label in enumerate(labels, 1)
    )
    return replace(OPEN, wording=clauses)


def test_a_clause_repealed_alone_leaves_the_others_in_force() -> None:
    act = replace(REPEAL, clauses=("第五条",))
    labels = ("第四条", "第五条", "第五条第二款", "第五条之一", "第十五条")
    partly = replace(worded(*labels), acts=(act,))
    day = date(2024, 7, 1)
    assert partly.status_on(day) is Status.CURRENT
    over = [c.label for c in partly.wording if partly.status_of(c, day) is Status.EXPIRED]
    assert over == ["第五条", "第五条第二款"]
    assert not any(partly.status_of(c, date(2024, 5, 31)) is Status.EXPIRED for c in partly.wording)
    text = compose(partly, partly.wording[:2], [], Status.CURRENT, [Facet.AMOUNT], day)
    marked = [line for line in text.split("\n") if "本条已过期" in line]
    assert len(marked) == 1 and marked[0].startswith("第五条：")
    assert repealed_mark(partly, partly.wording[1], None) == ""


def test_acts_are_part_of_the_row() -> None:
    extension = Act(
        ActKind.EXTENDED, "延期通知", None, "甲局", None, until=date(2027, 1, 1), word="延长"
    )
    kept = replace(worded("第一条"), acts=(REPEAL, extension), status_as_of=date(2026, 1, 1))
    assert read_row(row_of(kept), {}) == ([], kept)
    assert "acts" not in row_of(OPEN) and "status_as_of" not in row_of(OPEN)
    assert any("延长至2027-01-01" in clause.text for clause in clauses_of(kept))


def test_no_shipped_policy_is_said_to_hold_for_ever(catalogue: Catalogue) -> None:
    far = [
        p.id for p in catalogue.policies.values() if p.status_on(date(2035, 1, 1)) is Status.CURRENT
    ]
    early = [
        p.id for p in catalogue.policies.values() if p.status_on(date(2010, 1, 1)) is Status.CURRENT
    ]
    assert far == early == []
