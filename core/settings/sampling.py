"""The settings of how the next token is chosen."""

from dataclasses import replace
from typing import Annotated

from pydantic import Field

from core.generation.request import SamplingParams
from core.settings.section import Section


class SamplingSettings(Section):
    """Every key left out is the model's own recommendation."""

    temperature: Annotated[float, Field(ge=0, le=10)] | None = None
    top_k: Annotated[int, Field(ge=0)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    min_p: Annotated[float, Field(ge=0, le=1)] | None = None
    typical_p: Annotated[float, Field(gt=0, le=1)] | None = None
    repetition_penalty: Annotated[float, Field(gt=0, le=10)] | None = None
    no_repeat_ngram: Annotated[int, Field(ge=0)] | None = None
    bad_words: tuple[str, ...] | None = None
    stop: tuple[str, ...] | None = None
    min_new_tokens: Annotated[int, Field(ge=0)] | None = None
    max_new_tokens: Annotated[int, Field(ge=1)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**62)] | None = None

    def over(self, params: SamplingParams) -> SamplingParams:
        """These settings where they are given, `params` elsewhere."""
        return replace(params, **self.model_dump(exclude_none=True))
