"""Who the bot is, and how it is told of what happens."""

import re
from urllib.parse import urlsplit

from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import Refused, bad_request
from bots.sandbox.local_telegram.webhook import Address, Webhook
from bots.sandbox.local_telegram.world import World

_LONGEST_POLL_S = 50
_MOST_AT_ONCE = 100
_MOST_CONNECTIONS = 100
_LONGEST_SECRET = 256
_SECRET = re.compile("[A-Za-z0-9_-]*")
_HERE = {"127.0.0.1", "localhost", "::1"}


async def get_me(world: World, _parameters: Parameters) -> object:
    return world.account.to_json()


class Telling:
    """The methods that decide whether updates are fetched or brought."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook

    async def get_updates(self, world: World, parameters: Parameters) -> object:
        if self._webhook.address.url:
            raise Refused(
                409,
                "Conflict: can't use getUpdates method while webhook is active;"
                " use deleteWebhook to delete the webhook first",
            )
        limit = min(max(parameters.integer("limit", _MOST_AT_ONCE), 1), _MOST_AT_ONCE)
        timeout_s = min(max(parameters.integer("timeout"), 0), _LONGEST_POLL_S)
        _allow(world, parameters)
        return await world.updates.poll(parameters.integer("offset"), limit, timeout_s)

    async def set_webhook(self, world: World, parameters: Parameters) -> object:
        url, secret = parameters.text("url"), parameters.text("secret_token")
        if not url:
            return await self.delete_webhook(world, parameters)
        address = urlsplit(url)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in _HERE):
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > _LONGEST_SECRET:
            raise bad_request("secret token is too long")
        if not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        connections = min(max(parameters.integer("max_connections", 40), 1), _MOST_CONNECTIONS)
        _allow(world, parameters)
        if parameters.flag("drop_pending_updates"):
            world.updates.drop()
        world.updates.end_poll(Refused(409, "Conflict: terminated by setWebhook request"))
        await self._webhook.move(Address(url, secret, connections, parameters.text("ip_address")))
        return True

    async def delete_webhook(self, world: World, parameters: Parameters) -> object:
        if parameters.flag("drop_pending_updates"):
            world.updates.drop()
        await self._webhook.move(Address())
        return True

    async def get_webhook_info(self, _world: World, _parameters: Parameters) -> object:
        return self._webhook.to_json()


def _allow(world: World, parameters: Parameters) -> None:
    """Without the parameter it stays as it was."""
    kinds = parameters.json("allowed_updates")
    if isinstance(kinds, list):
        world.updates.allow(kinds)
