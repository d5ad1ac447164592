"""Where an interaction happened, and who it was."""

import pytest

from adapters.discord.interaction import Context
from adapters.payloads import NotUnderstood
from core.dialogue import Person, Platform, SessionKey
from tests.unit.discord.interacted import (
    ANNA,
    DIRECT,
    SERVER,
    THREAD,
    Body,
    command,
    in_direct_messages,
    in_foreign_server,
    in_group,
    in_thread,
    key,
    read,
    user,
)

ASKED = command("ask", question="hello")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (ASKED, key()),
        (in_thread(ASKED), key(thread=THREAD)),
        (in_direct_messages(ASKED), key(channel=DIRECT, server="")),
        (in_group(ASKED), key(channel=DIRECT, server="", person=ANNA)),
        (in_foreign_server(ASKED), key(server="", person=ANNA)),
        (in_foreign_server(in_thread(ASKED)), key(server="", thread=THREAD, person=ANNA)),
    ],
)
def test_a_dialogue_is_where_it_was_spoken(body: Body, place: SessionKey) -> None:
    assert read(body).key == place


def test_a_command_alone_may_be_installed_and_then_the_bot_is_not_there() -> None:
    assert read(ASKED, is_member=False).key == key(server="", person=ANNA)


def test_a_server_that_installed_the_app_is_one_even_where_the_person_did_too() -> None:
    assert read(ASKED | {"authorizing_integration_owners": {"0": SERVER, "1": ANNA}}).key == key()


@pytest.mark.parametrize("owners", [None, {}, []])
def test_where_nobody_tells_who_installed_it_membership_decides(owners: object) -> None:
    body = ASKED | {"authorizing_integration_owners": owners}

    assert (read(body).key, read(body, is_member=False).key) == (key(), key(server="", person=ANNA))


def test_an_older_interaction_without_a_context_is_placed_by_its_server() -> None:
    there = {name: value for name, value in ASKED.items() if name != "context"}
    alone = {name: value for name, value in in_direct_messages(ASKED).items() if name != "context"}

    assert (read(there).context, read(alone).context) == (Context.SERVER, Context.DIRECT)


def test_direct_messages_with_the_bot_are_read_by_nobody_else() -> None:
    assert not read(in_direct_messages(ASKED)).is_read_by_others
    assert read(in_group(ASKED)).is_read_by_others
    assert read(ASKED).is_read_by_others


def test_people_are_called_as_others_there_see_them() -> None:
    named = user(ANNA, "anna.berg") | {"global_name": "Anna Berg"}
    bodies = [
        ASKED,
        ASKED | {"member": {"user": named, "nick": None, "roles": []}},
        in_direct_messages(ASKED) | {"user": named},
        in_direct_messages(ASKED),
    ]

    assert [read(body).person.name for body in bodies] == ["Anna", "Anna Berg", "Anna Berg", "anna.berg"]
    assert read(ASKED).person == Person(Platform.DISCORD, "", ANNA, "Anna")


def test_the_servers_own_role_is_everybodys_and_says_nothing() -> None:
    member = ASKED["member"] | {"roles": [SERVER, "6001"]}

    assert read(ASKED | {"member": member}).roles == {"6001"}


@pytest.mark.parametrize(
    "spoilt",
    [
        {"id": "x"},
        {"id": 5},
        {"type": 1},
        {"type": 99},
        {"type": True},
        {"type": 2.5},
        {"type": "2"},
        {"channel": None},
        {"channel": {"type": 0}},
        {"guild_id": "0"},
        {"member": {"nick": "Anna"}},
        {"member": {"user": {"id": None}}},
        {"member": {"user": user(ANNA, "anna"), "roles": [7]}},
        {"message": {"id": "no number"}},
    ],
)
def test_what_can_not_be_read_is_not_understood(spoilt: Body) -> None:
    with pytest.raises(NotUnderstood):
        read(ASKED | spoilt)


def test_data_that_is_none_says_nothing() -> None:
    assert read(ASKED | {"data": [1]}).data == {}
