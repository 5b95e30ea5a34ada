"""What commissioners say they take conversations about."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from service.db import Database
from service.errors import InvalidInput
from service.handoff import routing

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("topics", "most", "where"),
    [
        ([f"词{n}" for n in range(31)], 8, "topics"),
        (["长" * 21], 8, "topics"),
        (["租房"], 0, "max_conversations"),
        (["租房"], 101, "max_conversations"),
    ],
)
def test_a_range_that_cannot_be_is_refused(
    database: Database, topics: list[str], most: int, where: str
) -> None:
    with database.session() as db, pytest.raises(InvalidInput) as refused:
        routing.set_skill(db, "lin", "林", topics, [], most)
    assert refused.value.where == where


def test_what_somebody_takes_survives_their_coming_and_going(database: Database) -> None:
    with database.session() as db:
        routing.set_skill(db, "lin", "林", ["租房", " 租房 ", "", "上市"], ["福田区金融工作局"], 3)
        routing.set_presence(db, "lin", "林", True, NOW)
    with database.reading() as db:
        skill = routing.skill_of(db, "lin")
    assert skill is not None
    assert (skill.topics, skill.departments) == (["租房", "上市"], ["福田区金融工作局"])
    assert (skill.max_conversations, skill.is_present) == (3, True)
