"""Opens the database: engine, sessions, the base of every table, migrations run at start."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor, ExceptionContext
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator

MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATION_LOCK = 0x71696675  # "qifu": names the PostgreSQL advisory lock held while migrating
_WRITE_WAIT_S = 10.0
_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Base(DeclarativeBase):
    """The base of every table; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time. Stored in UTC (SQLite keeps no zone, so it is put back on reading).

    A naive time is refused with ``ValueError``: its zone would be a guess.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a naive time cannot be stored: {value!r}; give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def make_engine(url: str) -> Engine:
    """An engine for a ``sqlite:`` or ``postgresql:`` URL; the driver need not be named.

    Its errors name statement and constraint but never a value: what people wrote must not get into
    a log that way.
    """
    parsed = make_url(url)
    if parsed.drivername in {"postgresql", "postgres"}:
        parsed = parsed.set(drivername="postgresql+psycopg")
    if parsed.get_backend_name() != "sqlite":
        engine = create_engine(
            parsed,
            pool_pre_ping=True,
            # As many as threads that ask: what overflows is opened anew each time, which costs more
            # than the query. The last used comes first, so few are in use on a quiet day.
            pool_size=40,
            max_overflow=20,
            pool_use_lifo=True,
            json_serializer=_JSON.encode,
            hide_parameters=True,
        )
        event.listen(engine, "handle_error", _hide_details)
        return engine
    engine = create_engine(
        parsed,
        connect_args={"timeout": _WRITE_WAIT_S},
        pool_size=20,
        max_overflow=60,
        json_serializer=_JSON.encode,
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _hide_details(context: ExceptionContext) -> None:
    # PostgreSQL's further lines hold values: "DETAIL: Failing row contains (…)", in its own language.
    refused = context.sqlalchemy_exception
    if isinstance(refused, IntegrityError | DataError):
        for error in (refused, context.original_exception):
            error.args = tuple(str(part).partition("\n")[0] for part in error.args[:1])


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    # The driver's own BEGIN comes too late and is never IMMEDIATE; _begin_sqlite does it instead.
    raw.isolation_level = None
    cursor = connection.cursor()
    _switch_to_wal(cursor)
    cursor.execute("PRAGMA synchronous=NORMAL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _switch_to_wal(cursor: DBAPICursor) -> None:
    # The first switch of a new file ignores the busy time-out: two processes starting collide.
    for attempt in range(50):
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if attempt == 49:
                raise
            time.sleep(0.05)


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once under a concurrent writer,
    # whatever the time-out; so whoever may write asks for the lock at the beginning.
    reads_only = connection.get_execution_options().get("reads_only", False)
    connection.exec_driver_sql("BEGIN" if reads_only else "BEGIN IMMEDIATE")


class Database:
    """One database for the whole process; safe to use from many threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.is_sqlite = engine.dialect.name == "sqlite"
        self._reading_engine = engine.execution_options(reads_only=True)
        self._writer = threading.Lock()
        self._writer_thread: int | None = None
        self._after_commit: list[Callable[[], None]] = []

    @classmethod
    def open(cls, url: str) -> Database:
        """Opens the database at ``url`` and brings its tables up to date."""
        engine = make_engine(url)
        upgrade(engine)
        return cls(engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that may write: commits at the end, rolls back when the block raises.

        On SQLite there is one writer at a time; a second session inside the first, in the same
        thread, is a ``RuntimeError``. Objects stay readable after the commit.
        """
        with (
            self._writing(),
            Session(self.engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session
        for tell in self._after_commit:
            tell()

    def after_commit(self, tell: Callable[[], None]) -> None:
        """Has ``tell`` called after each commit of this process; it must be quick and not raise."""
        self._after_commit.append(tell)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads; it never waits for a writer. Nothing is committed."""
        with Session(self._reading_engine, expire_on_commit=False) as session:
            yield session

    def is_reachable(self) -> bool:
        """Whether a trivial query succeeds now."""
        try:
            with self.reading() as session:
                session.execute(text("SELECT 1"))
        except Exception:
            return False
        return True

    def close(self) -> None:
        """Closes every pooled connection."""
        self.engine.dispose()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        # SQLite's own waiting sleeps and polls; a lock wakes the next writer at once.
        if not self.is_sqlite:
            yield
            return
        me = threading.get_ident()
        if self._writer_thread == me:
            raise RuntimeError(
                "a writing session is already open in this thread; pass that session on"
            )
        if not self._writer.acquire(timeout=_WRITE_WAIT_S):
            raise TimeoutError(
                f"the database was not free for writing within {_WRITE_WAIT_S:.0f} s"
            )
        self._writer_thread = me
        try:
            yield
        finally:
            self._writer_thread = None
            self._writer.release()


def upgrade(engine: Engine) -> None:
    """Creates or migrates every table; of several processes starting at once, one does it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if engine.dialect.name == "sqlite":
        _ensure_folder(engine)
    with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE is the lock
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _ensure_folder(engine: Engine) -> None:
    name = engine.url.database
    if name and name != ":memory:" and not name.startswith("file:"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
