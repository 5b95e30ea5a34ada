"""`qifu eval qa` from files to kept run, JSON, comparison and page; the bot is a fake, all else is real."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from actions.answering import citation_card
from actions.replies import Reply, ReplyKind
from bot.turn import Turn, TurnResult, TurnTrace
from knowledge.catalogue import Catalogue
from knowledge.composition import Citation
from knowledge.errors import KnowledgeError, LabelError
from knowledge.runs import RunError
from service import trial
from service.eval_commands import eval_app
from service.settings import Settings


class FakeBot:
    """Answers from one policy, whatever is asked, except 月球; keeps the days it was asked on."""

    model = Path("nlu-1.tar.gz")

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.policy_id = "FT-001"
        self.days: list[date] = []

    def turn(self, turn: Turn) -> TurnResult:
        self.days.append(turn.as_of)
        trace = TurnTrace("ask_policy", 0.9, ((self.policy_id, 1.0),))
        if "月球" in turn.text:
            return TurnResult((Reply(kind=ReplyKind.REFUSAL, text="不知道"),), "{}", trace)
        policy = self._catalogue.policies[self.policy_id]
        clause = self._catalogue.clauses[f"{self.policy_id}#amount"]
        card = citation_card(Citation(clause, policy, policy.status_on(turn.as_of)))
        reply = Reply(kind=ReplyKind.ANSWER, text=f"{clause.text}，已过期", citations=[card])
        return TurnResult((reply,), "{}", trace)


@pytest.fixture
def bot(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeBot:
    bot = FakeBot(catalogue)
    product = SimpleNamespace(
        bot=bot,
        answerer=SimpleNamespace(catalogue=catalogue, encoder=SimpleNamespace(name="fake")),
        close=lambda: None,
    )

    def build(settings: Settings, progress: Any) -> Any:
        assert settings.database().endswith("eval.db"), "the real desk must not hear of it"
        return product

    monkeypatch.setattr(trial, "build_product", build)
    monkeypatch.setattr(trial, "configure", lambda settings: None)
    monkeypatch.setenv("QIFU_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("QIFU_AS_OF", raising=False)
    return bot


@pytest.fixture
def file(tmp_path: Path) -> Path:
    rows = [
        {"id": "q1", "text": "国高奖多少", "policy_id": "FT-001", "facet": "amount"},
        {"id": "q2", "text": "月球补贴", "unanswerable": True},
        {"id": "q3", "text": "那年呢", "policy_id": "FT-001", "as_of": "2024-02-29"},
    ]
    path = tmp_path / "题.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


def call(*arguments: str | Path) -> Result:
    return CliRunner().invoke(eval_app, ["qa", *map(str, arguments)], catch_exceptions=False)


def saved(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "data" / "runs").glob("*"))


def test_json_is_one_document_with_the_report_and_what_was_measured(
    bot: FakeBot, file: Path
) -> None:
    result = call(file, "--json", "--as-of", "2026-11-24")
    document = json.loads(result.stdout)
    assert (document["top1"]["value"], document["invented"]["value"]) == (1.0, 0.0)
    assert document["run"]["files"] == ["题.jsonl"]
    assert document["run"]["as_of"] == "2026-11-24"
    assert (document["run"]["encoder"], document["run"]["model"]) == ("fake", "nlu-1.tar.gz")
    assert "comparison" not in document
    assert bot.days == [date(2026, 11, 24), date(2026, 11, 24), date(2024, 2, 29)]


def test_run_is_kept_unless_told_not_to(bot: FakeBot, file: Path, tmp_path: Path) -> None:
    call(file, "--no-save")
    assert saved(tmp_path) == []
    call(file)
    call(file, "--save", "before")
    assert len(saved(tmp_path)) == 2
    assert "before.json" in saved(tmp_path)


def test_comparison_with_the_last_run_shows_what_got_worse(bot: FakeBot, file: Path) -> None:
    call(file)
    bot.policy_id = "FT-002"
    document = json.loads(call(file, "--compare", "last", "--json").stdout)
    top1 = document["comparison"]["measures"]["top1"]
    assert (top1["better"], top1["worse"], top1["p"]) == (0, 2, 0.5)
    assert [case["id"] for case in document["comparison"]["worse"]] == ["q1", "q3"]
    told = call(file, "--compare", "last").stdout
    assert "变坏的题：0" in told


def test_several_files_are_one_run(bot: FakeBot, file: Path, tmp_path: Path) -> None:
    more = tmp_path / "more.jsonl"
    more.write_text('{"id": "m1", "text": "x", "policy_id": "FT-001"}', "utf-8")
    document = json.loads(call(file, more, "--json").stdout)
    assert set(document["breakdown"]["file"]) == {"题.jsonl", "more.jsonl"}
    assert document["top1"]["n"] == 3
    assert saved(tmp_path)[0].startswith("题+more-")


def test_files_of_one_name_are_told_apart_by_their_folders(
    bot: FakeBot, file: Path, tmp_path: Path
) -> None:
    other = tmp_path / "more" / file.name
    other.parent.mkdir()
    other.write_bytes(file.read_bytes())
    document = json.loads(call(file, other, "--json").stdout)
    names = [f"{tmp_path.name}/题.jsonl", "more/题.jsonl"]
    assert document["run"]["files"] == names
    assert set(document["breakdown"]["file"]) == set(names)
    with pytest.raises(LabelError, match="given twice"):
        call(file, file)


def test_page_is_written_whole(bot: FakeBot, file: Path, tmp_path: Path) -> None:
    page = tmp_path / "报告.html"
    call(file, "--html", page)
    assert page.read_text("utf-8").startswith("<!doctype html>")
    assert "题.jsonl" in page.read_text("utf-8")
    assert [path.name for path in tmp_path.glob(".*")] == []


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--compare", "nowhere"], "no run 'nowhere'"),
        (["--compare", "last"], "no saved run over these questions"),
        (["--save", "../x"], "use 1-100 letters"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_work(
    bot: FakeBot, file: Path, arguments: list[str], error: str
) -> None:
    with pytest.raises(RunError, match=error) as caught:
        call(file, *arguments)
    assert isinstance(caught.value, KnowledgeError)
    assert bot.days == []


@pytest.mark.parametrize(
    "arguments",
    [["--save", "a", "--no-save"], ["--html", "/nowhere/at/all/x.html"], ["--html", "/"]],
)
def test_wrong_options_end_with_a_usage_error(
    bot: FakeBot, file: Path, arguments: list[str]
) -> None:
    assert call(file, *arguments).exit_code == 2
    assert bot.days == []
