"""What people chose for a dialogue, codes that link their identities, and replies that go on after another one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.add_column("sessions", sa.Column("language", sa.String(), nullable=False, server_default=""))
    op.add_column("sessions", sa.Column("streaming", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("deliveries", sa.Column("continues_id", _ID, nullable=True))
    _create_link_codes()
    _create_link_tries()


def downgrade() -> None:
    op.drop_table("link_tries")
    op.drop_table("link_codes")
    op.drop_column("deliveries", "continues_id")
    op.drop_column("sessions", "streaming")
    op.drop_column("sessions", "language")


def _create_link_codes() -> None:
    op.create_table(
        "link_codes",
        sa.Column("person_id", _ID, autoincrement=False, nullable=False),
        sa.Column("code_hash", sa.String(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_link_codes"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_link_codes_person_id"),
        sa.UniqueConstraint("code_hash", name="uq_link_codes_code_hash"),
    )


def _create_link_tries() -> None:
    op.create_table(
        "link_tries",
        sa.Column("person_id", _ID, autoincrement=False, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name="pk_link_tries"),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_link_tries_person_id"),
    )
