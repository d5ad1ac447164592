"""What a caller may see and do."""

from bots.sandbox.local_slack.accounts import Install, User
from bots.sandbox.local_slack.channels import Channel, Kind, Session
from bots.sandbox.local_slack.messages import Message
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World

_HISTORY = {
    Kind.PUBLIC: "channels:history",
    Kind.PRIVATE: "groups:history",
    Kind.MPIM: "mpim:history",
    Kind.IM: "im:history",
}
_READ = {
    Kind.PUBLIC: "channels:read",
    Kind.PRIVATE: "groups:read",
    Kind.MPIM: "mpim:read",
    Kind.IM: "im:read",
}


def check_scope(caller: Install, *scopes: str) -> None:
    """One of them is enough. Raises Refused."""
    if scopes and not set(scopes) & set(caller.scopes):
        raise Refused("missing_scope", needed=",".join(scopes), provided=",".join(caller.scopes))


def visible_channel(world: World, caller: Install, channel_id: str) -> Channel:
    """Members see all, others of the workspace the public ones. Raises Refused."""
    channel = world.channel(channel_id)
    if caller.bot.id in channel.members:
        return channel
    if channel.kind is Kind.PUBLIC and {channel.team_id, *channel.shared_team_ids} & set(caller.team_ids):
        return channel
    raise Refused("channel_not_found")


def writable_channel(world: World, caller: Install, channel_id: str) -> Channel:
    """A person's id means the DM with that person. Raises Refused."""
    if channel_id in world.users:
        return open_direct(world, caller, [world.user(channel_id)])
    channel = visible_channel(world, caller, channel_id)
    if caller.bot.id not in channel.members:
        raise Refused("not_in_channel")
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def open_direct(world: World, caller: Install, people: list[User]) -> Channel:
    """The DM or the group DM with them; it is made where there is none. Raises Refused."""
    if any(person.is_deleted for person in people):
        raise Refused("user_disabled")
    members = [caller.bot.id, *dict.fromkeys(person.id for person in people)]
    found = world.direct(*members)
    if found is not None:
        return found
    kind = Kind.IM if len(members) == 2 else Kind.MPIM
    own = next((person.team_id for person in people if person.team_id in caller.team_ids), people[0].team_id)
    name = "" if kind is Kind.IM else "mpdm-" + "--".join(person.name.lower() for person in people) + "-1"
    channel_id = world.ids.next("D" if kind is Kind.IM else "G")
    others = [] if own in caller.team_ids else [caller.id]
    return world.open_channel(Channel(channel_id, kind, name, own, members, others))


def check_history(caller: Install, channel: Channel) -> None:
    """Raises Refused."""
    check_scope(caller, _HISTORY[channel.kind])
    if caller.bot.id not in channel.members:
        raise Refused("not_in_channel")


def check_read(caller: Install, channel: Channel) -> None:
    """Raises Refused."""
    check_scope(caller, _READ[channel.kind])


def own_message(world: World, caller: Install, channel: Channel, ts: str, error: str) -> Message:
    """Raises Refused: with `error` where somebody else wrote it."""
    message = world.message(channel, ts)
    if message.install != caller.id:
        raise Refused(error)
    return message


def thread_root(channel: Channel, thread_ts: str, error: str = "thread_not_found") -> str:
    """The same ts. Raises Refused where no thread can be there; a deleted root does."""
    if not thread_ts:
        return ""
    root = channel.messages.get(thread_ts)
    if root is None or root.only_for:
        raise Refused(error)
    if root.thread_ts:
        raise Refused("cannot_reply_to_message")
    return thread_ts


def running_session(channel: Channel, root_ts: str) -> Session | None:
    """The one that is worked on."""
    session = channel.threads[root_ts].session if root_ts in channel.threads else None
    return session if session is not None and session.status == "processing" else None
