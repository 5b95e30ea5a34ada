"""Clauses from one edition to the next: the same words keep the number, likely words keep it in place, no number twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from knowledge.documents.changes import align, number_of
from knowledge.documents.outline import Piece
from knowledge.policy import Clause, Facet

TEXTS = st.lists(
    st.text(st.sampled_from("奖励企业十二三万元；。"), min_size=1, max_size=12), max_size=8
)


def old(*clauses: tuple[int, str, str]) -> list[Clause]:
    return [
        Clause(f"FT-201#c{n}", "FT-201", Facet.AMOUNT, label, text) for n, label, text in clauses
    ]


def new(*pieces: tuple[str, str]) -> list[Piece]:
    return [Piece(label, (), text, None, ()) for label, text in pieces]


FIRST = "对首次通过国家高新技术企业认定的，给予十五万元一次性奖励。"
RENT = "对承租办公用房的企业，按实付租金的三成给予补贴，每年最高三十万元。"


def test_number_follows_the_words_wherever_they_go() -> None:
    before = old((1, "第一条", FIRST), (2, "第二条", RENT))
    assert align(before, new(("第八条", RENT), ("第九条", FIRST)), 2) == [2, 1]


def test_white_space_is_no_difference() -> None:
    assert align(old((1, "一、", "1.甲；\n2.乙。")), new(("一、", "1. 甲； 2. 乙。")), 1) == [1]


def test_changed_and_renumbered_clause_is_found_by_its_likeness() -> None:
    before = old((1, "第一条", FIRST), (2, "第二条", RENT))
    after = new(("第二条", FIRST), ("第三条", RENT.replace("三成", "五成")))
    assert align(before, after, 2) == [1, 2]


def test_half_new_clause_in_its_place_keeps_its_number() -> None:
    text = "对首次通过国家高新技术企业认定的，奖励改为按研发投入的百分之五计算。"
    assert align(old((7, "第三条", FIRST)), new(("第三条", text)), 7) == [7]
    assert align(old((7, "第三条", FIRST)), new(("第九条", text)), 7) == [8]


def test_other_words_in_the_place_are_another_clause() -> None:
    assert align(old((7, "第三条", FIRST)), new(("第三条", "本措施由区局解释。")), 9) == [10]


def test_equal_words_are_told_apart_by_their_label() -> None:
    before = old((1, "一、（一）", "营业执照。"), (2, "二、（一）", "营业执照。"))
    assert align(before, new(("二、（一）", "营业执照。")), 2) == [2]


def test_of_two_likenesses_the_greater_wins() -> None:
    near, far = (
        RENT.replace("三成", "五成"),
        RENT.replace("办公用房", "厂房").replace("三十", "四十"),
    )
    assert align(old((1, "第一条", RENT)), new(("第八条", far), ("第九条", near)), 1) == [2, 1]


@given(TEXTS, TEXTS)
def test_numbers_are_never_given_twice(first: list[str], second: list[str]) -> None:
    before = old(*((n, f"第{n}条", text) for n, text in enumerate(first, 1)))
    numbers = align(before, new(*((f"第{n}条", text) for n, text in enumerate(second, 1))), 50)
    assert len(set(numbers)) == len(numbers) == len(second)
    assert all(n in range(1, len(first) + 1) or n > 50 for n in numbers)


@given(TEXTS)
def test_same_words_keep_all_numbers(texts: list[str]) -> None:
    before = old(*((n, f"第{n}条", text) for n, text in enumerate(texts, 1)))
    assert align(before, new(*((c.label, c.text) for c in before)), 99) == list(
        range(1, len(texts) + 1)
    )


def test_number_of_a_clause() -> None:
    assert number_of("FT-201#c12") == 12
    assert number_of("FT-201#amount") == 0
