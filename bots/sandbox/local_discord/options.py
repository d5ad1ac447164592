"""How a local Discord is to be; it goes through JSON to a process of its own."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bots.sandbox.local_discord.limits import Limits, Rates


@dataclass(frozen=True, slots=True)
class AppOptions:
    """As the developer portal has it."""

    name: str = "Banter"
    #: Privileged: whether the switch in the portal is on.
    message_content: bool = True
    server_members: bool = False
    #: Whether people and servers may install it.
    user_install: bool = True
    guild_install: bool = True
    #: What follows the bot's id and the time in its token.
    token_secret: str = "local-sandbox-secret-that-opens-nothing"  # noqa: S105 - this machine's own


@dataclass(frozen=True, slots=True)
class Options:
    app: AppOptions = field(default_factory=AppOptions)
    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    #: How many shards GET /gateway/bot recommends.
    shards: int = 1
    #: Whether answers to GET carry a message's nonce; whether Discord's do is not documented.
    gets_tell_nonce: bool = False
    #: 0: the system chooses.
    port: int = 0
    #: Of the control interface.
    control_port: int = 0

    def to_json(self) -> str:
        return _OPTIONS.dump_json(self).decode()


_OPTIONS = TypeAdapter(Options)


def options_from(given: str) -> Options:
    """What `to_json` made. Raises ValueError."""
    return _OPTIONS.validate_json(given)
