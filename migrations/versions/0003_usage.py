"""Usage, pairing codes, and who is paired."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_usage()
    _create_pairing()


def downgrade() -> None:
    for table in ("pairings", "pairing_codes", "usage"):
        op.drop_table(table)


def _create_usage() -> None:
    op.create_table(
        "usage",
        sa.Column("inbox_id", _ID, nullable=False, autoincrement=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("gpu_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("inbox_id", name="pk_usage"),
    )
    op.create_index("ix_usage_person", "usage", ["platform", "workspace", "person", "at"])
    op.create_index("ix_usage_at", "usage", ["platform", "workspace", "at"])


def _create_pairing() -> None:
    op.create_table(
        "pairing_codes",
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("code_hash", name="pk_pairing_codes"),
    )
    op.create_table(
        "pairings",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("person", sa.String(), nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("paired_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("platform", "workspace", "person", name="pk_pairings"),
    )
