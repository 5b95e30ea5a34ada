"""Kept runs: written whole, found again by name, path or last, and never compared over other questions."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from knowledge.catalogue import Catalogue
from knowledge.errors import KnowledgeError
from knowledge.evaluate import judge_answers, report_on
from knowledge.labels import LabelledQuestion
from knowledge.measures import Outcome
from knowledge.runs import (
    LAST,
    Run,
    RunError,
    RunIdentity,
    RunStore,
    default_name,
    digest_of_catalogue,
    digest_of_questions,
    read_run,
    record_run,
)

NOW = datetime(2026, 11, 24, 3, 15, 7, 42_000, UTC)
QUESTIONS = [
    LabelledQuestion(id="q1", text="国高奖多少", policy_id="FT-001"),
    LabelledQuestion(id="q2", text="月球有补贴吗", unanswerable=True),
]


def run_over(
    questions: list[LabelledQuestion],
    catalogue: Catalogue,
    name: str | None = None,
    at: datetime = NOW,
) -> Run:
    judged = judge_answers(
        questions, lambda _: Outcome("不知道", (), (), True, None, 3.0), catalogue
    )
    identity = RunIdentity(
        files=["dev.jsonl"],
        file_sha256=["0" * 64],
        questions=digest_of_questions(questions),
        as_of=date(2026, 11, 24),
        catalogue=digest_of_catalogue(catalogue),
        encoder="fake",
        calibration="1" * 64,
    )
    return record_run(name, identity, report_on(judged), judged, at)


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    store = RunStore(tmp_path / "runs")
    store.prepare(None)
    return store


def test_saved_run_is_read_back_as_it_was(store: RunStore, catalogue: Catalogue) -> None:
    run = run_over(QUESTIONS, catalogue)
    path = store.save(run)
    assert path.name == "dev-20261124T031507.042Z.json"
    assert read_run(path) == run
    assert [each.marks["refused_unanswerable"] for each in run.outcomes[1:]] == [True]
    assert list(store.folder.iterdir()) == [path]


def test_run_of_a_name_is_kept_when_another_wants_it(store: RunStore, catalogue: Catalogue) -> None:
    first = store.save(run_over(QUESTIONS, catalogue, "before")).read_bytes()
    with pytest.raises(FileExistsError):
        store.save(run_over(QUESTIONS[:1], catalogue, "before"))
    assert store.path_of("before").read_bytes() == first
    assert [path.name for path in store.folder.iterdir()] == ["before.json"]
    with pytest.raises(RunError, match="'before' exists already"):
        store.prepare("before")


@pytest.mark.parametrize("name", ["", "../x", "a/b", "last", ".hidden", "a b", "x" * 101])
def test_name_that_is_no_file_name_is_refused_before_any_work(store: RunStore, name: str) -> None:
    with pytest.raises(RunError, match="use 1-100 letters"):
        store.prepare(name)


@pytest.mark.parametrize("name", ["before", "问答-2", "dev+test.1"])
def test_usual_names_are_taken(store: RunStore, name: str) -> None:
    store.prepare(name)


@pytest.mark.parametrize(
    ("files", "stem"),
    [
        (["dev.jsonl"], "dev-"),
        (["dev.jsonl", "more/题集.jsonl"], "dev+more-题集-"),
        (["我的 <题>.jsonl"], "我的题-"),
        (["<>.jsonl"], "run-"),
        ([f"{'长' * 90}.jsonl"], "长" * 60 + "-"),
    ],
)
def test_default_name_is_the_files_and_the_time_in_utc(files: list[str], stem: str) -> None:
    beijing = NOW.astimezone(timezone(timedelta(hours=8)))
    name = default_name(files, beijing)
    assert name == f"{stem}20261124T031507.042Z"


class TestFind:
    def test_by_name_by_file_name_and_by_path(self, store: RunStore, catalogue: Catalogue) -> None:
        path = store.save(run_over(QUESTIONS, catalogue, "before"))
        for wanted in ("before", "before.json", str(path)):
            assert store.find(wanted, QUESTIONS).name == "before"

    def test_last_is_the_newest_over_these_questions(
        self, store: RunStore, catalogue: Catalogue
    ) -> None:
        store.save(run_over(QUESTIONS, catalogue, "a-new", NOW))
        store.save(run_over(QUESTIONS, catalogue, "b-old", NOW - timedelta(days=1)))
        store.save(run_over(QUESTIONS[:1], catalogue, "c-other", NOW + timedelta(days=1)))
        (store.folder / "d-damaged.json").write_text("{", encoding="utf-8")
        assert store.find(LAST, QUESTIONS).name == "a-new"
        assert store.find(LAST, QUESTIONS[:1]).name == "c-other"

    def test_nothing_to_compare_with_says_what_there_is(
        self, store: RunStore, catalogue: Catalogue, tmp_path: Path
    ) -> None:
        with pytest.raises(RunError, match="nothing is saved"):
            RunStore(tmp_path / "nowhere").find(LAST, QUESTIONS)
        store.save(run_over(QUESTIONS[:1], catalogue, "other"))
        with pytest.raises(RunError, match=r"no saved run over these questions: .*other"):
            store.find(LAST, QUESTIONS)
        with pytest.raises(RunError, match=r"no run 'befroe': .*other"):
            store.find("befroe", QUESTIONS)

    def test_other_questions_are_refused_with_what_differs(
        self, store: RunStore, catalogue: Catalogue
    ) -> None:
        store.save(run_over(QUESTIONS, catalogue, "before"))
        third = LabelledQuestion(id="q3", text="新的")
        with pytest.raises(RunError, match="1 ids in both, 1 only in that run, 1 only now"):
            store.find("before", [QUESTIONS[0], third])
        relabelled = QUESTIONS[0].model_copy(update={"policy_id": "FT-002"})
        with pytest.raises(RunError, match="the same 2 ids, but texts, labels or order differ"):
            store.find("before", [relabelled, QUESTIONS[1]])

    @pytest.mark.parametrize(
        ("spoil", "named"),
        [
            (lambda row: row.update(format=2), "format: "),
            (lambda row: row.pop("identity"), "identity: "),
            (lambda row: row["outcomes"][0].pop("marks"), r"outcomes\.0\.marks: "),
            (lambda row: row.update(saved_at="2026-11-24T00:00:00"), "saved_at: "),
        ],
    )
    def test_damaged_run_is_named_with_its_field(
        self, store: RunStore, catalogue: Catalogue, spoil: Any, named: str
    ) -> None:
        path = store.save(run_over(QUESTIONS, catalogue, "before"))
        row = json.loads(path.read_text(encoding="utf-8"))
        spoil(row)
        path.write_text(json.dumps(row), encoding="utf-8")
        with pytest.raises(RunError, match=rf"before\.json: not a stored run: {named}"):
            store.find("before", QUESTIONS)


def test_digest_of_questions_is_that_of_their_labels_not_of_their_file() -> None:
    digest = digest_of_questions(QUESTIONS)
    moved = [question.model_copy(update={"file": "other.jsonl"}) for question in QUESTIONS]
    assert digest_of_questions(moved) == digest
    assert digest_of_questions(reversed(QUESTIONS)) != digest
    late = [QUESTIONS[0].model_copy(update={"as_of": date(2025, 1, 1)}), QUESTIONS[1]]
    assert digest_of_questions(late) != digest


def test_digest_of_the_catalogue_changes_with_any_policy(catalogue: Catalogue) -> None:
    policies = list(catalogue.policies.values())
    digest = digest_of_catalogue(catalogue)
    assert digest_of_catalogue(Catalogue(reversed(policies))) == digest
    changed = replace(policies[0], valid_to=date(2030, 1, 1))
    assert digest_of_catalogue(Catalogue([changed, *policies[1:]])) != digest


def test_errors_belong_to_the_knowledge_family() -> None:
    assert issubclass(RunError, KnowledgeError)
