"""Rate limits of the local Discord: buckets, headers, and what comes when there is too much."""

import asyncio

import discord
import pytest

from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import Rates, Window
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.plain_clients import Noting, Rest, Said, online


@pytest.fixture
def options() -> Options:
    return Options()


def left(said: Said) -> tuple[str, str]:
    return said.headers["x-ratelimit-limit"], said.headers["x-ratelimit-remaining"]


async def test_headers_count_a_bucket_down_and_one_too_many_waits(
    local: LocalDiscord, rest: Rest, general: Place
) -> None:
    said = [await rest.says(general.id, f"{number}") for number in range(6)]
    refused = said[-1]
    await local.advance(5)
    later = await rest.says(general.id, "later")
    calls = await local.calls("create_message")

    assert [left(one) for one in said] == [("5", f"{count}") for count in (4, 3, 2, 1, 0, 0)]
    assert len({one.headers["x-ratelimit-bucket"] for one in said}) == 1
    assert (refused.status, refused.headers["x-ratelimit-scope"]) == (429, "user")
    assert 0 < float(str(refused.body["retry_after"])) <= 5
    assert float(refused.headers["x-ratelimit-reset-after"]) <= 5
    assert refused.body["global"] is False
    assert "via" in refused.headers, "discord.py takes it for a ban otherwise"
    assert later.status == 200
    assert await local.excesses() == {"create_message": 1}
    assert [one.remaining for one in calls] == [4, 3, 2, 1, 0, 0, 4]
    assert {one.of for one in calls} == {general.id}
    assert [one.scope for one in calls if one.status == 429] == ["user"]


async def test_each_channel_and_each_operation_has_its_own(rest: Rest, server: Server, general: Place) -> None:
    other = await server.channel("other")
    first = await rest.says(general.id, "a")
    elsewhere = await rest.says(other.id, "b")
    edited = await rest.edits(general.id, str(first.body["id"]), "c")

    assert [left(one)[1] for one in (first, elsewhere, edited)] == ["4", "4", "4"]
    assert first.headers["x-ratelimit-bucket"] == elsewhere.headers["x-ratelimit-bucket"]
    assert first.headers["x-ratelimit-bucket"] != edited.headers["x-ratelimit-bucket"]


async def test_edits_of_all_messages_of_a_channel_share_one(rest: Rest, general: Place) -> None:
    ids = [str((await rest.says(general.id, f"{number}")).body["id"]) for number in range(3)]
    edited = [await rest.edits(general.id, ids[number % 3], f"{number}!") for number in range(6)]

    assert [one.status for one in edited] == 5 * [200] + [429]


@pytest.mark.parametrize("options", [Options(rates=Rates(everything=Window(3, 1.0)))])
async def test_the_limit_over_all_is_global_and_commands_are_exempt(local: LocalDiscord, rest: Rest) -> None:
    said = [await rest.ask("GET", "/users/@me") for _ in range(4)]
    exempt = await rest.ask("POST", "/interactions/1/token/callback", {"type": 5})

    assert [one.status for one in said] == [200, 200, 200, 429]
    assert said[-1].body["global"] is True
    assert (said[-1].headers["x-ratelimit-global"], said[-1].headers["x-ratelimit-scope"]) == ("true", "global")
    assert exempt.status == 404
    assert await local.excesses() == {"global": 1}


async def test_names_of_a_thread_change_twice_in_ten_minutes(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    asked = await ann.says("hello", general)
    await rest.ask("POST", f"/channels/{general.id}/messages/{asked.id}/threads", {"name": "a"})
    named = [await rest.ask("PATCH", f"/channels/{asked.id}", {"name": name}) for name in ("b", "c", "d")]
    await local.advance(600)

    assert [one.status for one in named] == [200, 200, 429]
    assert named[-1].headers["x-ratelimit-scope"] == "shared"
    assert (await rest.ask("PATCH", f"/channels/{asked.id}", {"name": "e"})).status == 200


@pytest.mark.parametrize(
    "options", [Options(rates=Rates(windows={"create_message": Window(2, 0.3), "edit_message": Window(2, 0.3)}))]
)
async def test_a_plain_client_keeps_to_what_the_headers_say(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with online(local, Noting()) as client:
        await client.hears("GUILD_CREATE")
        channel = client.get_channel(int(general.id))
        assert isinstance(channel, discord.TextChannel)
        async with asyncio.timeout(20):
            for number in range(7):
                await channel.send(f"{number}")

    assert [message.text for message in (await general.look()).bots] == [f"{number}" for number in range(7)]
    assert await local.excesses() == {}


@pytest.mark.parametrize("options", [Options(rates=Rates(windows={"create_message": Window(2, 0.3)}))])
async def test_a_plain_client_that_is_refused_tries_again(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place
) -> None:
    async with online(local, Noting()) as client:
        await client.hears("GUILD_CREATE")
        channel = client.get_channel(int(general.id))
        assert isinstance(channel, discord.TextChannel)
        for number in range(2):
            await rest.says(general.id, f"somebody else {number}")
        async with asyncio.timeout(20):
            await channel.send("hello")

    await general.shows("hello")
    assert [call.status for call in await local.calls("create_message")] == [200, 200, 429, 200]
