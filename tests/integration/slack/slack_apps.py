"""Apps and clients of Slack's own SDKs, on the local Slack: nothing of them is this project's."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.sights import DeliverySeen, InstallSeen


def client_of(slack: LocalSlack, install: InstallSeen | None = None) -> AsyncWebClient:
    """It repeats nothing by itself."""
    return AsyncWebClient((install or slack.install).token, base_url=slack.api_url, retry_handlers=[])


def bolt_app(slack: LocalSlack, heard: list[JsonObject] | None = None) -> AsyncApp:
    """It notes every body before it is handled, and listens to nothing yet."""
    app = AsyncApp(
        client=client_of(slack), signing_secret=slack.signing_secret, raise_error_for_unhandled_request=False
    )

    async def note(body: JsonObject, next: Callable[[], Awaitable[None]]) -> None:  # noqa: A002 - Bolt's name
        if heard is not None:
            heard.append(body)
        await next()

    app.middleware(note)
    return app


def acking(app: AsyncApp) -> AsyncApp:
    """It takes every event, and does nothing."""

    async def take(ack: Callable[[], Awaitable[None]]) -> None:
        await ack()

    app.event(re.compile(".*"))(take)
    return app


def echoing(app: AsyncApp) -> AsyncApp:
    """It repeats what it is told, in the thread."""

    async def echo(event: dict[str, str], client: AsyncWebClient) -> None:
        if "bot_id" in event or event.get("subtype") or event.get("channel_type") not in {None, "im"}:
            return
        await client.chat_postMessage(
            channel=event["channel"], text=f"you said: {event['text']}", thread_ts=event.get("thread_ts") or event["ts"]
        )

    app.event("app_mention")(echo)
    app.event("message")(echo)
    return app


@asynccontextmanager
async def over_sockets(
    slack: LocalSlack, app: AsyncApp, connections: int = 1
) -> AsyncIterator[list[AsyncSocketModeHandler]]:
    """Socket Mode, connected."""
    handlers = [AsyncSocketModeHandler(app, slack.app_token, ping_interval=0.2) for _ in range(connections)]
    already = len((await slack.look()).open_sockets)
    try:
        for handler in handlers:
            await handler.connect_async()  # type: ignore[no-untyped-call] # Bolt has no types there
        await slack.connected(already + connections)
        yield handlers
    finally:
        for handler in handlers:
            await handler.close_async()  # type: ignore[no-untyped-call]


@asynccontextmanager
async def over_http(slack: LocalSlack, app: AsyncApp) -> AsyncIterator[str]:
    """Bolt's own web server, whose URL met the challenge."""
    from aiohttp import web

    runner = web.AppRunner(app.web_app(path="/slack/events", port=0))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        await slack.post_events_to(url)
        yield url
    finally:
        await runner.cleanup()


def tried(times: int) -> Callable[[list[DeliverySeen]], bool]:
    """Whether the first event was brought so often."""
    return lambda deliveries: len(deliveries[0].attempts) == times


async def error_of(call: Awaitable[object]) -> str:
    """With which the call was refused."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return str(caught.value.response["error"])
