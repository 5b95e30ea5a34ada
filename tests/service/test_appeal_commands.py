"""``qifu appeals verify`` on a real database file."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from service.appeals.departments import load_departments
from service.appeals.dispatch import Dispatcher
from service.cli import app
from service.db import Database
from service.desk import ServiceDesk
from service.settings import Settings
from tests.service.appeals.seams import Clock, LetterEncoder, draft


def test_verify_counts_what_is_whole_and_names_what_is_not(
    settings: Settings, sqlite_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QIFU_DATA_DIR", str(settings.data_dir))
    letters = Dispatcher(load_departments(), LetterEncoder())
    desk = ServiceDesk(sqlite_database, letters, LetterEncoder(), now=Clock())
    numbers = [desk.file_appeal(draft(f"m{n}", f"事项{n}")).no for n in range(3)]
    whole = CliRunner().invoke(app, ["appeals", "verify", "--json"])
    assert whole.exit_code == 0
    assert json.loads(whole.stdout) == {"ok": True, "checked": 3, "problems": []}
    with sqlite_database.session() as db:
        db.execute(text("UPDATE appeals SET due_at = '2030-01-01 00:00:00' WHERE id = 2"))
    spoilt = CliRunner().invoke(app, ["appeals", "verify"])
    assert spoilt.exit_code == 1
    assert f"✗ {numbers[1]}: due_at" in spoilt.stdout
    assert "核对 3 件诉求，1 处问题" in spoilt.stdout
