"""Where an interaction belongs: the installation, the dialogue that a button or a modal was made for, and who acts."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2s

from adapters.payloads import NotUnderstood, Payload, text_in
from adapters.slack.workspaces import Workspace
from adapters.told import word_in
from core.dialogue import Person, Platform, SessionKey

_ID_BYTES = 10
_DIRECT_MESSAGE = "D"


@dataclass(frozen=True, slots=True)
class Installation:
    """The app, as it is installed in one workspace."""

    app_id: str
    workspace: Workspace

    def key(self, channel: str, thread: str = "", person: str = "") -> SessionKey:
        return SessionKey(Platform.SLACK, self.app_id, self.workspace.id, channel, thread, person)


def facts_of(key: SessionKey) -> dict[str, str]:
    """As a button or a modal carries a dialogue."""
    return {"channel": key.channel, "thread": key.thread, "person": key.person}


def key_in(facts: Mapping[str, str], install: Installation) -> SessionKey:
    """Raises NotUnderstood where an older program wrote other facts."""
    try:
        return install.key(facts["channel"], facts["thread"], facts["person"])
    except KeyError:
        raise NotUnderstood("a value names no dialogue") from None


def is_read_by_nobody_else(key: SessionKey) -> bool:
    """A direct message with the bot, or what only one person is shown."""
    return key.channel.startswith(_DIRECT_MESSAGE) or (key.person != "" and key.thread == "")


def person_in(body: Payload, install: Installation) -> Person:
    """Who acts. Raises NotUnderstood."""
    name = text_in(body, "user", "name") or text_in(body, "user", "username")
    return Person(Platform.SLACK, _company_of(body, install.workspace), word_in(body, "user", "id"), name)


def commander_in(body: Payload, install: Installation) -> Person:
    """Who says a slash command: somebody of the workspace itself. Raises NotUnderstood."""
    return Person(Platform.SLACK, install.workspace.id, word_in(body, "user_id"), text_in(body, "user_name"))


def made_id(kind: str, *words: str) -> str:
    """Of what is no message: the same at every delivery, and never taken for a message's time."""
    told = "\0".join(words).encode(errors="replace")
    return f"{kind}-{blake2s(told, digest_size=_ID_BYTES).hexdigest()}"


def _company_of(body: Payload, workspace: Workspace) -> str:
    """The workspace, or the team of somebody from another company with whom the channel is shared."""
    team = text_in(body, "user", "team_id")
    organisations = (text_in(body, "enterprise", "id"), text_in(body, "team", "enterprise_id"))
    is_own = team in ("", workspace.id) or workspace.id in organisations
    is_named_by_organisation = team in organisations and text_in(body, "team", "id") == workspace.id
    return workspace.id if is_own or is_named_by_organisation else team
