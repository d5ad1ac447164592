"""What one person said is gone, from the tables and from the disk; what others said is as it was."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from core.dialogue import Platform
from core.errors import SettingsError
from core.memory.compaction import compact
from core.memory.database import Database
from core.memory.forgetting import Forgetting
from core.memory.identities import Identity, parse_identity
from core.memory.leases import Leases
from core.memory.places import place_of
from core.memory.tables import PairingRow, UsageRow
from core.memory.turns import pack_ids
from tests.contract.local_postgres import LocalPostgres
from tests.contract.remembering import Scene, at, needles, on_disk, somebody, unique
from tests.contract.speaking import ANNA, KEY, message, open_session

BORIS = replace(ANNA, platform_id="18", name="Boris")
ANNAS = Identity(Platform.DISCORD, "17")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def forgetting(database: Database) -> Forgetting:
    return Forgetting(database)


@pytest.fixture
def data(kind: str, request: pytest.FixtureRequest) -> Path | None:
    """PostgreSQL's data folder."""
    if kind == "sqlite":
        return None
    server: LocalPostgres = request.getfixturevalue("postgres")
    return server.folder / "data"


async def to_disk(database: Database) -> None:
    """All of it, now."""
    if database.address.file is None:
        async with database.compacting() as connection:
            await connection.execute(text("CHECKPOINT"))


class TestTheDisk:
    async def test_holds_nothing_of_a_person_any_more(
        self, scene: Scene, forgetting: Forgetting, database: Database, data: Path | None
    ) -> None:
        gone, stays = unique(), unique()
        person = somebody(gone)
        first = await scene.exchange(person, f"I am {gone}", f"Hello {gone}")
        await scene.exchange(BORIS, f"I am {stays}", f"Hello {stays}")
        await scene.exchange(person, f"still {gone}", "Yes.", replace(KEY, thread="t", person=person.platform_id))
        await scene.letter(f'{{"user": "{person.platform_id}", "text": "{gone}"}}')
        await scene.accept(message(f"waiting {gone}", person=person))
        await scene.accept(message("about somebody", person=BORIS), quoting=person.name)
        await scene.summarise(await open_session(scene.memory), f"They spoke of {gone}")
        tokens = pack_ids(first.token_ids)
        await to_disk(database)
        assert await on_disk(database, [*needles(gone), tokens], data) == {*needles(gone), tokens}

        await forgetting.person(Identity(person.platform, person.platform_id))
        await compact(database)

        assert await on_disk(database, [*needles(gone), tokens], data) == set()
        assert await on_disk(database, [stays.encode()], data) == {stays.encode()}
        assert await scene.texts() == [f"I am {stays}", f"Hello {stays}"]

    async def test_holds_nothing_of_a_session_any_more(
        self, scene: Scene, forgetting: Forgetting, database: Database, data: Path | None
    ) -> None:
        gone, stays = unique(), unique()
        elsewhere = replace(KEY, thread="t")
        first = await scene.exchange(BORIS, f"I say {gone}", f"You said {gone}")
        await scene.accept(message(f"/persona {gone}", person=BORIS))
        await scene.exchange(BORIS, f"I say {stays}", f"You said {stays}", elsewhere)
        session = await open_session(scene.memory)
        await scene.summarise(session, gone)
        tokens = pack_ids(first.token_ids)
        await to_disk(database)
        assert await on_disk(database, [*needles(gone), tokens], data) == {*needles(gone), tokens}

        await forgetting.session(session)
        await compact(database)

        assert await on_disk(database, [*needles(gone), tokens], data) == set()
        assert await scene.texts() == []
        assert await scene.texts(elsewhere) == [f"I say {stays}", f"You said {stays}"]

    async def test_of_a_search_nothing_is_found(self, scene: Scene, forgetting: Forgetting, kind: str) -> None:
        gone = unique()
        await scene.exchange(somebody(gone), f"I am {gone}", f"Hello {gone}")
        found = (
            f"turns_search MATCH '{gone}'" if kind == "sqlite" else f"turns_search @@ to_tsquery('simple', '{gone}')"
        )
        table = "turns_search" if kind == "sqlite" else "turns"
        assert await scene.count(table, found) == 2

        await forgetting.person(Identity(Platform.DISCORD, f"id{gone}"))

        assert await scene.count(table, found) == 0


class TestAPerson:
    async def test_leaves_a_dialogue_without_a_gap(self, scene: Scene, forgetting: Forgetting) -> None:
        for person, said in ((ANNA, "a1"), (BORIS, "b1"), (ANNA, "a2"), (ANNA, "a3"), (BORIS, "b2")):
            await scene.exchange(person, said, f"re {said}")

        erased = await forgetting.person(ANNAS)

        assert (erased.turns, erased.people) == (6, 1)
        assert await scene.texts() == ["b1", "re b1", "b2", "re b2"]
        await scene.exchange(BORIS, "b3", "re b3")
        assert await scene.texts() == ["b1", "re b1", "b2", "re b2", "b3", "re b3"]

    async def test_who_spoke_last_leaves_what_others_said_before(self, scene: Scene, forgetting: Forgetting) -> None:
        await scene.exchange(BORIS, "b1", "re b1")
        await scene.exchange(ANNA, "a1", "re a1")
        await scene.memory.record_message((await open_session(scene.memory)).id, message("a2", person=ANNA))

        await forgetting.person(ANNAS)

        assert await scene.texts() == ["b1", "re b1"]

    async def test_more_turns_than_one_transaction_takes(
        self, scene: Scene, forgetting: Forgetting, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("core.memory.forgetting._TURNS_AT_ONCE", 2)
        monkeypatch.setattr("core.memory.forgetting._EVENTS_AT_ONCE", 2)
        for number in range(5):
            await scene.exchange(ANNA, f"a{number}", "yes")
            await scene.exchange(BORIS, f"b{number}", "no")

        assert (await forgetting.person(ANNAS)).turns == 10
        assert await scene.texts() == [said for number in range(5) for said in (f"b{number}", "no")]

    async def test_goes_with_candidates_feedback_and_deliveries(self, scene: Scene, forgetting: Forgetting) -> None:
        await scene.exchange(ANNA, "a1", "re a1")
        others = await scene.exchange(BORIS, "b1", "re b1")
        await scene.rate(others.reply, ANNA)

        await forgetting.person(ANNAS)

        for table in ("candidates", "feedback", "deliveries", "parts", "people"):
            assert (table, await scene.count(table)) == (table, 1)
        assert await scene.count("platform_messages") == 1

    async def test_goes_on_all_platforms_that_they_linked(self, scene: Scene, forgetting: Forgetting) -> None:
        on_slack = replace(ANNA, platform=Platform.SLACK, workspace="T1", platform_id="U7")
        somebody_else = replace(ANNA, platform=Platform.TELEGRAM, workspace="")
        for person in (ANNA, on_slack, somebody_else):
            await scene.exchange(person, "hello", "hi", at(KEY, person))
        await scene.link(ANNA, on_slack)

        assert (await forgetting.person(Identity(Platform.SLACK, "U7"))).people == 2

        assert await scene.texts() == await scene.texts(at(KEY, on_slack)) == []
        assert await scene.texts(at(KEY, somebody_else)) == ["hello", "hi"]

    @pytest.mark.parametrize(("named", "left"), [("discord/17", []), ("discord/guild/17", ["hello", "hi"])])
    async def test_goes_in_every_workspace_or_in_the_one_that_is_named(
        self, scene: Scene, forgetting: Forgetting, named: str, left: list[str]
    ) -> None:
        elsewhere = replace(ANNA, workspace="other")
        await scene.exchange(ANNA, "hello", "hi")
        await scene.exchange(elsewhere, "hello", "hi", at(KEY, elsewhere))

        await forgetting.person(parse_identity(named))

        assert await scene.texts() == []
        assert await scene.texts(at(KEY, elsewhere)) == left
        assert await scene.count("inbox", "inbound IS NOT NULL") == (1 if left else 0)

    async def test_does_not_come_back_when_a_platform_delivers_again(
        self, scene: Scene, forgetting: Forgetting
    ) -> None:
        said = message("hello", message_id="same")
        assert await scene.accept(said) == 1

        await forgetting.person(ANNAS)

        assert await scene.accept(said) == 0
        assert await scene.count("inbox", "inbound IS NOT NULL OR raw IS NOT NULL OR person <> ''") == 0
        assert await scene.count("inbox", "state = 'cancelled'") == 1

    async def test_is_answered_no_more_by_whoever_had_begun(self, scene: Scene, forgetting: Forgetting) -> None:
        leases = Leases(scene.database, scene.writes, "me", 60)
        elsewhere = replace(KEY, thread="t")
        await scene.accept(message("hello"))
        await scene.accept(message("hello", elsewhere, BORIS))
        held = {work.lease.place: work.lease for work in await leases.take(2)}

        await forgetting.person(ANNAS)

        assert [lease.place for lease in await leases.renew([*held.values()])] == [place_of(elsewhere)]
        assert await leases.take(2) == ()

    async def test_is_cut_from_what_nobody_understood_and_from_what_others_quoted(
        self, scene: Scene, forgetting: Forgetting
    ) -> None:
        await scene.exchange(ANNA, "hello", "hi")
        await scene.letter('{"user": 17, "oops"')
        await scene.letter('{"user": 170, "oops"')
        await scene.letter('{"user": 17, "ouch"', Platform.SLACK)
        await scene.accept(message("I agree with her", person=BORIS), quoting="Anna: hello")

        await forgetting.person(ANNAS)

        assert await scene.count("inbox", "state = 'dead' AND raw IS NOT NULL AND reason <> ''") == 2
        assert await scene.count("inbox", "state = 'dead' AND raw IS NULL AND reason = ''") == 1
        assert await scene.count("inbox", "state = 'waiting' AND raw IS NULL AND inbound IS NOT NULL") == 1

    async def test_takes_the_sessions_of_their_own_along(self, scene: Scene, forgetting: Forgetting) -> None:
        for person in (ANNA, BORIS):
            await scene.exchange(person, "hello", "hi", replace(KEY, person=person.platform_id))

        await forgetting.person(ANNAS)

        assert await scene.count("sessions", "person = '17'") == 0
        assert await scene.count("leases") == 1
        assert await scene.texts(replace(KEY, person="18")) == ["hello", "hi"]

    async def test_takes_the_summaries_along_that_tell_of_them(self, scene: Scene, forgetting: Forgetting) -> None:
        others = replace(KEY, thread="t")
        await scene.exchange(ANNA, "hello", "hi")
        await scene.exchange(BORIS, "hello", "hi", others)
        for key in (KEY, others):
            await scene.summarise(await open_session(scene.memory, key), "They greeted.")

        await forgetting.person(ANNAS)

        assert await scene.count("sessions", "thread = '' AND summary = '' AND title = ''") == 1
        assert await scene.count("sessions", "thread = 't' AND summary = 'They greeted.'") == 1

    async def test_is_paired_no_more_and_gets_around_no_quota(self, scene: Scene, forgetting: Forgetting) -> None:
        now = datetime.now(UTC)
        async with scene.database.writing() as connection:
            for number, at_ in enumerate((now, now - timedelta(days=2))):
                whose = {"platform": "discord", "workspace": "guild", "person": "17", "channel": "general"}
                used = {"inbox_id": number, "at": at_, "tokens": 1, "gpu_s": 0.1}
                await connection.execute(insert(UsageRow).values(whose | used))
            pairing = {"platform": "discord", "workspace": "", "person": "17", "code_hash": "x", "paired_at": now}
            await connection.execute(insert(PairingRow).values(pairing))

        await forgetting.person(ANNAS)

        assert (await scene.count("usage"), await scene.count("pairings")) == (1, 0)

    async def test_whom_nobody_knows_has_nothing_to_forget(self, scene: Scene, forgetting: Forgetting) -> None:
        await scene.exchange(ANNA, "hello", "hi")

        erased = await forgetting.person(Identity(Platform.DISCORD, "nobody"))

        assert (erased.turns, erased.events, erased.people) == (0, 0, 0)
        assert await scene.texts() == ["hello", "hi"]

    async def test_is_in_no_line_of_the_log(
        self, scene: Scene, forgetting: Forgetting, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG, logger="core")
        await scene.exchange(somebody("Quetzal"), "I am Quetzal", "Hello Quetzal")

        await forgetting.person(Identity(Platform.DISCORD, "idQuetzal"))

        assert [record.message for record in caplog.records if record.name.startswith("core")] == ["forgotten"]
        assert "Quetzal" not in repr([vars(record) for record in caplog.records])


@pytest.mark.parametrize("text", ["", "17", "irc/17", "discord/", "discord/a/b/c"])
def test_a_name_for_nobody_is_refused(text: str) -> None:
    with pytest.raises(SettingsError, match="names nobody; write PLATFORM/ID"):
        parse_identity(text)
