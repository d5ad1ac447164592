"""What people can choose, what is chosen where they are, and whether they are listened to there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.dialogue import InboundMessage


@dataclass(frozen=True, slots=True)
class Chosen:
    """Of a dialogue, or what one would begin with."""

    persona: str
    model: str
    #: A tag; "" is the place's own.
    language: str = ""
    streaming: bool = True
    #: Whether settings are this person's to decide.
    may_decide: bool = True


class Choices(Protocol):
    @property
    def personas(self) -> Sequence[str]: ...

    @property
    def models(self) -> Sequence[str]: ...

    @property
    def languages(self) -> Mapping[str, str]:
        """Each language's tag, and what its speakers call it."""
        ...

    def admits(self, message: InboundMessage) -> bool:
        """Whether such a message is taken in at all. Whoever is shut out is told so at once, or would wait in vain."""
        ...

    async def at(self, message: InboundMessage) -> Chosen:
        """Where the message would be answered. Raises StorageError."""
        ...
