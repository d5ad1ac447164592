"""The local Slack as a process of its own, driven from here; and `banter sandbox slack`."""

import asyncio
import json
import re
import socket
import subprocess
import sys

import aiohttp
import pytest

from bots.sandbox.local_slack.driver import attached_slack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES, Rates, Window
from bots.sandbox.local_slack.options import AppOptions, Options, options_from
from bots.sandbox.local_slack.own_process import local_slack_process
from tests.integration.slack.slack_apps import bolt_app, client_of, echoing, over_sockets

COMMAND = (sys.executable, "-m", "bots.sandbox.local_slack")
HEAD_LINES = 5


def test_options_go_through_json_unchanged() -> None:
    rates = Rates(tier2=Window(3, 2.5), methods={"chat.update": Window(7)})
    options = Options(AppOptions(commands=("/other",)), rates=rates, copies=3)

    assert options_from(options.to_json()) == options
    assert options_from("{}") == Options()


async def test_two_drivers_see_the_same_server_and_it_outlives_them() -> None:
    async with local_slack_process(Options(rates=NO_RATES)) as slack:
        ann = await slack.person("Ann")
        async with over_sockets(slack, echoing(bolt_app(slack))):
            async with attached_slack(slack.control_url) as other:
                await ann.says("hello")
                await other.place(ann.dm.id).shows("you said: hello")
            await ann.says("still there?")
            await ann.dm.shows("you said: still there?")


async def test_a_process_can_go_away_and_come_back() -> None:
    async with local_slack_process() as slack:
        await slack.go_away()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client_of(slack).auth_test()
        await slack.come_back()

        assert (await client_of(slack).auth_test())["team_id"] == slack.team_id


def test_a_process_ends_with_whoever_began_it() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    process.stdin.close()

    assert process.wait(timeout=20) == 0
    assert set(told) == {"api_url", "control_url"}
    process.stdout.close()


def test_a_process_ends_when_its_lifetime_is_over() -> None:
    ended = subprocess.run(
        [*COMMAND, "--lifetime-s", "0.1"], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=True
    )

    assert ended.stderr == b""


def test_wrong_options_are_wrong_usage() -> None:
    ended = subprocess.run(
        [*COMMAND, "--options", '{"port": "x"}'], capture_output=True, text=True, timeout=60, check=False
    )

    assert ended.returncode == 2
    assert "port" in ended.stderr


async def test_a_server_stops_with_its_block_and_takes_its_sockets_with_it() -> None:
    async with local_slack() as slack:
        client = client_of(slack)
        url = (await client.apps_connections_open(app_token=slack.app_token))["url"]
        session = aiohttp.ClientSession()
        wire = await session.ws_connect(url)
        await wire.receive_json()

    async with session, asyncio.timeout(10):
        assert (await wire.receive()).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    with pytest.raises(aiohttp.ClientConnectorError):
        await client.auth_test()


async def test_the_command_talks_to_an_app_line_by_line() -> None:
    command = (sys.executable, "-m", "bots", "sandbox", "slack", "--port", "0", "--name", "Ben")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(60):
        head = "".join([(await process.stdout.readline()).decode() for _ in range(HEAD_LINES)])
        control_url = re.findall(r"control +(http://127\.0\.0\.1:\d+)", head)[0]
        async with attached_slack(control_url) as slack, over_sockets(slack, echoing(bolt_app(slack))):
            for told in (slack.api_url, slack.token, slack.app_token, slack.signing_secret):
                assert told in head
            process.stdin.write(b"hello\n")
            line = ""
            while not line.startswith("bot"):
                line = (await process.stdout.readline()).decode()
        process.stdin.close()
        assert await process.wait() == 0

    assert line == "bot › you said: hello\n"


def test_a_port_that_is_taken_is_an_error_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = (sys.executable, "-m", "bots", "sandbox", "slack", "--port", port)
        told = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    assert told.returncode == 1
    assert (
        told.stderr == f"error: --port {port} can't be listened to (Address already in use); 0 takes any that is free\n"
    )
