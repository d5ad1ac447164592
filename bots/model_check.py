"""Is a model whole, does it fit, and does it speak? Asked of the real engine."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.filesize import decimal

from bots.engine import engine_process
from bots.progress import shown_progress
from bots.wiring import open_models
from core.dialogue import Role, Turn
from core.generation.catalogue import ModelFormat
from core.generation.client import EngineClient
from core.generation.request import Completion, GenerationRequest
from core.settings import Settings
from core.voice import Persona, Voices

_QUESTION = "Hello! How are you?"
_NEW_TOKENS = 16


async def check_model(settings: Settings, config: Path | None, name: str) -> AsyncIterator[str]:
    """Says line by line what was found. Raises ModelError or GenerationError at the first thing that is wrong."""
    models = open_models(settings)
    model = models.resolve(name)
    yield f"{model.name}: {model.folder}"
    yield f"{decimal(model.weights_bytes)} of weights, context window {model.context_window}, format {model.format}"
    if model.licence:
        yield f"licence {model.licence}"
    persona = Persona("check", "", name, lambda recommended: replace(recommended, max_new_tokens=_NEW_TOKENS))
    voices = Voices({"check": persona}, models, settings.generation.context_window)
    backend = EngineClient(engine_process(settings, config), voices.tokenizer_of)
    try:
        with shown_progress(Console(stderr=True)) as progress:
            async with contextlib.aclosing(backend.prepare(model.spec)) as loading:
                async for waiting in loading:
                    progress(f"loading {model.name}", waiting.fraction)
        yield "loaded"
        if model.format is not ModelFormat.RANKER:
            yield await _say_something(backend, voices)
    finally:
        await backend.aclose()


async def _say_something(backend: EngineClient, voices: Voices) -> str:
    voice = voices.of("check")
    prompt = voice.prompts.build("", [Turn(0, Role.PERSON, _QUESTION)])
    request = GenerationRequest(
        voice.model.spec, prompt, replace(voice.sampling, temperature=0), voice.tokenizer.stop_ids
    )
    async with contextlib.aclosing(backend.submit(request)) as events:
        async for event in events:
            if isinstance(event, Completion):
                timings, tokens = event.timings, len(event.best.token_ids)
                speed = tokens / max(timings.total_s, 1e-9)
                return f"{_QUESTION} → {event.best.text.strip()!r} ({tokens} tokens, {speed:.1f} tokens/s)"
    raise AssertionError("a stream ends with its completion")
