"""A persona ready to speak: its model, tokenizer, prompt format and sampling.

It reads a model's files, never its weights.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from core.errors import SettingsError
from core.generation.models import Models, ResolvedModel
from core.generation.request import ModelSpec, SamplingParams
from core.generation.tokenizer import Tokenizer
from core.prompt import PromptBuilder
from core.prompt_formats import choose_format


@dataclass(frozen=True, slots=True)
class Persona:
    """A system prompt, a model and sampling under one name."""

    name: str
    system_prompt: str
    #: A name of the catalogue or the hub, a folder, or a DialoGPT checkpoint.
    model: str
    #: What the model recommends → what is used.
    sampling: Callable[[SamplingParams], SamplingParams]
    #: A folder with a LoRA adapter of the model; "" is the model as it is.
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Voice:
    persona: Persona
    model: ResolvedModel
    tokenizer: Tokenizer
    prompts: PromptBuilder
    sampling: SamplingParams

    @property
    def spec(self) -> ModelSpec:
        """The model with the persona's adapter."""
        return replace(self.model.spec, adapter=self.persona.adapter)


class Voices:
    """The voices of all personas, each made when it is first needed."""

    def __init__(self, personas: Mapping[str, Persona], models: Models, context_window: int) -> None:
        self.personas = personas
        self._models = models
        self._context_window = context_window
        self._voices: dict[str, Voice] = {}
        self._tokenizers: dict[str, Tokenizer] = {}

    async def ready(self, persona_name: str) -> Voice:
        """As `of`, and the event loop goes on while files are read."""
        made = self._voices.get(persona_name)
        return await asyncio.to_thread(self.of, persona_name) if made is None else made

    def of(self, persona_name: str) -> Voice:
        """Blocks while files are read. Raises ModelError where the model is not there or can't chat."""
        persona = self.persona(persona_name)
        if persona.name not in self._voices:
            self._voices[persona.name] = self._make(persona)
        return self._voices[persona.name]

    def persona(self, name: str) -> Persona:
        """Raises SettingsError, naming those that there are."""
        if name not in self.personas:
            raise SettingsError(f"there is no persona {name!r}; there are {', '.join(sorted(self.personas))}")
        return self.personas[name]

    def tokenizer_of(self, model: ModelSpec) -> Tokenizer:
        """The tokenizer of a model that some voice speaks with."""
        return self._tokenizers[model.folder]

    def _make(self, persona: Persona) -> Voice:
        model = self._models.resolve(persona.model)
        model.require_dialogue()
        tokenizer = Tokenizer.load(model.folder, model.chat_template or None)
        self._tokenizers[model.spec.folder] = tokenizer
        sampling = persona.sampling(model.sampling)
        window = min(self._context_window, model.context_window)
        prompts = PromptBuilder(tokenizer, choose_format(tokenizer, model.format), window, sampling.max_new_tokens)
        return Voice(persona, model, tokenizer, prompts, sampling)
