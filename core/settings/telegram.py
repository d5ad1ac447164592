"""The settings of the Telegram chatbot."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from core.settings.section import Section


def _an_address(url: str) -> str:
    if url and re.match(r"https?://[^/\s]+", url) is None:
        raise PydanticCustomError("no_address", "should begin with https:// (or http://) and name a host")
    return url.rstrip("/")


def _a_secret(secret: SecretStr) -> SecretStr:
    if re.fullmatch(r"[A-Za-z0-9_-]{0,256}", secret.get_secret_value()) is None:
        raise PydanticCustomError("no_webhook_secret", "should have at most 256 letters, digits, _ and -")
    return secret


class TelegramSettings(Section):
    """One bot. It is there where it has a token."""

    #: As @BotFather shows it; the environment's BANTER_TELEGRAM_TOKEN goes before it.
    token: SecretStr = SecretStr("")
    #: A file that holds the token and nothing else.
    token_file: str = ""
    #: A Bot API server of one's own.
    api_url: Annotated[str, AfterValidator(_an_address)] = "https://api.telegram.org"
    #: Whether Telegram is asked for messages, or brings them to `webhook_url`.
    receive: Literal["polling", "webhook"] = "polling"
    #: As Telegram reaches it; requests for its path must arrive at `web.host` and `web.port`.
    webhook_url: Annotated[str, AfterValidator(_an_address)] = ""
    #: "" is made of the database's own secret.
    webhook_secret: Annotated[SecretStr, AfterValidator(_a_secret)] = SecretStr("")
    #: At once, as Telegram makes them.
    webhook_connections: Annotated[int, Field(ge=1, le=100)] = 40
    #: In private chats, what is written is shown as a draft until it is whole.
    drafts: bool = False

    @model_validator(mode="after")
    def _a_webhook_has_an_address(self) -> Self:
        if self.receive == "webhook" and not self.webhook_url:
            raise PydanticCustomError(
                "no_webhook", 'receive = "webhook" needs `webhook_url`, such as https://bots.example.org/telegram'
            )
        return self

    def read_token(self) -> str:
        """ "" where there is none. Raises ValueError where the file can't be read."""
        if self.token.get_secret_value() or not self.token_file:
            return self.token.get_secret_value().strip()
        try:
            return Path(self.token_file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, RuntimeError, UnicodeDecodeError) as error:
            raise ValueError(f"telegram.token_file: {type(error).__name__}; name a file that can be read") from None
