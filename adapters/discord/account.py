"""The bot's own account, and what the operator wants of it."""

import base64
import binascii
from dataclasses import dataclass

from core.errors import SettingsError

_NO_TOKEN = "BANTER_DISCORD_TOKEN: it is no bot token; copy it from the Bot page of Discord's developer portal"  # noqa: S105
_MOST_DIGITS = 20


@dataclass(frozen=True, slots=True)
class DiscordAccount:
    #: Its user id; the same for as long as there is the bot.
    id: str
    #: A mention in a channel's root begins a thread; otherwise the channel itself is the dialogue.
    threads: bool = True


def user_id_of(token: str) -> str:
    """A bot's token begins with its user id, in base64. Raises SettingsError."""
    first = token.strip().partition(".")[0]
    try:
        told = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode("ascii")
    except (binascii.Error, ValueError):
        raise SettingsError(_NO_TOKEN) from None
    if not (told.isascii() and told.isdecimal() and len(told) <= _MOST_DIGITS):
        raise SettingsError(_NO_TOKEN)
    return told
