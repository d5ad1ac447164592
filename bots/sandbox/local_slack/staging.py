"""What tests order people and Slack to do, by name: each order is a function of its parameters."""

from collections.abc import Callable

from bots.sandbox.local_slack import acts
from bots.sandbox.local_slack.access import open_direct
from bots.sandbox.local_slack.accounts import Install, Team, User
from bots.sandbox.local_slack.channels import Channel, Kind
from bots.sandbox.local_slack.methods.around import react, revoke, unreact
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.telling import tell_all, tell_install
from bots.sandbox.local_slack.world import World

Order = Callable[[Parameters], object]


class Staging:
    """People and workspaces, by request."""

    def __init__(self, world: World) -> None:
        self._world = world

    def orders(self) -> dict[str, Order]:
        return {
            "team": self._team,
            "install": self._install,
            "uninstall": self._uninstall,
            "revoke": self._revoke,
            "streams": self._streams,
            "person": self._person,
            "channel": self._channel,
            "direct": self._direct,
            "share": self._share,
            "join": self._join,
            "leave": self._leave,
            "archive": self._archive,
            "rename_id": self._rename_id,
            "say": self._say,
            "edit": self._edit,
            "unfurl": self._unfurl,
            "delete": self._delete,
            "react": self._react,
            "unreact": self._unreact,
            "stop": self._stop,
            "title": self._title,
            "open_app": self._open_app,
        }

    def _team(self, given: Parameters) -> object:
        team = Team(self._world.ids.next("T"), given.text("name"), given.text("enterprise"))
        self._world.teams[team.id] = team
        organisation = self._world.installs.get(team.enterprise_id)
        if organisation is not None:
            organisation.team_ids.append(team.id)
        return {"id": team.id, "name": team.name, "enterprise_id": team.enterprise_id}

    def _install(self, given: Parameters) -> object:
        """`place`: a workspace's id, or an organisation's. Once more: a new token."""
        place = given.text("place")
        scopes = tuple(given.texts("scopes")) if given.has("scopes") else None
        install = self._world.install(self._world.teams.get(place, place), scopes)
        return {"id": install.id, "token": install.token, "bot_user_id": install.bot.id, "bot_id": install.bot.bot_id}

    def _uninstall(self, given: Parameters) -> object:
        install = self._installed(given.text("install"))
        install.dead_tokens[install.token] = "account_inactive"
        revoke(self._world, install)
        install.dead_tokens[install.token] = "account_inactive"
        tell_install(self._world, install, None, {"type": "app_uninstalled"})
        install.is_removed = True
        return True

    def _revoke(self, given: Parameters) -> object:
        revoke(self._world, self._installed(given.text("install")))
        return True

    def _streams(self, given: Parameters) -> object:
        """Whether there are any in that workspace."""
        self._installed(given.text("install")).has_streams = given.flag("are_there")
        return True

    def _person(self, given: Parameters) -> object:
        user = User(self._world.ids.next("U"), given.text("team"), given.text("name"), given.text("locale") or "en-US")
        user.is_bot = given.flag("is_bot")
        self._world.users[user.id] = user
        return {"id": user.id}

    def _channel(self, given: Parameters) -> object:
        """With people, and with the app's bot where `installs` name it."""
        bots = [self._installed(install).bot.id for install in given.texts("installs")]
        people = given.texts("people")
        kind, teams = Kind(given.text("kind") or "channel"), given.texts("shared_with")
        channel_id = self._world.ids.next("C")
        channel = Channel(channel_id, kind, given.text("name"), given.text("team"), [*people, *bots], teams)
        return {"id": self._world.open_channel(channel).id}

    def _direct(self, given: Parameters) -> object:
        """The DM, or group DM, with the bot of an installation."""
        people = [self._world.user(user_id) for user_id in given.texts("people")]
        return {"id": open_direct(self._world, self._installed(given.text("install")), people).id}

    def _share(self, given: Parameters) -> object:
        """With another company; where the channel is private, it gets another id."""
        channel = self._place(given)
        channel.shared_team_ids.append(given.text("team"))
        if channel.kind is Kind.PRIVATE:
            self._move(channel)
        return {"id": channel.id}

    def _rename_id(self, given: Parameters) -> object:
        channel = self._place(given)
        self._move(channel)
        return {"id": channel.id}

    def _join(self, given: Parameters) -> object:
        """A person, or the bot of an installation."""
        acts.join(self._world, self._member(given), self._place(given))
        return True

    def _leave(self, given: Parameters) -> object:
        channel, member = self._place(given), self._member(given)
        channel.members.remove(member.id)
        self._world.change(channel)
        return True

    def _archive(self, given: Parameters) -> object:
        channel = self._place(given)
        channel.is_archived = given.flag("is_archived", default=True)
        kind = "group" if channel.kind is Kind.PRIVATE else "channel"
        name = f"{kind}_archive" if channel.is_archived else f"{kind}_unarchive"
        tell_all(self._world, channel, {"type": name, "channel": channel.id, "is_moved": 0})
        self._world.change(channel)
        return True

    def _say(self, given: Parameters) -> object:
        files = given.items("files")
        where = given.text("text"), given.text("thread_ts"), files
        return acts.say(self._world, self._person_of(given), self._place(given), *where).shown()

    def _edit(self, given: Parameters) -> object:
        return acts.edit(self._world, self._place(given), given.text("ts"), given.text("text")).shown()

    def _unfurl(self, given: Parameters) -> object:
        return acts.unfurl(self._world, self._place(given), given.text("ts")).shown()

    def _delete(self, given: Parameters) -> object:
        return acts.delete(self._world, self._place(given), given.text("ts")).shown()

    def _react(self, given: Parameters) -> object:
        react(self._world, given.text("channel"), given.text("ts"), given.text("person"), given.text("name"))
        return True

    def _unreact(self, given: Parameters) -> object:
        unreact(self._world, given.text("channel"), given.text("ts"), given.text("person"), given.text("name"))
        return True

    def _stop(self, given: Parameters) -> object:
        return acts.stop(self._world, self._person_of(given), self._place(given), given.text("thread_ts"))

    def _title(self, given: Parameters) -> object:
        where = self._person_of(given), self._place(given), given.text("thread_ts")
        acts.rename_session(self._world, *where, given.text("title"))
        return True

    def _open_app(self, given: Parameters) -> object:
        person, install = self._person_of(given), self._installed(given.text("install"))
        channel = open_direct(self._world, install, [person])
        acts.open_app(self._world, person, install, channel, given.text("tab"))
        return {"id": channel.id}

    def _move(self, channel: Channel) -> None:
        """It has another id from now on, and all that was said stays."""
        old_id, new_id = channel.id, self._world.ids.next("C")
        self._world.channels[new_id] = self._world.channels.pop(old_id)
        channel.id = new_id
        channel.old_ids.append(old_id)
        self._world.change(channel)
        event: dict[str, object] = {"type": "channel_id_changed", "old_channel_id": old_id, "new_channel_id": new_id}
        tell_all(self._world, channel, event)

    def _member(self, given: Parameters) -> User:
        return self._installed(given.text("install")).bot if given.text("install") else self._person_of(given)

    def _person_of(self, given: Parameters) -> User:
        return self._world.user(given.text("person"))

    def _place(self, given: Parameters) -> Channel:
        return self._world.channel(given.text("channel"))

    def _installed(self, install_id: str) -> Install:
        """Raises ValueError."""
        if install_id not in self._world.installs:
            raise ValueError(f"the app is not installed in {install_id}")
        return self._world.installs[install_id]
