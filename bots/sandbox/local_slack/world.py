"""Everything that there is: workspaces, people, channels, what was said, and what the app is told of it."""

import time
from collections import Counter
from collections.abc import Callable

from bots.sandbox.changes import Changes
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.accounts import Install, Team, User
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.clock import Clock
from bots.sandbox.local_slack.files import Files
from bots.sandbox.local_slack.ids import Ids, secret_text
from bots.sandbox.local_slack.limits import Tallies
from bots.sandbox.local_slack.messages import Message, StreamState, Version
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.triggers import Triggers
from bots.sandbox.local_slack.views import Views

_MOST_CHANNELS = 10_000
#: Brings an event to the app, for one of its installations.
Tell = Callable[[Install, Channel | None, JsonObject], None]


class World:
    """One app's."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.clock = Clock()
        self.ids = Ids()
        self.tallies = Tallies()
        self.triggers = Triggers(self.clock, options.limits)
        self.views = Views(self.ids)
        self.files = Files(self.ids)
        self.teams: dict[str, Team] = {}
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        #: Installations by id.
        self.installs: dict[str, Install] = {}
        #: Where the app called more often than it may, by method.
        self.excesses: Counter[str] = Counter()
        self.changes = Changes()
        self.app_token = f"xapp-1-{options.app.id}-{options.app.app_secret}"
        self.tell: Tell = lambda _install, _channel, _event: None
        #: Where its own files and response URLs are; known once it listens.
        self.url = ""

    def install(self, place: Team | str, scopes: tuple[str, ...] | None = None) -> Install:
        """In a workspace, or in all of an organisation where an id of one is given. Once more: a new token."""
        is_enterprise = isinstance(place, str)
        enterprise_id = place if isinstance(place, str) else place.enterprise_id
        install_id = place if isinstance(place, str) else place.id
        name = install_id if isinstance(place, str) else place.name
        old = self.installs.get(install_id)
        bot = old.bot if old else self._new_bot(install_id)
        teams = [team.id for team in self.teams.values() if team.enterprise_id == install_id]
        install = Install(
            install_id,
            name,
            bot,
            f"xoxb-{install_id.lower()}-{secret_text()}",
            self.options.app.scopes if scopes is None else scopes,
            teams if is_enterprise else [install_id],
            enterprise_id,
            is_enterprise,
        )
        if old is not None:
            install.dead_tokens = {**old.dead_tokens, old.token: "token_revoked"}
        self.installs[install_id] = install
        self.changes.happen()
        return install

    def user(self, user_id: str) -> User:
        """Raises Refused."""
        user = self.users.get(user_id)
        if user is None:
            raise Refused("user_not_found")
        return user

    def channel(self, channel_id: str) -> Channel:
        """Raises Refused."""
        channel = self.channels.get(channel_id)
        if channel is None:
            raise Refused("channel_not_found")
        return channel

    def open_channel(self, channel: Channel) -> Channel:
        if len(self.channels) >= _MOST_CHANNELS:
            raise Refused("too_many_channels")
        self.channels[channel.id] = channel
        self.change(channel)
        return channel

    def direct(self, *members: str) -> Channel | None:
        """The DM or group DM of exactly these."""
        wanted = set(members)
        return next(
            (one for one in self.channels.values() if one.kind in {"im", "mpim"} and set(one.members) == wanted), None
        )

    def installs_in(self, channel: Channel) -> list[Install]:
        """Those whose bot is a member there."""
        return [one for one in self.installs.values() if not one.is_removed and one.bot.id in channel.members]

    def change(self, channel: Channel) -> None:
        """Something can be seen there that was not there before."""
        channel.changes.happen()
        self.changes.happen()

    def write(self, channel: Channel, message: Message) -> Message:
        channel.messages[message.ts] = message
        self.change(channel)
        return message

    def rewrite(self, channel: Channel, message: Message, version: Version) -> None:
        message.versions.append(version)
        self.change(channel)

    def message(self, channel: Channel, ts: str) -> Message:
        """One that is still there. Raises Refused."""
        message = channel.messages.get(ts)
        if message is None or message.deleted_at is not None or message.only_for:
            raise Refused("message_not_found")
        self.age(message)
        return message

    def age(self, message: Message) -> None:
        """A stream that is too old ends."""
        stream = message.stream
        if stream is None or stream.state is not StreamState.STREAMING:
            return
        if self.clock.now() - stream.began > self.options.limits.stream_age_s:
            stream.state = StreamState.EXPIRED

    def version(self, text: str, blocks: list[JsonObject] | None = None, *, is_markdown: bool = False) -> Version:
        return Version(time.monotonic(), text, blocks or [], is_markdown)

    def _new_bot(self, install_id: str) -> User:
        name = self.options.app.name
        bot = User(self.ids.next("U"), install_id, name, is_bot=True, bot_id=self.ids.next("B"))
        self.users[bot.id] = bot
        return bot
