"""What is decided about a message before the model is asked, and in which language people are spoken to."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.commands.commands import Commands
from core.doorkeeper import Verdict, answer_everybody
from core.memory.leased import WaitingMessage
from core.memory.sessions import NewSession, Session
from core.policy import Policy
from core.texts import Texts
from core.voice import Voices


@dataclass(frozen=True, slots=True)
class Front:
    policy: Policy
    commands: Commands
    voices: Voices
    texts: Texts
    #: Whether a message is answered at all, asked before it is begun.
    judge: Callable[[WaitingMessage], Awaitable[Verdict]] = answer_everybody

    def say(self, message: WaitingMessage, english: str, session: Session | None = None, **values: object) -> str:
        """In the language that was chosen for the dialogue, or the place's."""
        chosen = session.language if session is not None else ""
        language = chosen or self.policy.manner(message.inbound.session_key).language
        return self.texts.say(language, english, **values)

    def new_session(self, message: WaitingMessage) -> NewSession:
        """What the message's place begins with, where no dialogue goes on there."""
        key = message.inbound.session_key
        manner = self.policy.manner(key)
        persona = self.voices.persona(manner.persona)
        expires_before = self.policy.expires_before(key, message.accepted_at)
        return NewSession(key, persona.name, manner.model or persona.model, expires_before=expires_before)
