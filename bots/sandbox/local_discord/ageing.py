"""Threads in which nobody said anything for long enough are archived."""

from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.snowflakes import time_of
from bots.sandbox.local_discord.telling import tell_channel
from bots.sandbox.local_discord.world import World

_MINUTE_S = 60.0


def archive_stale(world: World) -> None:
    """As Discord does by itself, within minutes; here, when its clock is moved."""
    now = world.clock.now()
    for channel in list(world.channels.values()):
        thread = channel.thread
        if thread is None or thread.is_archived or channel.deleted_at is not None:
            continue
        if now - _last_active(channel) > thread.auto_archive * _MINUTE_S:
            thread.is_archived, thread.archived_at = True, now
            world.change(channel)
            tell_channel(world, channel, "THREAD_UPDATE")


def _last_active(channel: Channel) -> float:
    """Server time."""
    thread = channel.thread
    assert thread is not None  # noqa: S101 - the caller looked
    said = time_of(channel.last_message_id) if channel.last_message_id else 0.0
    return max(said, thread.created, thread.archived_at)
