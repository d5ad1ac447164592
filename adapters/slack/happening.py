"""An event, with what surrounds it: the installation that it is for, and the names of the people in it."""

from collections.abc import Mapping
from dataclasses import dataclass

from adapters.slack.workspaces import Workspace
from adapters.told import fields, text, word
from core.dialogue import Platform, SessionKey

#: Channels of one person and the bot.
_DIRECT = frozenset({"im", "app_home"})


@dataclass(frozen=True, slots=True)
class Happening:
    """All of its properties raise NotUnderstood."""

    #: What Slack sent.
    body: Mapping[str, object]
    workspace: Workspace
    #: User ids → names, as far as they are known.
    names: Mapping[str, str]

    @property
    def event(self) -> Mapping[str, object]:
        return fields(self.body.get("event"))

    @property
    def kind(self) -> str:
        return text(self.event.get("type"))

    @property
    def is_shared(self) -> bool:
        """Another company reads and writes in its channel too (Slack Connect)."""
        return is_shared(self.body)

    @property
    def is_direct(self) -> bool:
        """`app_mention` does not tell what kind of channel it comes from."""
        kind = self.event.get("channel_type")
        return kind in _DIRECT if isinstance(kind, str) else self.channel.startswith("D")

    @property
    def channel(self) -> str:
        return word(self.event.get("channel"))

    def key(self, channel: str, thread: str = "") -> SessionKey:
        return SessionKey(Platform.SLACK, word(self.body.get("api_app_id")), self.workspace.id, channel, thread)


def is_shared(body: Mapping[str, object]) -> bool:
    return bool(body.get("is_ext_shared_channel"))
