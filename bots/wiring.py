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
from bots.policies import models_of_places, policy_of
from bots.privacy import privacy_by_command
from bots.walk import WalkOptions
from core.answering.limits import AnswerLimits
from core.attachments import AttachmentLimits
from core.commands.asked import Known
from core.commands.commands import Commands
from core.dispatcher import DispatchLimits
from core.errors import BanterError
from core.generation.client import EngineClient
from core.generation.hub import HubAccess
from core.generation.models import ModelOptions, Models
from core.generation.queue import QueueLimits
from core.generation.request import Backend, ModelSpec
from core.generation.tokenizer import Tokenizer
from core.guards import GuardLimits
from core.memory.database import Database
from core.memory.pairing import Pairings
from core.memory.sealing import Sealing
from core.memory.secrets import Secrets, event_secret
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.recollection import RecollectionLimits, recollecting
from core.responder import Responder
from core.secret_key import load_keys
from core.settings.settings import ModelSettings, PersonaSettings, Settings
from core.summary import SummaryLimits
from core.texts import Texts
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
        async with (
            warming_up(backend, voices, settings.persona),
            open_memory(settings) as memory,
            privacy_by_command(settings, config) as privacy,
            recollecting(memory, backend, recollection_limits(settings)) as recollection,
        ):
            timeout_s = settings.generation.timeout_s
            yield Program(
                memory=memory,
                backend=backend,
                voices=voices,
                responder=Responder(memory, backend, voices, _guards(settings), timeout_s, recollection),
                commands=Commands(Known(voices, Texts(), privacy)),
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
    synchronous = settings.database.synchronous
    return Database(settings.database_url, synchronous=synchronous, sealing=open_sealing(settings))


def open_sealing(settings: Settings) -> Sealing:
    """The key file is made when a key is first needed."""
    privacy, file = settings.privacy, settings.key_file
    return Sealing(lambda: load_keys(privacy.key.get_secret_value(), file), texts=privacy.encrypt)


@asynccontextmanager
async def open_memory(settings: Settings) -> AsyncIterator[Memory]:
    """Raises StorageError where the database can't be used."""
    async with open_database(settings) as database:
        await prepare(database)
        if settings.privacy.encrypt:
            await open_event_secret(settings, database)
        yield Memory(database)


async def open_event_secret(settings: Settings, database: Database) -> bytes:
    """What the keys of the database's events are hashed with. Raises SettingsError where it began with another key."""
    if settings.privacy.encrypt:
        logger.info("texts are encrypted: older turns are not searched", extra={"action": "encrypt"})
    return await event_secret(Secrets(database, open_sealing(settings)))


@asynccontextmanager
async def open_pairings(settings: Settings) -> AsyncIterator[Pairings]:
    """Who is known. Raises StorageError where the database can't be used."""
    async with open_database(settings) as database:
        await prepare(database)
        yield Pairings(database)


def open_models(settings: Settings) -> Models:
    options = {name: _options(model) for name, model in settings.models.items()}
    hub = HubAccess(token=settings.hub.token.get_secret_value(), endpoint=settings.hub.endpoint)
    return Models(settings.paths.cache, options, hub)


def open_voices(settings: Settings) -> Voices:
    personas = {name: _persona(name, persona, settings) for name, persona in settings.known_personas.items()}
    others = (*settings.models, *models_of_places(settings))
    return Voices(personas, open_models(settings), settings.generation.context_window, others)


def walk_options(settings: Settings, event_secret: bytes) -> WalkOptions:
    """How people on the platforms are answered. The secret is the database's own."""
    service = settings.service
    return WalkOptions(
        policy=policy_of(settings),
        event_secret=event_secret,
        lease_s=service.lease_s,
        dispatch=DispatchLimits(service.places, service.poll_s, service.drain_s),
        answer=AnswerLimits(
            attempts=service.attempts,
            notice_after_s=service.notice_after_s,
            burst_s=service.burst_s,
            attachments=AttachmentLimits(service.attachment_kib * 1024),
            redraws_edited=service.redraw_edited,
        ),
        guards=_guards(settings),
        recollection=recollection_limits(settings),
        timeout_s=settings.generation.timeout_s,
    )


@asynccontextmanager
async def warming_up(backend: Backend, voices: Voices, persona: str) -> AsyncIterator[None]:
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


def recollection_limits(settings: Settings) -> RecollectionLimits:
    """Texts that are encrypted are not searched."""
    memory = settings.memory
    return RecollectionLimits(
        summary=SummaryLimits(max_tokens=memory.summary_tokens) if memory.summary else None,
        found_tokens=memory.search_tokens if memory.search and not settings.privacy.encrypt else 0,
    )
