"""A local Slack, a client of slack_sdk's on it, a person and a channel with the bot in it."""

from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Person, Place
from tests.integration.slack.slack_apps import client_of


@pytest.fixture
def options() -> Options:
    """Of the server; a file's own go before these."""
    return Options(rates=NO_RATES)


@pytest.fixture
async def slack(options: Options) -> AsyncIterator[LocalSlack]:
    async with local_slack(options) as slack:
        yield slack


@pytest.fixture
def client(slack: LocalSlack) -> AsyncWebClient:
    return client_of(slack)


@pytest.fixture
async def ann(slack: LocalSlack) -> Person:
    return await slack.person("Ann")


@pytest.fixture
async def general(slack: LocalSlack, ann: Person) -> Place:
    return await slack.channel("general", ann)
