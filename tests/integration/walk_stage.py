"""A stage for the walk: a model that needs no time, a platform in memory, and people who talk to it.

No torch. The platform says of itself what Discord, Telegram or Slack would, so that the walk takes the same steps.
"""

import asyncio
import itertools
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from adapters.text import Splitter
from bots.walk import Account, Ground, Walk, WalkOptions, open_walk
from core.dialogue import Attachment, Called, FinishReason, InboundMessage, Person, Platform, SessionKey
from core.dispatcher import DispatchLimits
from core.edge import Edge
from core.errors import QueueFull
from core.generation.models import Models
from core.generation.request import (
    Candidate,
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    Piece,
    ScorePair,
    Timings,
)
from core.measures import UNMEASURED, Measures
from core.memory.database import Database
from core.policy import Manner, Policy
from core.ports import Accept, Arrival, Capabilities, Outgoing
from core.voice import Persona, Voices
from tests.unit.model_files import GPT2, write_safetensors
from tests.unit.tiny_tokenizers import byte_level

PLATFORMS = {
    "discord": Capabilities(edits=True, idempotent_send=True, typing_interval_s=8.0),
    "telegram": Capabilities(edits=True, typing_interval_s=4.0),
    "slack": Capabilities(native_stream=True, read_back=True, typing_interval_s=60.0),
}
BOT = "banter"
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
_WORDS = "The quick brown fox jumps over the lazy dog while the band plays on, and nobody minds that at all."
_REPLY_IDS = tuple(range(100, 124))
_ANSWER_TIMEOUT_S = 120.0


@dataclass(slots=True)
class SteadyModel:
    """Writes a reply of its own to each question, `parallel` at once, each in `seconds`; more wait, or are refused.

    It repeats the question's last word, so that anybody can see which one it answers.
    """

    seconds: float = 0.0
    parallel: int = 1 << 20
    waiting_limit: int = 1 << 20
    #: Until it is set nothing is written; None is from the start.
    begins: asyncio.Event | None = None
    #: The most that were ever here at once.
    most: int = 0
    _here: int = 0
    _places: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._places = asyncio.Semaphore(self.parallel)

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        if self._here >= self.parallel + self.waiting_limit:
            raise QueueFull("the model has too much to do", waiting=self.waiting_limit)
        self._here += 1
        self.most = max(self.most, self._here)
        begin = time.perf_counter()
        try:
            async with self._places:
                if self.begins is not None:
                    await self.begins.wait()
                queue_s = time.perf_counter() - begin
                if self.seconds:
                    await asyncio.sleep(self.seconds)
                text = f"{_WORDS} ({request.prompt.messages[-1].content.split()[-1]})"
                yield Piece(text, _REPLY_IDS)
                best = Candidate(text, _REPLY_IDS, FinishReason.STOP, -1.0)
                total_s = time.perf_counter() - begin
                yield Completion((best,), Timings(queue_s, total_s, total_s), seed=1)
        finally:
            self._here -= 1

    async def cancel(self, request_id: str) -> None: ...

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        return [0.0 for _ in pairs]

    async def aclose(self) -> None: ...


class Board:
    """What everybody sees of the platform: the last word on each question."""

    def __init__(self, capabilities: Capabilities) -> None:
        self._capabilities = capabilities
        self._numbers = itertools.count(1)
        #: (channel, question) → its answer, in the order in which they were finished.
        self.answers: dict[tuple[str, str], str] = {}
        self._awaited: dict[tuple[str, str], asyncio.Future[str]] = {}
        #: Of the reply to each; the same reply may be sent again.
        self._tokens: dict[tuple[str, str], str] = {}
        self._handles: dict[str, str] = {}

    def capabilities(self, key: SessionKey) -> Capabilities:
        return self._capabilities

    async def open(self, part: Outgoing) -> str:
        self._see(part)
        return self._handles.setdefault(part.nonce, f"p{next(self._numbers)}")

    async def update(self, handle: str, part: Outgoing) -> None: ...

    async def append(self, handle: str, part: Outgoing, text: str) -> None: ...

    async def close(self, handle: str, part: Outgoing) -> None:
        self._see(part)

    async def find(self, part: Outgoing) -> str | None:
        return None

    async def withdraw(self, handle: str, part: Outgoing) -> None: ...

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None: ...

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None: ...

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        return b""

    async def name_thread(self, key: SessionKey, title: str) -> None: ...

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None: ...

    async def answer(self, channel: str, message_id: str) -> str:
        """Waits for it."""
        place = (channel, message_id)
        if place not in self.answers:
            future = self._awaited[place] = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(_ANSWER_TIMEOUT_S):
                await future
        return self.answers[place]

    def _see(self, part: Outgoing) -> None:
        if not (part.is_closed and part.is_last):
            return
        place = (part.session_key.channel, part.reply_to_id)
        if self._tokens.setdefault(place, part.token) != part.token:
            raise AssertionError("a question was answered twice")
        self.answers.setdefault(place, part.markdown)
        if (future := self._awaited.pop(place, None)) is not None and not future.done():
            future.set_result(part.markdown)


class Nobody:
    """A receiver that hears nothing: messages are handed over by others."""

    async def run(self, accept: Accept) -> None:
        await asyncio.Event().wait()


@dataclass(frozen=True, slots=True)
class Stage:
    walk: Walk
    board: Board
    model: SteadyModel

    async def ask(self, channel: str, number: int) -> float:
        """Hands a message over, waits for its answer, and tells how long it took."""
        begin = time.perf_counter()
        await self.hand_over(channel, number)
        await self.board.answer(channel, f"m{number}")
        return time.perf_counter() - begin

    async def hand_over(self, channel: str, number: int) -> None:
        await self.walk.accepts[Platform.DISCORD, BOT]([arrival(channel, number)])


def arrival(channel: str, number: int) -> Arrival:
    """A message as a platform would deliver it, with a raw event of a usual size."""
    key = SessionKey(Platform.DISCORD, BOT, "guild", channel)
    person = Person(Platform.DISCORD, "guild", channel, f"Anna {channel}")
    text = f"What do you think of this, and of that? Tell me about number {channel}.{number}"
    raw = json.dumps({"id": f"m{number}", "channel_id": channel, "content": text, "padding": "x" * 600})
    message = InboundMessage(key, person, f"m{number}", text, datetime.now(UTC), Called(directly=True))
    return Arrival(raw, message)


def open_voices(folder: Path) -> Voices:
    """A persona with a real tokenizer and chat template, and weights of a few bytes."""
    model = byte_level(folder / "model", _TEMPLATE)
    (model / "config.json").write_text(json.dumps({**GPT2, "n_positions": 8192}))
    write_safetensors(model / "model.safetensors")
    persona = Persona(
        "banter", "You are a helpful AI assistant.", str(model), lambda sampling: replace(sampling, max_new_tokens=256)
    )
    voices = Voices({persona.name: persona}, Models(folder / "cache"), context_window=8192)
    voices.of(persona.name)
    return voices


@asynccontextmanager
async def staged(
    database: Database,
    voices: Voices,
    model: SteadyModel,
    places: int,
    capabilities: Capabilities = PLATFORMS["discord"],
    measures: Measures = UNMEASURED,
    poll_s: float = 1.0,
) -> AsyncIterator[Stage]:
    board = Board(capabilities)
    account = Account(Platform.DISCORD, BOT, Edge(board, new_splitter), Nobody())
    limits = DispatchLimits(places=places, poll_s=poll_s)
    options = WalkOptions(Policy(Manner("banter")), event_secret=b"benchmark", dispatch=limits)
    async with open_walk(Ground(database, model, voices, measures), [account], options) as walk:
        yield Stage(walk, board, model)


def new_splitter(borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:
    return Splitter(lambda markdown: len(markdown) <= (limit_chars or 2000), borders)


async def talk(stage: Stage, sessions: int, rounds: int) -> float:
    """Everybody says the next thing when the last one was answered; how long all of it took."""

    async def dialogue(channel: str) -> None:
        for number in range(rounds):
            await stage.ask(channel, number)

    begin = time.perf_counter()
    await asyncio.gather(*(dialogue(str(channel)) for channel in range(sessions)))
    return time.perf_counter() - begin


async def drop_in(stage: Stage, sessions: int, messages: int, per_second: float) -> list[float]:
    """People speak when they like, `per_second` of them; how long each one waited."""
    chance, due = random.Random(17), time.perf_counter()
    asked: list[asyncio.Task[float]] = []
    for number in range(messages):
        due += chance.expovariate(per_second)
        await asyncio.sleep(max(due - time.perf_counter(), 0.0))
        asked.append(asyncio.create_task(stage.ask(str(number % sessions), number)))
    return list(await asyncio.gather(*asked))
