"""The service: people are answered, an operator sees how, and nobody sees what was said."""

import asyncio
import contextlib
import json
import logging
import signal
import sqlite3
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bots import readiness, walk
from bots.logs import log_to_file
from bots.readiness import WriterState
from core.dialogue import Called, InboundMessage, Person, Platform, SessionKey
from core.errors import PlatformAway, RateLimited, RequestFailed
from core.generation.request import Event, GenerationRequest
from core.ports import Arrival, Outgoing
from tests.integration.running_service import DEADLINE_S, free_port, running_service
from tests.integration.walk_stage import BOT, PLATFORMS, Board, SteadyModel, arrival

OWN = ("core", "bots", "adapters")
SLACK_TOKEN = "xoxb-1234567890-canarytokencanary"
TELEGRAM_TOKEN = "123456789:canarytokencanarytokencanarytok"
CANARY = "canary"


@pytest.fixture(autouse=True)
def logging_stays_as_it_was() -> Iterator[None]:
    root, raises = logging.getLogger(), logging.raiseExceptions
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ("", *OWN)}
    yield
    for handler in root.handlers:
        if handler not in handlers:
            handler.close()
    root.handlers, logging.raiseExceptions = handlers, raises
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.fixture(autouse=True)
def looks_are_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "_LOOK_S", 0.01)


def lines_of(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


def said(text: str, number: int, channel: str = "canary-channel") -> Arrival:
    key = SessionKey(Platform.DISCORD, BOT, "canary-guild", channel)
    person = Person(Platform.DISCORD, "canary-guild", "canary-person", "Anna Canary")
    message = InboundMessage(key, person, f"canary-{number}", text, datetime.now(UTC), Called(directly=True))
    return Arrival(json.dumps({"content": text, "token": SLACK_TOKEN}), message)


class CanaryBoard(Board):
    """Fails now and then, and says what platforms' clients say."""

    def __init__(self) -> None:
        super().__init__(replace(PLATFORMS["discord"], typing_interval_s=0.01))
        self._errors: list[Exception] = [
            RateLimited(f"https://slack.com/?token={SLACK_TOKEN}", 0.01),
            PlatformAway(f"https://api.telegram.org/bot{TELEGRAM_TOKEN}/sendMessage"),
            ValueError("a bug, which tells of the canary"),
        ]

    async def open(self, part: Outgoing) -> str:
        if self._errors:
            raise self._errors.pop(0)
        return await super().open(part)


class CanaryModel(SteadyModel):
    """Fails once."""

    failed = False

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        if not self.failed:
            self.failed = True
            raise RequestFailed("the model drew a blank")
        async with contextlib.aclosing(super().submit(request)) as events:
            async for event in events:
                yield event


async def test_no_text_no_name_and_no_secret_is_logged_measured_or_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log" / "banter.log"
    log_to_file(log, "debug")
    monkeypatch.setattr(walk, "_FIRST_PAUSE_S", 0.01)
    board = CanaryBoard()

    async with running_service(tmp_path, CanaryModel(), board) as service:
        await service.receiver.hand_over(
            said(f"my canary and {TELEGRAM_TOKEN} are secrets", 1),
            said("/persona use canary", 2),
            Arrival(f'{{"text": "canary", "token": "{SLACK_TOKEN}"}}', None, f"no canary is known: {SLACK_TOKEN}"),
            said("a canary in another channel", 3, "canary-2"),
        )
        asyncio.get_running_loop().call_exception_handler({"message": "canary", "exception": ValueError("canary")})
        for number, channel in ((3, "canary-2"), (2, "canary-channel")):
            await board.answer(channel, f"canary-{number}")
        shown = [(await service.get(path)).text for path in ("/metrics", "/healthz", "/readyz")]

    assert len(board.answers) >= 2
    assert 'banter_platform_calls_total{call="open",platform="discord",result="rate_limited"} 1.0' in shown[0]
    written = log.read_text()
    assert '"action": "reply"' in written
    for text in (written, *shown):
        assert CANARY not in text.casefold()


async def test_each_reply_has_one_line(tmp_path: Path) -> None:
    log = tmp_path / "log" / "banter.log"
    log_to_file(log, "info")

    async with running_service(tmp_path) as service:
        await service.receiver.hand_over(arrival("general", 1), arrival("random", 1), said("/help", 1))
        for channel, number in (("general", "m1"), ("random", "m1"), ("canary-channel", "canary-1")):
            await service.board.answer(channel, number)

    replies = [line for line in lines_of(log) if line.get("action") == "reply"]
    assert [line["outcome"] for line in replies] == ["delivered"] * 3
    assert sum("model" in line for line in replies) == 2
    assert all(line["parts"] == 1 and line["attempts"] == 1 for line in replies)


async def test_the_metrics_are_of_what_happened(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await service.becomes("/readyz", 200)
        await service.receiver.hand_over(arrival("general", 1), arrival("general", 2))
        for number in ("m1", "m2"):
            await service.board.answer("general", number)
        await service.receiver.hand_over(arrival("general", 3))
        await service.board.answer("general", "m3")
        told = (await service.get("/metrics")).text

    values = dict(line.rsplit(" ", 1) for line in told.splitlines() if not line.startswith("#"))
    assert values['banter_replies_total{outcome="delivered"}'] >= "2.0"
    assert float(values["banter_database_write_group_count"]) > 3
    assert values["banter_first_token_seconds_count"] == "3.0"
    assert (values["banter_engine_waiting"], values["banter_engine_running"]) == ("3.0", "2.0")
    assert values["banter_ready"] == "1.0"
    assert values["banter_leases_lost_total"] == "0.0"


async def test_it_is_ready_only_while_the_engine_is(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        assert (await service.becomes("/readyz", 200)).json() == {
            "good": True,
            "open": True,
            "database": True,
            "engine": True,
        }

        service.writer.state = WriterState(ready=False)
        assert not (await service.becomes("/readyz", 503)).json()["engine"]
        assert (await service.get("/healthz")).json() == {"good": True, "dispatcher": True}
        await service.receiver.hand_over(arrival("general", 1))  # and people are still heard

        service.writer.state = WriterState(ready=True)
        await service.becomes("/readyz", 200)


async def test_it_is_ready_only_while_the_database_answers(tmp_path: Path) -> None:
    async with running_service(tmp_path) as service:
        await service.becomes("/readyz", 200)

        change(tmp_path, "ALTER TABLE inbox RENAME TO elsewhere")
        assert not (await service.becomes("/readyz", 503)).json()["database"]
        assert "banter_inbox_waiting NaN" in (await service.get("/metrics")).text

        change(tmp_path, "ALTER TABLE elsewhere RENAME TO inbox")
        await service.becomes("/readyz", 200)


def change(folder: Path, statement: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / "banter.db", timeout=DEADLINE_S)) as connection:
        connection.execute(statement)
        connection.commit()


class TestTheEnd:
    """SIGTERM, to a process of its own."""

    async def test_a_reply_that_takes_too_long_is_handed_back_and_goes_on_at_the_next_start(
        self, tmp_path: Path
    ) -> None:
        first = await started(tmp_path, model_s=60.0, drain_s=0.1)
        assert await heard(first, until="typing") == ["accepted", "typing"]
        first.send_signal(signal.SIGTERM)
        rest, code = await ended(first)

        assert (rest[-2:], code) == (["no longer typing", "closed"], 0)
        assert stored(tmp_path, "SELECT owner FROM leases") == [""]
        assert stored(tmp_path, "SELECT state FROM inbox") == ["answering"]

        second = await started(tmp_path, model_s=0.0, drain_s=20.0)
        assert "answered" in await heard(second, until="answered")
        second.send_signal(signal.SIGTERM)
        rest, code = await ended(second)

        assert ("answered" not in rest, code) == (True, 0)
        assert stored(tmp_path, "SELECT state FROM inbox") == ["delivered"]

    async def test_a_reply_that_is_nearly_ready_is_finished(self, tmp_path: Path) -> None:
        process = await started(tmp_path, model_s=0.5, drain_s=20.0)
        await heard(process, until="typing")
        process.send_signal(signal.SIGINT)
        rest, code = await ended(process)

        assert ("answered" in rest, rest[-1], code) == (True, "closed", 0)


async def started(folder: Path, model_s: float, drain_s: float) -> asyncio.subprocess.Process:
    arguments = (str(folder), str(free_port()), str(model_s), str(drain_s))
    program = ("-m", "tests.integration.service_program", *arguments)
    return await asyncio.create_subprocess_exec(
        sys.executable, *program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )


async def heard(process: asyncio.subprocess.Process, until: str) -> list[str]:
    assert process.stdout is not None
    words: list[str] = []
    async with asyncio.timeout(DEADLINE_S):
        while until not in words:
            words.append((await process.stdout.readline()).decode().strip())
            assert words[-1]
    return words


async def ended(process: asyncio.subprocess.Process) -> tuple[list[str], int]:
    async with asyncio.timeout(DEADLINE_S):
        output, _ = await process.communicate()
    assert process.returncode is not None
    return output.decode().split("\n")[:-1], process.returncode


def stored(folder: Path, statement: str) -> list[str]:
    with contextlib.closing(sqlite3.connect(folder / "banter.db")) as connection:
        return [str(row[0]) for row in connection.execute(statement)]
