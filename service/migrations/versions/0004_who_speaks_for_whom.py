"""Which enterprise the speaker of a conversation is bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "enterprise_speakers",
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("enterprise_id", _ID, nullable=False),
        sa.Column("bound_by", sa.String(length=64), nullable=False),
        sa.Column("bound_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"],
            ["enterprises.id"],
            name=op.f("fk_enterprise_speakers_enterprise_id_enterprises"),
        ),
        sa.PrimaryKeyConstraint("session", name=op.f("pk_enterprise_speakers")),
    )
    with op.batch_alter_table("enterprise_speakers", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_enterprise_speakers_enterprise_id"), ["enterprise_id"], unique=False
        )


def downgrade() -> None:
    op.drop_table("enterprise_speakers")
