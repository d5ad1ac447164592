"""`banter slack` as a process, in a home of its own, which the people of a local Slack talk to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Place
from bots.sandbox.local_slack.sights import ChannelSeen, MessageSeen
from tests.acceptance.conftest import Home
from tests.acceptance.programs import REPLY_S, Program, program
from tests.integration.running_service import free_port

GOOD, BAD = "👍", "👎"


@asynccontextmanager
async def slack_assistant(
    home: Home, slack: LocalSlack, variables: Mapping[str, str] | None = None, *, over_http: bool = False
) -> AsyncIterator[Program]:
    """From when it listens until the end of the block, where it ends in order. "" unsets a variable."""
    way = by_http(slack) if over_http else by_socket(slack)
    async with program(home, "slack", way | dict(variables or {})) as assistant:
        await assistant.logs(action="begin")
        if over_http:
            await slack.post_events_to(f"{assistant.url}/slack/events")
        else:
            await slack.connected()
        yield assistant


def by_socket(slack: LocalSlack) -> dict[str, str]:
    return _somewhere(slack) | {"BANTER_SLACK_TOKEN": slack.token, "BANTER_SLACK_APP_TOKEN": slack.app_token}


def by_http(slack: LocalSlack) -> dict[str, str]:
    return _somewhere(slack) | {
        "BANTER_SLACK_TOKEN": slack.token,
        "BANTER_SLACK_SIGNING_SECRET": slack.signing_secret,
        "BANTER_SLACK__RECEIVE": "http",
        "BANTER_SLACK__APP_ID": slack.app_id,
    }


def installed_by_people(slack: LocalSlack) -> dict[str, str]:
    """To be added to `by_http`."""
    return {
        "BANTER_SLACK_TOKEN": "",
        "BANTER_SLACK_CLIENT_SECRET": slack.client_secret,
        "BANTER_SLACK__CLIENT_ID": slack.client_id,
    }


def whole(channel: ChannelSeen, root: MessageSeen | None = None) -> list[MessageSeen]:
    """The replies that are whole, in one thread or in all: their buttons say so."""
    there = channel.in_thread(root.root_ts) if root else channel.bots
    return [message for message in there if BAD in message.labels and not message.is_live]


async def replies(place: Place, count: int = 1, root: MessageSeen | None = None) -> list[MessageSeen]:
    """Those that the model wrote, once so many are whole."""
    seen = await place.until(lambda channel: len(whole(channel, root)) >= count, REPLY_S)
    return whole(seen, root)


def _somewhere(slack: LocalSlack) -> dict[str, str]:
    return {"BANTER_SLACK__API_URL": slack.api_url.rstrip("/"), "BANTER_WEB__PORT": str(free_port())}
