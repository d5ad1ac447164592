"""The Slack workspace assistant: one app on the walk, in one workspace or in all that installed it.

Nothing is asked of Slack before people are listened to, so that a Slack that is away at the start keeps nobody else
waiting.
"""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256

from starlette.routing import Route

from adapters.seals import Seals
from adapters.slack.api import Clients
from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls
from adapters.slack.directory import SlackDirectory
from adapters.slack.events_http import HttpOptions
from adapters.slack.intake import Intake
from adapters.slack.interactions import Known
from adapters.slack.native import Native
from adapters.slack.outbound import new_splitter
from adapters.slack.pace import Pace
from adapters.slack.people import People
from adapters.slack.receiver import SlackReceiver
from adapters.slack.sender import SlackSender
from adapters.slack.socket_mode import SocketOptions
from adapters.slack.workspaces import Workspaces
from bots.policies import policy_of
from bots.products import Product
from bots.slack_home import SlackHomeBook
from bots.slack_installing import Installing, OAuthOptions
from bots.slack_secrets import SlackSecrets, slack_secrets
from bots.slack_texts import button_labels, native_labels
from bots.slack_workspaces import InstalledWorkspaces, OneWorkspace
from bots.walk import Account
from bots.wiring import open_sealing
from core.dialogue import Platform
from core.edge import Edge
from core.memory.database import Database
from core.memory.secrets import Secrets
from core.settings.settings import Settings
from core.settings.slack import SlackSettings
from core.texts import Texts


@asynccontextmanager
async def open_slack(settings: Settings, secret: bytes, database: Database) -> AsyncIterator[Product]:
    """See `OpenProduct`."""
    found, clients = slack_secrets(settings), Clients(settings.slack.api_url)
    texts, language = Texts(), settings.answering.language
    buttons = Buttons(_derived(secret, "buttons"), button_labels(texts, language))
    workspaces, routes = _workspaces(settings, found, clients, database, _derived(secret, "installing"))
    try:
        book = SlackHomeBook(database, found.app_id, policy_of(settings), list(settings.known_personas), texts)
        known = Known(found.app_id, buttons, Seals(_derived(secret, "seals")))
        native = Native(known, clients, book, native_labels(texts, language))
        intake = Intake(found.app_id, workspaces, People(SlackDirectory(clients)), native)
        receiver = SlackReceiver(intake, clients, _way(settings.slack, found))
        sender = SlackSender(Calls(clients, Pace()), workspaces, buttons)
        account = Account(Platform.SLACK, found.app_id, Edge(sender, new_splitter()), receiver)
        yield Product(account, (*receiver.routes, *routes))
    finally:
        await clients.aclose()


def _workspaces(
    settings: Settings, found: SlackSecrets, clients: Clients, database: Database, secret: bytes
) -> tuple[Workspaces, tuple[Route, ...]]:
    """That of the token; else those that install the app by a link."""
    if found.token:
        return OneWorkspace(clients, found.token), ()
    installed = InstalledWorkspaces(Secrets(database, open_sealing(settings)), found.app_id)
    options = OAuthOptions(settings.slack.client_id, found.client_secret, settings.slack.redirect_url)
    return installed, Installing(found.app_id, options, installed, clients, secret).routes


def _way(told: SlackSettings, found: SlackSecrets) -> SocketOptions | HttpOptions:
    if told.receive == "http":
        return HttpOptions(found.signing_secret)
    return SocketOptions(found.app_token, told.connections)


def _derived(secret: bytes, purpose: str) -> bytes:
    return hmac.digest(secret, f"slack {purpose}".encode(), sha256)
