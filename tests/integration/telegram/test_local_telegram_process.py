"""The local Bot API server as a process of its own, driven from here; and `banter sandbox telegram`."""

import asyncio
import json
import re
import socket
import subprocess
import sys

import httpx2
import pytest

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import attached_telegram, local_telegram
from bots.sandbox.local_telegram.limits import Rates, Window
from bots.sandbox.local_telegram.options import NO_RATES, Options, options_from
from bots.sandbox.local_telegram.own_process import local_telegram_process
from tests.integration.telegram.ptb_bots import echo_application, ptb_bot

COMMAND = (sys.executable, "-m", "bots.sandbox.local_telegram")


def test_options_go_through_json_unchanged() -> None:
    options = Options(BotOptions(username="other_bot"), rates=Rates(private=Window(3, 2.5)), webhook_wait_s=0.5)

    assert options_from(options.to_json()) == options
    assert options_from("{}") == Options()


async def test_two_drivers_see_the_same_server_and_it_outlives_them() -> None:
    async with local_telegram_process(Options(rates=NO_RATES)) as telegram:
        ann = await telegram.person("Ann")
        async with echo_application(telegram) as application:
            assert application.updater is not None
            await application.updater.start_polling(timeout=10)
            async with attached_telegram(telegram.control_url) as other:
                await ann.says("hello")
                await other.chat(ann.id).shows("you said: hello")
            await ann.says("still there?")
            await ann.chat.shows("you said: still there?")
            await application.updater.stop()


async def test_a_process_can_go_away_and_come_back() -> None:
    async with local_telegram_process(Options(rates=NO_RATES)) as telegram, ptb_bot(telegram) as bot:
        await telegram.go_away()
        async with httpx2.AsyncClient(trust_env=False) as client:
            with pytest.raises(httpx2.ConnectError):
                await client.get(telegram.base_url)
        await telegram.come_back()

        assert (await bot.get_me()).id == telegram.bot_id


def test_a_process_ends_with_whoever_began_it() -> None:
    process = subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    told = json.loads(process.stdout.readline())
    process.stdin.close()

    assert process.wait(timeout=20) == 0
    assert set(told) == {"base_url", "control_url", "token"}
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


async def test_a_server_stops_with_its_block() -> None:
    async with local_telegram() as telegram:
        base_url = telegram.base_url
        poll = asyncio.create_task(_polled(f"{base_url}/bot{telegram.token}/getUpdates?timeout=50"))
        await telegram.called("getUpdates")

    with pytest.raises(httpx2.HTTPError):
        await poll
    with pytest.raises(httpx2.ConnectError):
        await _polled(base_url)


async def test_the_command_talks_to_a_bot_line_by_line() -> None:
    command = (sys.executable, "-m", "bots", "sandbox", "telegram", "--port", "0", "--topics", "--name", "Ben")
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert process.stdin is not None
    assert process.stdout is not None
    async with asyncio.timeout(60):
        head = [(await process.stdout.readline()).decode() for _ in range(3)]
        control_url = re.findall(r"http://127\.0\.0\.1:\d+", head[2])[0]
        async with attached_telegram(control_url) as telegram, echo_application(telegram) as application:
            assert telegram.token in head[1]
            assert telegram.base_url in head[0]
            assert application.updater is not None
            await application.updater.start_polling(timeout=10)
            process.stdin.write(b"hello\n")
            line = ""
            while not line.startswith("bot"):
                line = (await process.stdout.readline()).decode()
            await application.updater.stop()
        process.stdin.close()
        assert await process.wait() == 0

    assert line == "bot › you said: hello\n"


def test_a_port_that_is_taken_is_an_error_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = (sys.executable, "-m", "bots", "sandbox", "telegram", "--port", port)
        told = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False
        )

    assert told.returncode == 1
    assert (
        told.stderr == f"error: --port {port} can't be listened to (Address already in use); 0 takes any that is free\n"
    )


async def _polled(url: str) -> None:
    async with httpx2.AsyncClient(timeout=60, trust_env=False) as client:
        await client.get(url)
