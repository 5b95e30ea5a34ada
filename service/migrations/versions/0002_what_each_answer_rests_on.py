"""What each answer rests on: the clauses, as they read when it was given."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "answer_sources",
        sa.Column("message_id", sa.String(length=32), nullable=False),
        sa.Column("clause_id", sa.String(length=64), nullable=False),
        sa.Column("clause_hash", sa.String(length=64), nullable=False),
        sa.Column("policy_id", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=64), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("answer", "match", name="sourcekind", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("status", sa.String(length=16), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_answer_sources_conversation_id_conversations"),
        ),
        sa.ForeignKeyConstraint(
            ["message_id"], ["messages.id"], name=op.f("fk_answer_sources_message_id_messages")
        ),
        sa.PrimaryKeyConstraint("message_id", "clause_id", name=op.f("pk_answer_sources")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("answer_sources", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_answer_sources_clause_id"), ["clause_id"], unique=False
        )


def downgrade() -> None:
    with op.batch_alter_table("answer_sources", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_answer_sources_clause_id"))

    op.drop_table("answer_sources")
