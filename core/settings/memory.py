"""The settings of what a model is told of a dialogue that has outgrown its prompt."""

from typing import Annotated

from pydantic import Field

from core.settings.section import Section


class MemorySettings(Section):
    """Beyond the newest turns; for models with a chat template."""

    #: What a prompt has no room for is told in short, as the model itself summarises it while nobody waits.
    summary: bool = True
    #: Of one summary; never more than a quarter of the prompt.
    summary_tokens: Annotated[int, Field(ge=16, le=4096)] = 200
    #: Older turns that have words of the question are put before it. Off where texts are encrypted.
    search: bool = True
    #: The most that they take of a prompt.
    search_tokens: Annotated[int, Field(ge=16, le=65536)] = 400
