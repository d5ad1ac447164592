"""Who there is: people, workspaces, and where the app is installed."""

from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject


@dataclass(slots=True)
class User:
    id: str
    team_id: str
    name: str
    locale: str = "en-US"
    is_bot: bool = False
    #: Of a bot that is an app's.
    bot_id: str = ""
    is_deleted: bool = False

    def to_json(self, *, is_stranger: bool, with_locale: bool) -> JsonObject:
        """As users.info tells it. A stranger is of another company."""
        told: JsonObject = {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name.lower().replace(" ", "."),
            "deleted": self.is_deleted,
            "real_name": self.name,
            "tz": "Europe/Amsterdam",
            "profile": {"real_name": self.name, "display_name": self.name, "team": self.team_id},
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_stranger": is_stranger,
        }
        return told | ({"locale": self.locale} if with_locale else {})


@dataclass(frozen=True, slots=True)
class Team:
    id: str
    name: str
    #: The organisation that it belongs to; "" for none.
    enterprise_id: str = ""

    @property
    def domain(self) -> str:
        return self.name.lower().replace(" ", "-")


@dataclass(slots=True)
class Install:
    """The app in a workspace, or in all of an organisation."""

    #: The team's id, or the organisation's.
    id: str
    name: str
    bot: User
    token: str
    scopes: tuple[str, ...]
    #: The workspaces that it is in; an organisation's can grow.
    team_ids: list[str]
    enterprise_id: str = ""
    is_enterprise: bool = False
    #: Tokens that are good for nothing any more → the error that tells it.
    dead_tokens: dict[str, str] = field(default_factory=dict)
    is_removed: bool = False
    has_streams: bool = True

    def authorization(self) -> JsonObject:
        """As events carry it."""
        return {
            "enterprise_id": self.enterprise_id or None,
            "team_id": None if self.is_enterprise else self.id,
            "user_id": self.bot.id,
            "is_bot": True,
            "is_enterprise_install": self.is_enterprise,
        }
