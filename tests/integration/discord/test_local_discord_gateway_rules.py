"""What the local gateway bears with, and with which code it ends what it does not."""

import asyncio

import pytest

from bots.sandbox.json_values import object_in
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.limits import NO_RATES, Limits, Rates
from bots.sandbox.local_discord.options import AppOptions, Options
from bots.sandbox.local_discord.people import Person
from tests.integration.discord.plain_clients import Noting, Rest, online
from tests.integration.discord.wires import (
    ACK,
    HEARTBEAT,
    IDENTIFY,
    INVALID,
    RESUME,
    begun,
    identity,
    resumed,
    wired,
)


@pytest.mark.parametrize(
    ("op", "given", "code"),
    [
        (IDENTIFY, {"token": "wrong"}, 4004),
        (IDENTIFY, {"intents": 1 << 40}, 4013),
        (IDENTIFY, {"intents": "all"}, 4013),
        (IDENTIFY, {"intents": 1 << 15}, 4014),
        (IDENTIFY, {"shard": [2, 2]}, 4010),
        (RESUME, {"token": "wrong"}, 4004),
        (3, {}, 4003),
        (99, {}, 4001),
    ],
)
@pytest.mark.parametrize("options", [Options(AppOptions(message_content=False), rates=NO_RATES)])
async def test_wrong_beginnings_have_their_codes(
    local: LocalDiscord, op: int, given: dict[str, object], code: int
) -> None:
    async with wired(local) as wire:
        await wire.says(op, identity(local) | given)

        assert await wire.close_code() == code


async def test_further_mistakes_have_their_codes(local: LocalDiscord) -> None:
    async with wired(local) as twice, wired(local) as large, wired(local) as garbled, wired(local) as ahead:
        await begun(twice, local)
        await twice.says(IDENTIFY, identity(local))
        await large.says(IDENTIFY, identity(local) | {"padding": "x" * 5000})
        await garbled.socket.send_str("{")
        session_id = await begun(ahead, local)
        await ahead.socket.close(code=4000)
        async with wired(local) as late:
            await resumed(late, local, session_id, 100)
            codes = [await one.close_code() for one in (twice, large, garbled, late)]

    assert codes == [4005, 4002, 4002, 4007]


@pytest.mark.parametrize("options", [Options(rates=Rates(), limits=Limits(identifies_a_day=3))])
async def test_sessions_may_begin_so_often_and_the_token_is_the_price(local: LocalDiscord, rest: Rest) -> None:
    limits = [(await rest.ask("GET", "/gateway/bot")).body["session_start_limit"]]
    async with wired(local) as first, wired(local) as soon:
        await begun(first, local)
        await soon.says(IDENTIFY, identity(local))
        refused = await soon.next()
    await local.advance(5)
    async with wired(local) as third:
        await begun(third, local)
        limits.append((await rest.ask("GET", "/gateway/bot")).body["session_start_limit"])
        await local.advance(5)
        async with wired(local) as last:
            await last.says(IDENTIFY, identity(local))
            await third.close_code()
    state = await local.look()

    assert (refused["op"], refused["d"]) == (INVALID, False)
    assert [object_in(one)["remaining"] for one in limits] == [3, 0]
    assert object_in(limits[0])["max_concurrency"] == 1
    assert (state.identifies_refused, state.token_resets, len(state.identifies)) == (1, 1, 2)
    assert state.token != local.token
    assert (await rest.ask("GET", "/users/@me")).status == 401


@pytest.mark.parametrize("options", [Options(rates=NO_RATES, limits=Limits(heartbeat_s=0.1))])
async def test_heartbeats_are_timed_and_a_silent_client_is_cut_off(local: LocalDiscord) -> None:
    async with wired(local) as steady, wired(local) as silent:
        await begun(steady, local)
        await begun(silent, local)
        async with asyncio.timeout(10):
            for _ in range(4):
                await steady.says(HEARTBEAT, steady.seq)
                await steady.until(lambda payload: payload["op"] == ACK)
                await asyncio.sleep(0.1)
        assert await silent.close_code() == 4000
        state = await local.look()
    beats, silence = state.connections

    assert len(beats.heartbeats) == 4
    assert len(beats.lateness_s(0.1)) == 3
    assert all(0 <= late_s < 0.05 for late_s in beats.lateness_s(0.1))
    assert beats.lateness_s(0.05)[0] == pytest.approx(0.05, abs=0.04)
    assert silence.heartbeats == ()


async def test_a_heartbeat_can_be_asked_for_and_counts_for_nothing(local: LocalDiscord) -> None:
    async with online(local, Noting()):
        await local.ask_heartbeat()
        state = await local.until(lambda state: len(state.connections[0].heartbeats) == 2)

    assert state.heartbeats_late_s == []


async def test_a_mute_connection_says_nothing_and_stays(local: LocalDiscord, ann: Person) -> None:
    async with wired(local) as wire:
        await begun(wire, local)
        await local.mute()
        await ann.says("hello?")
        await wire.says(HEARTBEAT, 1)
        state = await local.look()

        assert state.connections[0].is_open
        assert await local.told("MESSAGE_CREATE") == []
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await wire.next()


@pytest.mark.parametrize("options", [Options()])
async def test_a_connection_takes_so_much_a_minute(local: LocalDiscord) -> None:
    async with wired(local) as wire:
        for _ in range(121):
            await wire.says(HEARTBEAT, None)

        assert await wire.close_code() == 4008
    assert await local.excesses() == {"gateway": 1}


async def test_a_new_token_ends_every_session(local: LocalDiscord) -> None:
    async with wired(local) as wire:
        await begun(wire, local)
        old = local.token
        await local.reset_token()

        assert await wire.close_code() == 4004
        assert local.token != old
