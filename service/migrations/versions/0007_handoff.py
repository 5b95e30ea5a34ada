"""Who owns a conversation and how it changed hands."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)
_OWNERS = ("bot", "queued", "person", "closed")
_REASONS = (
    "requested",
    "cancelled",
    "timed_out",
    "claimed",
    "transferred",
    "released",
    "closed",
    "reopened",
)


def upgrade() -> None:
    _extend_conversations()
    _create_owner_changes()
    _create_desk_tables()


def _extend_conversations() -> None:
    # Never by copying the table: others refer to it.
    for column in (
        sa.Column("owner_version", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("owner_since", _TIME, nullable=True),
        sa.Column("owner_staff", sa.String(64), nullable=True),
        sa.Column("owner_name", sa.String(100), nullable=True),
        sa.Column("assigned_to", sa.String(64), nullable=True),
        sa.Column("group_id", sa.String(64), nullable=True),
        sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False),
    ):
        op.add_column("conversations", column)
    op.create_index(
        "ix_conversations_owner_updated", "conversations", ["owner", "updated_at", "id"]
    )


def _create_owner_changes() -> None:
    op.create_table(
        "owner_changes",
        sa.Column("id", _ID, autoincrement=True, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("from_owner", _enum("owner", _OWNERS), nullable=False),
        sa.Column("to_owner", _enum("owner", _OWNERS), nullable=False),
        sa.Column("reason", _enum("changereason", _REASONS), nullable=False),
        sa.Column("by", sa.String(64), nullable=True),
        sa.Column("by_name", sa.String(100), nullable=True),
        sa.Column("to_staff", sa.String(64), nullable=True),
        sa.Column("to_name", sa.String(100), nullable=True),
        sa.Column("message_id", sa.String(64), nullable=True),
        sa.Column("line_id", sa.String(64), nullable=False),
        sa.Column("held_s", sa.Integer(), nullable=True),
        sa.Column("at", _TIME, nullable=False),
        _to_conversations("owner_changes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_owner_changes")),
        sa.UniqueConstraint(
            "conversation_id", "version", name="uq_owner_changes_conversation_version"
        ),
        sa.UniqueConstraint("line_id", name=op.f("uq_owner_changes_line_id")),
    )
    op.create_index(op.f("ix_owner_changes_message_id"), "owner_changes", ["message_id"])
    op.create_index("ix_owner_changes_reason_at", "owner_changes", ["reason", "at"])


def _enum(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, length=16)


def _to_conversations(table: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_conversation_id_conversations")
    return sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"], name=name)


def _create_desk_tables() -> None:
    op.create_table(
        "service_groups",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("commissioner", sa.String(64), nullable=True),
        sa.Column("street", sa.String(50), nullable=True),
        sa.Column("lead_department", sa.String(100), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_groups")),
    )
    op.create_index(op.f("ix_service_groups_commissioner"), "service_groups", ["commissioner"])
    op.create_table(
        "handoff_skills",
        sa.Column("staff_id", sa.String(64), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("topics", sa.JSON(), nullable=False),
        sa.Column("departments", sa.JSON(), nullable=False),
        sa.Column("max_conversations", sa.Integer(), nullable=False),
        sa.Column("is_present", sa.Boolean(), nullable=False),
        sa.Column("last_seen", _TIME, nullable=True),
        sa.PrimaryKeyConstraint("staff_id", name=op.f("pk_handoff_skills")),
    )
    op.create_table(
        "handoff_notes",
        sa.Column("id", _ID, nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("client_id", sa.String(64), nullable=False),
        sa.Column("staff_id", sa.String(64), nullable=False),
        sa.Column("staff_name", sa.String(100), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _to_conversations("handoff_notes"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_notes")),
    )
    op.create_index(
        "uq_handoff_notes_conversation_client",
        "handoff_notes",
        ["conversation_id", "client_id"],
        unique=True,
    )
    op.create_table(
        "handoff_reads",
        sa.Column("staff_id", sa.String(64), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("seq", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        _to_conversations("handoff_reads"),
        sa.PrimaryKeyConstraint("staff_id", "conversation_id", name=op.f("pk_handoff_reads")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "handoff_drafts",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(64), nullable=False),
        sa.Column("message_id", sa.String(32), nullable=False),
        sa.Column("staff_id", sa.String(64), nullable=False),
        sa.Column("policy_id", sa.String(64), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("citations", sa.JSON(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("sent_as", sa.String(64), nullable=True),
        sa.Column("distance", sa.Integer(), nullable=True),
        sa.Column("sent_chars", sa.Integer(), nullable=True),
        _to_conversations("handoff_drafts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_handoff_drafts")),
    )
    op.create_index(
        op.f("ix_handoff_drafts_conversation_id"), "handoff_drafts", ["conversation_id"]
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_handoff_drafts_conversation_id"), table_name="handoff_drafts")
    op.drop_table("handoff_drafts")
    op.drop_table("handoff_reads")
    op.drop_index("uq_handoff_notes_conversation_client", table_name="handoff_notes")
    op.drop_table("handoff_notes")
    op.drop_table("handoff_skills")
    op.drop_index(op.f("ix_service_groups_commissioner"), table_name="service_groups")
    op.drop_table("service_groups")
    op.drop_index("ix_owner_changes_reason_at", table_name="owner_changes")
    op.drop_index(op.f("ix_owner_changes_message_id"), table_name="owner_changes")
    op.drop_table("owner_changes")
    op.drop_index("ix_conversations_owner_updated", table_name="conversations")
    for name in (
        "revision",
        "group_id",
        "assigned_to",
        "owner_name",
        "owner_staff",
        "owner_since",
        "owner_version",
    ):
        op.drop_column("conversations", name)
