"""The composition root: settings → database, backend, voices, core. It opens everything and closes everything."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bots.engine import engine_process
from core.commands import Commands
from core.errors import BanterError
from core.generation.client import EngineClient
from core.generation.hub import HubAccess
from core.generation.models import ModelOptions, Models
from core.generation.queue import QueueLimits
from core.generation.request import Backend, ModelSpec
from core.generation.tokenizer import Tokenizer
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.responder import Responder
from core.settings import ModelSettings, PersonaSettings, Settings
from core.voice import Persona, Voices

if TYPE_CHECKING:
    from core.generation.openai import OpenAIBackend

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What a bot needs, opened."""

    memory: Memory
    backend: Backend
    voices: Voices
    responder: Responder
    commands: Commands
    #: The name of the persona that new sessions have.
    persona: str


@asynccontextmanager
async def open_program(settings: Settings, config: Path | None) -> AsyncIterator[Program]:
    """Everything is closed at the end. Raises StorageError where the database can't be used.

    The engine starts at once, beside the rest; that it could not is said by the first request. Where a server writes
    the replies, no engine is started.
    """
    voices = open_voices(settings)
    backend = open_backend(settings, config, voices)
    try:
        async with _warming_up(backend, voices, settings.persona), open_memory(settings) as memory:
            yield Program(
                memory=memory,
                backend=backend,
                voices=voices,
                responder=Responder(memory, backend, voices, _guards(settings), settings.generation.timeout_s),
                commands=Commands(memory, voices),
                persona=settings.persona,
            )
    finally:
        await backend.aclose()


def open_backend(settings: Settings, config: Path | None, voices: Voices) -> Backend:
    if settings.generation.backend == "openai":
        return open_server(settings, voices.tokenizer_of)
    return EngineClient(engine_process(settings, config), voices.tokenizer_of)


def open_server(settings: Settings, tokenizer_of: Callable[[ModelSpec], Tokenizer]) -> OpenAIBackend:
    from core.generation.openai import OpenAIBackend
    from core.generation.openai_request import OpenAIOptions

    engine, openai = settings.engine, settings.openai
    options = OpenAIOptions(
        api_key=openai.api_key.get_secret_value(),
        extensions=frozenset(openai.extensions),
        queue=QueueLimits(engine.waiting_limit, engine.waiting_per_person, engine.weights),
        **openai.model_dump(exclude={"api_key", "extensions"}),
    )
    return OpenAIBackend(options, tokenizer_of)


def open_database(settings: Settings) -> Database:
    return Database(settings.database_url, synchronous=settings.database.synchronous)


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncIterator[Memory]:
    """Raises StorageError where the database can't be used."""
    async with open_database(settings) as database:
        await prepare(database)
        yield Memory(database)


def open_models(settings: Settings) -> Models:
    options = {name: _options(model) for name, model in settings.models.items()}
    hub = HubAccess(token=settings.hub.token.get_secret_value(), endpoint=settings.hub.endpoint)
    return Models(settings.paths.cache, options, hub)


def open_voices(settings: Settings) -> Voices:
    personas = {name: _persona(name, persona, settings) for name, persona in settings.known_personas.items()}
    return Voices(personas, open_models(settings), settings.generation.context_window)


@asynccontextmanager
async def _warming_up(backend: Backend, voices: Voices, persona: str) -> AsyncIterator[None]:
    """The engine loads the model meanwhile; a server has it already."""
    warming = asyncio.create_task(_warm_up(backend, voices, persona)) if isinstance(backend, EngineClient) else None
    try:
        yield
    finally:
        if warming is not None:
            warming.cancel()
            await asyncio.gather(warming, return_exceptions=True)


async def _warm_up(backend: EngineClient, voices: Voices, persona: str) -> None:
    try:
        voice = await asyncio.to_thread(voices.of, persona)
        async with contextlib.aclosing(backend.prepare(voice.spec)) as loading:
            async for _ in loading:
                pass
    except BanterError as error:
        logger.warning("the model is not ready: %s", error, extra={"action": "warm_up"})


def _persona(name: str, persona: PersonaSettings, settings: Settings) -> Persona:
    return Persona(
        name=name,
        system_prompt=persona.system_prompt,
        model=persona.model or settings.generation.model,
        sampling=lambda recommended: persona.sampling.over(settings.sampling.over(recommended)),
        adapter=persona.adapter,
    )


def _options(model: ModelSettings) -> ModelOptions:
    return ModelOptions(**model.model_dump())


def _guards(settings: Settings) -> GuardLimits:
    return GuardLimits(redraws=settings.guards.redraws, loop_repeats=settings.guards.loop_repeats)
