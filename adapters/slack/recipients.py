"""For whom a stream is: Slack wants the person, and the workspace that the person belongs to."""

import logging
from collections import OrderedDict
from collections.abc import Mapping

from adapters.remembered import keep
from adapters.slack.calls import Calls, Errand
from core.errors import PlatformError

logger = logging.getLogger(__name__)


class Recipients:
    """Of one app."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        #: Installation and person → the person's workspace.
        self._teams: OrderedDict[tuple[str, str], str] = OrderedDict()

    async def arguments(self, errand: Errand, user: str) -> Mapping[str, str]:
        """Of chat.startStream. Slack refuses them in a DM, and wants them elsewhere."""
        if not user:
            return {}
        team = await self._team(errand, user)
        return {"recipient_user_id": user} | ({"recipient_team_id": team} if team else {})

    async def _team(self, errand: Errand, user: str) -> str:
        """In a shared channel it may be another company's. "" where it can't be told."""
        workspace = errand.workspace
        known = self._teams.get((workspace.id, user))
        if known is not None:
            self._teams.move_to_end((workspace.id, user))
            return known
        try:
            told = (await self._calls.ask(errand, "users.info", {"user": user})).get("user")
        except PlatformError as error:
            logger.info("a person's workspace is not known: %s", error, extra={"action": "show"})
            return "" if workspace.is_enterprise else workspace.id
        team = told.get("team_id") if isinstance(told, dict) else None
        if not isinstance(team, str) or not team:
            return "" if workspace.is_enterprise else workspace.id
        keep(self._teams, (workspace.id, user), team)
        return team
