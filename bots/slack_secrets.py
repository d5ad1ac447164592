"""What the settings tell of the Slack app, read and held against what it is to do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from core.errors import SettingsError
from core.settings.settings import Settings

_APP_TOKEN = re.compile(r"xapp-\d+-(A[A-Z0-9]+)-.+")
_NO_BOT = (
    "BANTER_SLACK_TOKEN: not set; make an app from bots/slack_manifest.yaml at api.slack.com/apps, install it, and set "
    "the bot token that it shows (xoxb-…); or set slack.client_id, so that workspaces install it by a link"
)
_NO_SOCKET = (
    "BANTER_SLACK_APP_TOKEN: not set; make one with the scope connections:write under Basic Information (xapp-…), or "
    'set slack.receive = "http"'
)


@dataclass(frozen=True, slots=True)
class SlackSecrets:
    app_id: str
    #: "" where workspaces install the app by themselves.
    token: str = field(default="", repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)


def slack_secrets(settings: Settings) -> SlackSecrets:
    """Raises SettingsError, which tells of all that is missing."""
    told = settings.slack
    try:
        found = (told.read_token(), told.read_app_token(), told.read_signing_secret(), told.read_client_secret())
    except ValueError as error:
        raise SettingsError(str(error)) from None
    read = SlackSecrets(told.app_id or _app_id_in(found[1]), *found)
    problems = [*_missing(settings, read), *_wrong(settings, read)]
    if problems:
        raise SettingsError(*problems)
    return read


def _missing(settings: Settings, found: SlackSecrets) -> Iterator[str]:
    told = settings.slack
    if not found.token and not told.client_id:
        yield _NO_BOT
    if told.client_id and not found.token and not found.client_secret:
        yield "BANTER_SLACK_CLIENT_SECRET: not set; Slack shows it under Basic Information, beside slack.client_id"
    if told.receive == "socket" and not found.app_token:
        yield _NO_SOCKET
    if told.receive == "http" and not found.signing_secret:
        yield "BANTER_SLACK_SIGNING_SECRET: not set; Slack shows it under Basic Information"
    if told.receive == "http" and not told.app_id:
        yield "slack.app_id: not set; Slack shows it under Basic Information (A…)"
    if not settings.web.port and (told.receive == "http" or (told.client_id and not found.token)):
        yield "web.port: 0, but Slack, or whoever installs the app, has to reach [web]; set another"


def _wrong(settings: Settings, found: SlackSecrets) -> Iterator[str]:
    """Never a word of a token."""
    told = settings.slack
    if found.token and not found.token.startswith("xoxb-"):
        yield "BANTER_SLACK_TOKEN: not a bot's token; they look like xoxb-…"
    if told.receive == "socket" and found.app_token and not _app_id_in(found.app_token):
        yield "BANTER_SLACK_APP_TOKEN: not an app token; they look like xapp-1-A0123ABCD-…"
    if told.receive == "socket" and told.app_id and _app_id_in(found.app_token) not in ("", told.app_id):
        yield "slack.app_id: the app token is another app's; leave slack.app_id out"


def _app_id_in(app_token: str) -> str:
    found = _APP_TOKEN.fullmatch(app_token)
    return found[1] if found else ""
