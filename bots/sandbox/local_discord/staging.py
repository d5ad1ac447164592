"""What tests order people and servers to do, by name: each order is a function of its parameters."""

import base64
from collections.abc import Callable

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord import acts
from bots.sandbox.local_discord.accounts import USUAL, Guild, Member, Role, User
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.channels import Channel, Kind
from bots.sandbox.local_discord.messages import Attachment
from bots.sandbox.local_discord.methods.channels import change_thread, react, remove_channel, rename, unreact
from bots.sandbox.local_discord.methods.messages import remove
from bots.sandbox.local_discord.snowflakes import as_time
from bots.sandbox.local_discord.telling import tell_channel, tell_guild, tell_typing
from bots.sandbox.local_discord.world import World

Order = Callable[[Body], object]


class Staging:
    """People and servers, by request."""

    def __init__(self, world: World) -> None:
        self._world = world

    def orders(self) -> dict[str, Order]:
        return {
            "person": self._person,
            "dm": self._dm,
            "group_dm": self._group_dm,
            "guild": self._guild,
            "add_bot": self._add_bot,
            "kick_bot": self._kick_bot,
            "outage": self._outage,
            "join": self._join,
            "role": self._role,
            "channel": self._channel,
            "deny": self._deny,
            "say": self._say,
            "edit": self._edit,
            "unfurl": self._unfurl,
            "delete": self._delete,
            "react": self._react,
            "unreact": self._unreact,
            "type": self._type,
            "thread": self._thread,
            "post": self._post,
            "change_thread": self._change_thread,
            "add_to_thread": self._add_to_thread,
            "remove_channel": self._remove_channel,
        }

    def _person(self, given: Body) -> object:
        name = given.text("name")
        user = User(self._world.ids.next(), name.lower().replace(" ", "_"), name, given.flag("is_bot"))
        user.locale = given.text("locale") or user.locale
        user.takes_dms = given.flag("takes_dms", default=True)
        user.has_app = given.flag("has_app")
        self._world.add_user(user)
        return {"id": user.id}

    def _dm(self, given: Body) -> object:
        return {"id": self._world.direct(self._who(given)).id}

    def _group_dm(self, given: Body) -> object:
        people = [self._world.user(user_id) for user_id in given.texts("people")]
        channel = Channel(self._world.ids.next(), Kind.GROUP_DM, given.text("name"), recipients=people)
        return {"id": self._world.open_channel(channel).id}

    def _guild(self, given: Body) -> object:
        """With people in it; the bot comes later. `shard` of `shards`: where its id is to be."""
        world, people = self._world, [self._world.user(user_id) for user_id in given.texts("people")]
        guild = Guild(self._guild_id(given), given.text("name"), people[0].id if people else world.ids.next())
        guild.roles[guild.id] = Role(guild.id, "@everyone", int(USUAL) if given.flag("all_may") else 0)
        world.guilds[guild.id] = guild
        for person in people:
            guild.members[person.id] = Member(person, as_time(world.clock.now()))
        return {"id": guild.id}

    def _guild_id(self, given: Body) -> str:
        count, wanted = given.integer("shards", 1), given.integer("shard")
        number = int(self._world.ids.next())
        while (number >> 22) % count != wanted:
            number += 1 << 22
        return str(number)

    def _add_bot(self, given: Body) -> object:
        world, guild = self._world, self._world.guild(given.text("guild"))
        role = Role(world.ids.next(), world.bot.username, given.integer("permissions", int(USUAL)), world.bot.id)
        guild.roles[role.id] = role
        guild.members[world.bot.id] = Member(world.bot, as_time(world.clock.now()), role_ids=[role.id])
        world.changes.happen()
        tell_guild(world, guild)
        return {"role": role.id}

    def _kick_bot(self, given: Body) -> object:
        world, guild = self._world, self._world.guild(given.text("guild"))
        member = guild.members.pop(world.bot.id)
        for role_id in member.role_ids:
            guild.roles.pop(role_id, None)
        world.changes.happen()
        tell_guild(world, guild, "GUILD_DELETE")
        return True

    def _outage(self, given: Body) -> object:
        guild = self._world.guild(given.text("guild"))
        guild.is_unavailable = given.flag("is_out", default=True)
        tell_guild(self._world, guild, "GUILD_DELETE" if guild.is_unavailable else "GUILD_CREATE")
        return True

    def _join(self, given: Body) -> object:
        guild, user = self._world.guild(given.text("guild")), self._who(given)
        member = guild.members.setdefault(user.id, Member(user, as_time(self._world.clock.now())))
        member.nick = given.text("nick") or member.nick
        return True

    def _role(self, given: Body) -> object:
        """A new one, for a person or for nobody."""
        guild = self._world.guild(given.text("guild"))
        role = guild.role_named(given.text("name")) or Role(self._world.ids.next(), given.text("name"))
        guild.roles[role.id] = role
        if given.text("person"):
            guild.members[given.text("person")].role_ids.append(role.id)
        return {"id": role.id}

    def _channel(self, given: Body) -> object:
        world, guild = self._world, self._world.guild(given.text("guild"))
        kind = Kind[given.text("kind") or "TEXT"]
        channel = Channel(world.ids.next(), kind, given.text("name"), guild.id, topic=given.text("topic"))
        channel.denied = given.integer("denied")
        channel.tags = {world.ids.next(): tag for tag in given.texts("tags")}
        world.open_channel(channel)
        if world.bot.id in guild.members:
            tell_channel(world, channel, "CHANNEL_CREATE")
        return {"id": channel.id}

    def _deny(self, given: Body) -> object:
        """These permissions and no others."""
        channel = self._place(given)
        channel.denied = given.integer("denied")
        tell_channel(self._world, channel, "CHANNEL_UPDATE")
        return True

    def _say(self, given: Body) -> object:
        return acts.say(self._world, self._who(given), self._place(given), self._saying(given)).shown()

    def _edit(self, given: Body) -> object:
        return acts.edit(self._world, self._place(given), given.text("message"), given.text("text")).shown()

    def _unfurl(self, given: Body) -> object:
        return acts.unfurl(self._world, self._place(given), given.text("message")).shown()

    def _delete(self, given: Body) -> object:
        """One message, or several at once."""
        channel = self._place(given)
        messages = [self._world.message(channel, one) for one in given.texts("messages")]
        remove(self._world, channel, messages, is_bulk=given.flag("is_bulk"))
        return True

    def _react(self, given: Body) -> object:
        channel, person = self._place(given), given.text("person")
        react(self._world, channel, self._world.message(channel, given.text("message")), person, given.text("emoji"))
        return True

    def _unreact(self, given: Body) -> object:
        channel, person = self._place(given), given.text("person")
        unreact(self._world, channel, self._world.message(channel, given.text("message")), person, given.text("emoji"))
        return True

    def _type(self, given: Body) -> object:
        tell_typing(self._world, self._place(given), given.text("person"))
        return True

    def _thread(self, given: Body) -> object:
        where = self._who(given), self._place(given), given.text("name"), given.text("message")
        return {"id": acts.begin_thread(self._world, *where, private=given.flag("is_private")).id}

    def _post(self, given: Body) -> object:
        where = self._who(given), self._place(given), given.text("title"), given.texts("tags")
        thread, message = acts.begin_forum_post(self._world, *where, self._saying(given))
        return {"id": thread.id, "message": message.shown()}

    def _change_thread(self, given: Body) -> object:
        channel = self._place(given)
        if channel.thread is not None:
            change_thread(self._world, channel, given.values.get("is_archived"), given.values.get("is_locked"))
        if given.text("name"):
            rename(channel, given.text("name"))
        self._world.change(channel)
        tell_channel(self._world, channel, "THREAD_UPDATE" if channel.thread is not None else "CHANNEL_UPDATE")
        return True

    def _add_to_thread(self, given: Body) -> object:
        """Somebody, or the bot."""
        channel = self._place(given)
        user_id = given.text("person") or self._world.bot.id
        if channel.thread is not None and user_id not in channel.thread.member_ids:
            channel.thread.member_ids.append(user_id)
            tell_channel(self._world, channel, "THREAD_CREATE")
        return True

    def _remove_channel(self, given: Body) -> object:
        remove_channel(self._world, self._place(given))
        return True

    def _saying(self, given: Body) -> acts.Saying:
        files = tuple(self._attachment(file) for file in given.items("files"))
        reply_to, pings = given.text("reply_to"), given.flag("pings", default=True)
        return acts.Saying(given.text("text"), reply_to, pings, files, given.flag("is_webhook"))

    def _attachment(self, file: JsonObject) -> Attachment:
        content = base64.b64decode(str(file["content"]))
        size = int(str(file.get("size", len(content))))
        return Attachment(self._world.ids.next(), str(file["name"]), str(file["type"]), content, size)

    def _who(self, given: Body) -> User:
        return self._world.user(given.text("person"))

    def _place(self, given: Body) -> Channel:
        return self._world.channel(given.text("channel"))
