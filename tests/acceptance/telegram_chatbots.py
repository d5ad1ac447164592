"""`banter telegram` as a process, in a home of its own, which the local Bot API server's people talk to."""

import asyncio
import ctypes
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field

import httpx2

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Place
from bots.sandbox.local_telegram.sights import ChatSeen, MessageSeen
from tests.acceptance.conftest import TIMEOUT_S, Home
from tests.integration.running_service import free_port

GOOD, BAD = "👍", "👎"
#: Of the longest reply, on a machine that does other things as well.
REPLY_S = 90.0
_LONGEST_LINE_BYTES = 1 << 20


@dataclass
class Chatbot:
    """The program, while it runs and afterwards."""

    home: Home
    process: asyncio.subprocess.Process
    #: Of its web server.
    port: int
    #: What it logged.
    lines: list[dict[str, object]] = field(default_factory=list)
    #: Of its standard error, what is no line of a log.
    others: list[str] = field(default_factory=list)
    #: It will never log anything more.
    is_silent: bool = False
    _logged: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def stderr(self) -> str:
        return "\n".join([*(json.dumps(line, ensure_ascii=False) for line in self.lines), *self.others])

    def logged(self, **fields: object) -> list[dict[str, object]]:
        """The lines that have all of it."""
        return [line for line in self.lines if fields.items() <= line.items()]

    async def logs(self, count: int = 1, timeout_s: float = REPLY_S, **fields: object) -> list[dict[str, object]]:
        """As `logged`, once there are so many. Raises TimeoutError, and AssertionError where it ended before."""
        async with asyncio.timeout(timeout_s), self._logged:
            await self._logged.wait_for(lambda: len(self.logged(**fields)) >= count or self.is_silent)
        assert len(self.logged(**fields)) >= count, self.stderr
        return self.logged(**fields)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.home.data / "banter.db", timeout=20)) as database:
            return database.execute(query, values).fetchall()

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.get(f"http://127.0.0.1:{self.port}{path}")

    async def end(self) -> int:
        """As an operator does; gives the exit code."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        async with asyncio.timeout(TIMEOUT_S):
            return await self.process.wait()

    async def read(self) -> None:
        """All that it logs."""
        assert self.process.stderr is not None
        while line := (await self.process.stderr.readline()).decode():
            async with self._logged:
                try:
                    self.lines.append(json.loads(line))
                except ValueError:
                    self.others.append(line.rstrip("\n"))
                self._logged.notify_all()
        async with self._logged:
            self.is_silent = True
            self._logged.notify_all()


@asynccontextmanager
async def telegram_chatbot(
    home: Home, telegram: LocalTelegram, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Chatbot]:
    """From when it listens until the end of the block, where it ends in order. "" unsets a variable."""
    given = environment(home, telegram, free_port()) | dict(variables or {})
    port = int(given["BANTER_WEB__PORT"])
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bots", "telegram"),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=home.folder,
        env={name: value for name, value in given.items() if value},
        limit=_LONGEST_LINE_BYTES,
        preexec_fn=_end_with_the_test,
    )
    chatbot = Chatbot(home, process, port)
    reading = asyncio.create_task(chatbot.read())
    try:
        await chatbot.logs(action="menus")
        yield chatbot
        assert await chatbot.end() == 0, chatbot.stderr
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


def _end_with_the_test() -> None:
    """Whatever ends it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def environment(home: Home, telegram: LocalTelegram, port: int) -> dict[str, str]:
    return home.environment | {
        "BANTER_TELEGRAM_TOKEN": telegram.token,
        "BANTER_TELEGRAM__API_URL": telegram.base_url,
        "BANTER_WEB__PORT": str(port),
    }


def by_webhook(port: int) -> dict[str, str]:
    return {
        "BANTER_WEB__PORT": str(port),
        "BANTER_TELEGRAM__RECEIVE": "webhook",
        "BANTER_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
    }


def whole(chat: ChatSeen, thread_id: int = 0) -> list[MessageSeen]:
    """The replies that are whole: their buttons say so. `thread_id`: only those in a topic."""
    there = [message for message in chat.bots if thread_id in (0, message.thread_id)]
    return [message for message in there if any(BAD in row for row in message.buttons)]


async def replies(place: Place, count: int = 1, thread_id: int = 0) -> list[MessageSeen]:
    """Those that the model wrote, once so many are whole."""
    seen = await place.until(lambda chat: len(whole(chat, thread_id)) >= count, REPLY_S)
    return whole(seen, thread_id)
