"""Is a model whole, does it fit, and does it speak? Asked of the real engine."""

import contextlib
import math
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
from core.generation.request import Completion, GenerationRequest, ScorePair
from core.settings.settings import Settings
from core.voice import Persona, Voices

_QUESTION = "Hello! How are you?"
_NEW_TOKENS = 16
#: For the perplexity.
_LINES = (
    "Hi! I moved here last week and I don't know anybody yet. What do people do in this town on a Sunday?",
    "There is a market by the river in the morning, and most of us go for a walk in the hills afterwards.",
    "That sounds lovely. Do I need a car for the hills, or is there a bus that goes there?",
    "Take the number nine from the station, it leaves every half hour. Bring good shoes and something to drink.",
    "Thank you so much! Would you like to come along, or are you busy this weekend?",
    "I would love to, but my sister is visiting with her two boys. Ask me again next week, and we'll find a day.",
)


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
        yield f"loaded; its requests run {await _way(backend, model.name)}"
        if model.format is not ModelFormat.RANKER:
            yield await _say_something(backend, voices)
            if model.spec.dtype == "int8":
                yield await _compare_perplexity(backend, voices)
    finally:
        await backend.aclose()


async def _way(backend: EngineClient, name: str) -> str:
    statistics = await backend.inspect()
    return next((model.way for model in statistics.models if model.name == name), "") if statistics else ""


async def _compare_perplexity(backend: EngineClient, voices: Voices) -> str:
    """What 8-bit weights cost: the perplexity of a few lines of dialogue, with them and without."""
    voice = voices.of("check")
    spec, ids = voice.model.spec, [voice.tokenizer.encode_data(line) for line in _LINES]
    pairs = [ScorePair(tuple(line[:1]), tuple(line[1:])) for line in ids]
    tokens = sum(len(pair.continuation_ids) for pair in pairs)
    exact, rounded = [
        math.exp(-sum(await backend.score(as_dtype, pairs)) / tokens)
        for as_dtype in (replace(spec, dtype="float32"), spec)
    ]
    loss = 100 * (rounded / exact - 1)
    return f"int8: perplexity {rounded:.2f} instead of {exact:.2f} ({loss:+.1f} %) on {tokens} tokens of dialogue"


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
