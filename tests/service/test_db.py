"""The database: times, transactions, and migrations run by several processes at once."""

from __future__ import annotations

import subprocess
import sys
import threading
import traceback
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, StatementError

from service.conversations.models import Conversation, Message, MessageStatus, Owner
from service.db import MIGRATIONS, Base, Database, make_engine, upgrade

SHANGHAI = timezone(timedelta(hours=8))


def is_modelled(name: str | None, kind: str, _parents: object) -> bool:
    """Full-text tables are made by the migration alone: no model fits both databases."""
    return not (
        kind == "table"
        and name is not None
        and name.startswith(("message_search", "appeal_search"))
    )


COMPARED = {"compare_type": True, "include_name": is_modelled}


def add_conversation(database: Database, name: str, at: datetime) -> None:
    with database.session() as session:
        session.execute(
            insert(Conversation).values(id=name, channel="web", owner=Owner.BOT, created_at=at)
        )


def test_a_time_comes_back_aware_and_in_utc(database: Database) -> None:
    at = datetime(2026, 11, 23, 8, 30, tzinfo=SHANGHAI)
    add_conversation(database, "a", at)
    with database.reading() as session:
        stored = session.scalar(select(Conversation.created_at))
    assert stored == at
    assert stored is not None
    assert stored.utcoffset() == timedelta(0)


def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive time"):
        add_conversation(database, "a", datetime(2026, 11, 23))


def test_a_session_that_raises_stores_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.session() as session:
        session.execute(insert(Conversation).values(id="a", channel="web", owner=Owner.BOT))
        raise ZeroDivisionError
    with database.reading() as session:
        assert session.scalars(select(Conversation.id)).all() == []


def test_foreign_keys_are_enforced(database: Database) -> None:
    with pytest.raises(IntegrityError), database.session() as session:
        session.execute(
            insert(Message).values(
                id="m",
                conversation_id="nobody",
                client_id="c",
                text="x",
                is_button=False,
                status=MessageStatus.RECEIVED,
            )
        )


def test_a_reader_does_not_wait_for_a_writer(sqlite_database: Database) -> None:
    add_conversation(sqlite_database, "a", datetime.now(UTC))
    with sqlite_database.session() as writing:
        writing.execute(text("UPDATE conversations SET channel = 'other'"))
        with sqlite_database.reading() as reading:
            assert reading.scalar(select(Conversation.channel)) == "web"


def test_a_second_writing_session_in_one_thread_is_an_error(sqlite_database: Database) -> None:
    with (
        sqlite_database.session(),
        pytest.raises(RuntimeError, match="already open"),
        sqlite_database.session(),
    ):
        pass


def test_writers_of_many_threads_all_succeed(database: Database) -> None:
    add_conversation(database, "a", datetime.now(UTC))

    def count_up() -> None:
        for _ in range(20):
            with database.session() as session:
                session.execute(
                    text(
                        "UPDATE conversations SET state = CAST(COALESCE(state, '0') AS INTEGER) + 1"
                    )
                )

    threads = [threading.Thread(target=count_up) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with database.reading() as session:
        assert session.scalar(select(Conversation.state)) == "160"


def test_migrations_give_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARED)
        assert compare_metadata(context, Base.metadata) == []


def test_upgrading_again_changes_nothing(database: Database) -> None:
    add_conversation(database, "a", datetime.now(UTC))
    upgrade(database.engine)
    with database.reading() as session:
        assert session.scalar(select(Conversation.id)) == "a"


def migrate(database: Database, to: str) -> None:
    """Brings the tables to a revision, up or down."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        now = str(connection.scalar(text("SELECT version_num FROM alembic_version")))
        (command.downgrade if now > to else command.upgrade)(config, to)


def test_a_database_of_the_first_version_is_upgraded_when_it_is_opened(database: Database) -> None:
    migrate(database, "0001")
    assert "answer_sources" not in inspect(database.engine).get_table_names()
    add_conversation(database, "a", datetime.now(UTC))
    url = database.engine.url.render_as_string(hide_password=False)
    opened = Database.open(url)
    with opened.reading() as session:
        assert session.scalar(select(Conversation.id)) == "a"
        assert session.scalar(text("SELECT count(*) FROM answer_sources")) == 0
    opened.close()


def test_each_migration_can_be_taken_back(database: Database) -> None:
    for file in sorted((MIGRATIONS / "versions").glob("0*.py")):
        migrate(database, file.name[:4])
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARED)
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize(
    "values",
    [
        {"id": "a", "channel": "web"},
        {"id": "b", "channel": None, "state": "电话13800138000"},
        {"id": "b", "channel": "长" * 40 + "电话13800138000", "owner": None},
    ],
    ids=["again", "absent", "too long"],
)
def test_an_error_of_the_database_tells_no_values(
    database: Database, values: dict[str, object]
) -> None:
    add_conversation(database, "a", datetime.now(UTC))
    row = {"owner": Owner.BOT, "state": "机密13900139000"} | values
    with pytest.raises(DBAPIError) as caught, database.session() as session:
        session.execute(insert(Conversation).values(**row))
    told = "".join(traceback.format_exception(caught.value))
    assert "INSERT INTO conversations" in told
    assert "机密" not in told and "138001" not in told


def test_processes_that_start_at_once_share_one_migration(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'qifu.db'}"
    script = f"from service.db import Database; Database.open({url!r}).close()"
    started = [
        subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE) for _ in range(3)
    ]
    results = [(process.communicate(timeout=60)[1], process.returncode) for process in started]
    assert [code for _, code in results] == [0, 0, 0], results
    engine = make_engine(url)
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
    engine.dispose()
