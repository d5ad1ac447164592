"""What is handed out: all of one person's, on all their platforms, and nothing of anybody else's."""

import json
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import insert

from core.dialogue import Platform
from core.errors import StorageError
from core.memory.database import Database
from core.memory.exporting import Consent, Exporting
from core.memory.identities import Identity
from core.memory.tables import UsageRow
from tests.contract.remembering import Scene, at
from tests.contract.speaking import ANNA, KEY, message, open_session

BORIS = replace(ANNA, platform_id="18", name="Boris")
ANNAS = Identity(Platform.DISCORD, "17")


@pytest.fixture
def scene(database: Database) -> Scene:
    return Scene(database)


@pytest.fixture
def exporting(database: Database) -> Exporting:
    return Exporting(database, Consent())


async def read(lines: AsyncIterator[str]) -> list[dict[str, object]]:
    """Each line is an object of its own."""
    told = [line async for line in lines]
    assert not [line for line in told if "\n" in line]
    return [json.loads(line) for line in told]


def of_type(lines: list[dict[str, object]], kind: str) -> list[dict[str, object]]:
    return [line for line in lines if line["type"] == kind]


async def test_a_person_gets_what_they_said_and_what_they_were_told(scene: Scene, exporting: Exporting) -> None:
    await scene.exchange(ANNA, "hello 🌍\nworld", "hi")
    await scene.exchange(BORIS, "from Boris", "to Boris")
    await scene.exchange(ANNA, "bye", "see you")

    lines = await read(exporting.person(ANNAS))

    assert (lines[0]["type"], lines[0]["of"], lines[0]["version"]) == ("export", {"person": "discord/17"}, 1)
    assert [line["text"] for line in of_type(lines, "turn")] == ["hello 🌍\nworld", "hi", "bye", "see you"]
    assert [line["speaker"] for line in of_type(lines, "turn")] == ["Anna", None, "Anna", None]
    assert [line["text"] for line in of_type(lines, "candidate")] == ["hi", "see you"]
    assert [line["opinion"] for line in of_type(lines, "feedback")] == ["good", "good"]
    assert [line["name"] for line in of_type(lines, "person")] == ["Anna"]
    assert len(of_type(lines, "event")) == 2
    assert "Boris" not in json.dumps(lines)


async def test_each_turn_says_where_it_was_said(scene: Scene, exporting: Exporting) -> None:
    await scene.exchange(ANNA, "hello", "hi", replace(KEY, thread="t"))

    [asked, _] = of_type(await read(exporting.person(ANNAS)), "turn")

    assert (asked["platform"], asked["workspace"], asked["channel"], asked["thread"]) == (
        "discord",
        "guild",
        "general",
        "t",
    )
    assert datetime.fromisoformat(str(asked["created_at"])).tzinfo is not None


async def test_all_platforms_of_a_linked_person_are_in_it(scene: Scene, exporting: Exporting) -> None:
    on_slack = replace(ANNA, platform=Platform.SLACK, workspace="T1", platform_id="U7", name="anna.b")
    for person in (ANNA, on_slack):
        await scene.exchange(person, f"on {person.platform.value}", "hi", at(KEY, person))
    await scene.link(ANNA, on_slack)

    lines = await read(exporting.person(ANNAS))

    assert [line["name"] for line in of_type(lines, "person")] == ["Anna", "anna.b"]
    assert [line["text"] for line in of_type(lines, "turn")] == ["on discord", "hi", "on slack", "hi"]
    assert len(of_type(lines, "event")) == 2


async def test_it_says_where_a_model_may_be_trained_on_it(scene: Scene, database: Database) -> None:
    on_slack = replace(ANNA, platform=Platform.SLACK, workspace="T1", platform_id="U7")
    for person in (ANNA, on_slack):
        await scene.exchange(person, "hello", "hi", at(KEY, person))
    await scene.link(ANNA, on_slack)

    nowhere = await read(Exporting(database, Consent()).person(ANNAS))
    somewhere = await read(Exporting(database, Consent(frozenset({Platform.SLACK}))).person(ANNAS))

    assert nowhere[0]["may_train"] == {"discord": False, "slack": False, "telegram": False, "terminal": False}
    assert not any(line["may_train"] for line in of_type(nowhere, "turn"))
    assert somewhere[0]["may_train"] == {"discord": False, "slack": True, "telegram": False, "terminal": False}
    assert [line["may_train"] for line in of_type(somewhere, "turn")] == [False, False, True, True]


async def test_what_still_waits_and_what_it_took_is_in_it(scene: Scene, exporting: Exporting) -> None:
    await scene.accept(message("not answered yet"))
    async with scene.database.writing() as connection:
        whose = {"platform": "discord", "workspace": "guild", "person": "17", "channel": "general"}
        used = {"inbox_id": 1, "at": datetime.now(UTC), "tokens": 12, "gpu_s": 0.5}
        await connection.execute(insert(UsageRow).values(whose | used))

    lines = await read(exporting.person(ANNAS))

    [event], [usage] = of_type(lines, "event"), of_type(lines, "usage")
    assert isinstance(event["inbound"], dict)
    assert (event["state"], event["inbound"]["text"]) == ("waiting", "not answered yet")
    assert usage["tokens"] == 12


async def test_whom_nobody_knows_gets_a_header_alone(exporting: Exporting) -> None:
    lines = await read(exporting.person(Identity(Platform.SLACK, "U0", "T0")))

    assert [line["of"] for line in lines] == [{"person": "slack/T0/U0"}]


async def test_a_session_has_all_who_spoke_in_it(scene: Scene, exporting: Exporting) -> None:
    await scene.exchange(ANNA, "a", "1")
    await scene.exchange(BORIS, "b", "2")
    await scene.exchange(ANNA, "elsewhere", "3", replace(KEY, thread="t"))
    session = await open_session(scene.memory)

    lines = await read(exporting.session(session.id))

    assert lines[0]["of"] == {"session": session.id}
    assert [line["text"] for line in of_type(lines, "turn")] == ["a", "1", "b", "2"]
    assert [line["persona"] for line in of_type(lines, "session")] == ["banter"]
    assert len(of_type(lines, "feedback")) == 2
    assert "elsewhere" not in json.dumps(lines)


async def test_a_session_that_there_is_not_is_said(exporting: Exporting) -> None:
    with pytest.raises(StorageError, match="there is no session 77"):
        await read(exporting.session(77))


async def test_a_long_dialogue_is_handed_out_whole_and_in_order(
    scene: Scene, exporting: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.memory.exporting._TURNS_AT_ONCE", 3)
    for number in range(4):
        await scene.exchange(ANNA, f"q{number}", f"a{number}")

    lines = await read(exporting.person(ANNAS))

    assert [line["text"] for line in of_type(lines, "turn")] == [f"{kind}{n}" for n in range(4) for kind in "qa"]


async def test_nothing_of_it_is_in_the_log(
    scene: Scene, exporting: Exporting, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, logger="core")
    await scene.exchange(ANNA, "Quetzal", "Quetzal!")

    await read(exporting.person(ANNAS))

    assert "Quetzal" not in repr([vars(record) for record in caplog.records])
