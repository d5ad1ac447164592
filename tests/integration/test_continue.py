"""/continue over real memory, a real tokenizer, and a model that always means to say the same long sentence."""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.commands.asked import Known
from core.commands.command import Asker, Command, CommandReply
from core.commands.commands import Commands
from core.dialogue import FinishReason, InboundMessage, Person, Platform, SessionKey, Turn
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
from core.generation.tokenizer import Tokenizer
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.responder import Answered, Responder, Streamed, Written
from core.texts import Texts
from core.voice import Persona, Voices
from tests.integration.tiny_networks import save_tiny_network

KEY = SessionKey(Platform.TERMINAL, "banter", "", "me")
ME = Person(Platform.TERMINAL, "", "me", "Me")
MEANT = "one two  three four \U0001f44b five six seven eight nine ten"
BUDGET = 9


class LongWinded:
    """Says as much of one sentence as it may; a request's prefix is what it has said already."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.requests: list[GenerationRequest] = []
        self._tokenizer = tokenizer
        self._ids = tuple(tokenizer.encode_data(MEANT))

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        begin, end = len(request.prefix_ids), min(request.sampling.max_new_tokens, len(self._ids))
        assert request.prefix_ids == self._ids[:begin]
        for number in range(begin, end):
            if more := self._said(number + 1)[len(self._said(number)) :]:
                yield Piece(more, (self._ids[number],))
        reason = FinishReason.LENGTH if end < len(self._ids) else FinishReason.STOP
        yield Completion((Candidate(self._said(end), self._ids[:end], reason, -1.0),), Timings(), seed=1)

    def _said(self, tokens: int) -> str:
        return self._tokenizer.decode(self._ids[:tokens]).rstrip("\ufffd")

    async def cancel(self, request_id: str) -> None: ...

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        raise NotImplementedError

    async def aclose(self) -> None: ...


class Listener:
    """Somebody who wants to hear all of it."""

    def __init__(self, memory: Memory, session: Session, voices: Voices) -> None:
        self.memory = memory
        self.session = session
        self.backend = LongWinded(voices.of("banter").tokenizer)
        self.responder = Responder(memory, self.backend, voices, GuardLimits())
        self.commands = Commands(Known(voices, Texts()))

    async def asks(self) -> str:
        message = InboundMessage(KEY, ME, "m1", "Count.", datetime.now(UTC))
        return await self.hears(await self.memory.record_message(self.session.id, message))

    async def says_continue(self) -> CommandReply:
        async with self.memory.transaction() as steps:
            return await self.commands.run(steps, self.session, Command("continue"), Asker(ME))

    async def hears_more(self) -> str:
        told = await self.says_continue()
        return told.text if told.answer_again is None else await self.hears(told.answer_again, told.continues)

    async def hears(self, question: Turn, continues: Turn | None = None) -> str:
        heard = ""
        async for event in self.responder.answer(self.session, question, continues):
            if isinstance(event, Piece):
                heard += event.text
            elif isinstance(event, Answered):
                assert event.written.added.rstrip() == heard.rstrip()
        return heard

    async def remembered(self) -> list[str]:
        return [turn.text for turn in await self.memory.recall(self.session.id, 1000)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_network("llama", tmp_path_factory.mktemp("llama")))


@pytest.fixture
async def listener(tmp_path: Path, model: str) -> AsyncIterator[Listener]:
    persona = Persona("banter", "Be kind.", model, lambda sampling: replace(sampling, max_new_tokens=BUDGET))
    voices = Voices({"banter": persona}, Models(tmp_path / "cache"), context_window=200)
    async with Database(f"sqlite:///{tmp_path}/banter.db") as database:
        await prepare(database)
        memory = Memory(database)
        yield Listener(memory, await memory.open_session(KEY, "banter", model), voices)


async def test_a_reply_is_gone_on_with_until_it_is_whole(listener: Listener) -> None:
    heard = [await listener.asks()]
    while not (more := await listener.hears_more()).startswith("My last reply"):
        heard.append(more)

    assert len(heard) > 2
    assert "".join(heard) == MEANT
    assert await listener.remembered() == ["Count.", MEANT]
    assert more == "My last reply was not cut; there is nothing to go on with."


async def test_each_part_may_be_as_long_as_a_reply(listener: Listener) -> None:
    await listener.asks()
    await listener.hears_more()

    first, second = listener.backend.requests
    assert first.sampling.max_new_tokens == BUDGET
    assert second.sampling.max_new_tokens == len(second.prefix_ids) + BUDGET
    assert second.prompt.token_ids == first.prompt.token_ids


async def test_prompt_and_whole_reply_stay_within_the_context_window(listener: Listener) -> None:
    message = InboundMessage(KEY, ME, "m0", "word " * 150, datetime.now(UTC))
    question = await listener.memory.record_message(listener.session.id, message)
    await listener.hears(question)

    await listener.hears_more()

    asked = listener.backend.requests[-1]
    assert asked.prefix_ids
    assert len(asked.prompt.token_ids) + asked.sampling.max_new_tokens <= 200


async def test_a_reply_of_another_tokenizer_is_read_anew(listener: Listener) -> None:
    message = InboundMessage(KEY, ME, "m0", "Count.", datetime.now(UTC))
    question = await listener.memory.record_message(listener.session.id, message)
    cut = ReplyRecord("one two", "other", FinishReason.LENGTH)
    await listener.memory.record_reply(listener.session.id, question.id, cut)

    heard = await listener.hears_more()

    assert heard
    assert ("one two" + heard) == MEANT[: len("one two" + heard)]


async def test_after_a_crash_it_goes_on_where_it_was_seen(listener: Listener) -> None:
    await listener.asks()
    told = await listener.says_continue()
    assert told.answer_again is not None
    assert told.continues is not None
    streamed = Streamed(continues=told.continues)
    events = [
        event async for event in listener.responder.write(listener.session, told.answer_again, "me", (), streamed)
    ]
    pieces = [event for event in events if isinstance(event, Piece)]
    seen = Streamed(pieces[0].text, pieces[0].token_ids, 1, told.continues)

    rest = [event async for event in listener.responder.write(listener.session, told.answer_again, "me", (), seen)]

    assert "".join(event.text for event in rest if isinstance(event, Piece)) == "".join(p.text for p in pieces[1:])
    assert isinstance(rest[-1], Written)
    assert rest[-1].added == "".join(piece.text for piece in pieces).rstrip()
