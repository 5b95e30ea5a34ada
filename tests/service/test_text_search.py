"""What the index of character pairs finds, against the plain question whether a text holds the words."""

from __future__ import annotations

import random
import time

import pytest

from service.db import Database
from service.text_search import TextIndex, grams_of, holds, looked_up, words_of

INDEX = TextIndex("message_search")
TEXTS = {
    1: "楼下噪音扰民，第77777号，100%真实",
    2: "我司位于A座3楼，合同编号1234567",
    3: "ＡＢＣ－123 全角也找得到",
    4: "停电",
    5: "电",
    6: "贷款，退税；国高 认定",
    7: "…！",
}


def found(database: Database, wanted: str) -> list[int]:
    words = words_of(wanted)
    with database.reading() as db:
        return [n for n in INDEX.newest(db, words, 100) if holds(TEXTS[n], words)]


@pytest.fixture
def filled(database: Database) -> Database:
    with database.session() as db:
        for number, said in TEXTS.items():
            INDEX.add(db, number, said)
    return database


@pytest.mark.parametrize(
    ("wanted", "numbers"),
    [
        ("噪音", [1]),
        ("音扰", [1]),
        ("第77777号", [1]),
        ("第777", [1]),
        ("7号", []),  # a number is found by its beginning
        ("100%真", [1]),
        ("A座", [2]),
        ("a座3楼", [2]),
        ("号123", [2]),
        ("编号1234567", [2]),
        ("abc-1", [3]),
        ("ABC", [3]),
        ("电", [5, 4]),
        ("停", [4]),
        ("停电", [4]),
        ("认定 贷款", [6]),
        ("认定，贷款", [6]),
        ("贷 定", [6]),
        ("税国", []),
        ("34567", []),
        ("不存在", []),
        ("…", []),
        ("", []),
        ('" OR "', []),
        ("' | 'a", []),
    ],
)
def test_words_find_their_texts(filled: Database, wanted: str, numbers: list[int]) -> None:
    assert found(filled, wanted) == numbers


def test_any_piece_of_chinese_words_finds_its_text(database: Database) -> None:
    rng = random.Random(1)
    said = {n: "".join(rng.choices("停电贷款续税，。 园区", k=12)) for n in range(1, 60)}
    with database.session() as db:
        for number, each in said.items():
            INDEX.add(db, number, each)
    with database.reading() as db:
        for _ in range(200):
            words = words_of("".join(rng.choices("停电贷款续税 园区", k=rng.randint(1, 4))))
            expected = [n for n in reversed(said) if holds(said[n], words)] if words else []
            candidates = INDEX.newest(db, words, 100)
            assert [n for n in candidates if holds(said[n], words)] == expected, words


def test_the_newest_come_first_over_many_blocks(database: Database) -> None:
    step = 3001  # blocks of 16384 numbers: some hold several, the last spans reach over many
    numbers = [1 + n * step for n in range(400)]
    with database.session() as db:
        INDEX.fill(db.connection(), ((n, "停电了" if n % 2 else "停电") for n in numbers))
    newest = list(reversed(numbers))
    with database.reading() as db:
        assert INDEX.newest(db, ["停电"], 1000) == newest
        assert INDEX.newest(db, ["停电"], 7) == newest[:7]
        assert INDEX.newest(db, ["电了"], 1000) == [n for n in newest if n % 2]
        parts = list(INDEX.candidates(db, ["停电"], 5))
    assert [n for part in parts for n in part] == newest
    assert max(map(len, parts)) == 5


def test_long_input_stays_quick() -> None:
    began = time.process_time()
    for said in ("停电" * 50_000, "a" * 100_000, "a1停" * 33_000, ",;" * 50_000):
        assert len(grams_of(said)) <= 4000
        assert len(looked_up(words_of(said))) <= 13
    assert time.process_time() - began < 2


def test_a_long_question_looks_up_few_pairs() -> None:
    words = words_of("我们公司去年申请国高没有通过今年还可以再次申报吗需要补充哪些材料呢")
    assert 6 <= len(looked_up(words)) <= 12
