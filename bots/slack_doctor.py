"""What Slack knows of the app, for `banter doctor`. It is asked, and nothing is changed there."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from adapters.slack.api import Clients, translated
from bots.doctor import Finding
from bots.slack_installing import bot_scopes
from bots.slack_secrets import SlackSecrets, slack_secrets
from bots.slack_workspaces import workspace_of
from core.errors import PlatformAway, PlatformError, PlatformRefused, SettingsError
from core.settings.settings import Settings
from core.settings.slack import SlackSettings

_REINSTALL = "add them under OAuth & Permissions (or paste bots/slack_manifest.yaml), and install the app again"


async def examine_slack(settings: Settings) -> list[Finding]:
    """Where it is known at all, what stands between people and the bot."""
    told = settings.slack
    try:
        found = slack_secrets(settings)
    except SettingsError as error:
        return [Finding("Slack", False, problem) for problem in error.problems]
    clients = Clients(told.api_url)
    try:
        findings = [await _bot(told, found, clients)] if found.token else [_installed(told)]
        return [*findings, await _way(told, found, clients)]
    finally:
        await clients.aclose()


async def _bot(told: SlackSettings, found: SlackSecrets, clients: Clients) -> Finding:
    try:
        with translated():
            answer = await clients.of(found.token).auth_test()
        workspace = workspace_of(answer.data, found.token)
        app_id = await _app_of(clients, found.token, workspace.bot_id)
    except PlatformAway as error:
        return Finding("Slack", False, f"{urlsplit(told.api_url).netloc}: {error}")
    except PlatformRefused as refusal:
        return Finding("Slack", False, f"BANTER_SLACK_TOKEN: {refusal}; set the one under OAuth & Permissions (xoxb-…)")
    except PlatformError as error:
        return Finding("Slack", False, f"{urlsplit(told.api_url).netloc}: {error}")
    if app_id not in ("", found.app_id):
        return Finding("Slack", False, f"the bot token is of the app {app_id}, and the other secrets of {found.app_id}")
    scopes = _scopes(answer.headers)
    if missing := sorted(set(bot_scopes()) - scopes):
        return Finding("Slack", False, f"{workspace.name}: scopes are missing: {', '.join(missing)}; {_REINSTALL}")
    return Finding("Slack", True, f"{workspace.name} ({workspace.id}), app {found.app_id}, all scopes")


async def _app_of(clients: Clients, token: str, bot_id: str) -> str:
    """ "" where Slack does not tell."""
    try:
        bot = (await clients.ask(token, "bots.info", {"bot": bot_id})).get("bot")
    except PlatformRefused:  # users:read is one of the scopes that may be missing
        return ""
    return str(bot.get("app_id", "")) if isinstance(bot, Mapping) else ""


def _scopes(headers: Mapping[str, Any]) -> set[str]:
    told = next((value for name, value in headers.items() if str(name).casefold() == "x-oauth-scopes"), "")
    return set(_words(told))


def _words(told: object) -> Iterator[str]:
    text = told[0] if isinstance(told, list) and told else told
    yield from (word.strip() for word in str(text).split(",") if word.strip())


def _installed(told: SlackSettings) -> Finding:
    back = told.redirect_url or "the first redirect URL that the app names to Slack"
    return Finding("Slack", True, f"workspaces install the app at /slack/install, and come back to {back}")


async def _way(told: SlackSettings, found: SlackSecrets, clients: Clients) -> Finding:
    """How what is said comes here."""
    name = "Slack's events"
    if told.receive == "http":
        return Finding(name, True, "Slack brings them to /slack/events on [web]; whether it can, Slack alone knows")
    try:
        await clients.call(found.app_token, "apps.connections.open", {})
    except PlatformRefused as refusal:
        told_so = f"BANTER_SLACK_APP_TOKEN: {refusal}; make one with connections:write, and switch Socket Mode on"
        return Finding(name, False, told_so)
    except PlatformError as error:
        return Finding(name, False, f"{urlsplit(told.api_url).netloc}: {error}")
    return Finding(name, True, f"over {told.connections} websockets (Socket Mode)")
