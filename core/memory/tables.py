"""The tables, as SQLAlchemy knows them. Every change here needs a migration.

They stand in one file whatever its length: who forgets, seals anew or compacts walks over all of them by their
metadata, and a table that somebody did not import would be missed.

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
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from core.memory.sealing import SealedBytes, SealedText

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
    #: What people there chose; "" is the place's own.
    language: Mapped[str] = mapped_column(String, server_default="")
    #: Whether a reply is seen while it is written.
    streaming: Mapped[bool] = mapped_column(server_default=true())
    #: What differs from the persona's sampling.
    sampling: Mapped[dict[str, object] | None] = mapped_column(JSON(none_as_null=True))
    title: Mapped[str] = mapped_column(SealedText)
    summary: Mapped[str] = mapped_column(SealedText)
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
    name: Mapped[str] = mapped_column(SealedText)
    #: One human's rows share it.
    linked_to_id: Mapped[int | None] = mapped_column(Id, ForeignKey("people.id"), index=True)

    __table_args__ = (UniqueConstraint("platform", "workspace", "platform_id"), {"sqlite_autoincrement": True})


class LinkCodeRow(Base):
    """A word that joins whoever says it elsewhere with the person it was given to, once. Each has at most one."""

    __tablename__ = "link_codes"

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), primary_key=True, autoincrement=False)
    #: SHA-256; the code itself is nowhere.
    code_hash: Mapped[str] = mapped_column(String, unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class LinkTryRow(Base):
    """How often a person has said wrong codes of late."""

    __tablename__ = "link_tries"

    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), primary_key=True, autoincrement=False)
    failures: Mapped[int] = mapped_column(Integer)
    #: The first of them.
    since: Mapped[datetime] = mapped_column(UtcDateTime)


# Inside the class, `text` is a column.
_SKIPS_IN_SQLITE, _SKIPS_IN_POSTGRESQL = text("skips = 1"), text("skips")


class TurnRow(Base):
    """One side's contribution. What can be long stands last: SQLite reads a row from its start."""

    __tablename__ = "turns"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    session_id: Mapped[int] = mapped_column(Id, ForeignKey("sessions.id"))
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
    text: Mapped[str] = mapped_column(SealedText)
    #: Little-endian 32-bit numbers, one after another.
    token_ids: Mapped[bytes | None] = mapped_column(SealedBytes)
    #: Other turns of the session lie between it and its parent: they were taken back or drawn again. A trigger sets it.
    skips: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        Index("ix_turns_session_id_id", "session_id", "id"),
        Index(
            "ix_turns_skips",
            *("session_id", "id", "parent_id"),
            sqlite_where=_SKIPS_IN_SQLITE,
            postgresql_where=_SKIPS_IN_POSTGRESQL,
        ),
        {"sqlite_autoincrement": True},
    )


class SummaryRow(Base):
    """What a dialogue was about, up to a turn. A trigger deletes it when a turn that it tells of changes or goes."""

    __tablename__ = "summaries"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    session_id: Mapped[int] = mapped_column(Id, ForeignKey("sessions.id"))
    #: The summary that was read with the turns, and told of those before; not a foreign key, since it may be deleted.
    base_id: Mapped[int | None] = mapped_column(Id)
    #: The oldest and the newest turn that were read; not foreign keys, since they may be erased.
    since_turn_id: Mapped[int] = mapped_column(Id)
    until_turn_id: Mapped[int] = mapped_column(Id)
    #: Of the turns that were read, so that what changed meanwhile is found out.
    fingerprint: Mapped[str] = mapped_column(String)
    model: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    text: Mapped[str] = mapped_column(SealedText)

    __table_args__ = (
        Index("ix_summaries_session_id_until_turn_id", "session_id", "until_turn_id"),
        {"sqlite_autoincrement": True},
    )


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
    inbound: Mapped[str | None] = mapped_column(SealedText)
    #: The event without its secrets, until it is answered.
    raw: Mapped[str | None] = mapped_column(SealedText)
    #: The platform's id of whose event it is; "" where nobody's, and when it was forgotten.
    person: Mapped[str] = mapped_column(String, server_default="")

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
    #: The reply that it goes on after; not a foreign key, since that turn may be erased.
    continues_id: Mapped[int | None] = mapped_column(Id)
    seed: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: As far as it may have been seen; all of it once it is whole.
    text: Mapped[str] = mapped_column(SealedText)
    #: What stands below it on the platform, and is no part of the turn.
    footnote: Mapped[str] = mapped_column(SealedText)
    #: The tokens of `text`, with which a reply goes on that was interrupted.
    token_ids: Mapped[bytes | None] = mapped_column(SealedBytes)

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


class CandidateRow(Base):
    """One of the hypotheses that a reply was chosen from."""

    __tablename__ = "candidates"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    turn_id: Mapped[int] = mapped_column(Id, ForeignKey("turns.id"))
    #: As the model ranked them; 0 is its best.
    number: Mapped[int] = mapped_column(Integer)
    #: It is what the turn says.
    chosen: Mapped[bool]
    finish_reason: Mapped[str] = mapped_column(String)
    #: Of its tokens, in nats, before any sampling setting.
    log_probability: Mapped[float] = mapped_column(Double)
    #: What rankers gave it, by their names.
    scores: Mapped[dict[str, float] | None] = mapped_column(JSON(none_as_null=True))
    text: Mapped[str] = mapped_column(SealedText)
    #: Of the turn's tokenizer.
    token_ids: Mapped[bytes | None] = mapped_column(SealedBytes)

    __table_args__ = (UniqueConstraint("turn_id", "number"), {"sqlite_autoincrement": True})


class FeedbackRow(Base):
    """What somebody thinks of a reply, or wanted done with it. Each opinion counts once."""

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    #: NULL while the reply is being written.
    turn_id: Mapped[int | None] = mapped_column(Id, ForeignKey("turns.id"))
    #: The reply that was being written then; NULL where it was finished.
    delivery_id: Mapped[int | None] = mapped_column(Id, ForeignKey("deliveries.id"))
    #: The candidate that was seen.
    candidate_id: Mapped[int | None] = mapped_column(Id, ForeignKey("candidates.id"), index=True)
    model: Mapped[str | None] = mapped_column(String)
    person_id: Mapped[int] = mapped_column(Id, ForeignKey("people.id"), index=True)
    #: `Opinion`.
    opinion: Mapped[str] = mapped_column(String)
    #: The reaction was taken back.
    withdrawn: Mapped[bool]
    told_at: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        UniqueConstraint("turn_id", "person_id", "opinion"),
        UniqueConstraint("delivery_id", "person_id", "opinion"),
        {"sqlite_autoincrement": True},
    )


class MovedChannelRow(Base):
    """A channel that has another id by now. What still comes for the old one belongs to the new one."""

    __tablename__ = "moved_channels"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    bot: Mapped[str] = mapped_column(String, primary_key=True)
    workspace: Mapped[str] = mapped_column(String, primary_key=True)
    channel: Mapped[str] = mapped_column(String, primary_key=True)
    new_channel: Mapped[str] = mapped_column(String)


class UsageRow(Base):
    """What one message has cost, and to whose account. No foreign key: it outlives the message."""

    __tablename__ = "usage"

    inbox_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    platform: Mapped[str] = mapped_column(String)
    workspace: Mapped[str] = mapped_column(String)
    channel: Mapped[str] = mapped_column(String)
    #: The platform's id.
    person: Mapped[str] = mapped_column(String)
    #: When the message was accepted.
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    #: Read and written.
    tokens: Mapped[int] = mapped_column(BigInteger)
    gpu_s: Mapped[float] = mapped_column(Double)

    __table_args__ = (
        Index("ix_usage_person", "platform", "workspace", "person", "at"),
        Index("ix_usage_at", "platform", "workspace", "at"),
    )


class PairingCodeRow(Base):
    """A code that the operator gave away and nobody has said yet."""

    __tablename__ = "pairing_codes"

    #: SHA-256; the code itself is nowhere.
    code_hash: Mapped[str] = mapped_column(String, primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PairingRow(Base):
    """Somebody who has said a code, and may speak to the program in private."""

    __tablename__ = "pairings"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    workspace: Mapped[str] = mapped_column(String, primary_key=True)
    #: The platform's id.
    person: Mapped[str] = mapped_column(String, primary_key=True)
    #: Of the code that was said: saying it again changes nothing.
    code_hash: Mapped[str] = mapped_column(String)
    paired_at: Mapped[datetime] = mapped_column(UtcDateTime)


class CursorRow(Base):
    """How far a platform's events were taken in."""

    __tablename__ = "cursors"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    bot: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String, primary_key=True)
    value: Mapped[int] = mapped_column(BigInteger)


class ClaimRow(Base):
    """One of several things of an account that its processes share out, such as a shard of Discord's gateway."""

    __tablename__ = "claims"

    platform: Mapped[str] = mapped_column(String, primary_key=True)
    bot: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String, primary_key=True)
    #: A process, by its name.
    owner: Mapped[str] = mapped_column(String)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class SecretRow(Base):
    """A secret that must be kept for a while."""

    __tablename__ = "secrets"

    name: Mapped[str] = mapped_column(String, primary_key=True)
    #: With its name in it; never in the clear.
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    #: NULL lives until it is deleted.
    expires_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
