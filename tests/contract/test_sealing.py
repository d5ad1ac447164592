"""Texts at rest: nobody reads them without the key, and nothing is lost when the key or the setting changes."""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import LargeBinary, Text, select, text, update

from core.errors import SettingsError, StorageError
from core.memory.database import Database
from core.memory.resealing import reseal
from core.memory.sealing import SealedBytes, SealedText, Sealing
from core.memory.secrets import Secrets, event_secret
from core.memory.store import Memory
from core.memory.tables import Base, SecretRow
from core.secret_key import SecretKeys
from tests.contract.speaking import exchange, open_session, reply, say, texts

OLD, NEW = (base64.urlsafe_b64encode(bytes([byte]) * 32) for byte in (1, 2))
#: What is not a person's: why something was not answered, as this program says it; and what seals itself.
IN_THE_CLEAR = {"inbox.reason", "leases.paused", "secrets.sealed"}


def sealing(*keys: bytes, texts: bool = True) -> Sealing:
    return Sealing(lambda: SecretKeys(keys), texts=texts)


class Opened:
    """One database, opened with one key or another, any number of times."""

    def __init__(self, url: str, closing: AsyncExitStack) -> None:
        self._url = url
        self._closing = closing

    async def __call__(self, sealed: Sealing | None) -> Database:
        return await self._closing.enter_async_context(Database(self._url, sealing=sealed))


@pytest.fixture
async def opened(database_url: str) -> AsyncIterator[Opened]:
    async with AsyncExitStack() as closing:
        yield Opened(database_url, closing)


async def stored(database: Database, query: str) -> list[str]:
    """As the database has it."""
    async with database.reading() as connection:
        return [str(value) for value in await connection.scalars(text(query))]


class TestTexts:
    async def test_they_are_read_back_and_stored_unreadable(self, opened: Opened) -> None:
        database = await opened(sealing(NEW))
        memory = Memory(database)
        session = await open_session(memory)
        question = await say(memory, session, "my secret 🤫")
        await memory.record_reply(session.id, question.id, reply("I keep it", 1, 2, 3))

        asked, replied = await memory.recall(session.id, 10_000)

        assert (asked.text, asked.speaker, replied.text) == ("my secret 🤫", "Anna", "I keep it")
        assert replied.tokens is not None
        assert replied.tokens.ids == (1, 2, 3)
        raw = await stored(database, "SELECT text FROM turns UNION ALL SELECT name FROM people")
        assert len(raw) == 3
        assert all(value.startswith("\x01gAAAA") for value in raw)

    async def test_every_column_with_text_is_sealed_or_known_to_hold_nobodys(self) -> None:
        columns = [column for table in Base.metadata.tables.values() for column in table.c]
        long = {str(c) for c in columns if isinstance(c.type, Text | LargeBinary)}
        sealed = {str(c) for c in columns if isinstance(c.type, SealedText | SealedBytes)}

        assert long == IN_THE_CLEAR
        assert sealed >= {"turns.text", "turns.token_ids", "inbox.inbound", "inbox.raw", "deliveries.text"}
        assert sealed >= {"deliveries.token_ids", "candidates.text", "people.name", "summaries.text"}

    async def test_another_key_reads_nothing_and_says_so(self, opened: Opened) -> None:
        memory = Memory(await opened(sealing(OLD)))
        session = await open_session(memory)
        await exchange(memory, session, "hello", "hi")

        for other in (sealing(NEW), None):
            with pytest.raises(StorageError, match="sealed with a key that this program does not have"):
                await texts(Memory(await opened(other)), session)

    async def test_what_was_said_before_and_after_is_read_together(self, opened: Opened) -> None:
        plain, sealed = Memory(await opened(sealing(NEW, texts=False))), Memory(await opened(sealing(NEW)))
        session = await open_session(plain)
        await exchange(plain, session, "one", "1")
        await exchange(sealed, session, "two", "2")
        await exchange(plain, session, "three", "3")

        assert await texts(plain, session) == await texts(sealed, session) == ["one", "1", "two", "2", "three", "3"]

    async def test_what_pretends_to_be_sealed_is_only_text(self, opened: Opened) -> None:
        plain = Memory(await opened(None))
        session = await open_session(plain)

        await exchange(plain, session, "\x01gAAAAforged", "\x01")

        assert await texts(plain, session) == ["gAAAAforged", ""]

    async def test_the_database_says_whether_it_can_search_in_them(self, opened: Opened) -> None:
        assert (await opened(sealing(NEW))).seals_texts
        assert not (await opened(sealing(NEW, texts=False))).seals_texts
        assert not (await opened(None)).seals_texts


class TestResealing:
    async def test_what_was_in_the_clear_is_sealed(self, opened: Opened) -> None:
        plain, database = Memory(await opened(None)), await opened(sealing(NEW))
        session = await open_session(plain)
        question = await say(plain, session, "one")
        await plain.record_reply(session.id, question.id, reply("1", 7, 8))

        await reseal(database, sealing(NEW))

        raw = await stored(database, "SELECT text FROM turns UNION ALL SELECT name FROM people")
        assert all(value.startswith("\x01") for value in raw)
        assert await texts(Memory(database), session) == ["one", "1"]
        with pytest.raises(StorageError, match="sealed"):
            await texts(plain, session)

    async def test_what_was_sealed_is_in_the_clear_again(self, opened: Opened) -> None:
        session = await open_session(memory := Memory(await opened(sealing(NEW))))
        await exchange(memory, session, "one", "1")

        off = sealing(NEW, texts=False)
        await reseal(await opened(off), off)

        assert await texts(Memory(await opened(None)), session) == ["one", "1"]

    async def test_a_new_key_takes_the_old_ones_place(self, opened: Opened) -> None:
        memory = Memory(old := await opened(sealing(OLD)))
        session = await open_session(memory)
        for number in range(3):
            await exchange(memory, session, f"q{number}", f"a{number}")
        await Secrets(old, sealing(OLD)).put("token", "xyzzy")
        secret = await event_secret(Secrets(old, sealing(OLD)))

        await reseal(await opened(sealing(NEW, OLD)), sealing(NEW, OLD))

        new = await opened(sealing(NEW))
        assert await texts(Memory(new), session) == ["q0", "a0", "q1", "a1", "q2", "a2"]
        assert await Secrets(new, sealing(NEW)).get("token") == "xyzzy"
        assert await event_secret(Secrets(new, sealing(NEW))) == secret
        with pytest.raises(StorageError, match="sealed"):
            await texts(memory, session)

    async def test_more_rows_than_one_transaction_takes(self, opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("core.memory.resealing._ROWS_AT_ONCE", 2)
        plain, database = Memory(await opened(None)), await opened(sealing(NEW))
        session = await open_session(plain)
        for number in range(5):
            await say(plain, session, str(number))

        await reseal(database, sealing(NEW))

        assert all(value.startswith("\x01") for value in await stored(database, "SELECT text FROM turns"))
        assert await texts(Memory(database), session) == list("01234")


@pytest.fixture
def secrets(database: Database) -> Secrets:
    return Secrets(database, sealing(NEW, texts=False))


class TestSecrets:
    async def test_a_secret_is_kept_replaced_and_deleted(self, secrets: Secrets) -> None:
        assert await secrets.get("slack/T1") is None
        await secrets.put("slack/T1", "xoxb-one", lives_s=60)
        await secrets.put("slack/T1", "xoxb-two")
        await secrets.put("slack/T2", "other")

        assert await secrets.get("slack/T1") == "xoxb-two"

        await secrets.delete("slack/T1")
        assert await secrets.get("slack/T1") is None
        assert await secrets.get("slack/T2") == "other"

    async def test_it_is_never_stored_in_the_clear(self, secrets: Secrets, database: Database) -> None:
        await secrets.put("slack/T1", "xoxb-one")

        async with database.reading() as connection:
            sealed: bytes = (await connection.execute(select(SecretRow.sealed))).scalar_one()
        assert b"xoxb" not in sealed

    async def test_it_is_gone_when_its_time_is_over(self, secrets: Secrets, database: Database) -> None:
        await secrets.put("interaction", "token", lives_s=60)
        await secrets.put("kept", "token")
        async with database.writing() as connection:
            over = datetime.now(UTC) - timedelta(seconds=1)
            await connection.execute(update(SecretRow).where(SecretRow.name == "interaction").values(expires_at=over))

        assert await secrets.get("interaction") is None
        assert (await secrets.purge(), await secrets.purge()) == (1, 0)
        assert await secrets.get("kept") == "token"

    async def test_one_in_the_place_of_another_is_refused(self, secrets: Secrets, database: Database) -> None:
        await secrets.put("mine", "token")
        async with database.writing() as connection:
            await connection.execute(update(SecretRow).values(name="yours"))

        with pytest.raises(StorageError, match="under another's name"):
            await secrets.get("yours")

    async def test_the_secret_of_events_is_made_once(self, secrets: Secrets) -> None:
        made = await asyncio.gather(*(event_secret(secrets) for _ in range(8)))

        assert len({*made}) == 1
        assert len(made[0]) == 32

    async def test_a_database_that_was_begun_with_another_key_is_refused(
        self, secrets: Secrets, database: Database
    ) -> None:
        await event_secret(secrets)

        with pytest.raises(SettingsError, match="was begun with another key"):
            await event_secret(Secrets(database, sealing(OLD)))
