"""Where the app is installed: a workspace, or a whole organisation, and the token that speaks there."""

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Workspace:
    """One installation of the app."""

    #: As session keys name it: the team's id, or the organisation's where the app is installed in all of it.
    id: str
    bot_user_id: str
    bot_id: str
    token: str = field(repr=False)
    #: Shown to operators.
    name: str = ""

    @property
    def is_enterprise(self) -> bool:
        """A whole organisation, with many teams."""
        return self.id.startswith("E")


class Workspaces(Protocol):
    """All methods raise PlatformRefused where the app is not installed, and PlatformAway where it can't be told now."""

    async def of(self, workspace_id: str) -> Workspace: ...

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        """The installation that an event is for; "" where it names no team or no organisation."""
        ...

    async def removed(self, workspace_id: str, at: float) -> None:
        """The app was taken away there, or its token was revoked. `at`: seconds since 1970; what was installed later
        stays.
        """
        ...
