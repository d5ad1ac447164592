"""What people think of replies, the hypotheses that replies were chosen from, and channels that have another id now."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _create_candidates()
    _create_feedback()
    _create_moved_channels()


def downgrade() -> None:
    for table in ("moved_channels", "feedback", "candidates"):
        op.drop_table(table)


def _create_candidates() -> None:
    op.create_table(
        "candidates",
        sa.Column("id", _ID, nullable=False),
        sa.Column("turn_id", _ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("finish_reason", sa.String(), nullable=False),
        sa.Column("log_probability", sa.Double(), nullable=False),
        sa.Column("scores", sa.JSON(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("token_ids", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_candidates"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_candidates_turn_id"),
        sa.UniqueConstraint("turn_id", "number", name="uq_candidates_turn_id_number"),
        sqlite_autoincrement=True,
    )


def _create_feedback() -> None:
    op.create_table(
        "feedback",
        sa.Column("id", _ID, nullable=False),
        sa.Column("turn_id", _ID, nullable=True),
        sa.Column("delivery_id", _ID, nullable=True),
        sa.Column("candidate_id", _ID, nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("person_id", _ID, nullable=False),
        sa.Column("opinion", sa.String(), nullable=False),
        sa.Column("withdrawn", sa.Boolean(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_feedback_turn_id"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_feedback_delivery_id"),
        sa.ForeignKeyConstraint(["candidate_id"], ["candidates.id"], name="fk_feedback_candidate_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_feedback_person_id"),
        sa.UniqueConstraint("turn_id", "person_id", "opinion", name="uq_feedback_turn_id_person_id_opinion"),
        sa.UniqueConstraint("delivery_id", "person_id", "opinion", name="uq_feedback_delivery_id_person_id_opinion"),
        sqlite_autoincrement=True,
    )
    for column in ("candidate_id", "person_id"):
        op.create_index(f"ix_feedback_{column}", "feedback", [column])


def _create_moved_channels() -> None:
    op.create_table(
        "moved_channels",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("new_channel", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "bot", "workspace", "channel", name="pk_moved_channels"),
    )
