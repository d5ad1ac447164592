"""The settings of the Telegram chatbot."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from core.settings.address import Address
from core.settings.secret_text import read_secret
from core.settings.section import Section


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
    api_url: Address = "https://api.telegram.org"
    #: Whether Telegram is asked for messages, or brings them to `webhook_url`.
    receive: Literal["polling", "webhook"] = "polling"
    #: As Telegram reaches it; requests for its path must arrive at `web.host` and `web.port`.
    webhook_url: Address = ""
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

    @property
    def is_there(self) -> bool:
        return bool(self.token.get_secret_value() or self.token_file)

    def read_token(self) -> str:
        """ "" where there is none. Raises ValueError where the file can't be read."""
        return read_secret(self.token, self.token_file, "telegram.token_file")
