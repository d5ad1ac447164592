"""Buttons and modals on the local Discord."""

import asyncio

import pytest

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from bots.sandbox.orders import OrderRefused
from tests.integration.discord.interacting import FORM, ROW, Interacting
from tests.integration.discord.plain_clients import Rest

_SAY, _DEFER_UPDATE, _UPDATE, _MODAL = 4, 6, 7, 9
_EPHEMERAL = 1 << 6


async def pressed_message(rest: Rest, place: Place) -> MessageSeen:
    await rest.says(place.id, "working", components=[ROW])
    return await place.shows("working")


async def press(
    app: Interacting, ann: Person, message: MessageSeen, kind: int, data: JsonObject | None = None
) -> tuple[JsonObject, AnswerSeen]:
    pressing = asyncio.create_task(ann.presses("👍", message))
    heard = await app.next()
    assert (await app.answers(kind, data)).status == 200
    return heard, await pressing


async def test_buttons_are_pressed_and_their_message_changed(
    local: LocalDiscord, rest: Rest, app: Interacting, ann: Person
) -> None:
    message = await pressed_message(rest, ann.dm)
    heard, silent = await press(app, ann, message, _DEFER_UPDATE)
    edited = await app.original("PATCH", {"content": "done", "components": []})
    shown = await ann.dm.shows("done")

    assert message.labels == ["Stop", "👍", "Off"]
    assert object_in(heard["data"])["custom_id"] == "good:1"
    assert object_in(heard["message"])["id"] == edited.body["id"] == message.id
    assert (heard["context"], object_in(heard["user"])["id"]) == (1, ann.id)
    assert (silent.type, shown.labels) == (_DEFER_UPDATE, [])
    with pytest.raises(OrderRefused, match="nothing there"):
        await ann.presses("👍", message)


async def test_a_button_updates_its_message_at_once(rest: Rest, app: Interacting, ann: Person) -> None:
    message = await pressed_message(rest, ann.dm)
    await press(app, ann, message, _UPDATE, {"content": "noted", "components": []})

    assert (await ann.dm.shows("noted")).id == message.id


async def test_forged_buttons_come_and_disabled_ones_do_not(rest: Rest, app: Interacting, ann: Person) -> None:
    message = await pressed_message(rest, ann.dm)
    pressing = asyncio.create_task(ann.presses("Stop", message, forged="stop:2"))
    heard = await app.next()
    await app.answers(_DEFER_UPDATE)
    await pressing

    assert object_in(heard["data"])["custom_id"] == "stop:2"
    with pytest.raises(OrderRefused, match="disabled"):
        await ann.presses("Off", message)


async def test_a_modal_is_opened_filled_in_and_sent(rest: Rest, app: Interacting, ann: Person) -> None:
    message = await pressed_message(rest, ann.dm)
    await press(app, ann, message, _MODAL, FORM)
    modal = await ann.modal()
    with pytest.raises(OrderRefused):
        await ann.submits(language="fr")
    sending = asyncio.create_task(ann.submits(name="Annie"))
    heard = await app.next()
    await app.answers(_SAY, {"content": "saved", "flags": _EPHEMERAL})
    await sending

    assert (modal.title, modal.labels, list(modal.fields)) == ("Settings", ["Language", "Name"], ["language", "name"])
    assert modal.options("language") == {"English": "en", "Español": "es"}
    assert (heard["type"], object_in(heard["message"])["id"]) == (5, message.id)
    assert object_in(heard["data"])["components"] == [
        {"type": 18, "id": 1, "component": {"type": 3, "id": 2, "custom_id": "language", "values": ["en"]}},
        {"type": 18, "id": 1, "component": {"type": 4, "id": 2, "custom_id": "name", "value": "Annie"}},
    ]
    with pytest.raises(OrderRefused, match="no modal"):
        await ann.submits()


@pytest.mark.parametrize(
    "wrong",
    [{"title": "x" * 46}, {"components": []}, {"custom_id": ""}, {"components": [{"type": 2, "custom_id": "a"}]}],
)
async def test_wrong_modals_are_refused(rest: Rest, app: Interacting, ann: Person, wrong: JsonObject) -> None:
    message = await pressed_message(rest, ann.dm)
    pressing = asyncio.create_task(ann.presses("Stop", message))
    await app.next()
    refused = await app.answers(_MODAL, FORM | wrong)
    await app.answers(_DEFER_UPDATE)

    assert (refused.status, refused.code) == (400, 50035)
    assert (await pressing).type == _DEFER_UPDATE
