"""A session is forgotten, or a person in the midst of a command; and the engine hears of it."""

import json
import logging
from collections.abc import Sequence
from dataclasses import replace

import pytest

from core.dialogue import Platform
from core.errors import EngineUnavailable, StorageError
from core.memory.database import Database
from core.memory.exporting import Consent
from core.memory.forgetting import Forgetting, forget_human, forget_session
from core.memory.identities import Identity, find_human
from core.memory.leases import Leases
from core.memory.places import place_of
from core.privacy import PrivacyByCommand
from core.responder import name_for_engine
from tests.contract.remembering import Scene
from tests.contract.speaking import ANNA, KEY, message, open_session, say

ANNAS = Identity(Platform.DISCORD, "17")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def forgetting(database: Database) -> Forgetting:
    return Forgetting(database)


class TestByCommand:
    async def test_what_is_owed_an_answer_where_it_was_asked_for_is_still_answered(self, scene: Scene) -> None:
        elsewhere = replace(KEY, thread="t")
        await scene.exchange(ANNA, "hello", "hi")
        await scene.accept(message("/forget me yes"))
        await scene.accept(message("elsewhere", elsewhere))
        leases = Leases(scene.database, scene.writes, "me", 60)
        held = [work.lease for work in await leases.take(2)]

        async with scene.database.writing() as connection:
            erased = await forget_human(connection, await find_human(connection, ANNAS), place_of(KEY))

        assert erased.turns == 2
        assert [lease.place for lease in await leases.renew(held)] == [place_of(KEY)]
        assert await scene.count("inbox", "state = 'waiting' AND inbound IS NOT NULL") == 1

    async def test_nothing_is_forgotten_when_the_transaction_is_taken_back(self, scene: Scene) -> None:
        await scene.exchange(ANNA, "hello", "hi")

        async def forget_and_fail() -> None:
            async with scene.database.writing() as connection:
                await forget_human(connection, await find_human(connection, ANNAS), place_of(KEY))
                raise KeyError

        with pytest.raises(KeyError):
            await forget_and_fail()

        assert await scene.texts() == ["hello", "hi"]

    async def test_a_session_goes_on_empty(self, scene: Scene) -> None:
        await scene.exchange(ANNA, "hello", "hi")
        await scene.accept(message("/forget session yes"))
        session = await open_session(scene.memory)

        async with scene.database.writing() as connection:
            await forget_session(connection, session)

        assert (await open_session(scene.memory)).id == session.id
        assert await scene.texts() == []
        assert await scene.count("inbox", "state = 'waiting' AND inbound IS NOT NULL") == 1


class TestASession:
    async def test_that_has_ended_is_gone_whole(self, scene: Scene, forgetting: Forgetting) -> None:
        await scene.exchange(ANNA, "old", "old reply")
        old = await open_session(scene.memory)
        await scene.memory.begin_session(KEY, "banter", "tiny")
        await scene.exchange(ANNA, "new", "new reply")

        await forgetting.session(await forgetting.find(old.id))

        assert await scene.memory.session(old.id) is None
        assert await scene.texts() == ["new", "new reply"]
        assert await scene.count("inbox", "inbound IS NOT NULL") == 1
        assert await scene.count("people") == 1

    async def test_that_there_is_not_is_said(self, forgetting: Forgetting) -> None:
        with pytest.raises(StorageError, match="there is no session 77; banter sessions list"):
            await forgetting.find(77)

    async def test_with_branches_that_were_taken_back(self, scene: Scene, forgetting: Forgetting) -> None:
        await scene.exchange(ANNA, "one", "1")
        session = await open_session(scene.memory)
        await say(scene.memory, session, "two")
        await scene.memory.undo(session.id)
        await say(scene.memory, session, "three")

        assert (await forgetting.session(session)).turns == 4
        assert await scene.count("turns") == 0


class Engine:
    """Hears what it shall forget."""

    def __init__(self, error: Exception | None = None) -> None:
        self.told: list[tuple[str, ...]] = []
        self._error = error

    async def __call__(self, sessions: Sequence[str]) -> int:
        self.told.append(tuple(sessions))
        if self._error is not None:
            raise self._error
        return 1


class TestTheEngine:
    async def test_keeps_nothing_of_anybody_when_a_person_is_forgotten(self, scene: Scene) -> None:
        engine = Engine()
        privacy = PrivacyByCommand(Consent(), engine)
        await scene.exchange(ANNA, "hello", "hi")

        async with scene.memory.transaction() as steps:
            assert await privacy.forget_person(steps, ANNA, KEY) == 2
        await privacy.aclose()

        assert engine.told == [()]
        assert await scene.texts() == []

    async def test_keeps_nothing_of_a_session_that_is_forgotten(self, scene: Scene) -> None:
        engine = Engine()
        privacy = PrivacyByCommand(Consent(), engine)
        await scene.exchange(ANNA, "hello", "hi")
        session = await open_session(scene.memory)

        async with scene.memory.transaction() as steps:
            assert await privacy.forget_session(steps, session) == 2
        await privacy.aclose()

        assert engine.told == [(name_for_engine(session),)]

    async def test_that_can_not_be_told_is_in_the_log_and_stops_nothing(
        self, scene: Scene, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, logger="core")
        privacy = PrivacyByCommand(Consent(), Engine(EngineUnavailable("it hangs")))
        await scene.exchange(ANNA, "hello", "hi")

        async with scene.memory.transaction() as steps:
            await privacy.forget_person(steps, ANNA, KEY)
        await privacy.aclose()

        assert [record.levelname for record in caplog.records] == ["INFO", "WARNING"]
        assert await scene.texts() == []


async def test_what_is_handed_out_by_command_is_what_the_operator_hands_out(scene: Scene) -> None:
    privacy = PrivacyByCommand(Consent(frozenset({Platform.DISCORD})), Engine())
    await scene.exchange(ANNA, "hello", "hi")
    session = await open_session(scene.memory)

    async with scene.memory.transaction() as steps:
        mine = [json.loads(line) async for line in privacy.export_person(steps, ANNA)]
        ours = [json.loads(line) async for line in privacy.export_session(steps, session)]

    for lines in (mine, ours):
        assert [line["text"] for line in lines if line["type"] == "turn"] == ["hello", "hi"]
        assert lines[0]["may_train"]["discord"] is True
