"""Indexes for lists and searches of the desk."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from service.text_search import TextIndex

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
    ("ix_handoff_reads_conversation", "handoff_reads", ["conversation_id"]),
    ("ix_handoff_reads_at", "handoff_reads", ["at"]),
    ("ix_appeals_closed", "appeals", ["closed_at"]),
    ("ix_appeals_common", "appeals", ["received_at", "id"]),
)
# Of the partial ones: the condition on SQLite, and on PostgreSQL.
_ONLY = {
    "ix_appeals_common": ("is_common IS 1", "is_common IS true"),
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

_INDEXED_AT_ONCE = 1000


def upgrade() -> None:
    for name, table, columns in _INDEXES:
        where: dict[str, Any] = {}
        if name in _ONLY:
            on_sqlite, on_postgresql = map(sa.text, _ONLY[name])
            where = {"sqlite_where": on_sqlite, "postgresql_where": on_postgresql}
        op.create_index(name, table, columns, unique=False, **where)
    # A button's text is no words of a person: only what was typed is found.
    _create_search("message_search", "messages", "seq", "text", "label IS NULL")
    _create_search("appeal_search", "appeal_texts", "appeal_id", "text")


def _create_search(name: str, table: str, number: str, said: str, only: str = "1 = 1") -> None:
    connection = op.get_bind()
    index = TextIndex(name)
    index.create(connection)
    rows = sa.table(table, sa.column(number), sa.column(said, sa.String))
    last = 0
    while found := connection.execute(
        sa.select(rows.c[number], rows.c[said])
        .where(rows.c[number] > last, sa.text(only))
        .order_by(rows.c[number])
        .limit(_INDEXED_AT_ONCE)
    ).all():
        last = found[-1][0]
        index.fill(connection, ((row[0], row[1]) for row in found))


def downgrade() -> None:
    op.drop_table("appeal_search")
    op.drop_table("message_search")
    for name, table, _columns in reversed(_INDEXES):
        op.drop_index(name, table_name=table)
