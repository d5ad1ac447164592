"""Slack's `users.info`, as the names of people are learnt from it."""

from collections.abc import Mapping

from adapters.slack.api import Clients
from adapters.slack.workspaces import Workspace


class SlackDirectory:
    """Implements `Directory`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def user(self, workspace: Workspace, user_id: str) -> Mapping[str, object]:
        told = await self._clients.ask(workspace.token, "users.info", {"user": user_id})
        found = told.get("user")
        return found if isinstance(found, Mapping) else {}
