"""Sessions, people, turns and platform messages."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_KEY = ("platform", "bot", "workspace", "channel", "thread", "person")


def upgrade() -> None:
    _create_sessions()
    _create_people()
    _create_turns()
    _create_platform_messages()
    if op.get_context().dialect.supports_alter:
        op.create_foreign_key("fk_sessions_head_turn_id", "sessions", "turns", ["head_turn_id"], ["id"])


def downgrade() -> None:
    if op.get_context().dialect.supports_alter:
        op.drop_constraint("fk_sessions_head_turn_id", "sessions", type_="foreignkey")
    for table in ("platform_messages", "turns", "people", "sessions"):
        op.drop_table(table)


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", _ID, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in _KEY),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("persona", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("sampling", sa.JSON(), nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("head_turn_id", _ID, nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_active_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.ForeignKeyConstraint(["head_turn_id"], ["turns.id"], name="fk_sessions_head_turn_id", use_alter=True),
        sqlite_autoincrement=True,
    )
    op.create_index(
        "uq_sessions_active_key",
        "sessions",
        list(_KEY),
        unique=True,
        sqlite_where=sa.text("active = 1"),
        postgresql_where=sa.text("active"),
    )


def _create_people() -> None:
    op.create_table(
        "people",
        sa.Column("id", _ID, nullable=False),
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("workspace", sa.String(), nullable=False),
        sa.Column("platform_id", sa.String(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("linked_to_id", _ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.ForeignKeyConstraint(["linked_to_id"], ["people.id"], name="fk_people_linked_to_id"),
        sa.UniqueConstraint("platform", "workspace", "platform_id", name="uq_people_platform_workspace_platform_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_people_linked_to_id", "people", ["linked_to_id"])


def _create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("id", _ID, nullable=False),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("parent_id", _ID, nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("person_id", _ID, nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("tokenizer", sa.String(), nullable=True),
        sa.Column("token_count", sa.Integer(), nullable=True),
        sa.Column("model", sa.String(), nullable=True),
        sa.Column("finish_reason", sa.String(), nullable=True),
        sa.Column("prompt_start_id", _ID, nullable=True),
        sa.Column("prompt_turns", sa.Integer(), nullable=True),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("seed", sa.BigInteger(), nullable=True),
        sa.Column("queue_s", sa.Double(), nullable=True),
        sa.Column("first_token_s", sa.Double(), nullable=True),
        sa.Column("total_s", sa.Double(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("token_ids", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_turns"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_turns_session_id"),
        sa.ForeignKeyConstraint(["parent_id"], ["turns.id"], name="fk_turns_parent_id"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_turns_person_id"),
        sqlite_autoincrement=True,
    )
    for column in ("session_id", "parent_id", "person_id"):
        op.create_index(f"ix_turns_{column}", "turns", [column])


def _create_platform_messages() -> None:
    op.create_table(
        "platform_messages",
        sa.Column("platform", sa.String(), nullable=False),
        sa.Column("bot", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("turn_id", _ID, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("direction", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "bot", "channel", "message_id", name="pk_platform_messages"),
        sa.ForeignKeyConstraint(["turn_id"], ["turns.id"], name="fk_platform_messages_turn_id"),
    )
    op.create_index("ix_platform_messages_turn_id", "platform_messages", ["turn_id"])
