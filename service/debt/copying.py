"""Takes the signed answers in force along into the database of an evaluation."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert, inspect, make_url, select

from service.db import Database, make_engine
from service.debt.models import SignedAnswer, SignedState


def copy_signed_answers(source_url: str, target: Database) -> int:
    """How many were copied; none where the source does not exist yet or has no such table. The source is only read."""
    url = make_url(source_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        return 0
    table = SignedAnswer.__table__
    engine = make_engine(source_url)
    try:
        if not inspect(engine).has_table(SignedAnswer.__tablename__):
            return 0
        source = Database(engine)
        with source.reading() as db:
            query = select(table).where(table.c.state == SignedState.IN_FORCE)
            rows = [dict(row._mapping) for row in db.execute(query)]
    finally:
        engine.dispose()
    if rows:
        with target.session() as db:
            db.execute(insert(SignedAnswer), rows)
    return len(rows)
