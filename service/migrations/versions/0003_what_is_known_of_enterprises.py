"""What is known of enterprises: facts from files, facts said, names to be found by."""

from __future__ import annotations

import unicodedata

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "enterprise_imports",
        sa.Column("id", _ID, nullable=False),
        sa.Column("file", sa.String(length=255), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_enterprise_imports")),
    )
    op.create_table(
        "enterprise_profiles",
        sa.Column("enterprise_id", _ID, nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"],
            ["enterprises.id"],
            name=op.f("fk_enterprise_profiles_enterprise_id_enterprises"),
        ),
        sa.PrimaryKeyConstraint("enterprise_id", name=op.f("pk_enterprise_profiles")),
    )
    op.create_table(
        "enterprise_said_facts",
        sa.Column("enterprise_id", _ID, nullable=False),
        sa.Column("field", sa.String(length=64), nullable=False),
        sa.Column(
            "standing",
            sa.Enum("in_force", "pending", name="standing", native_enum=False, length=16),
            nullable=False,
        ),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("lacks", sa.JSON(), nullable=False),
        sa.Column("is_complete", sa.Boolean(), nullable=False),
        sa.Column("is_approximate", sa.Boolean(), nullable=False),
        sa.Column("said_on", sa.Date(), nullable=False),
        sa.Column("said_by", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id"],
            ["enterprises.id"],
            name=op.f("fk_enterprise_said_facts_enterprise_id_enterprises"),
        ),
        sa.PrimaryKeyConstraint(
            "enterprise_id", "field", "standing", name=op.f("pk_enterprise_said_facts")
        ),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("enterprises", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("name_key", sa.String(length=200), nullable=False, server_default="")
        )
    _fill_name_keys()
    with op.batch_alter_table("enterprises", schema=None) as batch_op:
        batch_op.alter_column("name_key", server_default=None)
        batch_op.create_index(batch_op.f("ix_enterprises_name_key"), ["name_key"], unique=False)
        batch_op.create_index(batch_op.f("ix_enterprises_updated_at"), ["updated_at"], unique=False)


def _fill_name_keys() -> None:
    table = sa.table(
        "enterprises", sa.column("id"), sa.column("name", sa.String), sa.column("name_key")
    )
    connection = op.get_bind()
    values = [
        {"of": id_, "key": "".join(unicodedata.normalize("NFKC", name).casefold().split())[:200]}
        for id_, name in connection.execute(sa.select(table.c.id, table.c.name))
    ]
    if values:
        connection.execute(
            sa.update(table)
            .where(table.c.id == sa.bindparam("of"))
            .values(name_key=sa.bindparam("key")),
            values,
        )


def downgrade() -> None:
    with op.batch_alter_table("enterprises", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_enterprises_updated_at"))
        batch_op.drop_index(batch_op.f("ix_enterprises_name_key"))
        batch_op.drop_column("name_key")
    op.drop_table("enterprise_said_facts")
    op.drop_table("enterprise_profiles")
    op.drop_table("enterprise_imports")
