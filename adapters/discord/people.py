"""Who speaks: a person, whom Discord knows by the same id everywhere, or a program."""

from collections.abc import Mapping

from adapters.discord.snowflakes import snowflake, snowflake_in
from adapters.payloads import list_in, text_in
from core.dialogue import Person, Platform


def person_of(user: object, member: object = None) -> Person:
    """`member` is what the server knows of them. Raises NotUnderstood."""
    found = snowflake_in(user, "id")
    return Person(Platform.DISCORD, "", found, name_of(user, member) or found)


def name_of(user: object, member: object = None) -> str:
    """As people there see it; "" where it is not told."""
    told = (text_in(member, "nick"), text_in(user, "global_name"), text_in(user, "username"))
    return next((name for name in told if name), "")


def roles_of(member: object, guild: str) -> frozenset[str]:
    """Without the one that everybody has. Raises NotUnderstood."""
    return frozenset(snowflake(role) for role in list_in(member, "roles")) - {guild}


def is_a_bots(message: Mapping[str, object]) -> bool:
    """The bot's own too. What comes by a webhook has nobody behind it."""
    author = message.get("author")
    return bool(message.get("webhook_id")) or (
        isinstance(author, Mapping) and bool(author.get("bot") or author.get("system"))
    )
