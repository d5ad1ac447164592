"""Commands, buttons and modals on the local Discord, with discord.py's own tools and without them."""

import asyncio

import pytest

from bots.sandbox.json_values import object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from bots.sandbox.orders import OrderRefused
from tests.integration.discord.interacting import Interacting
from tests.integration.discord.plain_clients import Rest

_SAY, _DEFER, _CHOICES = 4, 5, 8
_EPHEMERAL = 1 << 6


async def test_a_command_is_deferred_and_its_answer_edited(
    local: LocalDiscord, app: Interacting, ann: Person, general: Place
) -> None:
    asking = asyncio.create_task(ann.commands("ask", general, question="why?"))
    heard = await app.next()
    back = await app.answers(_DEFER)
    answer = await asking
    (loading,) = (await general.look()).bots
    edited = await app.original("PATCH", {"content": "because"})
    got = await app.original("GET")
    shown = await general.shows("because")

    assert object_in(heard["data"])["options"] == [{"name": "question", "type": 3, "value": "why?"}]
    assert (heard["type"], heard["context"], heard["guild_id"]) == (2, 0, general.guild_id)
    assert heard["authorizing_integration_owners"] == {"0": general.guild_id}
    assert object_in(object_in(heard["member"])["user"])["id"] == ann.id
    assert (answer.type, answer.message_id, answer.is_ephemeral) == (_DEFER, loading.id, False)
    assert object_in(back.body["interaction"])["response_message_id"] == loading.id
    assert loading.is_loading
    assert (edited.body["id"], edited.body["flags"], got.body["content"]) == (loading.id, 0, "because")
    assert (shown.kind, object_in(shown.interaction)["id"]) == (20, heard["id"])


async def test_what_only_one_may_see_is_told_to_nobody_else(
    local: LocalDiscord, app: Interacting, ann: Person, general: Place, rest: Rest
) -> None:
    asking = asyncio.create_task(ann.commands("ask", general, question="why?"))
    await app.next()
    await app.answers(_SAY, {"content": "psst", "flags": _EPHEMERAL})
    answer = await asking
    more = await app.follows_up("and", _EPHEMERAL)
    listed = await rest.ask("GET", f"/channels/{general.id}/messages")
    replied = await rest.says(general.id, "no", message_reference={"message_id": answer.message_id})

    assert answer.is_ephemeral
    assert [(one.text, one.only_for) for one in (await general.look()).bots] == [("psst", ann.id), ("and", ann.id)]
    assert more.status == 200
    assert listed.items == []
    assert replied.code == 50035
    assert await local.told("MESSAGE_CREATE") == []


async def test_three_seconds_are_all_there_is(local: LocalDiscord, app: Interacting, ann: Person) -> None:
    asking = asyncio.create_task(ann.commands("ask", question="why?"))
    await app.next()
    await local.advance(3.1)
    late = await app.answers(_DEFER)
    never = await asking
    unknown = await app.original("PATCH", {"content": "x"})

    assert not never.is_answered
    assert [(one.status, one.code) for one in (late, unknown)] == [(404, 10062), (404, 10015)]


async def test_a_token_is_good_for_a_quarter_of_an_hour(local: LocalDiscord, app: Interacting, ann: Person) -> None:
    asking = asyncio.create_task(ann.commands("ask", question="why?"))
    await app.next()
    await app.answers(_DEFER)
    twice = await app.answers(_DEFER)
    answer = await asking
    await local.advance(899)
    in_time = await app.original("PATCH", {"content": "just"})
    await local.advance(2)
    late = [await app.original("PATCH", {"content": "late"}), await app.follows_up("late")]
    forged = await app.original("PATCH", {"content": "x"}, message="1")

    assert answer.token == app.token
    assert app.token not in repr(answer)
    assert (twice.status, twice.code, in_time.status) == (400, 40060, 200)
    assert [(one.status, one.code) for one in (*late, forged)] == 3 * [(401, 50027)]
    assert all(app.token not in str(call) for call in await local.calls())


async def test_what_follows_a_deferred_answer_is_the_answer(app: Interacting, ann: Person) -> None:
    asking = asyncio.create_task(ann.commands("ask", question="why?"))
    await app.next()
    await app.answers(_DEFER)
    answer = await asking
    first, second = await app.follows_up("first"), await app.follows_up("second")
    deleted = await app.original("DELETE")
    gone = await app.original("GET")

    assert first.body["id"] == answer.message_id != second.body["id"]
    assert (second.body["type"], deleted.status, gone.code) == (19, 204, 10008)


@pytest.mark.parametrize("place", ["group", "foreign server"])
async def test_who_has_the_app_uses_it_where_the_bot_is_not(
    local: LocalDiscord, app: Interacting, ann: Person, place: str
) -> None:
    ben = await local.person("Ben", has_app=True)
    if place == "group":
        where, context = await local.group_dm(ben, ann), 2
    else:
        where, context = await (await local.guild("Foreign", ben, ann, has_bot=False)).channel("general"), 0
    with pytest.raises(OrderRefused):
        await ann.commands("ask", where, question="why?")
    asking = asyncio.create_task(ben.commands("ask", where, question="why?"))
    heard = await app.next()
    await app.answers(_DEFER)
    await asking
    await app.original("PATCH", {"content": "because"})
    followed = [(await app.follows_up(f"{number}")).code for number in range(6)]

    assert (heard["context"], heard["authorizing_integration_owners"]) == (context, {"1": ben.id})
    assert [one.text for one in (await where.look()).bots] == ["because", "0", "1", "2", "3", "4"]
    assert followed == [None, None, None, None, None, 40094]
    assert await local.told("MESSAGE_CREATE") == []


async def test_options_are_completed(app: Interacting, ann: Person) -> None:
    typing = asyncio.create_task(ann.types_into("ask", "persona", "sa"))
    heard = await app.next()
    wrong = await app.answers(_DEFER)
    many = await app.answers(_CHOICES, {"choices": [{"name": f"{n}", "value": f"{n}"} for n in range(26)]})
    await app.answers(_CHOICES, {"choices": [{"name": "Sage", "value": "sage"}]})

    assert heard["type"] == 4
    assert object_in(heard["data"])["options"] == [{"name": "persona", "type": 3, "value": "sa", "focused": True}]
    assert [wrong.code, many.code] == [50035, 50035]
    assert (await typing).choices == {"Sage": "sage"}


async def test_a_messages_menu_shows_its_target_whatever_the_intent(
    local: LocalDiscord, app: Interacting, ann: Person, general: Place
) -> None:
    await local.set_message_content(is_on=False)
    asked = await ann.says("a riddle", general)
    using = asyncio.create_task(ann.uses_on("Ask about this", asked, general))
    heard = await app.next()
    await app.answers(_SAY, {"content": "an answer"})
    await using
    data = object_in(heard["data"])

    assert data["target_id"] == asked.id
    assert object_in(object_in(object_in(data["resolved"])["messages"])[asked.id])["content"] == "a riddle"
    assert (await general.shows("an answer")).kind == 23


async def test_a_role_comes_along_and_all_is_noted(
    local: LocalDiscord, app: Interacting, ann: Person, server: Server, general: Place
) -> None:
    role = await server.role("crew", ann.id)
    asking = asyncio.create_task(ann.commands("ask", general, question="why?"))
    heard = await app.next()
    await app.answers(_SAY, {"content": "because"})
    answer = await asking

    assert object_in(heard["member"])["roles"] == [role]
    assert [one.id for one in await local.interactions()] == [answer.id]
    assert 0 <= answer.took_s < 3
