"""Inbox, leases, deliveries with their parts, and cursors."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_OPEN = "state IN ('waiting', 'answering', 'answered')"


def upgrade() -> None:
    _create_inbox()
    _create_leases()
    _create_deliveries()
    _create_parts()
    _create_cursors()


def downgrade() -> None:
    for table in ("cursors", "parts", "deliveries", "leases", "inbox"):
        op.drop_table(table)


def _create_inbox() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", _ID, nullable=False),
        sa.Column("event_key", sa.String(), nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("turn_id", _ID, nullable=True),
        sa.Column("joined_id", _ID, nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("inbound", sa.Text(), nullable=True),
        sa.Column("raw", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_inbox"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_inbox_turn_id"),
        sa.ForeignKeyConstraint(["joined_id"], ["inbox.id"], name="fk_inbox_joined_id"),
        sa.UniqueConstraint("event_key", name="uq_inbox_event_key"),
        sqlite_autoincrement=True,
    )
    for column in ("turn_id", "joined_id"):
        op.create_index(f"ix_inbox_{column}", "inbox", [column])
    op.create_index(
        "ix_inbox_open", "inbox", ["place", "id"], sqlite_where=sa.text(_OPEN), postgresql_where=sa.text(_OPEN)
    )


def _create_leases() -> None:
    op.create_table(
        "leases",
        sa.Column("place", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("paused", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("place", name="pk_leases"),
    )


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("inbox_id", _ID, nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("ends_as", sa.String(), nullable=False),
        sa.Column("turn_id", _ID, nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("token_ids", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.ForeignKeyConstraint(["inbox_id"], ["inbox.id"], name="fk_deliveries_inbox_id"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_deliveries_turn_id"),
        sa.UniqueConstraint("inbox_id", name="uq_deliveries_inbox_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_deliveries_turn_id", "deliveries", ["turn_id"])


def _create_parts() -> None:
    op.create_table(
        "parts",
        sa.Column("delivery_id", _ID, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("handle", sa.String(), nullable=True),
        sa.Column("end", sa.Integer(), nullable=True),
        sa.Column("closed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("delivery_id", "part", name="pk_parts"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_parts_delivery_id"),
    )


def _create_cursors() -> None:
    op.create_table(
        "cursors",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "bot", "name", name="pk_cursors"),
    )
