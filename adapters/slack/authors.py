"""Who speaks: a person of the company that installed the app or of another one, or a program."""

from collections.abc import Mapping

from adapters.payloads import NotUnderstood
from adapters.slack.happening import Happening
from adapters.told import objects, text, word
from core.dialogue import Person, Platform

#: It has no bot id, though nobody sits behind it.
_SLACKBOT = "USLACKBOT"


def author_of(happening: Happening, said: Mapping[str, object]) -> Person:
    """Of a message or another act. Raises NotUnderstood."""
    user = said.get("user")
    if user is not None:
        return person_of(happening, word(user), said)
    if said.get("bot_id") is not None:
        return Person(Platform.SLACK, happening.workspace.id, word(said["bot_id"]), text(said.get("username") or ""))
    raise NotUnderstood("a message is nobody's")


def person_of(happening: Happening, user: str, said: Mapping[str, object]) -> Person:
    """Raises NotUnderstood."""
    return Person(Platform.SLACK, _home_of(happening, said), user, happening.names.get(user) or user)


def is_a_bots(happening: Happening, said: Mapping[str, object]) -> bool:
    """The bot's own too. What is posted in somebody's name by a program is the program's."""
    is_marked = bool(said.get("bot_id")) or said.get("subtype") == "bot_message"
    return is_marked or said.get("user") in (happening.workspace.bot_user_id, _SLACKBOT)


def _home_of(happening: Happening, said: Mapping[str, object]) -> str:
    """The installation, or the team of somebody from another company, who is told from its own people."""
    if not happening.is_shared:
        return happening.workspace.id
    home = said.get("user_team") or said.get("source_team") or said.get("team")
    return happening.workspace.id if home is None or word(home) in _own(happening) else word(home)


def _own(happening: Happening) -> set[object]:
    """The installation's team with its organisation, or its organisation with a team of it, as the event pairs them."""
    body, own = happening.body, happening.workspace.id
    pairs = [(one.get("team_id"), one.get("enterprise_id")) for one in (body, *objects(body.get("authorizations")))]
    return {own, *(one for pair in pairs if own in pair for one in pair if isinstance(one, str) and one)}
