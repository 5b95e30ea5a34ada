"""Runs migrations on the connection handed in by ``service.db.upgrade``."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Literal

from alembic import context

from service.db import Base, UtcDateTime

for models in sorted(Path(__file__).parents[1].glob("*/models.py")):
    importlib.import_module(f"service.{models.parent.name}.models")


def render_item(kind: str, item: object, _context: object) -> str | Literal[False]:
    """Migrations name plain types: they must run unchanged when ours change."""
    return "sa.DateTime(timezone=True)" if isinstance(item, UtcDateTime) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    compare_type=True,
    render_item=render_item,
)
context.run_migrations()
