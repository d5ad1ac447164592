"""A local Discord, a person, a server with the bot in it, and requests as anybody could make them."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.interacting import ABOUT, ASK, Interacting
from tests.integration.discord.plain_clients import Noting, Rest, asking, online
from tests.integration.discord.receiving import Kept


@pytest.fixture
def options() -> Options:
    """Of the server; a file's own go before these."""
    return Options(rates=NO_RATES)


@pytest.fixture
async def local(options: Options) -> AsyncIterator[LocalDiscord]:
    async with local_discord(options) as local:
        yield local


@pytest.fixture
def discord(local: LocalDiscord) -> LocalDiscord:
    return local


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
async def rest(local: LocalDiscord) -> AsyncIterator[Rest]:
    async with asking(local) as rest:
        yield rest


@pytest.fixture
async def ann(local: LocalDiscord) -> Person:
    return await local.person("Ann")


@pytest.fixture
async def server(local: LocalDiscord, ann: Person) -> Server:
    return await local.guild("Friends", ann)


@pytest.fixture
async def general(server: Server) -> Place:
    return await server.channel("general")


@pytest.fixture
async def app(local: LocalDiscord, rest: Rest) -> AsyncIterator[Interacting]:
    """Its commands are registered."""
    where = f"/applications/{local.application_id}/commands"
    assert (await rest.ask("PUT", where, [ASK, ABOUT])).status == 200
    async with online(local, Noting()) as client:
        yield Interacting(client, rest)
