"""Secrets, sealed; and whose event a row of the inbox is, so that one person's can be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name="pk_secrets"),
    )
    op.add_column("inbox", sa.Column("person", sa.String(), nullable=False, server_default=""))


def downgrade() -> None:
    op.drop_column("inbox", "person")
    op.drop_table("secrets")
