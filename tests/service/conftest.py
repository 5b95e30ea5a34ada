"""Databases and applications for tests of the service."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError

from service.app import create_app
from service.conversations.worker import Bot
from service.db import Database, make_engine
from service.settings import Settings
from tests.service.fakes import EchoBot, sorry

POSTGRES_URL = os.environ.get(
    "QIFU_TEST_POSTGRES_URL", "postgresql://postgres@127.0.0.1:5432/test?connect_timeout=3"
)

StartApp = Callable[..., TestClient]


@contextmanager
def postgres_schema() -> Iterator[str]:
    """The URL of a fresh schema, dropped afterwards; skips the test where there is no server."""
    schema = f"qifu_{uuid4().hex[:12]}"
    engine = make_engine(POSTGRES_URL)
    try:
        with engine.begin() as connection:
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    except OperationalError as error:
        engine.dispose()
        pytest.skip(f"no PostgreSQL to test with: {error.orig}")
    url = make_url(POSTGRES_URL).update_query_dict({"options": f"-csearch_path={schema}"})
    try:
        yield url.render_as_string(hide_password=False)
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        engine.dispose()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a demo in a folder of its own, that polls fast and reads no .env."""
    return Settings(_env_file=None, data_dir=tmp_path, poll_s=0.05, shutdown_s=5.0)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Database]:
    """An empty database, once of either kind."""
    with ExitStack() as stack:
        is_sqlite = request.param == "sqlite"
        url = settings.database() if is_sqlite else stack.enter_context(postgres_schema())
        opened = Database.open(url)
        stack.callback(opened.close)
        yield opened


@pytest.fixture
def sqlite_database(settings: Settings) -> Iterator[Database]:
    """An empty database of the embedded kind."""
    opened = Database.open(settings.database())
    yield opened
    opened.close()


@pytest.fixture
def start_app(settings: Settings, sqlite_database: Database) -> Iterator[StartApp]:
    """Starts the application with a bot (``EchoBot``) and changed settings; stopped at the end."""
    with ExitStack() as stack:

        def start(
            bot: Bot | None = None, address: str = "127.0.0.1", **changes: object
        ) -> TestClient:
            changed = settings.model_copy(update=changes)
            app = create_app(changed, sqlite_database, bot or EchoBot(), sorry)
            client = TestClient(app, client=(address, 50000), raise_server_exceptions=True)
            return stack.enter_context(client)

        yield start


@pytest.fixture
def client(start_app: StartApp) -> TestClient:
    """The application with an ``EchoBot``."""
    return start_app()
