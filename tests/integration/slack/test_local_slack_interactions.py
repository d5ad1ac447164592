"""Buttons, commands, shortcuts, modals and App Home, as plain apps of slack-bolt's handle them on the local Slack."""

from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import bolt_app, client_of, error_of, over_http, over_sockets

STOP = {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "s1"}
OPINION = {
    "type": "feedback_buttons",
    "action_id": "opinion",
    "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
    "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
}
BLOCKS = [
    {"type": "actions", "elements": [STOP]},
    {"type": "context_actions", "elements": [OPINION]},
]
INPUT = {
    "type": "input",
    "block_id": "question",
    "label": {"type": "plain_text", "text": "Question"},
    "element": {"type": "plain_text_input", "action_id": "text"},
}
CHOICE = {
    "type": "input",
    "block_id": "language",
    "label": {"type": "plain_text", "text": "Language"},
    "element": {
        "type": "static_select",
        "action_id": "language",
        "options": [{"text": {"type": "plain_text", "text": name}, "value": name[:2]} for name in ("English", "Dutch")],
        "initial_option": {"text": {"type": "plain_text", "text": "English"}, "value": "En"},
    },
}
MODAL = {
    "type": "modal",
    "callback_id": "ask",
    "title": {"type": "plain_text", "text": "Ask"},
    "submit": {"type": "plain_text", "text": "Send"},
    "private_metadata": "p",
    "blocks": [INPUT, CHOICE],
}
HOME = {"type": "home", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "Hello"}, "accessory": STOP}]}


@pytest.fixture
def heard() -> list[JsonObject]:
    return []


@pytest.fixture
def app(slack: LocalSlack, heard: list[JsonObject]) -> AsyncApp:
    """It acknowledges buttons, opens a modal on a command or a shortcut, and shows a home."""
    app = bolt_app(slack, heard)

    async def take(ack: Any) -> None:
        await ack()

    async def open_modal(ack: Any, body: dict[str, str], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    async def submit(ack: Any, view: dict[str, Any]) -> None:
        if view["state"]["values"]["question"]["text"]["value"]:
            await ack()
        else:
            await ack(response_action="errors", errors={"question": "Ask something"})

    async def greet(event: dict[str, str], client: AsyncWebClient) -> None:
        await client.views_publish(user_id=event["user"], view=HOME)

    app.action("stop")(take)
    app.action("opinion")(take)
    app.command("/banter")(open_modal)
    app.shortcut("ask_about")(open_modal)
    app.view("ask")(submit)
    app.event("app_home_opened")(greet)
    return app


async def test_a_pressed_button_is_told_with_its_message(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, app: AsyncApp, heard: list[JsonObject]
) -> None:
    asked = await ann.says("hello")
    await client.chat_postMessage(channel=ann.dm.id, text="x", blocks=BLOCKS, thread_ts=asked.ts)
    (message,) = (await ann.dm.look()).bots
    async with over_sockets(slack, app):
        answers = [await ann.presses(button, message) for button in ("Stop", "Bad")]
    stop, bad = [body for body in heard if body["type"] == "block_actions"]

    assert [answer.is_ack for answer in answers] == [True, True]
    assert (stop["actions"][0]["action_id"], stop["actions"][0]["value"]) == ("stop", "s1")  # type: ignore[index] # JSON
    assert (bad["actions"][0]["type"], bad["actions"][0]["value"]) == ("feedback_buttons", "down")  # type: ignore[index]
    assert object_in(stop["container"])["message_ts"] == message.ts
    assert object_in(stop["container"])["thread_ts"] == asked.ts
    assert (object_in(stop["channel"])["id"], object_in(stop["user"])["id"]) == (ann.dm.id, ann.id)
    assert object_in(stop["message"])["text"] == "x"


async def test_a_forged_value_reaches_the_app_and_a_missing_button_does_not(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, app: AsyncApp, heard: list[JsonObject]
) -> None:
    await client.chat_postMessage(channel=ann.dm.id, text="x", blocks=BLOCKS)
    (message,) = (await ann.dm.look()).bots
    async with over_sockets(slack, app):
        await ann.presses("stop", message, forged="forged")
        with pytest.raises(OrderRefused, match="nothing there is called Go"):
            await ann.presses("Go", message)

    assert [body["actions"][0]["value"] for body in heard if "actions" in body] == ["forged"]  # type: ignore[index] # JSON


async def test_what_the_app_does_not_take_is_an_error_for_the_person_and_comes_once(
    slack: LocalSlack, client: AsyncWebClient, ann: Person
) -> None:
    await client.chat_postMessage(channel=ann.dm.id, text="x", blocks=BLOCKS)
    (message,) = (await ann.dm.look()).bots
    nobody = await ann.presses("Stop", message)
    async with over_http(slack, bolt_app(slack)):
        unhandled = await ann.presses("Stop", message)

    assert (nobody.is_ack, nobody.reason) == (False, "connection_failed")
    assert (unhandled.is_ack, unhandled.status) == (False, 404)
    assert [delivery.what for delivery in await slack.deliveries()] == ["message"]


@pytest.mark.parametrize("way", [over_sockets, over_http])
async def test_a_modal_is_opened_filled_in_refused_and_sent(
    slack: LocalSlack, ann: Person, app: AsyncApp, heard: list[JsonObject], way: Any
) -> None:
    async with way(slack, app):
        assert (await ann.commands("/banter ask")).is_ack
        modal = await ann.modal()
        refused = await ann.submits(text="")
        still = await ann.has_modal()
        sent = await ann.submits(text="What is tea?", language="Du")
    command = next(body for body in heard if "command" in body)
    view = object_in([body for body in heard if body.get("type") == "view_submission"][-1]["view"])
    values = object_in(object_in(view["state"])["values"])

    assert (modal.title, modal.actions) == ("Ask", ["text", "language"])
    assert object_in(refused.response)["response_action"] == "errors"
    assert (still, sent.is_ack, await ann.has_modal()) == (True, True, False)
    assert (command["command"], command["text"], command["channel_id"]) == ("/banter", "ask", ann.dm.id)
    assert (view["callback_id"], view["private_metadata"]) == ("ask", "p")
    assert object_in(object_in(values["question"])["text"])["value"] == "What is tea?"
    chosen = object_in(object_in(object_in(values["language"])["language"])["selected_option"])
    assert chosen["value"] == "Du"


async def test_what_was_chosen_already_is_told_too(
    slack: LocalSlack, ann: Person, app: AsyncApp, heard: list[JsonObject]
) -> None:
    async with over_sockets(slack, app):
        await ann.commands("/banter")
        await ann.modal()
        with pytest.raises(OrderRefused, match="nothing like Fr to choose"):
            await ann.submits(text="x", language="Fr")
        with pytest.raises(OrderRefused, match="has no colour"):
            await ann.submits(text="x", colour="red")
        await ann.submits(text="x")
    values = object_in(object_in(object_in(heard[-1]["view"])["state"])["values"])

    chosen = object_in(object_in(object_in(values["language"])["language"])["selected_option"])
    assert chosen["value"] == "En"


async def test_a_shortcut_tells_of_its_message(
    slack: LocalSlack, ann: Person, general: Place, app: AsyncApp, heard: list[JsonObject]
) -> None:
    asked = await ann.says("what is tea?", general)
    async with over_sockets(slack, app):
        await ann.uses_shortcut("ask_about", asked, general)
        await ann.modal()
        await ann.closes_modal()

    body = next(body for body in heard if body["type"] == "message_action")
    assert (body["callback_id"], body["message_ts"]) == ("ask_about", asked.ts)
    assert object_in(body["message"])["text"] == "what is tea?"
    assert not await ann.has_modal()


async def test_a_trigger_opens_one_modal_within_three_seconds(slack: LocalSlack, ann: Person) -> None:
    app, triggers, client = bolt_app(slack), list[str](), client_of(slack)

    async def note(ack: Any, body: dict[str, str]) -> None:
        await ack()
        triggers.append(body["trigger_id"])

    app.command("/banter")(note)
    async with over_sockets(slack, app):
        await ann.commands("/banter one")
        await ann.commands("/banter two")
    await client.views_open(trigger_id=triggers[0], view=MODAL)
    again = client.views_open(trigger_id=triggers[0], view=MODAL)
    assert await error_of(again) == "exchanged_trigger_id"
    assert await error_of(client.views_open(trigger_id="1.2.x", view=MODAL)) == "invalid_trigger_id"
    await slack.advance(4)
    assert await error_of(client.views_open(trigger_id=triggers[1], view=MODAL)) == "expired_trigger_id"


async def test_views_are_looked_at(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    for wrong, error in (
        (HOME | {"blocks": [{"type": "divider"}] * 101}, "invalid_arguments"),
        (HOME | {"private_metadata": "x" * 3001}, "invalid_arguments"),
        (HOME | {"blocks": [{"type": "context_actions", "elements": [OPINION]}]}, "invalid_arguments"),
        (HOME | {"external_id": "x" * 250_000}, "view_too_large"),
        (MODAL, "invalid_arguments"),
    ):
        assert await error_of(client.views_publish(user_id=ann.id, view=wrong)) == error
    assert await error_of(client.views_publish(user_id="U1", view=HOME)) == "user_not_found"


async def test_the_home_is_shown_changed_and_pressed(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, app: AsyncApp, heard: list[JsonObject]
) -> None:
    async with over_sockets(slack, app):
        await ann.opens_app()
        home = await ann.home()
        pressed = await ann.presses_in_home("Stop")
    stale = home.hash
    await client.views_publish(user_id=ann.id, view=HOME | {"blocks": [{"type": "divider"}]}, hash=stale)
    outdated = client.views_publish(user_id=ann.id, view=HOME, hash=stale)

    assert (home.texts, home.labels, pressed.is_ack) == (["Hello"], ["Stop"], True)
    body = next(body for body in heard if body["type"] == "block_actions")
    assert (object_in(body["container"])["type"], object_in(body["view"])["id"]) == ("view", home.id)
    assert await error_of(outdated) == "hash_conflict"
    assert len((await ann.home()).times) == 2
    opened = object_in((await slack.deliveries("app_home_opened"))[0].body["event"])
    assert (opened["tab"], opened["channel"]) == ("home", ann.dm.id)


async def test_modals_lie_one_upon_the_other(slack: LocalSlack, ann: Person) -> None:
    app, inner = bolt_app(slack), {"type": "modal", "title": MODAL["title"], "blocks": [], "notify_on_close": True}

    async def open_first(ack: Any, body: dict[str, str], client: AsyncWebClient) -> None:
        await ack()
        await client.views_open(trigger_id=body["trigger_id"], view=MODAL)

    async def push(ack: Any) -> None:
        await ack(response_action="push", view=inner)

    closed: list[JsonObject] = []

    async def note(ack: Any, body: JsonObject) -> None:
        await ack()
        closed.append(body)

    app.command("/banter")(open_first)
    app.view("ask")(push)
    app.view_closed("")(note)
    async with over_sockets(slack, app):
        await ann.commands("/banter")
        first = await ann.modal()
        await ann.submits(text="x")
        upper = await ann.modal()
        await ann.closes_modal()
        lower = await ann.modal()

    assert (upper.id != first.id, lower.id) == (True, first.id)
    assert object_in(closed[0]["view"])["previous_view_id"] == first.id


async def test_a_response_url_replaces_its_message_and_expires(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, app: AsyncApp, heard: list[JsonObject]
) -> None:
    await client.chat_postMessage(channel=ann.dm.id, text="x", blocks=BLOCKS)
    (message,) = (await ann.dm.look()).bots
    async with over_sockets(slack, app):
        await ann.presses("Stop", message)
    url = str(heard[-1]["response_url"])
    await AsyncWebhookClient(url).send(text="stopped", replace_original=True)
    (replaced,) = (await ann.dm.look()).bots
    await slack.advance(1801)
    async with aiohttp.ClientSession() as session, session.post(url, json={"text": "late"}) as late:
        status = late.status

    assert (replaced.text, replaced.ts) == ("stopped", message.ts)
    assert status == 404
