"""Indexes for lists and searches of the desk."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

_INDEXES: tuple[tuple[str, str, list[str]], ...] = (
    ("ix_conversations_created", "conversations", ["created_at"]),
    ("ix_messages_received", "messages", ["received_at"]),
    ("ix_messages_answered_by_bot", "messages", ["answered_at"]),
    ("ix_outbox_refusals", "outbox", ["created_at", "message_id"]),
    ("ix_outbox_questions", "outbox", ["created_at", "message_id"]),
    ("ix_answer_sources_answered", "answer_sources", ["answered_at", "clause_id"]),
    ("ix_enterprises_with_aliases", "enterprises", ["id"]),
)
# Of the partial ones: the condition on SQLite, and on PostgreSQL.
_ONLY = {
    "ix_messages_answered_by_bot": ("intent IS NOT NULL", "intent IS NOT NULL"),
    "ix_outbox_refusals": (
        "json_extract(body, '$.kind') = 'refusal'",
        "(body ->> 'kind') = 'refusal'",
    ),
    "ix_outbox_questions": (
        "json_extract(body, '$.kind') = 'question'",
        "(body ->> 'kind') = 'question'",
    ),
    "ix_enterprises_with_aliases": (
        "contact_aliases != '[]'",
        "(contact_aliases ->> 0) IS NOT NULL",
    ),
}


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        where: dict[str, Any] = {}
        if name in _ONLY:
            on_sqlite, on_postgresql = map(sa.text, _ONLY[name])
            where = {"sqlite_where": on_sqlite, "postgresql_where": on_postgresql}
        op.create_index(name, table, columns, unique=False, **where)


def downgrade() -> None:
    for name, table, _columns in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
