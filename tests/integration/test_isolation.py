"""Nothing that was said in one place reaches another's prompt: random histories of shared people and personas.

Every word that is said in a dialogue begins with its session's mark, and every prompt is searched for marks of other
sessions. The model repeats what it was told, and as a summary all of it, so that a leak would spread.
"""

import itertools
import json
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from core.dialogue import FinishReason, InboundMessage, Person, Platform, SessionKey, Turn
from core.generation.models import Models
from core.generation.request import (
    Candidate,
    Completion,
    Event,
    GenerationRequest,
    ModelSpec,
    Piece,
    Prompt,
    ScorePair,
    Timings,
)
from core.generation.tokenizer import Tokenizer
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.tables import TurnRow
from core.memory.upgrade import prepare
from core.recollection import RecollectionLimits, recollecting
from core.responder import Responder
from core.summary import PRIORITY, Summarizer
from core.voice import Persona, Voices
from tests.contract.local_postgres import local_postgres
from tests.integration.tiny_networks import save_tiny_network

WINDOW = 900
MARK = re.compile(r"mark(\d+)x")
#: What everybody talks of, wherever they are.
TOPICS = ("my dog Rex", "the secret plan", "a birthday in May")

CHANNEL = SessionKey(Platform.SLACK, "banter", "T1", "general")
PLACES = (
    CHANNEL,
    replace(CHANNEL, channel="private"),
    replace(CHANNEL, workspace="T2"),
    replace(CHANNEL, thread="topic"),
    replace(CHANNEL, person="U1"),
    replace(CHANNEL, person="U2"),
)


class Parrot:
    """A backend that says again what it was told."""

    def __init__(self) -> None:
        self.requests: list[GenerationRequest] = []

    async def submit(self, request: GenerationRequest) -> AsyncGenerator[Event, None]:
        self.requests.append(request)
        said = " ".join(message.content for message in request.prompt.messages[-1:])
        if request.priority == PRIORITY:
            said = " ".join(dict.fromkeys(word for word in said.split() if MARK.match(word)))[:120]
        else:
            said = f"{said[-150:]} {len(self.requests)}"
            yield Piece(said, ())
        yield Completion((Candidate(said, (), FinishReason.STOP, -1.0),), Timings(), seed=1)

    async def cancel(self, request_id: str) -> None: ...

    async def score(self, model: ModelSpec, pairs: Sequence[ScorePair], timeout_s: float = 300.0) -> list[float]:
        raise NotImplementedError

    async def aclose(self) -> None: ...


@dataclass(frozen=True)
class Act:
    kind: str
    place: int
    person: int = 0
    topic: int = 0


@dataclass
class World:
    """People who talk at several places with one bot."""

    memory: Memory
    database: Database
    backend: Parrot
    responder: Responder
    summarizer: Summarizer
    tokenizer: Tokenizer
    #: Every example has places of its own.
    name: str
    checked: list[Prompt] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    async def do(self, act: Act) -> None:
        place = PLACES[act.place % len(PLACES)]
        key = replace(place, bot=self.name)
        session = await self.memory.open_session(key, "banter", "tiny")
        if act.kind == "say":
            await self._answer(session, await self._say(session, act))
        elif act.kind == "new":
            await self.memory.begin_session(key, "pirate", "tiny")
        elif act.kind == "undo":
            await self.memory.undo(session.id)
        elif question := await self.memory.last_question(session.id):
            if act.kind == "edit":
                await self._edit(session, question)
            else:
                await self._answer(session, question)

    async def _say(self, session: Session, act: Act) -> Turn:
        key = session.key
        who = Person(Platform.SLACK, key.workspace, key.person or f"U{act.person}", f"Person {act.person}")
        number = next(self._numbers)
        words = f"{TOPICS[act.topic % len(TOPICS)]} {number}".split() * 2
        text = " ".join(f"mark{session.id}x {word}" for word in words)
        message = InboundMessage(key, who, f"{self.name} {number}", text, datetime.now(UTC))
        return await self.memory.record_message(session.id, message)

    async def _edit(self, session: Session, turn: Turn) -> None:
        async with self.database.writing() as connection:
            changed = update(TurnRow).where(TurnRow.id == turn.id, TurnRow.session_id == session.id)
            await connection.execute(changed.values(text=f"mark{session.id}x edited", token_count=None))

    async def _answer(self, session: Session, question: Turn) -> None:
        """All that is asked of the model meanwhile is this session's."""
        before = len(self.backend.requests)
        async for _ in self.responder.answer(session, question):
            pass
        await self.summarizer.settled()
        for request in self.backend.requests[before:]:
            self.check(session, request.prompt)

    def check(self, session: Session, prompt: Prompt) -> None:
        self.checked.append(prompt)
        told = " ".join(message.content for message in prompt.messages) + self.tokenizer.decode(prompt.token_ids)
        assert set(MARK.findall(told)) <= {str(session.id)}

    def tells(self, words: str) -> int:
        return sum(any(words in message.content for message in prompt.messages) for prompt in self.checked)


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with local_postgres() as server:
        yield server.url()


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    model = save_tiny_network("llama", tmp_path_factory.mktemp("llama"))
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps({**config, "max_position_embeddings": WINDOW}))
    personas = {
        name: Persona(name, f"You are a {name}.", str(model), lambda sampling: replace(sampling, max_new_tokens=100))
        for name in ("banter", "pirate")
    }
    return Voices(personas, Models(tmp_path_factory.mktemp("cache")), context_window=WINDOW)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite:///{tmp_path}/banter.db"
    if request.param == "postgresql":
        url = await _fresh(request.getfixturevalue("postgres_url"))
    async with Database(url) as opened:
        await prepare(opened)
        yield opened


async def _fresh(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DROP DATABASE IF EXISTS isolation")
        await connection.execute("CREATE DATABASE isolation")
    finally:
        await connection.close()
    return url.replace("/postgres?", "/isolation?")


_names = (f"bot {number}" for number in itertools.count())


async def live(database: Database, voices: Voices, acts: Sequence[Act]) -> World:
    memory, backend = Memory(database), Parrot()
    async with recollecting(memory, backend, RecollectionLimits(found_tokens=300)) as recollection:
        responder = Responder(memory, backend, voices, GuardLimits(redraws=0), 300.0, recollection)
        summarizer = recollection._summarizer
        assert summarizer is not None
        tokenizer = voices.of("banter", "tiny").tokenizer
        world = World(memory, database, backend, responder, summarizer, tokenizer, next(_names))
        for act in acts:
            await world.do(act)
    return world


KINDS = ["say"] * 10 + ["again", "undo", "undo", "edit", "new"]
ACTS = st.lists(
    st.builds(Act, st.sampled_from(KINDS), st.integers(0, 3), st.integers(1, 3), st.integers(0, 2)),
    min_size=15,
    max_size=40,
)


@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(acts=ACTS, places=st.permutations(range(len(PLACES))))
async def test_no_prompt_tells_of_another_session(
    database: Database, voices: Voices, acts: list[Act], places: list[int]
) -> None:
    world = await live(database, voices, [replace(act, place=places[act.place]) for act in acts])

    event(f"summaries: {world.tells('[What was said before') > 0}")
    event(f"found: {world.tells('[Said earlier') > 0}")


async def test_long_dialogues_side_by_side_have_their_own_summaries_and_finds(
    database: Database, voices: Voices
) -> None:
    """So that the test above cannot hold for want of anything to leak."""
    acts = [Act("say", place, 1, topic) for topic in range(16) for place in range(len(PLACES))]

    world = await live(database, voices, acts)

    assert world.tells("[What was said before") > len(acts) / 4
    assert world.tells("[Said earlier") > len(PLACES)
