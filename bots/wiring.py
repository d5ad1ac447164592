"""The composition root: settings → database, engine, voices, core. It opens everything and closes everything."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bots.engine import engine_process
from core.commands import Commands
from core.errors import BanterError
from core.generation.client import EngineClient
from core.generation.hub import HubAccess
from core.generation.models import ModelOptions, Models
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.responder import Responder
from core.settings import ModelSettings, PersonaSettings, Settings
from core.voice import Persona, Voices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Program:
    """What a bot needs, opened."""

    memory: Memory
    backend: EngineClient
    voices: Voices
    responder: Responder
    commands: Commands
    #: The name of the persona that new sessions have.
    persona: str


@asynccontextmanager
async def open_program(settings: Settings, config: Path | None) -> AsyncIterator[Program]:
    """Everything is closed at the end. Raises StorageError where the database can't be used.

    The engine starts at once, beside the rest; that it could not is said by the first request.
    """
    voices = open_voices(settings)
    backend = EngineClient(engine_process(settings, config), voices.tokenizer_of)
    warming = asyncio.create_task(_warm_up(backend, voices, settings.persona))
    try:
        async with open_memory(settings) as memory:
            yield Program(
                memory=memory,
                backend=backend,
                voices=voices,
                responder=Responder(memory, backend, voices, _guards(settings), settings.generation.timeout_s),
                commands=Commands(memory, voices),
                persona=settings.persona,
            )
    finally:
        warming.cancel()
        await asyncio.gather(warming, return_exceptions=True)
        await backend.aclose()


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


async def _warm_up(backend: EngineClient, voices: Voices, persona: str) -> None:
    try:
        voice = await asyncio.to_thread(voices.of, persona)
        async with contextlib.aclosing(backend.prepare(voice.model.spec)) as loading:
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
    )


def _options(model: ModelSettings) -> ModelOptions:
    return ModelOptions(**model.model_dump())


def _guards(settings: Settings) -> GuardLimits:
    return GuardLimits(redraws=settings.guards.redraws, loop_repeats=settings.guards.loop_repeats)
