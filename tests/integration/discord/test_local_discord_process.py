"""The local Discord as a process of its own, driven from here; and `banter sandbox discord`."""

import asyncio
import json
import re
import socket
import subprocess
import sys

import aiohttp
import pytest

from bots.sandbox.local_discord.driver import attached_discord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES, Limits, Rates, Window
from bots.sandbox.local_discord.options import AppOptions, Options, options_from
from bots.sandbox.local_discord.own_process import local_discord_process
from tests.integration.discord.plain_clients import Echoing, asking, online
from tests.integration.discord.wires import identity, wired

COMMAND = (sys.executable, "-m", "bots.sandbox.local_discord")
HEAD_LINES = 4


def test_options_go_through_json_unchanged() -> None:
    rates = Rates(windows={"create_message": Window(3, 2.5)}, everything=Window(7, 1.0))
    options = Options(AppOptions(message_content=False), Limits(heartbeat_s=1.5), rates, shards=3)

    assert options_from(options.to_json()) == options
    assert options_from("{}") == Options()


async def test_two_drivers_see_the_same_server_and_it_outlives_them() -> None:
    async with local_discord_process(Options(rates=NO_RATES)) as discord:
        ann = await discord.person("Ann")
        async with online(discord, Echoing()):
            async with attached_discord(discord.control_url) as other:
                await ann.says("hello")
                await other.place(ann.dm.id).shows("you said: hello")
            await ann.says("still there?")
            await ann.dm.shows("you said: still there?")


async def test_a_process_can_go_away_and_come_back() -> None:
    async with local_discord_process() as discord, asking(discord) as rest:
        await discord.go_away()
        with pytest.raises(aiohttp.ClientConnectorError):
            await rest.ask("GET", "/users/@me")
        await discord.come_back()

        assert (await rest.ask("GET", "/users/@me")).body["id"] == discord.bot_id


def test_a_process_ends_with_whoever_began_it() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    process.stdin.close()

    assert process.wait(timeout=20) == 0
    assert set(told) == {"api_url", "control_url"}
    process.stdout.close()


def test_wrong_options_are_wrong_usage() -> None:
    ended = subprocess.run(
        [*COMMAND, "--options", '{"port": "x"}'], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 2
    assert "port" in ended.stderr


async def test_a_server_stops_with_its_block_and_takes_its_connections_with_it() -> None:
    async with local_discord() as discord:
        entered = wired(discord)
        wire = await entered.__aenter__()
        await wire.says(2, identity(discord))
        await wire.event("READY")

    assert await wire.close_code() == 1001
    await entered.__aexit__(None, None, None)


async def test_the_command_talks_to_a_bot_line_by_line() -> None:
    command = (sys.executable, "-m", "bots", "sandbox", "discord", "--port", "0", "--name", "Ben")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(60):
        head = "".join([(await process.stdout.readline()).decode() for _ in range(HEAD_LINES)])
        control_url = re.findall(r"control +(http://127\.0\.0\.1:\d+)", head)[0]
        async with attached_discord(control_url) as discord, online(discord, Echoing()):
            for told in (discord.api_url, discord.token, discord.application_id):
                assert told in head
            process.stdin.write(b"hello\n")
            line = ""
            while not line.startswith("bot") or "hello" not in line:
                line = (await process.stdout.readline()).decode()
        process.stdin.close()
        assert await process.wait() == 0

    assert line.endswith("you said: hello\n")


def test_a_port_that_is_taken_is_an_error_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = (sys.executable, "-m", "bots", "sandbox", "discord", "--port", port)
        told = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    assert told.returncode == 1
    assert (
        told.stderr == f"error: --port {port} can't be listened to (Address already in use); 0 takes any that is free\n"
    )
