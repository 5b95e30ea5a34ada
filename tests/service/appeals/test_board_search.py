"""The desk's search of appeals: every word must occur, frequent or rare, whatever the order and filters."""

from __future__ import annotations

import random

import pytest

from service.appeals import board
from service.appeals.board import Order, Wanted
from service.appeals.models import AppealState
from service.db import Database
from service.desk import ServiceDesk
from tests.service.appeals.people import CENTRE
from tests.service.appeals.seams import Clock, draft

WORDS = ("停电", "贷款", "电梯", "第77号", "ABC-1", "园区 噪音", "租金", "学位")


ASKED = (
    ("停电", ["停电"]),
    ("停电 贷款", ["停电", "贷款"]),
    ("停电，租金", ["停电", "租金"]),
    ("第77号", ["第77号"]),
    ("abc-1", ["ABC-1"]),
    ("ＡＢＣ", ["ABC"]),
    ("电", ["电"]),
    ("梯", ["梯"]),
    ("017", ["017"]),
    ("没有这个词", ["没有这个词"]),
    ("噪音园", ["噪音园"]),
)


@pytest.fixture
def filed(desk: ServiceDesk) -> dict[str, str]:
    """Appeals: number to what they say, in the order they were filed."""
    rng = random.Random(4)
    said = {}
    for number in range(24):
        matter = f"{'，'.join(rng.sample(WORDS, k=3))}（{number:03d}）"
        appeal = desk.file_appeal(
            draft(session=f"web-{number}", message_id=f"m{number}", matter=matter)
        )
        said[appeal.no] = matter
    return said


def found(database: Database, clock: Clock, wanted: Wanted, limit: int = 100) -> list[str]:
    with database.reading() as db:
        page = board.list_appeals(db, CENTRE, wanted, clock(), limit=limit)
        if limit == 100:
            assert board.count_appeals(db, CENTRE, wanted, clock()) == len(page.rows)
    return [row.appeal.no for row in page.rows]


@pytest.mark.parametrize("most", [(1000, 20_000), (3, 20_000), (3, 5)], ids=str)
def test_exactly_what_holds_the_words_is_found(
    database: Database,
    clock: Clock,
    filed: dict[str, str],
    most: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # However many hits there are: looked up one by one, walked, or too many to name.
    monkeypatch.setattr(board, "_FEW_HITS", most[0])
    monkeypatch.setattr(board, "_MOST_HITS", most[1])
    for text, words in ASKED:
        expected = [no for no, said in filed.items() if all(word in said for word in words)]
        newest = Wanted(text=text, order=Order.NEWEST)
        assert found(database, clock, newest) == expected[::-1], text
        assert sorted(found(database, clock, Wanted(text=text))) == sorted(expected), text
        assert found(database, clock, newest, limit=2) == expected[::-1][:2], text
        nothing = Wanted(text=text, states=frozenset({AppealState.CLOSED}))
        assert found(database, clock, nothing) == [], text


def test_signs_alone_find_nothing_and_a_number_is_found_by_its_beginning(
    database: Database, clock: Clock, filed: dict[str, str]
) -> None:
    assert found(database, clock, Wanted(text="%%")) == []
    assert len(found(database, clock, Wanted(text=" "))) == 24
    first = next(iter(filed))
    assert found(database, clock, Wanted(text=first.lower())) == [first]
    assert found(database, clock, Wanted(text=f"{first} 没有")) == []
