"""Slash commands and what answers them, as an app meets them."""

from typing import Any

import pytest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import bolt_app, over_sockets


async def test_an_answer_to_a_command_is_for_its_person_alone(slack: LocalSlack, ann: Person, general: Place) -> None:
    app, urls = bolt_app(slack), list[str]()

    async def answer(ack: Any, body: dict[str, str]) -> None:
        await ack(text="at once")
        urls.append(body["response_url"])

    app.command("/banter")(answer)
    async with over_sockets(slack, app):
        await ann.commands("/banter", general)
    webhook = AsyncWebhookClient(urls[0])
    for text, kind in (("for you", "ephemeral"), ("for all", "in_channel"), ("3", ""), ("4", ""), ("5", "")):
        assert (await webhook.send(text=text, response_type=kind or None)).body == "ok"
    sixth = await webhook.send(text="6")

    seen = [(message.text, message.only_for) for message in (await general.look()).bots][:3]
    assert seen == [("at once", ann.id), ("for you", ann.id), ("for all", "")]
    assert (sixth.status_code, "used_url" in sixth.body) == (404, True)


async def test_commands_that_the_app_does_not_have_are_slacks_own(slack: LocalSlack, ann: Person) -> None:
    with pytest.raises(OrderRefused, match="not a valid command"):
        await ann.commands("/remind me")
