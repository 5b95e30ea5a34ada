"""Opens a database with a full desk in it; made once for its sizes, then kept and used again."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import make_url, text

from service.db import MIGRATIONS, Database, make_engine
from service.text_search import TextIndex, grams_of
from tests import desk_rows, desk_words
from tests.desk_rows import Filling, Row, Sizes, fillings

FOLDER = Path(__file__).resolve().parents[1] / "var" / "bench"
_AT_ONCE = 10_000
_INDEXED = (
    (TextIndex("message_search"), "messages", "seq", "text"),
    (TextIndex("appeal_search"), "appeal_texts", "appeal_id", "text"),
)


class TookTooLong(Exception):
    """The time allowed for filling is over; what was written is thrown away."""


def sqlite_desk(sizes: Sizes, seconds: float) -> Database:
    """A file in ``var/bench``."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    file = FOLDER / f"desk-{_key(sizes)}.db"
    if not file.exists():
        making = file.with_suffix(".making")
        for left in FOLDER.glob("*.making*"):
            left.unlink()
        made = Database.open(f"sqlite:///{making}")
        try:
            _fill_sqlite(made, sizes, time.monotonic() + seconds)
        finally:
            made.close()
        making.rename(file)
    return Database.open(f"sqlite:///{file}")


def postgresql_desk(url: str, sizes: Sizes, seconds: float) -> Database:
    """A schema of the database at ``url``, whose user may create schemas."""
    schema = f"bench_desk_{_key(sizes)}"
    engine = make_engine(url)
    with engine.begin() as connection:
        found = connection.execute(
            text("SELECT 1 FROM information_schema.schemata WHERE schema_name = :name"),
            {"name": schema},
        ).first()
        if found is None:
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema}_making CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {schema}_making"))
    if found is None:
        made = Database.open(_within(url, f"{schema}_making"))
        try:
            _fill_postgresql(made, sizes, time.monotonic() + seconds)
        finally:
            made.close()
        with engine.begin() as connection:
            connection.execute(text(f"ALTER SCHEMA {schema}_making RENAME TO {schema}"))
    engine.dispose()
    return Database.open(_within(url, schema))


def _within(url: str, schema: str) -> str:
    given = make_url(url)
    options = given.query.get("options", "")
    search_path = f"{options} -csearch_path={schema}".strip()
    whole = given.update_query_dict({"options": search_path})
    return whole.render_as_string(hide_password=False)


def _key(sizes: Sizes) -> str:
    """Names what would be written: the sizes, and what writes it."""
    told = hashlib.sha256(repr(sizes).encode())
    for source in (desk_rows.__file__, desk_words.__file__):
        told.update(Path(source).read_bytes())
    for migration in sorted((MIGRATIONS / "versions").glob("*.py")):
        told.update(migration.read_bytes())
    found_by = [index.stored(20_000, grams_of("停电，第7号A座")) for index, *_ in _INDEXED]
    told.update(repr(found_by).encode())
    return told.hexdigest()[:10]


def _fill_sqlite(database: Database, sizes: Sizes, until: float) -> None:
    raw: Any = database.engine.raw_connection()
    cursor = raw.cursor()
    for pragma in ("synchronous=OFF", "foreign_keys=OFF", "cache_size=-400000", "temp_store=2"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.execute("PRAGMA journal_mode=OFF")
    cursor.execute("BEGIN")

    def write(filling: Filling, rows: Iterable[Row]) -> None:
        columns = filling.columns.split()
        marks = ", ".join("?" * len(columns))
        cursor.executemany(
            f"INSERT INTO {filling.table} ({_listed(columns)}) VALUES ({marks})",
            [[_told_to_sqlite(value) for value in row] for row in rows],
        )

    _write_all(fillings(sizes), write, until)
    for index, table, number, said in _INDEXED:
        rows = _read_in_order(cursor, table, number, said)
        told = ((at, " ".join(grams)) for at, words in rows if (grams := grams_of(words)))
        insert = f"INSERT INTO {index.table} (rowid, grams) VALUES (?, ?)"
        _bar(index.table, told, partial(cursor.executemany, insert), until)
        cursor.execute(f"INSERT INTO {index.table} ({index.table}) VALUES ('optimize')")
    cursor.execute("COMMIT")
    cursor.execute("ANALYZE")
    cursor.execute("PRAGMA journal_mode=WAL")
    raw.close()


def _read_in_order(cursor: Any, table: str, number: str, said: str) -> Iterator[tuple[int, str]]:
    last = 0
    while found := cursor.execute(
        f"SELECT {number}, {said} FROM {table} WHERE {number} > {last} ORDER BY 1 LIMIT {_AT_ONCE}"
    ).fetchall():
        last = found[-1][0]
        yield from found


def _told_to_sqlite(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
    return str(value) if hasattr(value, "isoformat") else value


def _listed(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _fill_postgresql(database: Database, sizes: Sizes, until: float) -> None:
    raw: Any = database.engine.raw_connection()
    cursor = raw.cursor()
    # A superuser may leave out looking up every foreign key, which takes most of the time.
    cursor.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")
    if cursor.fetchone()[0]:
        cursor.execute("SET session_replication_role = replica")
    cursor.execute("SET maintenance_work_mem = '512MB'")
    cursor.execute("SET synchronous_commit = off")

    def write(filling: Filling, rows: Iterable[Row]) -> None:
        columns = filling.columns.split()
        with cursor.copy(f"COPY {filling.table} ({_listed(columns)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    _write_all(fillings(sizes), write, until)
    for index, table, number, said in _INDEXED:
        cursor.execute(f"DROP INDEX ix_{index.table}_grams")

        def add(some: list[Any], name: str = index.table) -> None:
            with cursor.copy(f"COPY {name} (id, grams) FROM STDIN") as copy:
                for row in some:
                    copy.write_row(row)

        rows = _read_in_order(cursor, table, number, said)
        told = (
            (at, " ".join(f"'{gram}'" for gram in index.stored(at, grams)))
            for at, words in rows
            if (grams := grams_of(words))
        )
        _bar(index.table, told, add, until)
        cursor.execute(index.gin())
    for table in ("messages", "outbox", "appeals", "appeal_events", "enterprises", "audit_entries",
                  "question_debts", "common_issues", "signed_answers", "ratings"):  # fmt: skip
        key = "seq" if table in ("messages", "outbox") else "id"
        cursor.execute(
            f"SELECT setval(pg_get_serial_sequence('{table}', '{key}'), (SELECT max({key}) FROM {table}))"
        )
    raw.commit()
    raw.close()
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")


def _write_all(
    wanted: list[Filling], write: Callable[[Filling, Iterable[Row]], None], until: float
) -> None:
    for filling in wanted:
        _bar(filling.table, filling.rows(), partial(write, filling), until, filling.count)


def _bar(
    name: str,
    rows: Iterator[Any],
    write: Callable[[list[Any]], Any],
    until: float,
    count: int | None = None,
) -> None:
    columns = (TextColumn("{task.description:22}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())  # fmt: skip
    with Progress(*columns) as progress:
        task = progress.add_task(name, total=count)
        while some := list(islice(rows, _AT_ONCE)):
            if time.monotonic() > until:
                raise TookTooLong(f"filling stopped within {name}: allow more time (--minutes)")
            write(some)
            progress.advance(task, len(some))
