"""A persona ready to speak: its model, tokenizer, prompt format and sampling.

It reads a model's files, never its weights.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from core.errors import SettingsError
from core.generation.models import Models, ResolvedModel
from core.generation.request import ModelSpec, SamplingParams
from core.generation.tokenizer import Tokenizer
from core.prompt import PromptBuilder
from core.prompt_formats import choose_format

#: Sampling as it was given → as it is used.
Tuning = Callable[[SamplingParams], SamplingParams]


@dataclass(frozen=True, slots=True)
class Persona:
    """A system prompt, a model and sampling under one name."""

    name: str
    system_prompt: str
    #: A name of the catalogue or the hub, a folder, or a DialoGPT checkpoint.
    model: str
    #: What the model recommends → what is used.
    sampling: Tuning
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

    def tuned(self, tuning: Tuning | None) -> "Voice":
        """With other sampling; for longer replies there is less room for prompts."""
        if tuning is None:
            return self
        sampling = tuning(self.sampling)
        longer = sampling.max_new_tokens - self.sampling.max_new_tokens
        return replace(self, sampling=sampling, prompts=self.prompts.with_room_for(longer))


class Voices:
    """The voices of all personas, each made when it is first needed."""

    def __init__(
        self,
        personas: Mapping[str, Persona],
        models: Models,
        context_window: int,
        other_models: Iterable[str] = (),
    ) -> None:
        self.personas = personas
        #: The names that a dialogue can be given: those of the personas, and others that were configured.
        self.models = tuple(sorted({*other_models, *(persona.model for persona in personas.values())}))
        self._models = models
        self._context_window = context_window
        #: By persona and model.
        self._voices: dict[tuple[str, str], Voice] = {}
        self._tokenizers: dict[str, Tokenizer] = {}

    async def ready(self, persona_name: str, model: str = "") -> Voice:
        """As `of`, and the event loop goes on while files are read."""
        persona = self._with_model(self.persona(persona_name), model)
        made = self._voices.get((persona.name, persona.model))
        return await asyncio.to_thread(self._of, persona) if made is None else made

    def of(self, persona_name: str, model: str = "") -> Voice:
        """A persona with its own model, or with another one that was configured; then without its adapter.

        Blocks while files are read. Raises ModelError where the model is not there or can't chat.
        """
        return self._of(self._with_model(self.persona(persona_name), model))

    def persona(self, name: str) -> Persona:
        """Raises SettingsError, naming those that there are."""
        if name not in self.personas:
            raise SettingsError(f"there is no persona {name!r}; there are {', '.join(sorted(self.personas))}")
        return self.personas[name]

    def tokenizer_of(self, model: ModelSpec) -> Tokenizer:
        """The tokenizer of a model that some voice speaks with."""
        return self._tokenizers[model.folder]

    def _of(self, persona: Persona) -> Voice:
        name = (persona.name, persona.model)
        if name not in self._voices:
            self._voices[name] = self._make(persona)
        return self._voices[name]

    def _with_model(self, persona: Persona, model: str) -> Persona:
        """One that is no longer configured is the persona's again."""
        if model in ("", persona.model) or model not in self.models:
            return persona
        return replace(persona, model=model, adapter="")

    def _make(self, persona: Persona) -> Voice:
        model = self._models.resolve(persona.model)
        model.require_dialogue()
        tokenizer = Tokenizer.load(model.folder, model.chat_template or None)
        self._tokenizers[model.spec.folder] = tokenizer
        sampling = persona.sampling(model.sampling)
        window = min(self._context_window, model.context_window)
        prompts = PromptBuilder(tokenizer, choose_format(tokenizer, model.format), window, sampling.max_new_tokens)
        return Voice(persona, model, tokenizer, prompts, sampling)
