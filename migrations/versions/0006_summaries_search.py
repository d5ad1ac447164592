"""Summaries, full-text search, and which turns leave others out.

SQLite: an FTS5 index over a view of the turns, kept by triggers. The session is a column of it, so that a search reads
only the session's own part of the index. PostgreSQL: a generated column with a GIN index.
Texts that are sealed (they begin with the character 1) are not indexed.
The name of everything that SQLAlchemy does not know begins with "turns_search".
"""

import string

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

_FILL_SKIPS = """
    UPDATE turns SET skips = (1 = 1) WHERE EXISTS (
        SELECT 1 FROM turns AS other WHERE other.session_id = turns.session_id
        AND other.id > coalesce(turns.parent_id, 0) AND other.id < turns.id)"""

_SKIPS = """
    SELECT 1 FROM turns WHERE session_id = NEW.session_id AND id > coalesce(NEW.parent_id, 0) AND id < NEW.id"""

_IS_READABLE = "substr({}text, 1, 1) <> char(1)"
_UNINDEX = f"""
    INSERT INTO turns_search (turns_search, rowid, session, text)
    SELECT 'delete', OLD.id, OLD.session_id, OLD.text WHERE {_IS_READABLE.format("OLD.")};"""
_INDEX = f"""
    INSERT INTO turns_search (rowid, session, text)
    SELECT NEW.id, NEW.session_id, NEW.text WHERE {_IS_READABLE.format("NEW.")};"""
_FORGET = "DELETE FROM summaries WHERE session_id = OLD.session_id AND until_turn_id >= OLD.id;"

_SET_SKIPS = "UPDATE turns SET skips = 1 WHERE id = NEW.id;"
_MOVED = "UPDATE OF parent_id, session_id"
_CHANGED = "UPDATE OF text, session_id"
_IS_CHANGED = "NEW.text IS NOT OLD.text OR NEW.session_id <> OLD.session_id"

_SQLITE = (
    """CREATE VIEW turns_search_source AS
        SELECT id, session_id AS session, text FROM turns WHERE substr(text, 1, 1) <> char(1)""",
    """CREATE VIRTUAL TABLE turns_search USING fts5(
        session, text, content = 'turns_search_source', content_rowid = 'id', columnsize = 0,
        tokenize = "unicode61 remove_diacritics 0 categories 'L* N* M*'")""",
    "INSERT INTO turns_search (turns_search) VALUES ('rebuild')",
    f"CREATE TRIGGER turns_search_inserted AFTER INSERT ON turns BEGIN {_INDEX} END",
    f"CREATE TRIGGER turns_search_deleted AFTER DELETE ON turns BEGIN {_UNINDEX} END",
    f"CREATE TRIGGER turns_search_updated AFTER {_CHANGED} ON turns BEGIN {_UNINDEX} {_INDEX} END",
    f"CREATE TRIGGER turns_skips_inserted AFTER INSERT ON turns WHEN EXISTS ({_SKIPS}) BEGIN {_SET_SKIPS} END",
    f"CREATE TRIGGER turns_skips_updated AFTER {_MOVED} ON turns WHEN EXISTS ({_SKIPS}) BEGIN {_SET_SKIPS} END",
    f"CREATE TRIGGER summaries_forget_deleted AFTER DELETE ON turns BEGIN {_FORGET} END",
    f"CREATE TRIGGER summaries_forget_updated AFTER {_CHANGED} ON turns WHEN {_IS_CHANGED} BEGIN {_FORGET} END",
)
_SQLITE_TRIGGERS = (
    "turns_search_inserted",
    "turns_search_deleted",
    "turns_search_updated",
    "turns_skips_inserted",
    "turns_skips_updated",
    "summaries_forget_deleted",
    "summaries_forget_updated",
)

#: So that "host.name/path" is words and not one; only so much is read, since a tsvector holds at most 1 MB.
_PUNCTUATION = string.punctuation.replace("'", "''")
_WORDS = f"translate(left(text, 32768), '{_PUNCTUATION}', repeat(' ', {len(string.punctuation)}))"
_POSTGRESQL = (
    f"""ALTER TABLE turns ADD COLUMN turns_search tsvector GENERATED ALWAYS AS (
        CASE WHEN left(text, 1) = chr(1) THEN NULL ELSE strip(to_tsvector('simple', {_WORDS})) END) STORED""",
    # What is put off is read by every search, so it is kept short.
    "CREATE INDEX turns_search_index ON turns USING gin (turns_search) WITH (gin_pending_list_limit = 512)",
    f"""CREATE FUNCTION turns_set_skips() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN NEW.skips := NEW.skips OR EXISTS ({_SKIPS}); RETURN NEW; END $$""",
    """CREATE TRIGGER turns_skips BEFORE INSERT OR UPDATE OF parent_id, session_id ON turns
        FOR EACH ROW EXECUTE FUNCTION turns_set_skips()""",
    f"""CREATE FUNCTION summaries_forget() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN {_FORGET} RETURN NULL; END $$""",
    """CREATE TRIGGER summaries_forget_deleted AFTER DELETE ON turns
        FOR EACH ROW EXECUTE FUNCTION summaries_forget()""",
    """CREATE TRIGGER summaries_forget_updated AFTER UPDATE OF text, session_id ON turns FOR EACH ROW
        WHEN (NEW.text IS DISTINCT FROM OLD.text OR NEW.session_id <> OLD.session_id)
        EXECUTE FUNCTION summaries_forget()""",
)
_POSTGRESQL_DOWN = (
    *(f"DROP TRIGGER {name} ON turns" for name in ("turns_skips", *_SQLITE_TRIGGERS[-2:])),
    "DROP FUNCTION turns_set_skips()",
    "DROP FUNCTION summaries_forget()",
    "DROP INDEX turns_search_index",
    "ALTER TABLE turns DROP COLUMN turns_search",
)
_SQLITE_DOWN = (
    *(f"DROP TRIGGER {name}" for name in _SQLITE_TRIGGERS),
    "DROP TABLE turns_search",
    "DROP VIEW turns_search_source",
)


def upgrade() -> None:
    _create_summaries()
    op.drop_index("ix_turns_session_id", "turns")
    op.create_index("ix_turns_session_id_id", "turns", ["session_id", "id"])
    op.add_column("turns", sa.Column("skips", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.execute(_FILL_SKIPS)
    op.create_index(
        "ix_turns_skips",
        "turns",
        ["session_id", "id", "parent_id"],
        sqlite_where=sa.text("skips = 1"),
        postgresql_where=sa.text("skips"),
    )
    _execute(_SQLITE if _is_sqlite() else _POSTGRESQL)


def downgrade() -> None:
    _execute(_SQLITE_DOWN if _is_sqlite() else _POSTGRESQL_DOWN)
    op.drop_index("ix_turns_skips", "turns")
    op.drop_column("turns", "skips")
    op.drop_index("ix_turns_session_id_id", "turns")
    op.create_index("ix_turns_session_id", "turns", ["session_id"])
    op.drop_table("summaries")


def _create_summaries() -> None:
    op.create_table(
        "summaries",
        sa.Column("id", _ID, nullable=False),
        sa.Column("session_id", _ID, nullable=False),
        sa.Column("base_id", _ID, nullable=True),
        sa.Column("since_turn_id", _ID, nullable=False),
        sa.Column("until_turn_id", _ID, nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_summaries"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_summaries_session_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_summaries_session_id_until_turn_id", "summaries", ["session_id", "until_turn_id"])


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"


def _execute(statements: tuple[str, ...]) -> None:
    for statement in statements:
        op.get_bind().exec_driver_sql(statement)
