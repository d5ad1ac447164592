"""The paper platform, outside of its bots: it answers calls, hands over events until they are acked, and lives on."""

import asyncio
import contextlib
import json
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path

from tests.crash.judge import judged, log_of
from tests.crash.paper_place import PaperPlace
from tests.crash.scenario import Scenario
from tests.crash.verdict import Judgement
from tests.crash.weather import Weather
from tests.crash.wire import write_line
from tests.platforms.paper_platform import CallFailed, PaperPlatform, Trouble, Words
from tests.platforms.paper_sender import PaperEvent

#: What was not acked comes again after so long.
REDELIVERY_S = 0.3
#: Longer than a bot waits for an answer.
_TOO_LATE_S = 0.8


class PaperOutside:
    """Implements `Outside`."""

    def __init__(self, scenario: Scenario) -> None:
        self.platform = PaperPlatform(scenario.kind)
        self.weather = scenario.weather
        self.acked: set[str] = set()
        self._scenario = scenario
        self._draw = random.Random(scenario.seed)
        self._lines: dict[str, asyncio.StreamWriter] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self.platform.troubles = self._trouble

    async def begins(self) -> None:
        """At once."""

    async def deliver(self, event: PaperEvent) -> None:
        """Until it is acked, to whoever is there."""
        while event.id not in self.acked:
            self._hand_over(event)
            await asyncio.sleep(REDELIVERY_S * self._draw.uniform(0.5, 1.5))
        if self._draw.random() < self.weather.redelivered:
            self._hand_over(event)

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[PaperPlace]:
        socket, kind = folder / "platform.sock", self._scenario.kind
        server = await asyncio.start_unix_server(self._serve, socket)
        try:
            yield PaperPlace(socket, kind.name, kind.nonce_window_s)
        finally:
            server.close()
            for task in self._answering:
                task.cancel()
            for writer in self._lines.values():
                writer.close()
            await asyncio.gather(*self._answering, return_exceptions=True)

    async def calm_down(self) -> None:
        self.weather = Weather()

    async def judged(self, _troubles: Sequence[float]) -> Judgement:
        left_over = sum(not (seen.is_said or seen.is_deleted) for seen in self.platform.messages.values())
        return Judgement(judged(self._scenario, self.platform), left_over)

    def log_of(self, event: PaperEvent) -> Sequence[str]:
        return log_of(self.platform, event.id)

    def _hand_over(self, event: PaperEvent) -> None:
        if self._lines:
            write_line(self._draw.choice(list(self._lines.values())), {"event": asdict(event)})

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = ""
        try:
            while line := await reader.readline():
                told = json.loads(line)
                if "bot" in told:
                    name = told["bot"]
                    self._lines[name] = writer
                elif "ack" in told:
                    self.acked.add(told["ack"])
                else:
                    self._answer_soon(writer, told["number"], told["call"], told["words"])
        except ConnectionError:  # it was killed
            pass
        finally:
            if self._lines.get(name) is writer:
                del self._lines[name]
            writer.close()

    def _answer_soon(self, writer: asyncio.StreamWriter, number: int, name: str, words: Words) -> None:
        """What is called is done at once; the answer may take a while."""
        try:
            answer: dict[str, object] = {"answer": self.platform.call(name, words)}
        except CallFailed as failed:
            answer = {"trouble": failed.trouble.value, "retry_after_s": failed.retry_after_s}
        task = asyncio.create_task(self._answer(writer, {"number": number, **answer}))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, writer: asyncio.StreamWriter, answer: dict[str, object]) -> None:
        is_late = self._draw.random() < self.weather.late
        await asyncio.sleep(_TOO_LATE_S if is_late else self._draw.uniform(0, 0.01))
        with contextlib.suppress(ConnectionError):
            write_line(writer, answer)

    def _trouble(self, name: str, words: Words) -> CallFailed | None:
        weather, drawn = self.weather, self._draw.random()
        for chance, trouble in (
            (weather.rate_limited, Trouble.RATE_LIMITED),
            (weather.unanswered, Trouble.UNANSWERED),
            (weather.unheard, Trouble.UNHEARD),
            (weather.away, Trouble.AWAY),
        ):
            if drawn < chance:
                return CallFailed(trouble, self._draw.uniform(0.02, 0.15))
            drawn -= chance
        return None
