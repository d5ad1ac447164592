"""The channels, threads and roles that the gateway tells of, as far as they are needed to understand messages.

discord.py's own cache is not used: it is filled by the same events, holds much more, and fails where one of them is not
as it expects. Whatever can't be read here is left out, and asked for when it is needed.
"""

from collections.abc import Callable, Mapping

from adapters.discord.places import THREADS, Place, place_in, within
from adapters.payloads import NotUnderstood, list_in, text_in


class Servers:
    """Of one account."""

    def __init__(self, own_id: str) -> None:
        self._own_id = own_id
        self._places: dict[str, Place] = {}
        #: Forum → its tags' ids → their names.
        self._tags: dict[str, dict[str, str]] = {}
        #: Server → its channels and threads.
        self._channels: dict[str, set[str]] = {}
        #: Server → role → its name.
        self._roles: dict[str, dict[str, str]] = {}
        #: Server → the role that it gave the bot.
        self._own_roles: dict[str, str] = {}
        self._readers: Mapping[str, Callable[[Mapping[str, object]], None]] = {
            "GUILD_CREATE": self._meet_guild,
            "GUILD_DELETE": self._leave_guild,
            "GUILD_ROLE_CREATE": self._meet_role,
            "GUILD_ROLE_UPDATE": self._meet_role,
            "GUILD_ROLE_DELETE": self._drop_role,
            "CHANNEL_CREATE": self._meet_channel,
            "CHANNEL_UPDATE": self._meet_channel,
            "CHANNEL_DELETE": self._drop_channel,
            "THREAD_CREATE": self._meet_channel,
            "THREAD_UPDATE": self._meet_channel,
            "THREAD_DELETE": self._drop_channel,
            "THREAD_LIST_SYNC": self._meet_threads,
        }

    def learn(self, kind: str, data: Mapping[str, object]) -> None:
        """Raises nothing."""
        read = self._readers.get(kind)
        if read is not None:
            read(data)

    def place(self, channel: str) -> Place | None:
        return self._places.get(channel)

    def keep(self, channel: Mapping[str, object]) -> Place:
        """What was asked for. Raises NotUnderstood."""
        place = self._whole(place_in(channel), channel)
        if place.guild in self._channels:
            self._put(place)
        return place

    def knows(self, guild: str) -> bool:
        """Whether the bot is a member there."""
        return guild in self._channels

    def own_role(self, guild: str) -> str:
        return self._own_roles.get(guild, "")

    def name(self, guild: str, thing: str) -> str:
        """Of a channel or a role there; "" where there is none."""
        place = self._places.get(thing)
        if place is not None and place.guild == guild:
            return place.title
        return self._roles.get(guild, {}).get(thing, "")

    def _meet_guild(self, data: Mapping[str, object]) -> None:
        guild = text_in(data, "id")
        if not guild or data.get("unavailable"):
            return
        self._forget(guild)
        self._channels[guild] = set()
        self._roles[guild] = {}
        for role in list_in(data, "roles"):
            self._keep_role(guild, role)
        for channel in (*list_in(data, "channels"), *list_in(data, "threads")):
            self._learn_channel(channel, guild)

    def _leave_guild(self, data: Mapping[str, object]) -> None:
        if not data.get("unavailable"):  # it comes again
            self._forget(text_in(data, "id"))

    def _meet_channel(self, data: Mapping[str, object]) -> None:
        self._learn_channel(data, text_in(data, "guild_id"))

    def _meet_threads(self, data: Mapping[str, object]) -> None:
        for thread in list_in(data, "threads"):
            self._learn_channel(thread, text_in(data, "guild_id"))

    def _drop_channel(self, data: Mapping[str, object]) -> None:
        channel = text_in(data, "id")
        place = self._places.pop(channel, None)
        self._tags.pop(channel, None)
        if place is not None:
            self._channels.get(place.guild, set()).discard(channel)

    def _meet_role(self, data: Mapping[str, object]) -> None:
        self._keep_role(text_in(data, "guild_id"), data.get("role"))

    def _drop_role(self, data: Mapping[str, object]) -> None:
        self._roles.get(text_in(data, "guild_id"), {}).pop(text_in(data, "role_id"), None)

    def _learn_channel(self, channel: object, guild: str) -> None:
        if not isinstance(channel, Mapping):
            return
        try:
            place = place_in(channel, guild)
        except NotUnderstood:
            return
        tags = {text_in(tag, "id"): text_in(tag, "name") for tag in list_in(channel, "available_tags")}
        if tags:
            self._tags[place.id] = tags
        if place.guild in self._channels:
            self._put(self._whole(place, channel))

    def _whole(self, place: Place, channel: Mapping[str, object]) -> Place:
        """With what its parent tells."""
        parent = self._places.get(place.parent)
        if place.kind not in THREADS or parent is None:
            return place
        return within(place, parent.kind, self._tags.get(parent.id, {}), channel)

    def _put(self, place: Place) -> None:
        self._places[place.id] = place
        self._channels[place.guild].add(place.id)

    def _keep_role(self, guild: str, role: object) -> None:
        if guild not in self._roles or not text_in(role, "id"):
            return
        self._roles[guild][text_in(role, "id")] = text_in(role, "name")
        if text_in(role, "tags", "bot_id") == self._own_id:
            self._own_roles[guild] = text_in(role, "id")

    def _forget(self, guild: str) -> None:
        for channel in self._channels.pop(guild, set()):
            self._places.pop(channel, None)
            self._tags.pop(channel, None)
        self._roles.pop(guild, None)
        self._own_roles.pop(guild, None)
