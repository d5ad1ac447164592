"""Sessions of the local gateway: how they begin, go on and end."""

import zlib

import aiohttp
import discord
import pytest

from bots.sandbox.json_values import object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import NO_RATES, Limits
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from tests.integration.discord.plain_clients import ALL, NO_CONTENT, Echoing, Noting, online
from tests.integration.discord.wires import (
    DIRECT_MESSAGES,
    IDENTIFY,
    INVALID,
    begun,
    identity,
    resumed,
    wired,
)


async def test_ready_says_what_a_client_needs(local: LocalDiscord, server: Server) -> None:
    async with wired(local) as wire:
        await wire.says(IDENTIFY, identity(local, 1))
        ready = await wire.event("READY")
        guild = await wire.event("GUILD_CREATE")

    assert object_in(ready["user"])["id"] == local.bot_id
    assert object_in(ready["application"])["id"] == local.application_id
    assert ready["guilds"] == [{"id": server.id, "unavailable": True}]
    assert ready["resume_gateway_url"] != local.gateway_url
    assert ready["shard"] == [0, 1]
    assert (guild["id"], guild["unavailable"], guild["member_count"]) == (server.id, False, 2)


async def test_what_is_compressed_is_one_stream(local: LocalDiscord) -> None:
    url = f"{local.gateway_url}?v=10&encoding=json&compress=zlib-stream"
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        await socket.send_json({"op": IDENTIFY, "d": identity(local)})
        raw = [await socket.receive_bytes(), await socket.receive_bytes()]
    stream = zlib.decompressobj()
    texts = [stream.decompress(one) for one in raw]

    assert all(one.endswith(b"\x00\x00\xff\xff") for one in raw)
    assert b'"op": 10' in texts[0]
    assert b'"READY"' in texts[1]


async def test_only_wanted_events_come(local: LocalDiscord, ann: Person, general: Place) -> None:
    async with wired(local) as wire:
        await begun(wire, local, DIRECT_MESSAGES)
        await ann.says("in a server", general)
        await ann.says("direct")
        heard = await wire.event("MESSAGE_CREATE")

    assert heard["content"] == "direct"
    assert wire.seq == 2


@pytest.mark.parametrize("is_cut", [True, False])
async def test_what_was_missed_comes_when_a_session_goes_on(local: LocalDiscord, ann: Person, is_cut: bool) -> None:
    async with online(local, Echoing()):
        await ann.says("one")
        await ann.dm.shows("you said: one")
        if is_cut:
            await local.cut()
        else:
            await local.reconnect()
        await local.until(lambda state: not state.open_connections or len(state.connections) > 1)
        await ann.says("two")
        await ann.dm.shows("you said: two")
        state = await local.until(lambda state: len(state.connections) == 2)

    assert [one.is_resumed for one in state.connections] == [False, True]
    assert len({one.session for one in state.connections}) == 1
    assert len(state.identifies) == 1


async def test_events_are_replayed_in_order_and_end_with_resumed(local: LocalDiscord, ann: Person) -> None:
    async with wired(local) as wire:
        session_id, seq = await begun(wire, local), wire.seq
    await local.until(lambda state: not state.open_connections)
    for text in ("one", "two"):
        await ann.says(text)
    async with wired(local, local.gateway_url.replace("/gateway", "/resume")) as wire:
        await resumed(wire, local, session_id, seq)
        replayed = [object_in((await wire.next())["d"])["content"] for _ in range(2)]
        last = await wire.next()
    told = await local.told("MESSAGE_CREATE")

    assert replayed == ["one", "two"]
    assert (last["t"], last["s"]) == ("RESUMED", 4)
    assert [(one.is_replay, one.connection) for one in told] == [(True, "c2"), (True, "c2")]


async def test_a_session_that_said_goodbye_is_over(local: LocalDiscord) -> None:
    async with wired(local) as wire:
        session_id = await begun(wire, local)
        await wire.socket.close(code=1000)
    await local.until(lambda state: not state.open_connections)
    async with wired(local) as wire:
        await resumed(wire, local, session_id, 1)
        said = await wire.next()

    assert (said["op"], said["d"]) == (INVALID, False)


@pytest.mark.parametrize("options", [Options(rates=NO_RATES, limits=Limits(replay=3))])
@pytest.mark.parametrize("trouble", ["too old", "too much", "forgotten"])
async def test_what_is_too_old_cant_go_on(local: LocalDiscord, ann: Person, trouble: str) -> None:
    async with wired(local) as wire:
        session_id, seq = await begun(wire, local), wire.seq
    await local.until(lambda state: not state.open_connections)
    if trouble == "too old":
        await local.advance(181)
    elif trouble == "too much":
        for number in range(4):
            await ann.says(f"{number}")
    else:
        await local.forget_sessions()
    async with wired(local) as wire:
        await resumed(wire, local, session_id, seq)
        said = await wire.next()

    assert (said["op"], said["d"]) == (INVALID, False)


async def test_an_invalid_session_begins_again(local: LocalDiscord, ann: Person) -> None:
    async with online(local, Echoing()) as client:
        await local.invalidate(is_resumable=False)
        await client.hears("READY", 2)
        await ann.says("hello")
        await ann.dm.shows("you said: hello")
        state = await local.look()

    assert [one.is_resumed for one in state.connections] == [False, False]
    assert len(state.identifies) == 2


async def test_one_that_can_be_resumed_is(local: LocalDiscord) -> None:
    async with online(local, Noting()) as client:
        await local.invalidate(is_resumable=True)
        await client.hears("RESUMED")


async def test_a_client_without_the_switch_is_told_so(local: LocalDiscord) -> None:
    await local.set_message_content(is_on=False)
    client = Noting(ALL)
    async with online(local, client, is_ready=False):
        await local.until(lambda state: any(one.close_code == 4014 for one in state.connections))
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.connect()
    async with online(local, Noting(NO_CONTENT)):
        pass


async def test_close_codes_and_refusals_by_request(local: LocalDiscord) -> None:
    async with online(local, Noting()) as client:
        await local.close(4009)
        await client.hears("READY", 2)
        await local.refuse_gateway(503)
        await local.close(4000)
        await local.until(lambda state: not state.open_connections)
        await local.refuse_gateway(0)
        await client.hears("RESUMED")
        codes = [one.close_code for one in (await local.look()).connections]

    assert [code for code in codes if code] == [4009, 4000]


@pytest.mark.parametrize("options", [Options(rates=NO_RATES, shards=2)])
async def test_each_shard_has_its_servers_and_the_first_has_the_dms(local: LocalDiscord, ann: Person) -> None:
    places = []
    for shard in range(2):
        server = await local.guild(f"Server {shard}", ann, shard=(shard, 2))
        places.append(await server.channel("general"))
    first, second = Noting(shard_id=0, shard_count=2), Noting(shard_id=1, shard_count=2)
    async with online(local, first), online(local, second), online(local, Noting(shard_id=1, shard_count=2)) as twin:
        await ann.says("direct")
        for number, place in enumerate(places):
            await ann.says(f"to {number}", place)
        heard = [(await first.hears("MESSAGE_CREATE", 2))["content"]]
        heard += [(await one.hears("MESSAGE_CREATE"))["content"] for one in (second, twin)]
        told = await local.told("MESSAGE_CREATE")

    assert heard == ["to 0", "to 1", "to 1"]
    assert [(one.connection, one.shard) for one in told] == [("c1", 0), ("c1", 0), ("c2", 1), ("c3", 1)]
    assert "GUILD_CREATE" in second.names()


async def test_events_come_twice_late_or_the_other_way_round_by_request(local: LocalDiscord, ann: Person) -> None:
    async with online(local, Noting()) as client:
        await local.hold_events()
        for text in ("one", "two"):
            await ann.says(text)
        await local.tell_each(2)
        await local.let_events_go(is_reversed=True)
        await client.hears("MESSAGE_CREATE", 4)
        await local.send_event("SOMETHING_NEW", {"is": "odd"})
        odd = await client.hears("SOMETHING_NEW")

    assert [data["content"] for name, data in client.heard if name == "MESSAGE_CREATE"] == ["two", "two", "one", "one"]
    assert odd == {"is": "odd"}
