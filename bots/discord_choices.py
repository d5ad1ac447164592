"""What people on Discord can choose from, and what is chosen where they are."""

from collections.abc import Mapping, Sequence

from adapters.discord.choices import Chosen
from bots.policies import policy_of
from bots.wiring import open_voices
from core.access import Rank
from core.dialogue import InboundMessage
from core.memory.database import Database
from core.memory.store import Memory
from core.policy import Attention
from core.settings.settings import Settings
from core.texts import Texts


class DiscordChoices:
    """Implements `Choices`."""

    def __init__(self, settings: Settings, database: Database, texts: Texts) -> None:
        self._memory = Memory(database)
        self._policy = policy_of(settings)
        self._voices = open_voices(settings)
        self._languages = texts.languages

    @property
    def personas(self) -> Sequence[str]:
        """See `Choices`."""
        return tuple(sorted(self._voices.personas))

    @property
    def models(self) -> Sequence[str]:
        """See `Choices`."""
        return self._voices.models

    @property
    def languages(self) -> Mapping[str, str]:
        """See `Choices`."""
        return self._languages

    def admits(self, message: InboundMessage) -> bool:
        """See `Choices`."""
        return self._policy.attention(message) is not Attention.IGNORE

    async def at(self, message: InboundMessage) -> Chosen:
        """See `Choices`."""
        key = self._policy.received(message).session_key
        may_decide = self._may_decide(message)
        session = await self._memory.find_session(key)
        if session is not None:
            return Chosen(session.persona, session.model, session.language, session.streaming, may_decide)
        manner = self._policy.manner(key)
        persona = self._voices.persona(manner.persona)
        return Chosen(persona.name, manner.model or persona.model, may_decide=may_decide)

    def _may_decide(self, message: InboundMessage) -> bool:
        """As commands see it."""
        key, person = self._policy.received(message).session_key, message.person
        is_own = message.called.directly or key.person == person.platform_id
        return is_own or self._policy.rank(key, person, message.roles) >= Rank.MODERATOR
