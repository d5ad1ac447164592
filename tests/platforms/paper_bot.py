"""A whole bot on a platform in memory: the walk as the program composes it, and short ways to talk to it."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import select

from bots.walk import Account, Ground, Walk, WalkOptions, open_walk
from core.answering.limits import AnswerLimits
from core.dispatcher import DispatchLimits
from core.edge import Edge
from core.generation.models import Models
from core.generation.request import Backend
from core.memory.database import Database
from core.memory.tables import OPEN_STATES, InboxRow
from core.policy import Manner, Policy
from core.ports import Accept
from core.sending import SendLimits
from core.voice import Persona, Voices
from tests.platforms.kinds import Kind
from tests.platforms.paper_model import PaperModel
from tests.platforms.paper_platform import PaperPlatform
from tests.platforms.paper_sender import BOT, PaperEvent, PaperSender, Wire, local_wire, new_splitter
from tests.unit.chat_templates import CHATML
from tests.unit.model_files import write_safetensors
from tests.unit.tiny_tokenizers import byte_level

_PATIENCE_S = 60.0
_LOOK_S = 0.02

#: Quick, so that a test of many failures takes no minutes.
ANSWERS = AnswerLimits(attempts=3, sending_attempts=5, first_pause_s=0.05, longest_pause_s=0.2, notice_after_s=0.1)
OPTIONS = WalkOptions(
    policy=Policy(Manner("banter")),
    event_secret=b"the tests' own",
    lease_s=5.0,
    dispatch=DispatchLimits(places=16, poll_s=0.05, drain_s=5.0),
    answer=ANSWERS,
    timeout_s=30.0,
)
SENDS = SendLimits(attempts=3, first_pause_s=0.02, longest_pause_s=0.1, longest_wait_s=2.0)


def paper_voices(folder: Path) -> Voices:
    """A persona whose model has a tokenizer and no weights worth the name."""
    model = byte_level(folder / "model", CHATML)
    (model / "config.json").write_text('{"model_type": "llama", "max_position_embeddings": 4096}')
    write_safetensors(model / "model.safetensors")
    return voices_in(folder)


def voices_in(folder: Path) -> Voices:
    """Those of a folder that `paper_voices` filled."""
    model = folder / "model"
    persona = Persona("banter", "", str(model), lambda sampling: replace(sampling, max_new_tokens=64))
    return Voices({"banter": persona}, Models(folder / "cache"), context_window=1024)


class _Silent:
    """A receiver that hears nothing: tests hand over what came."""

    async def run(self, accept: Accept) -> None:
        await asyncio.Event().wait()


def account(kind: Kind, wire: Wire) -> Account:
    edge = Edge(PaperSender(kind, wire), new_splitter(kind), SENDS)
    return Account(kind.platform, BOT, edge, _Silent())


@dataclass(frozen=True, slots=True)
class Told:
    """How a message stands in the inbox."""

    state: str
    reason: str
    attempts: int


class PaperBot:
    def __init__(self, platform: PaperPlatform, database: Database, model: PaperModel, walk: Walk) -> None:
        self.platform = platform
        self.database = database
        self.model = model
        self.walk = walk
        self._numbers = itertools.count(1)

    @property
    def accept(self) -> Accept:
        return self.walk.accepts[self.platform.kind.platform, BOT]

    async def says(self, text: str, id: str = "", channel: str = "general", person: str = "anna") -> str:  # noqa: A002
        """A person says something; the id of their message."""
        message_id = id or f"m{next(self._numbers)}"
        await self.receives(PaperEvent(message_id, channel, text, person))
        return message_id

    async def receives(self, *events: PaperEvent) -> None:
        await self.accept([event.arrival(self.platform.kind) for event in events])

    async def until(self, is_so: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while not is_so():  # noqa: ASYNC110 - as somebody looks at a screen
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"it never came to be: {self.platform.log[-10:]}") from None

    async def settles(self) -> None:
        """Until nobody is owed anything."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while await self._open():  # noqa: ASYNC110 - the database has no event
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"somebody still waits: {await self._open()}, {self.platform.log[-10:]}") from None

    async def until_told(self, *states: str) -> None:
        """Until the first messages are in these states."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                while [one.state for one in await self.told()][: len(states)] != [*states]:  # noqa: ASYNC110 - as above
                    await asyncio.sleep(_LOOK_S)
        except TimeoutError:
            raise AssertionError(f"they are {await self.told()}") from None

    async def told(self) -> list[Told]:
        """Every event that was kept, in its order."""
        asked = select(InboxRow.state, InboxRow.reason, InboxRow.attempts).order_by(InboxRow.id)
        async with self.database.reading() as connection:
            return [Told(*row) for row in await connection.execute(asked)]

    async def _open(self) -> list[int]:
        async with self.database.reading() as connection:
            return list(await connection.scalars(select(InboxRow.id).where(InboxRow.state.in_(OPEN_STATES))))


@dataclass(frozen=True, slots=True)
class Place:
    """Where bots are opened: they share a platform and a database."""

    platform: PaperPlatform
    database: Database
    voices: Voices

    @asynccontextmanager
    async def bot(self, model: PaperModel | None = None, options: WalkOptions = OPTIONS) -> AsyncIterator[PaperBot]:
        model = model or PaperModel()
        async with open_paper_walk(self, model, local_wire(self.platform), options) as walk:
            yield PaperBot(self.platform, self.database, model, walk)


@asynccontextmanager
async def open_paper_walk(place: Place, backend: Backend, wire: Wire, options: WalkOptions) -> AsyncIterator[Walk]:
    ground = Ground(place.database, backend, place.voices)
    async with open_walk(ground, [account(place.platform.kind, wire)], options) as walk:
        yield walk
