"""A bot's program as a process, in a home of its own: what it logs, keeps and shows, and how it ends."""

import asyncio
import ctypes
import json
import signal
import sqlite3
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2

from tests.acceptance.conftest import TIMEOUT_S, Home

#: Of the longest reply, on a machine that does other things as well.
REPLY_S = 90.0
_LONGEST_LINE_BYTES = 1 << 20


@dataclass
class Program:
    """While it runs and afterwards."""

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
    is_killed: bool = False
    _logged: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def stderr(self) -> str:
        return "\n".join([*(json.dumps(line, ensure_ascii=False) for line in self.lines), *self.others])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def troubles(self) -> list[object]:
        """What was wrong with listening, in the order in which it was said."""
        return [line["trouble"] for line in self.lines if line.get("trouble")]

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

    def changes(self, statement: str) -> None:
        """In its database, while it does not run."""
        with closing(sqlite3.connect(self.home.data / "banter.db", timeout=20)) as database, database:
            database.execute(statement)

    async def keeps(self, rows: list[tuple[object, ...]], query: str, *values: object) -> None:
        """Looks until it keeps exactly these. Raises TimeoutError."""
        async with asyncio.timeout(REPLY_S):
            while self.rows(query, *values) != rows:  # noqa: ASYNC110 - a file tells nobody
                await asyncio.sleep(0.05)

    async def get(self, path: str) -> httpx2.Response:
        async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
            return await client.get(f"{self.url}{path}")

    async def holding(self, secret: str) -> list[str]:
        """Where it stands, of all that the program wrote and shows."""
        written = {file.name: file.read_bytes() for file in self.home.folder.rglob("*") if _is_of_the_program(file)}
        written |= {"stderr": self.stderr.encode()}
        for path in ("/metrics", "/healthz", "/readyz"):
            written[path] = (await self.get(path)).content
        assert {"banter.db", "stderr", "/metrics"} <= written.keys()
        return [name for name, content in written.items() if secret.encode() in content]

    async def end(self) -> int:
        """As an operator does; gives the exit code."""
        with suppress(ProcessLookupError):
            self.process.terminate()
        async with asyncio.timeout(TIMEOUT_S):
            return await self.process.wait()

    async def kill(self) -> None:
        """As nothing can be put in order before."""
        self.is_killed = True
        self.process.kill()
        await self.process.wait()

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
async def program(home: Home, product: str, variables: Mapping[str, str]) -> AsyncIterator[Program]:
    """`banter <product>` until the end of the block, where it ends in order. "" unsets a variable."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "bots", product),
        stdin=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=home.folder,
        env={name: value for name, value in (home.environment | dict(variables)).items() if value},
        limit=_LONGEST_LINE_BYTES,
        preexec_fn=_end_with_the_test,
    )
    running = Program(home, process, int(variables["BANTER_WEB__PORT"]))
    reading = asyncio.create_task(running.read())
    try:
        yield running
        assert await running.end() == (-signal.SIGKILL if running.is_killed else 0), running.stderr
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


def _end_with_the_test() -> None:
    """Whatever ends it."""
    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


def _is_of_the_program(file: Path) -> bool:
    return file.is_file() and "models" not in file.parts
