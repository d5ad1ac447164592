"""How a local Slack is to be; it goes through JSON to a process of its own."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bots.sandbox.local_slack.limits import Limits, Rates

_SCOPES = (
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "team:read",
    "users:read",
)
_EVENTS = (
    "agent_session_stopped",
    "agent_session_title_changed",
    "app_context_changed",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "assistant_thread_context_changed",
    "assistant_thread_started",
    "channel_archive",
    "channel_id_changed",
    "group_archive",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "reaction_removed",
    "tokens_revoked",
)


@dataclass(frozen=True, slots=True)
class AppOptions:
    """As the app's settings have it."""

    id: str = "A0LOCAL0001"
    name: str = "Banter"
    client_id: str = "1000000000001.2000000000002"
    client_secret: str = "local-client-secret-that-opens-nothing"  # noqa: S105 - secrets of this machine's own
    signing_secret: str = "local-signing-secret-that-opens-nothing"  # noqa: S105
    #: What follows `xapp-1-<app id>-`.
    app_secret: str = "3000000000003-local-sandbox-secret-that-opens-nothing"  # noqa: S105
    #: Of every installation; OAuth installs with what it was asked for.
    scopes: tuple[str, ...] = _SCOPES
    #: What the app subscribes to.
    events: tuple[str, ...] = _EVENTS
    commands: tuple[str, ...] = ("/banter",)
    #: Off: assistant threads, as apps had them before.
    is_agent_view: bool = True


@dataclass(frozen=True, slots=True)
class Options:
    app: AppOptions = field(default_factory=AppOptions)
    limits: Limits = field(default_factory=Limits)
    rates: Rates = field(default_factory=Rates)
    #: The first workspace, in which the app is installed already.
    team_name: str = "Acme"
    #: How often each event is brought: more often than once on purpose.
    copies: int = 1
    #: Slack's "delayed events": what nobody took is brought again hourly for a day.
    has_delayed_events: bool = False
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
