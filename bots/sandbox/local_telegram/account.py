"""The bot as Telegram knows it, and the people that it talks to."""

from dataclasses import asdict, dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class User:
    id: int
    first_name: str
    username: str = ""
    language_code: str = ""
    is_bot: bool = False

    def to_json(self) -> JsonObject:
        user: JsonObject = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        if self.username:
            user["username"] = self.username
        if self.language_code:
            user["language_code"] = self.language_code
        return user


@dataclass(frozen=True, slots=True)
class BotOptions:
    """As @BotFather's settings have it."""

    id: int = 7000000001
    first_name: str = "Banter"
    username: str = "banter_bot"
    #: What follows the colon of the first token.
    secret: str = "AAlocal-sandbox-token-that-opens-nothing"  # noqa: S105 - a token of this machine's own
    #: Off: only what is meant for it reaches it in groups.
    reads_all_group_messages: bool = False
    has_topics_enabled: bool = False
    users_create_topics: bool = False


_OPTIONS = TypeAdapter(BotOptions)


class BotAccount:
    """One bot. Its token can be revoked, as @BotFather does."""

    def __init__(self, options: BotOptions) -> None:
        self.options = options
        self.user = User(options.id, options.first_name, options.username, is_bot=True)
        self.token = f"{options.id}:{options.secret}"
        self.menus: dict[tuple[str, str], list[JsonObject]] = {}
        self._tokens = 1

    def revoke(self) -> str:
        """The old token is good for nothing from now on; gives the new one."""
        self._tokens += 1
        self.token = f"{self.options.id}:{self.options.secret}-{self._tokens}"
        return self.token

    def change(self, name: str, *, is_on: bool) -> None:
        """One of the options that are on or off. Raises ValueError."""
        if not isinstance(getattr(self.options, name, None), bool):
            raise ValueError(f"the bot has no option {name}")
        self.options = _OPTIONS.validate_python({**asdict(self.options), name: is_on})

    def to_json(self) -> JsonObject:
        """As getMe tells it."""
        return self.user.to_json() | {
            "can_join_groups": True,
            "can_read_all_group_messages": self.options.reads_all_group_messages,
            "supports_inline_queries": False,
            "can_connect_to_business": True,
            "has_main_web_app": False,
            "has_topics_enabled": self.options.has_topics_enabled,
            "allows_users_to_create_topics": self.options.users_create_topics,
        }
