"""``qifu catalogue affected``: asked through the application, found again after the catalogue changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from structlog.testing import capture_logs
from typer.testing import CliRunner, Result

from actions.replies import CitationCard, Reply, ReplyKind
from bot.turn import Turn, TurnResult, TurnTrace
from knowledge.catalogue import DEMO_CATALOGUE, read_catalogue
from service.app import create_app
from service.cli import app as commands
from service.db import Database
from service.errors import NotFound
from service.settings import Settings
from tests.service.fakes import sorry

AS_OF = date(2026, 11, 23)


class QuotingBot:
    """Answers with the amounts of the policies whose ids are in the text, from the file as it is."""

    def __init__(self, source: Path) -> None:
        self._source = source

    def turn(self, turn: Turn, timeout_s: float) -> TurnResult:
        catalogue = read_catalogue(self._source)
        named = [policy for policy in catalogue.policies.values() if policy.id in turn.text]
        clauses = [catalogue.clauses[f"{policy.id}#amount"] for policy in named]
        cards = [
            CitationCard(
                policy_id=policy.id,
                title=policy.title,
                doc_no=policy.doc_no,
                issuer=policy.issuer,
                clause=clause.label,
                quote=clause.text,
                valid_from=policy.valid_from,
                valid_to=policy.valid_to,
                status=policy.status_on(turn.as_of).value,
                url=policy.source_url,
            )
            for policy, clause in zip(named, clauses, strict=True)
        ]
        reply = Reply(kind=ReplyKind.ANSWER, text="答", citations=cards)
        sources = tuple((clause.id, clause.hash) for clause in clauses)
        return TurnResult((reply,), "s", TurnTrace("ask_policy", 0.9, (), sources))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A working catalogue of two policies in force until the end of 2027."""
    lines = (DEMO_CATALOGUE / "futian.jsonl").read_text(encoding="utf-8").splitlines()[:2]
    rows = [json.loads(line) | {"status": "current", "valid_to": "2027-12-31"} for line in lines]
    path = tmp_path / "catalogue.jsonl"
    write(path, rows)
    return path


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")


def edit(path: Path, policy_id: str, **changes: object) -> None:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    write(path, [row | changes if row["id"] == policy_id else row for row in rows])


@pytest.fixture
def client(settings: Settings, source: Path, sqlite_database: Database) -> Iterator[TestClient]:
    dated = settings.model_copy(update={"as_of": AS_OF})
    app = create_app(dated, sqlite_database, QuotingBot(source), sorry)
    with (
        capture_logs(),
        TestClient(app) as client,
    ):  # a turn's line would stand in a command's output
        yield client


@pytest.fixture
def affected(
    settings: Settings, source: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    monkeypatch.chdir(settings.data_dir)
    monkeypatch.setenv("QIFU_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("QIFU_CATALOGUE", str(source))
    monkeypatch.setenv("QIFU_AS_OF", AS_OF.isoformat())
    runner = CliRunner()
    return lambda *options: runner.invoke(commands, ["catalogue", "affected", *options])


def ask(client: TestClient, text: str) -> str:
    response = client.post("/api/chat", json={"text": text})
    assert response.status_code == 200, response.text
    return str(response.json()["message_id"])


def test_an_answer_is_found_after_its_clause_was_edited(
    client: TestClient, source: Path, affected: Callable[..., Result]
) -> None:
    message = ask(client, "FT-001 给多少钱")
    ask(client, "FT-002 给多少钱")
    assert json.loads(affected("--json").stdout)["affected"] == []
    edit(source, "FT-001", summary="给予20万元奖励。")
    report = json.loads(affected("--json").stdout)
    assert (report["as_of"], report["answers"], report["appeals"]) == ("2026-11-23", 1, 0)
    (found,) = report["affected"]
    assert (found["clause_id"], found["change"]) == ("FT-001#amount", "changed")
    (use,) = found["uses"]
    assert (use["message_id"], use["question"], use["kind"]) == (
        message,
        "FT-001 给多少钱",
        "answer",
    )


def test_the_table_says_clause_change_and_numbers_in_words(
    client: TestClient, source: Path, affected: Callable[..., Result]
) -> None:
    ask(client, "FT-001 给多少钱")
    ask(client, "FT-001 FT-002 哪个适合")
    nothing = affected().stdout
    assert nothing.strip() == "按 2026-11-23 的目录，没有答复、政策列表或未办结诉求受影响。"
    edit(source, "FT-001", summary="给予20万元奖励。")
    shown = affected().stdout
    row = next(line for line in shown.splitlines() if "内容已改" in line)
    assert [cell.strip() for cell in row.strip("│").split("│")][2:] == ["1", "1", "无"]
    assert "FT-001#amount" in shown.replace("\n", "")
    assert "共 2 次答复、0 件未办结诉求受影响" in shown


def test_a_policy_past_its_last_day_is_found_by_date(
    client: TestClient, affected: Callable[..., Result]
) -> None:
    ask(client, "FT-001 给多少钱")
    assert json.loads(affected("--as-of", "2027-12-31", "--json").stdout)["affected"] == []
    (found,) = json.loads(affected("--as-of", "2028-01-01", "--json").stdout)["affected"]
    assert found["change"] == "expired"


def test_since_and_policy_leave_out_the_rest(
    client: TestClient, source: Path, affected: Callable[..., Result]
) -> None:
    ask(client, "FT-001 FT-002 哪个适合")
    for policy_id in ("FT-001", "FT-002"):
        edit(source, policy_id, summary="给予20万元奖励。")
    assert len(json.loads(affected("--json").stdout)["affected"]) == 2
    (found,) = json.loads(affected("--policy", "FT-002", "--json").stdout)["affected"]
    assert found["policy_id"] == "FT-002"
    assert json.loads(affected("--since", "2999-01-01", "--json").stdout)["affected"] == []


def test_bad_options_are_named(affected: Callable[..., Result]) -> None:
    error = affected("--policy", "FT-9999").exception
    assert isinstance(error, NotFound)
    assert "--policy FT-9999" in error.message
    dated = affected("--since", "yesterday")
    assert dated.exit_code == 2
    assert "--since" in dated.output
