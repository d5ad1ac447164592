"""Every operation that there is: where it is asked for, and which rate limit it counts against."""

from bots.sandbox.local_discord.asking import Operation
from bots.sandbox.local_discord.methods import account, channels, commands, interactions, messages, threads

_CHANNEL = ("channel",)
_GUILD = ("guild",)
_ONE_CHANNEL = "/channels/{channel}"
_ONE_MESSAGE = "/channels/{channel}/messages/{message}"
_WEBHOOK = "/webhooks/{application}/{token}"
_RESPONSE = _WEBHOOK + "/messages/{message}"
_TOKEN = ("application", "token")
_COMMANDS = "/applications/{application}/commands"
_GUILD_COMMANDS = "/applications/{application}/guilds/{guild}/commands"
_REACTION = _ONE_MESSAGE + "/reactions/{emoji}/@me"

OPERATIONS = (
    Operation("me", "GET", "/users/@me", account.me),
    Operation("my_guilds", "GET", "/users/@me/guilds", account.my_guilds),
    Operation("create_dm", "POST", "/users/@me/channels", account.create_dm),
    Operation("user", "GET", "/users/{user}", account.user),
    Operation("current_application", "GET", "/oauth2/applications/@me", account.application),
    Operation("application", "GET", "/applications/@me", account.application),
    Operation("current_authorization", "GET", "/oauth2/@me", account.current_authorization),
    Operation("gateway", "GET", "/gateway", account.gateway, is_open=True),
    Operation("gateway_bot", "GET", "/gateway/bot", account.gateway_bot),
    Operation("create_message", "POST", _ONE_CHANNEL + "/messages", messages.create_message, _CHANNEL),
    Operation("get_messages", "GET", _ONE_CHANNEL + "/messages", messages.get_messages, _CHANNEL),
    Operation("bulk_delete", "POST", _ONE_CHANNEL + "/messages/bulk-delete", messages.bulk_delete, _CHANNEL),
    Operation("get_message", "GET", _ONE_MESSAGE, messages.get_message, _CHANNEL),
    Operation("edit_message", "PATCH", _ONE_MESSAGE, messages.edit_message, _CHANNEL),
    Operation("delete_message", "DELETE", _ONE_MESSAGE, messages.delete_message, _CHANNEL),
    Operation(
        "thread_from_message", "POST", _ONE_MESSAGE + "/threads", threads.thread_from_message, _CHANNEL, "start_thread"
    ),
    Operation("start_thread", "POST", _ONE_CHANNEL + "/threads", threads.start_thread, _CHANNEL),
    Operation("join_thread", "PUT", _ONE_CHANNEL + "/thread-members/@me", threads.join_thread, _CHANNEL),
    Operation("leave_thread", "DELETE", _ONE_CHANNEL + "/thread-members/@me", threads.leave_thread, _CHANNEL),
    Operation("archived_threads", "GET", _ONE_CHANNEL + "/threads/archived/public", threads.archived_threads, _CHANNEL),
    Operation("active_threads", "GET", "/guilds/{guild}/threads/active", threads.active_threads, _GUILD),
    Operation("add_reaction", "PUT", _REACTION, channels.add_reaction, _CHANNEL),
    Operation("remove_reaction", "DELETE", _REACTION, channels.remove_reaction, _CHANNEL, "add_reaction"),
    Operation("typing", "POST", _ONE_CHANNEL + "/typing", channels.typing, _CHANNEL),
    Operation("get_channel", "GET", _ONE_CHANNEL, channels.get_channel, _CHANNEL),
    Operation("edit_channel", "PATCH", _ONE_CHANNEL, channels.edit_channel, _CHANNEL),
    Operation("delete_channel", "DELETE", _ONE_CHANNEL, channels.delete_channel, _CHANNEL),
    Operation("get_guild", "GET", "/guilds/{guild}", channels.get_guild, _GUILD),
    Operation("guild_channels", "GET", "/guilds/{guild}/channels", channels.guild_channels, _GUILD),
    Operation("guild_member", "GET", "/guilds/{guild}/members/{user}", channels.guild_member, _GUILD),
    Operation(
        "callback",
        "POST",
        "/interactions/{interaction}/{token}/callback",
        interactions.callback,
        ("interaction",),
        is_open=True,
    ),
    Operation("follow_up", "POST", _WEBHOOK, interactions.follow_up, _TOKEN, "webhook", is_open=True),
    Operation("get_response", "GET", _RESPONSE, interactions.get_response, _TOKEN, "webhook", is_open=True),
    Operation("edit_response", "PATCH", _RESPONSE, interactions.edit_response, _TOKEN, "webhook", is_open=True),
    Operation("delete_response", "DELETE", _RESPONSE, interactions.delete_response, _TOKEN, "webhook", is_open=True),
    Operation("get_commands", "GET", _COMMANDS, commands.get_commands),
    Operation("put_commands", "PUT", _COMMANDS, commands.put_commands),
    Operation("create_command", "POST", _COMMANDS, commands.create_command),
    Operation("delete_command", "DELETE", _COMMANDS + "/{command}", commands.delete_command),
    Operation("get_guild_commands", "GET", _GUILD_COMMANDS, commands.get_commands, _GUILD),
    Operation("put_guild_commands", "PUT", _GUILD_COMMANDS, commands.put_commands, _GUILD),
)
