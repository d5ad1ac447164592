"""A call in a workspace: in its turn, and with the workspace's token."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.api import Clients
from adapters.slack.pace import Pace
from adapters.slack.workspaces import Workspace

Arguments = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Errand:
    """For whom a call is made."""

    workspace: Workspace
    #: The reply; it keeps a place in the line for it.
    who: str
    #: It waits for its turn; what is merely shown never does.
    is_urgent: bool = True


class Calls:
    """All methods raise PlatformError."""

    def __init__(self, clients: Clients, pace: Pace) -> None:
        self.clients = clients
        self.pace = pace

    async def change(self, errand: Errand, method: str, arguments: Arguments, *, channel: str = "") -> Arguments:
        """`channel` is told where calls there count by themselves too."""
        workspace = errand.workspace
        async with self.pace.turn(workspace.id, method, errand.who, is_urgent=errand.is_urgent, channel=channel):
            return await self.clients.call(workspace.token, method, arguments)

    async def ask(self, errand: Errand, method: str, arguments: Arguments) -> Arguments:
        workspace = errand.workspace
        async with self.pace.turn(workspace.id, method, errand.who, is_urgent=errand.is_urgent):
            return await self.clients.ask(workspace.token, method, arguments)
