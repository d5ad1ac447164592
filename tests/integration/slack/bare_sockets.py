"""A connection of Socket Mode without an SDK, to see what is sent over it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from bots.sandbox.local_slack.driver import LocalSlack
from tests.integration.slack.slack_apps import client_of

SAFE_S = 20.0


class Bare:
    """A websocket without a library's help."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self.wire = wire

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(SAFE_S):
            said = await self.wire.receive_json()
            assert isinstance(said, dict)
            return said

    async def ack(self, envelope: dict[str, Any]) -> None:
        await self.wire.send_json({"envelope_id": envelope["envelope_id"]})

    async def close_code(self) -> aiohttp.WSMsgType:
        async with asyncio.timeout(SAFE_S):
            return (await self.wire.receive()).type


@asynccontextmanager
async def bare(slack: LocalSlack) -> AsyncIterator[Bare]:
    """Connected; the hello is still to come."""
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as wire:
        yield Bare(wire)
