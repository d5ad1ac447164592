"""What is older than the settings say is deleted; what is younger, and every hash of an event, stays."""

import asyncio
import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from core.errors import DatabaseAway
from core.memory.database import Database
from core.memory.places import place_of
from core.memory.retention import Ages, Pace, Removed, Retention
from core.memory.sealing import Sealing
from core.memory.secrets import Secrets
from core.memory.tables import FeedbackRow, InboxRow, LeaseRow, TurnRow, UsageRow
from core.secret_key import SecretKeys
from tests.contract.remembering import Scene
from tests.contract.speaking import ANNA, KEY, message, open_session

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=100)
FOREVER = Ages(turns=0, events=0, dead_letters=0, feedback=0, usage=0)
#: Several batches, and no pause between them.
SMALL = Pace(rows=2, pause_s=0)


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


async def age(scene: Scene, table: type[TurnRow | InboxRow | FeedbackRow], column: str, last: int) -> None:
    """All rows up to this one are old, and the later ones of today."""
    async with scene.database.writing() as connection:
        await connection.execute(update(table).values({column: NOW}))
        await connection.execute(update(table).where(table.id <= last).values({column: OLD}))


async def test_old_turns_leave_a_dialogue_that_goes_on(scene: Scene) -> None:
    said = [await scene.exchange(ANNA, f"q{number}", f"a{number}") for number in range(4)]
    await scene.summarise(await open_session(scene.memory), "They counted.")
    await age(scene, TurnRow, "created_at", said[2].question.id)

    removed = await Retention(scene.database, replace(FOREVER, turns=30), SMALL).once(NOW)

    assert removed.turns == 5
    assert await scene.texts() == ["a2", "q3", "a3"]
    assert await scene.count("sessions", "summary = '' AND title = ''") == 1
    assert await scene.count("candidates") == 2
    assert await scene.count("inbox") == 4


async def test_a_dialogue_that_has_ended_goes_with_its_last_turn_and_silent_peoples_names_too(scene: Scene) -> None:
    boris = replace(ANNA, platform_id="18", name="Boris")
    old = await scene.exchange(boris, "q", "a")
    await scene.memory.begin_session(KEY, "banter", "tiny")
    await scene.exchange(ANNA, "new", "reply")
    await age(scene, TurnRow, "created_at", old.reply.id)

    await Retention(scene.database, replace(FOREVER, turns=30), SMALL).once(NOW)

    assert await scene.count("sessions") == 1
    assert await scene.count("people", "name = 'Boris'") == 0
    assert await scene.count("people", "name = 'Anna'") == 1


async def test_old_events_are_emptied_once_they_are_answered_and_stay_known(scene: Scene) -> None:
    said = message("waits", message_id="same")
    answered = [await scene.exchange(ANNA, f"q{number}", "a") for number in range(4)]
    await scene.accept(said)
    await age(scene, InboxRow, "accepted_at", answered[-1].inbox_id + 1)
    async with scene.database.writing() as connection:
        await connection.execute(update(InboxRow).where(InboxRow.id == answered[0].inbox_id).values(accepted_at=NOW))

    removed = await Retention(scene.database, replace(FOREVER, events=7), SMALL).once(NOW)

    assert removed == Removed(events=3)
    assert await scene.count("inbox", "inbound IS NOT NULL") == 2
    assert await scene.count("deliveries", "text = '' AND token_ids IS NULL") == 3
    assert await scene.count("parts", "handle IS NOT NULL") == 4
    assert await scene.accept(said) == 0
    assert len(await scene.texts()) == 8


async def test_old_dead_letters_are_emptied_by_their_own_age(scene: Scene) -> None:
    await scene.letter("{old")
    await age(scene, InboxRow, "accepted_at", 1)
    await scene.letter("{new")

    assert await Retention(scene.database, replace(FOREVER, events=7), SMALL).once(NOW) == Removed()
    removed = await Retention(scene.database, replace(FOREVER, dead_letters=30), SMALL).once(NOW)

    assert removed == Removed(dead_letters=1)
    assert await scene.count("inbox", "state = 'dead'") == 2
    assert await scene.count("inbox", "raw IS NOT NULL") == 1


async def test_old_feedback_and_usage_go_by_their_own_ages(scene: Scene) -> None:
    for number in range(3):
        await scene.exchange(ANNA, f"q{number}", "a")
    await age(scene, FeedbackRow, "told_at", 2)
    whose = {"platform": "discord", "workspace": "", "person": "17", "channel": "c", "tokens": 1, "gpu_s": 0.1}
    async with scene.database.writing() as connection:
        for number, at in enumerate((OLD, OLD, OLD, NOW)):
            await connection.execute(insert(UsageRow).values(whose | {"inbox_id": number, "at": at}))

    removed = await Retention(scene.database, replace(FOREVER, feedback=30, usage=90), SMALL).once(NOW)

    assert removed == Removed(feedback=2, usage=3)
    assert (await scene.count("feedback"), await scene.count("usage")) == (1, 1)


async def test_secrets_go_when_their_time_is_over(scene: Scene) -> None:
    sealing = Sealing(lambda: SecretKeys((b"AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=",)), texts=False)
    secrets = Secrets(scene.database, sealing)
    await secrets.put("interaction", "token", lives_s=900)
    await secrets.put("kept", "token")

    now = datetime.now(UTC)
    assert await Retention(scene.database, FOREVER).once(now) == Removed()
    assert await Retention(scene.database, FOREVER).once(now + timedelta(minutes=16)) == Removed(secrets=1)
    assert await secrets.get("kept") == "token"


async def test_places_where_nobody_waits_any_more_are_named_no_more(scene: Scene) -> None:
    for thread in ("answered", "waits", "young"):
        await scene.accept(message("hello", replace(KEY, thread=thread)))
    async with scene.database.writing() as connection:
        answered = update(InboxRow).where(InboxRow.place != place_of(replace(KEY, thread="waits")))
        await connection.execute(answered.values(state="delivered"))
        old = LeaseRow.place != place_of(replace(KEY, thread="young"))
        await connection.execute(update(LeaseRow).where(old).values(expires_at=OLD))

    await Retention(scene.database, replace(FOREVER, events=7)).once(NOW)

    async with scene.database.reading() as connection:
        places = set(await connection.scalars(select(LeaseRow.place)))
    assert places == {place_of(replace(KEY, thread=thread)) for thread in ("waits", "young")}


async def test_by_default_nothing_that_was_said_is_deleted(scene: Scene) -> None:
    said = await scene.exchange(ANNA, "q", "a")
    await age(scene, TurnRow, "created_at", said.reply.id)
    await age(scene, FeedbackRow, "told_at", 1)

    assert await Retention(scene.database, Ages()).once(NOW) == Removed()


class Failing(Database):
    """Away at every second look."""

    looks = 0

    def writing(self):  # type: ignore[no-untyped-def]  # as it is there
        self.looks += 1
        if self.looks == 1:
            raise DatabaseAway("the server sleeps")
        return super().writing()


async def test_the_schedule_goes_on_when_the_database_was_away(
    scene: Scene, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    said = await scene.exchange(ANNA, "Quetzal", "a")
    await age(scene, TurnRow, "created_at", said.reply.id)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 2:
            raise asyncio.CancelledError

    caplog.set_level(logging.INFO, logger="core")
    async with Failing(database_url) as failing:
        with pytest.raises(asyncio.CancelledError):
            await Retention(failing, replace(FOREVER, turns=30)).run(3600, pause)

    assert pauses == [3600, 3600]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert "Quetzal" not in repr([vars(record) for record in caplog.records])
    assert await scene.count("turns") == 0


async def test_a_batch_that_takes_too_long_is_given_up(scene: Scene) -> None:
    said = await scene.exchange(ANNA, "q", "a")
    await age(scene, TurnRow, "created_at", said.reply.id)
    impatient = Retention(scene.database, replace(FOREVER, turns=30), Pace(timeout_s=0.2))

    async with scene.database.writing() as connection:
        await connection.execute(text("UPDATE sessions SET title = 'busy'"))
        with pytest.raises((TimeoutError, DatabaseAway)):
            await impatient.once(NOW)

    assert await scene.count("turns") == 2
