"""The tables, as SQLAlchemy knows them. Every change here needs a migration.

A platform's ids are text, and "" stands for what a platform does not have: a NULL would never be equal to itself.
"""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

#: SQLite numbers rows by itself only where the key is an INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time; SQLite drops the zone, so both databases are given UTC and give it back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )


class SessionRow(Base):
    """A continuing dialogue. What it holds hangs on `id`, so that a key can move to another session."""

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str] = mapped_column(String)
    bot: Mapped[str] = mapped_column(String)
    workspace: Mapped[str] = mapped_column(String)
    channel: Mapped[str] = mapped_column(String)
    thread: Mapped[str] = mapped_column(String)
    person: Mapped[str] = mapped_column(String)
    active: Mapped[bool]
    persona: Mapped[str] = mapped_column(String)
    model: Mapped[str] = mapped_column(String)
    #: What differs from the persona's sampling.
    sampling: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    title: Mapped[str] = mapped_column(Text)
    summary: Mapped[str] = mapped_column(Text)
    #: The newest turn; its parents are the dialogue. Turns off that chain were taken back or drawn again.
    head_turn_id: Mapped[int | None] = mapped_column(
        Id, ForeignKey("turns.id", name="fk_sessions_head_turn_id", use_alter=True)
    )
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    last_active_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index(
            "uq_sessions_active_key",
            *("platform", "bot", "workspace", "channel", "thread", "person"),
            unique=True,
            sqlite_where=text("active = 1"),
            postgresql_where=text("active"),
        ),
        {"sqlite_autoincrement": True},
    )


class PersonRow(Base):
    """Someone as one platform knows them."""

    __tablename__ = "people"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    platform: Mapped[str] = mapped_column(String)
    workspace: Mapped[str] = mapped_column(String)
    platform_id: Mapped[str] = mapped_column(String)
    name: Mapped[str] = mapped_column(Text)
    #: One human's rows share it.
    linked_to_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"), index=True)

    __table_args__ = (UniqueConstraint("platform", "workspace", "platform_id"), {"sqlite_autoincrement": True})


class TurnRow(Base):
    """One side's contribution. What can be long stands last: SQLite reads a row from its start."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    session_id: Mapped[int] = mapped_column(Id, ForeignKey("sessions.id"), index=True)
    parent_id: Mapped[int | None] = mapped_column(Id, ForeignKey("turns.id"), index=True)
    role: Mapped[str] = mapped_column(String)
    #: Who spoke; NULL for the assistant.
    person_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"), index=True)
    state: Mapped[str] = mapped_column(String)
    #: The fingerprint of the tokenizer that `token_ids` belong to.
    tokenizer: Mapped[str | None] = mapped_column(String)
    #: Without what a prompt puts around the turn; NULL until a tokenizer has read it.
    token_count: Mapped[int | None] = mapped_column(Integer)
    model: Mapped[str | None] = mapped_column(String)
    finish_reason: Mapped[str | None] = mapped_column(String)
    #: The oldest turn of the prompt that was answered; not a foreign key, since that turn may be erased.
    prompt_start_id: Mapped[int | None] = mapped_column(Id)
    prompt_turns: Mapped[int | None] = mapped_column(Integer)
    prompt_tokens: Mapped[int | None] = mapped_column(Integer)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    queue_s: Mapped[float | None] = mapped_column(Double)
    first_token_s: Mapped[float | None] = mapped_column(Double)
    total_s: Mapped[float | None] = mapped_column(Double)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(Text)
    #: Little-endian 32-bit numbers, one after another.
    token_ids: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_autoincrement": True},)


class PlatformMessageRow(Base):
    """A message as the platform knows it. Parts, bursts and albums are many to one turn."""

    __tablename__ = "platform_messages"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    bot: Mapped[str] = mapped_column(String, primary_key=True)
    channel: Mapped[str] = mapped_column(String, primary_key=True)
    message_id: Mapped[str] = mapped_column(String, primary_key=True)
    turn_id: Mapped[int] = mapped_column(Id, ForeignKey("turns.id"), index=True)
    part: Mapped[int] = mapped_column(Integer)
    #: "in" or "out".
    direction: Mapped[str] = mapped_column(String)


#: A message in one of these states is still owed an answer; the partial index is made of them.
OPEN_STATES = ("waiting", "answering", "answered")
#: The state of an event that could not be understood. It is kept, and nobody is answered.
DEAD = "dead"

_OPEN = text(f"state IN {OPEN_STATES}")


class InboxRow(Base):
    """What was accepted from a platform. A row stays when its texts go, so that a copy is known for ever."""

    __tablename__ = "inbox"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    #: A keyed hash: it says that an event was seen, and not which.
    event_key: Mapped[str] = mapped_column(String, unique=True)
    platform: Mapped[str] = mapped_column(String)
    bot: Mapped[str] = mapped_column(String)
    #: The session key as text.
    place: Mapped[str] = mapped_column(String)
    kind: Mapped[str] = mapped_column(String)
    #: It is about what is being answered, and does not wait for it: Stop, an edit, a deletion, feedback.
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(String)
    attempts: Mapped[int] = mapped_column(Integer)
    not_before: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Why it was ignored, refused, or failed; of a dead letter, why it could not be understood.
    reason: Mapped[str] = mapped_column(Text)
    #: The person's turn that it became.
    turn_id: Mapped[int | None] = mapped_column(Id, ForeignKey("turns.id"), index=True)
    #: Of a burst: the message that is answered for all of them.
    joined_id: Mapped[int | None] = mapped_column(Id, ForeignKey("inbox.id"), index=True)
    accepted_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: The values of `core.dialogue` as JSON; NULL where the event was not understood, and when it was forgotten.
    inbound: Mapped[str | None] = mapped_column(Text)
    #: The event without its secrets, until it is answered.
    raw: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (
        Index("ix_inbox_open", "place", "id", sqlite_where=_OPEN, postgresql_where=_OPEN),
        {"sqlite_autoincrement": True},
    )


class LeaseRow(Base):
    """Who answers at a place. One message at a time is answered there."""

    __tablename__ = "leases"

    place: Mapped[str] = mapped_column(String, primary_key=True)
    #: The process; "" is nobody.
    owner: Mapped[str] = mapped_column(String)
    #: Grows with every new holder: what an earlier one still writes is refused.
    epoch: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Why nothing is sent there until somebody speaks again; "" where it is.
    paused: Mapped[str] = mapped_column(Text)


class DeliveryRow(Base):
    """A reply that is owed: the outbox."""

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    inbox_id: Mapped[int] = mapped_column(Id, ForeignKey("inbox.id"), unique=True)
    #: What platforms may see of it: opaque, and the same at every try.
    token: Mapped[str] = mapped_column(String)
    #: "streaming", "whole", "delivered" or "failed".
    state: Mapped[str] = mapped_column(String)
    #: The state of its message when it is delivered: an apology ends it as "failed".
    ends_as: Mapped[str] = mapped_column(String)
    #: The assistant's turn; NULL while it is written, and for what a command says.
    turn_id: Mapped[int | None] = mapped_column(Id, ForeignKey("turns.id"), index=True)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: As far as it may have been seen; all of it once it is whole.
    text: Mapped[str] = mapped_column(Text)
    #: The tokens of `text`, with which a reply goes on that was interrupted.
    token_ids: Mapped[bytes | None] = mapped_column(LargeBinary)

    __table_args__ = ({"sqlite_autoincrement": True},)


class PartRow(Base):
    """One message of a reply on the platform. It is here before it is sent."""

    __tablename__ = "parts"

    delivery_id: Mapped[int] = mapped_column(Id, ForeignKey("deliveries.id"), primary_key=True)
    part: Mapped[int] = mapped_column(Integer, primary_key=True)
    #: The platform's id of it; NULL until it is known.
    handle: Mapped[str | None] = mapped_column(String)
    #: Where the reply's text is cut after it; NULL while it is open.
    end: Mapped[int | None] = mapped_column(Integer)
    #: The platform has taken its last word.
    closed: Mapped[bool]


class CursorRow(Base):
    """How far a platform's events were taken in."""

    __tablename__ = "cursors"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    bot: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)
