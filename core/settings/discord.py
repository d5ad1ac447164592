"""The settings of the Discord server bot."""

from typing import Annotated, Literal

from pydantic import Field, SecretStr

from core.settings.address import Address
from core.settings.secret_text import read_secret
from core.settings.section import Section


class DiscordSettings(Section):
    """One application's bot. It is there where it has a token."""

    #: As the developer portal shows it under Bot; the environment's BANTER_DISCORD_TOKEN goes before it.
    token: SecretStr = SecretStr("")
    #: A file that holds the token and nothing else.
    token_file: str = ""
    #: A mention in a channel is answered in a thread that begins with it; otherwise in the channel itself.
    threads: bool = True
    #: The Message Content intent: "auto" takes it where the developer portal grants it.
    message_content: Literal["auto", "on", "off"] = "auto"
    #: What was said longer ago while nobody listened gets a note, and no answer.
    catch_up_s: Annotated[float, Field(ge=0)] = 3600.0
    #: A reply that one message does not hold comes in several, or as an attached file.
    long_replies: Literal["parts", "file"] = "parts"
    #: Of the gateway; 0 are as many as Discord recommends. Every process of the bot must say the same.
    shards: Annotated[int, Field(ge=0, le=16_000)] = 0
    api_url: Address = "https://discord.com/api/v10"

    @property
    def is_there(self) -> bool:
        return bool(self.token.get_secret_value() or self.token_file)

    def read_token(self) -> str:
        """ "" where there is none. Raises ValueError where the file can't be read."""
        return read_secret(self.token, self.token_file, "discord.token_file")
