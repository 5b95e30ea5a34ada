"""One search: the bot, the console's hit test and the evaluation rank the same question over the same catalogue alike."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner

from knowledge.catalogue import DEMO_CATALOGUE, read_catalogue
from knowledge.comparing import CONSIDERED
from knowledge.corpus import Query, read_queries
from knowledge.dense import VectorCache
from knowledge.encoder import Encoder
from service.assembly import build_answerer
from service.cli import app
from service.settings import Settings
from service.trial import catalogue_to_rank

DAY = "2026-11-24"
QUESTIONS = (
    "国高租房补贴几成",
    "首次认定国家高新技术企业在福田能拿多少钱",
    "市里的稳岗返还比例",
    "办公室不够用了，区里有没有自己的楼",
    "红色行星上的补贴",
)


@pytest.fixture(scope="module")
def settings(
    tmp_path_factory: pytest.TempPathFactory, encoder: Encoder, vector_cache: VectorCache
) -> Settings:
    """Thirty policies of the demo, words and meaning; what other tests have encoded is not encoded again."""
    folder = tmp_path_factory.mktemp("one")
    lines = (DEMO_CATALOGUE / "futian.jsonl").read_text(encoding="utf-8").splitlines()[:24]
    lines += (DEMO_CATALOGUE / "shenzhen.jsonl").read_text(encoding="utf-8").splitlines()[:6]
    (folder / "catalogue.jsonl").write_text("\n".join(lines), encoding="utf-8")
    encoded = vector_cache.path(encoder).parent
    encoded.mkdir(parents=True, exist_ok=True)
    (folder / "data").mkdir()
    (folder / "data" / "vectors").symlink_to(encoded, target_is_directory=True)
    return Settings(
        data_dir=folder / "data",
        catalogue=folder / "catalogue.jsonl",
        as_of=date.fromisoformat(DAY),
    )


@pytest.fixture
def qifu(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("QIFU_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("QIFU_CATALOGUE", str(settings.catalogue))
    return CliRunner()


def queries_file(folder: Path, by_clause: bool) -> Path:
    rows = [
        {"id": f"q{n}", "text": text, "doc_ids": ["FT-005#amount" if by_clause else "FT-005"]}
        for n, text in enumerate(QUESTIONS)
    ]
    path = folder / "queries.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("text", QUESTIONS)
def test_bot_console_and_evaluation_rank_alike(
    settings: Settings, qifu: CliRunner, text: str
) -> None:
    answerer = build_answerer(settings)
    day = settings.today()
    of_bot = answerer.retriever.search(text, CONSIDERED, as_of=day)
    shown = qifu.invoke(app, ["catalogue", "search", text, "--top", "10", "--as-of", DAY, "--json"])
    assert shown.exit_code == 0, shown.output
    hits = json.loads(shown.stdout)["hits"]
    asked = (Query(id="q", text=text, doc_ids=("FT-005",)),)
    _, by_policy = catalogue_to_rank(settings, asked)
    clause = (Query(id="q", text=text, doc_ids=("FT-005#amount",)),)
    _, by_clause = catalogue_to_rank(settings, clause)

    policies = [hit.policy.id for hit in of_bot.hits]
    assert policies
    assert [hit["policy_id"] for hit in hits] == policies
    assert by_policy.ranker.hybrid(text, CONSIDERED) == policies
    assert [hit["chance"] for hit in hits] == [round(hit.chance, 4) for hit in of_bot.hits]
    assert by_policy.ranker.chance(text, ()) == of_bot.chance

    clauses = [
        each.clause.id
        for hit in of_bot.hits
        for each in answerer.retriever.clauses(of_bot.question, hit.policy.id)
    ]
    assert [each["id"] for hit in hits for each in hit["clauses"]] == clauses
    assert by_clause.ranker.hybrid(text, CONSIDERED) == clauses[:CONSIDERED]


def test_what_the_bot_answers_from_is_what_the_console_shows_first(
    settings: Settings, qifu: CliRunner
) -> None:
    text = QUESTIONS[1]
    answer = build_answerer(settings).answer(text, settings.today())
    shown = qifu.invoke(app, ["catalogue", "search", text, "--as-of", DAY, "--json"])
    hits = json.loads(shown.stdout)["hits"]
    assert [hit["policy_id"] for hit in hits] == [
        hit.policy.id for hit in answer.candidates[: len(hits)]
    ]
    assert answer.policy_id == hits[0]["policy_id"] == "FT-001"


@pytest.mark.parametrize("by_clause", [False, True])
def test_the_catalogue_can_be_evaluated(
    settings: Settings, qifu: CliRunner, tmp_path: Path, by_clause: bool
) -> None:
    path = queries_file(tmp_path, by_clause)
    told = qifu.invoke(app, ["eval", "retrieval", "--queries", str(path), "--as-of", DAY, "--json"])
    assert told.exit_code == 0, told.output
    report = json.loads(told.stdout)
    catalogue = read_catalogue(settings.catalogue or Path())
    count = len(catalogue.clauses) if by_clause else len(catalogue)
    assert report["counts"]["documents"] == count
    assert report["counts"]["answered"] == len(read_queries(path))
    _, built = catalogue_to_rank(settings, read_queries(path))
    assert report["failures"]
    for row in report["failures"]:
        assert row["got"] == built.ranker.hybrid(row["text"], CONSIDERED)[:3]
