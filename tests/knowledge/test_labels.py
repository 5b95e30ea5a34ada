"""Label files: the format of design.md §8, and defects named by file, line and field."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from knowledge.catalogue import DATA, Catalogue
from knowledge.errors import KnowledgeError, LabelError
from knowledge.labels import ContextTurn, read_questions
from knowledge.policy import Facet, Status

SETS = ("train", "dev", "test")


def write(folder: Path, *lines: str) -> Path:
    path = folder / "q.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_full_row_is_read(tmp_path: Path) -> None:
    row = {
        "id": "q1",
        "text": "那材料呢",
        "intent": "ask_policy_detail",
        "policy_id": "FT-001",
        "expected_policies_any": ["FT-001", "FT-004"],
        "expected_policies_all": ["FT-002"],
        "facet": "materials",
        "expected_answer_facts": ["营业执照"],
        "context": [{"role": "user", "text": "国高奖励"}, {"role": "bot", "text": "10万元"}],
        "expected_action": "answer",
        "unanswerable": False,
        "adversarial": True,
        "as_of": "2024-02-29",
        "expected_status": "expired",
        "forbidden": ["现行有效"],
        "kind": "日期",
    }
    (question,) = read_questions(write(tmp_path, json.dumps(row, ensure_ascii=False)))
    assert question.model_dump(mode="json") == row
    assert question.as_of == date(2024, 2, 29)
    assert question.expected_status is Status.EXPIRED
    assert question.right_policies == {"FT-001", "FT-002", "FT-004"}
    assert question.file == "q.jsonl"
    assert [turn.is_person for turn in question.context] == [True, False]


def test_absent_keys_mean_answerable_plain_and_unlabelled(tmp_path: Path) -> None:
    (question,) = read_questions(write(tmp_path, '{"id": "q1", "text": "你好"}'))
    assert not question.unanswerable
    assert not question.adversarial
    assert question.right_policies == set()
    assert question.intent is None
    assert (question.as_of, question.expected_status, question.kind) == (None, None, None)
    assert question.forbidden == question.expected_policies_all == []
    assert not question.is_answerable


def test_the_one_right_policy_joins_the_accepted_ones(tmp_path: Path) -> None:
    row = '{"id": "q1", "text": "x", "policy_id": "A", "expected_policies_any": ["B"]}'
    (question,) = read_questions(write(tmp_path, row))
    assert question.right_policies == {"A", "B"}


@pytest.mark.parametrize(
    ("role", "is_person"),
    [("user", True), ("enterprise", True), ("bot", False), ("assistant", False), ("system", False)],
)
def test_only_people_are_replayed(role: str, is_person: bool) -> None:
    assert ContextTurn(role=role, text="x").is_person is is_person


def test_keys_of_other_label_sets_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    rows = ["\ufeff", '{"id": "q1", "text": "x", "author": "me"}', " ", '{"id": "q2", "text": "y"}']
    assert [question.id for question in read_questions(write(tmp_path, *rows))] == ["q1", "q2"]


@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        ('{"id": "q2"}', "text: "),
        ('{"id": "q2", "text": ""}', "text: "),
        ('{"id": "q2", "text": "x", "unanswerable": "perhaps"}', "unanswerable: "),
        ('{"id": "q2", "text": "x", "context": [{"role": "user"}]}', r"context\.0\.text: "),
        ('{"id": "q2", "text": "x", "expected_answer_facts": "10"}', "expected_answer_facts: "),
        ('{"id": "q2", "text": "x", "as_of": "2026-02-30"}', "as_of: "),
        ('{"id": "q2", "text": "x", "as_of": 1732406400}', "as_of: .*YYYY-MM-DD"),
        ('{"id": "q2", "text": "x", "expected_status": "过期"}', "expected_status: "),
        ('{"id": "q2", "text": "x", "forbidden": [""]}', r"forbidden\.0: "),
        ('{"id": "q2", "text": "x", "forbidden": "万元"}', "forbidden: "),
        ('{"id": "q2",', "record: "),
        ("[]", "record: "),
    ],
)
def test_bad_row_is_named_by_file_line_and_field(tmp_path: Path, spoiled: str, named: str) -> None:
    with pytest.raises(LabelError, match=rf"^q\.jsonl:3: {named}"):
        read_questions(write(tmp_path, '{"id": "q1", "text": "x"}', "", spoiled))


def test_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabelError, match=r"nowhere\.jsonl: cannot be read: "):
        read_questions(tmp_path / "nowhere.jsonl")
    with pytest.raises(LabelError, match="no question in it"):
        read_questions(write(tmp_path, "", " "))
    (tmp_path / "q.jsonl").write_bytes("问".encode("gbk"))
    with pytest.raises(LabelError, match="byte 0: not UTF-8"):
        read_questions(tmp_path / "q.jsonl")


def test_errors_belong_to_the_knowledge_family() -> None:
    assert issubclass(LabelError, KnowledgeError)


@pytest.mark.parametrize(
    ("labels", "findable", "answerable", "vague"),
    [
        ('"policy_id": "A"', True, True, False),
        ('"expected_policies_all": ["A"]', True, True, False),
        ('"expected_action": "answer"', False, True, False),
        ('"policy_id": "A", "expected_action": "clarify"', True, True, True),
        (
            '"policy_id": "A", "expected_action": "clarify", "unanswerable": true',
            False,
            False,
            False,
        ),
        ('"policy_id": "A", "unanswerable": true', False, False, False),
        ('"expected_action": "chat"', False, False, False),
    ],
)
def test_what_a_label_asks_for(
    tmp_path: Path, labels: str, findable: bool, answerable: bool, vague: bool
) -> None:
    (question,) = read_questions(write(tmp_path, f'{{"id": "q1", "text": "x", {labels}}}'))
    assert (question.is_findable, question.is_answerable, question.is_vague) == (
        findable,
        answerable,
        vague,
    )


@pytest.mark.parametrize("name", SETS)
def test_shipped_set_names_only_what_exists(catalogue: Catalogue, name: str) -> None:
    for question in read_questions(DATA / f"eval/{name}.jsonl"):
        assert question.right_policies <= set(catalogue.policies), question.id
        assert question.facet is None or question.facet in set(Facet), question.id
        assert question.unanswerable or question.right_policies, question.id


def test_shipped_sets_share_no_question() -> None:
    read = {name: read_questions(DATA / f"eval/{name}.jsonl") for name in SETS}
    ids = [question.id for questions in read.values() for question in questions]
    alone = [q.text for questions in read.values() for q in questions if not q.context]
    assert len(ids) == len(set(ids)) == 701
    assert len(alone) == len(set(alone))


@pytest.mark.parametrize(
    ("spoiled", "named"),
    [
        (
            '{"id": "q1", "text": "y"}',
            "id: 'q1' is already the id of line 1; .* give this row another",
        ),
        ('{"id": "", "text": "y"}', "id: "),
        (
            '{"id": "q2", "text": "y", "facet": "price"}',
            "facet: 'price' is none of amount, .*write",
        ),
        (
            '{"id": "q2", "text": "y", "intent": "ask"}',
            "intent: 'ask' is none of ask_policy, greet",
        ),
        (
            '{"id": "q2", "text": "y", "context": [{"role": "robot", "text": "z"}]}',
            r"context\.0\.role: 'robot' is none of agent, assistant",
        ),
    ],
)
def test_names_nothing_knows_and_ids_used_twice(tmp_path: Path, spoiled: str, named: str) -> None:
    path = write(tmp_path, '{"id": "q1", "text": "x", "intent": "greet"}', spoiled)
    with pytest.raises(LabelError, match=rf"^q\.jsonl:2: {named}"):
        read_questions(path, {"ask_policy", "greet"})


def test_any_intent_passes_where_none_are_known(tmp_path: Path) -> None:
    (question,) = read_questions(write(tmp_path, '{"id": "q1", "text": "x", "intent": "ask"}'))
    assert question.intent == "ask"
