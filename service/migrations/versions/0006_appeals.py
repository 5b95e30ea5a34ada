"""How appeals are handled and what the clock needs."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_TIME = sa.DateTime(timezone=True)


def _columns() -> list[sa.Column[Any]]:
    return [
        sa.Column("first_department", sa.String(100), nullable=False, server_default=""),
        sa.Column("returns", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("is_arbitrated", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column("is_common", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.Column(
            "is_closed_automatically", sa.Boolean(), nullable=False, server_default=sa.false()
        ),
        sa.Column("pause_reason", sa.String(32)),
        sa.Column("extension", sa.String(16)),
        sa.Column("solved", sa.Boolean()),
        sa.Column("satisfied", sa.Integer()),
        sa.Column("warned", sa.String(16)),
        sa.Column("clock_hours", sa.String(64), nullable=False, server_default=""),
        sa.Column("clock_budget", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("clock_used", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("clock_since", _TIME),
        sa.Column("next_check_at", _TIME),
    ]


_INDEXES = {
    "ix_appeals_received": ["received_at", "id"],
    "ix_appeals_due": ["due_at", "id"],
    "ix_appeals_state_due": ["state", "due_at", "id"],
    "ix_appeals_state_received": ["state", "received_at", "id"],
    "ix_appeals_department_due": ["department", "due_at", "id"],
    "ix_appeals_next_check": ["next_check_at"],
}


def upgrade() -> None:
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        for column in _columns():
            batch_op.add_column(column)
        batch_op.drop_index("ix_appeals_state")
        for name, columns in _INDEXES.items():
            batch_op.create_index(name, columns, unique=False)
    op.create_index(
        "ix_appeals_open_due",
        "appeals",
        ["due_at", "id"],
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    with op.batch_alter_table("appeal_events", schema=None) as batch_op:
        batch_op.add_column(sa.Column("detail", sa.JSON(), nullable=True))
        batch_op.add_column(sa.Column("once", sa.String(32), nullable=True))
        batch_op.create_unique_constraint("uq_appeal_events_appeal_once", ["appeal_id", "once"])
    op.create_table(
        "appeal_parties",
        sa.Column("appeal_id", _ID, nullable=False),
        sa.Column("department", sa.String(100), nullable=False),
        sa.Column("is_lead", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_parties_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("appeal_id", "department", name=op.f("pk_appeal_parties")),
    )
    op.create_index("ix_appeal_parties_department", "appeal_parties", ["department", "appeal_id"])
    op.create_table(
        "appeal_texts",
        sa.Column("appeal_id", _ID, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["appeal_id"], ["appeals.id"], name=op.f("fk_appeal_texts_appeal_id_appeals")
        ),
        sa.PrimaryKeyConstraint("appeal_id", name=op.f("pk_appeal_texts")),
    )
    op.execute(
        "INSERT INTO appeal_texts (appeal_id, text)"
        " SELECT id, lower(matter || ' ' || coalesce(company, '')) FROM appeals"
    )
    # The watch recounts these from their events; until then they show what was known before.
    op.execute(
        "INSERT INTO appeal_parties (appeal_id, department, is_lead)"
        " SELECT id, department, true FROM appeals"
    )
    op.execute("UPDATE appeals SET next_check_at = received_at, first_department = department")


def downgrade() -> None:
    op.drop_table("appeal_texts")
    op.drop_table("appeal_parties")
    with op.batch_alter_table("appeal_events", schema=None) as batch_op:
        batch_op.drop_constraint("uq_appeal_events_appeal_once", type_="unique")
        batch_op.drop_column("once")
        batch_op.drop_column("detail")
    op.drop_index("ix_appeals_open_due", "appeals")
    with op.batch_alter_table("appeals", schema=None) as batch_op:
        for name in _INDEXES:
            batch_op.drop_index(name)
        batch_op.create_index("ix_appeals_state", ["state"], unique=False)
        for column in reversed(_columns()):
            batch_op.drop_column(column.name)
