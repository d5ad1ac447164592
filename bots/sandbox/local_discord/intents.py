"""Which events an app asks for."""

GUILDS = 1 << 0
GUILD_MEMBERS = 1 << 1
GUILD_PRESENCES = 1 << 8
GUILD_MESSAGES = 1 << 9
GUILD_REACTIONS = 1 << 10
GUILD_TYPING = 1 << 11
DIRECT_MESSAGES = 1 << 12
DIRECT_REACTIONS = 1 << 13
DIRECT_TYPING = 1 << 14
MESSAGE_CONTENT = 1 << 15

#: Those that Discord documents.
_KNOWN = sum(1 << bit for bit in (*range(17), 20, 21, 24, 25))


def is_known(intents: int) -> bool:
    return not intents & ~_KNOWN
