"""Everything that there is: people, servers, channels, what was said, and what the app is told of it."""

import base64
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from bots.sandbox.changes import Changes
from bots.sandbox.clock import Clock
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.accounts import Guild, User
from bots.sandbox.local_discord.channels import THREADS, Channel, Kind
from bots.sandbox.local_discord.limits import Tallies
from bots.sandbox.local_discord.messages import Message, Version
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.refusals import Refused, unknown_channel, unknown_message
from bots.sandbox.local_discord.snowflakes import Snowflakes

_MOST_CHANNELS = 20_000
_MOST_NONCES = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the gateway tells."""

    name: str
    data: JsonObject
    #: The intents one of which is needed; 0 for none.
    intents: int = 0
    #: "" goes to shard 0.
    guild_id: str = ""
    #: As it is told where the Message Content intent is missing; None for the same.
    blank: JsonObject | None = None
    channel_id: str = ""


class World:
    """One app's."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.ids = Snowflakes(self.clock)
        self.tallies = Tallies()
        self.users: dict[str, User] = {}
        self.guilds: dict[str, Guild] = {}
        self.channels: dict[str, Channel] = {}
        #: Not the bot's id, as it is with apps of before 2016.
        self.app_id = self.ids.next()
        self.bot = self.add_user(User(self.ids.next(), options.app.name.lower(), options.app.name, is_bot=True))
        self._tokens = 0
        self.token = self._new_token()
        #: Whether the switch of each privileged intent is on; it can be turned while the server runs.
        self.has_message_content = options.app.message_content
        self.has_server_members = options.app.server_members
        #: (author, nonce) → channel and message, and until when.
        self.nonces: dict[tuple[str, str], tuple[str, str, float]] = {}
        #: Application commands: "" for global ones, else by server.
        self.commands: dict[str, list[JsonObject]] = {"": []}
        #: Where the app asked more often than it may, by operation; "global" for the limit over all.
        self.excesses: Counter[str] = Counter()
        self.changes = Changes()
        self.tell: Callable[[Event], None] = lambda _event: None
        #: Every session ends, because the token is another one now.
        self.cut_off: Callable[[], None] = lambda: None
        #: Where attachments are, and the gateway; known once it listens.
        self.url = ""

    def add_user(self, user: User) -> User:
        self.users[user.id] = user
        return user

    def user(self, user_id: str) -> User:
        """Raises Refused."""
        if user_id not in self.users:
            raise Refused(404, 10013)
        return self.users[user_id]

    def guild(self, guild_id: str) -> Guild:
        """Raises Refused."""
        if guild_id not in self.guilds:
            raise Refused(404, 10004)
        return self.guilds[guild_id]

    def channel(self, channel_id: str) -> Channel:
        """One that is still there. Raises Refused."""
        channel = self.channels.get(channel_id)
        if channel is None or channel.deleted_at is not None:
            raise unknown_channel()
        return channel

    def guild_of(self, channel: Channel) -> Guild | None:
        return self.guilds.get(channel.guild_id)

    def parent_of(self, channel: Channel) -> Channel:
        """A thread's; every other channel's own."""
        return self.channels[channel.parent_id] if channel.thread is not None else channel

    def open_channel(self, channel: Channel) -> Channel:
        if len(self.channels) >= _MOST_CHANNELS:
            raise ValueError("there are too many channels")
        self.channels[channel.id] = channel
        channel.names.append((time.monotonic(), channel.name))
        self.change(channel)
        return channel

    def direct(self, user: User) -> Channel:
        """The DM between a person and the bot; it is made where there is none."""
        for channel in self.channels.values():
            if channel.kind is Kind.DM and channel.recipients == [user]:
                return channel
        return self.open_channel(Channel(self.ids.next(), Kind.DM, recipients=[user]))

    def channels_of(self, guild: Guild) -> list[Channel]:
        """Without threads."""
        return [one for one in self._standing(guild) if one.kind not in THREADS]

    def threads_of(self, guild: Guild, *, is_archived: bool = False) -> list[Channel]:
        standing = self._standing(guild)
        return [one for one in standing if one.thread is not None and one.thread.is_archived == is_archived]

    def message(self, channel: Channel, message_id: str) -> Message:
        """One that is still there. Raises Refused."""
        message = channel.messages.get(message_id)
        if message is None or message.deleted_at is not None or message.only_for:
            raise unknown_message()
        return message

    def change(self, channel: Channel) -> None:
        """Something can be seen there that was not there before."""
        channel.changes.happen()
        self.changes.happen()

    def write(self, channel: Channel, message: Message) -> Message:
        channel.messages[message.id] = message
        self.change(channel)
        return message

    def keep_nonce(self, nonce: str, channel: Channel, message: Message) -> None:
        """For a while it means this message."""
        now = self.clock.now()
        if len(self.nonces) >= _MOST_NONCES:
            self.nonces = {key: known for key, known in self.nonces.items() if known[2] > now}
        ends = now + self.options.limits.nonce_age_s
        self.nonces[message.author_id, nonce] = channel.id, message.id, ends

    def rewrite(self, channel: Channel, message: Message, version: Version) -> None:
        message.versions.append(version)
        self.change(channel)

    def reset_token(self) -> str:
        """The old one is good for nothing, and who is connected with it is cut off."""
        self.token = self._new_token()
        self.cut_off()
        self.changes.happen()
        return self.token

    def _standing(self, guild: Guild) -> list[Channel]:
        return [one for one in self.channels.values() if one.guild_id == guild.id and one.deleted_at is None]

    def _new_token(self) -> str:
        self._tokens += 1
        first = base64.b64encode(self.bot.id.encode()).decode().rstrip("=")
        return f"{first}.L{self._tokens:05d}.{self.options.app.token_secret}"
