"""The settings of the Slack workspace assistant."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr
from pydantic_core import PydanticCustomError

from core.settings.address import Address
from core.settings.secret_text import read_secret
from core.settings.section import Section


def _an_app_id(told: str) -> str:
    if re.fullmatch(r"(A[A-Z0-9]+)?", told) is None:
        raise PydanticCustomError("no_app_id", "should look like A0123ABCD; Slack shows it under Basic Information")
    return told


class SlackSettings(Section):
    """One app. It is there where it has a token, or a client secret by which workspaces install it."""

    #: Of the one workspace ("xoxb-…"); the environment's BANTER_SLACK_TOKEN goes before it.
    token: SecretStr = SecretStr("")
    token_file: str = ""
    #: For Socket Mode ("xapp-…"); BANTER_SLACK_APP_TOKEN.
    app_token: SecretStr = SecretStr("")
    app_token_file: str = ""
    #: What Slack signs with what it brings over HTTP; BANTER_SLACK_SIGNING_SECRET.
    signing_secret: SecretStr = SecretStr("")
    signing_secret_file: str = ""
    #: By which workspaces install the app themselves, with `client_id`; BANTER_SLACK_CLIENT_SECRET.
    client_secret: SecretStr = SecretStr("")
    client_secret_file: str = ""
    client_id: str = ""
    #: Where Slack sends people back to after an installation; "" is the first address that the app names to Slack.
    redirect_url: Address = ""
    #: Whether the program opens websockets to Slack, or Slack brings what is said to [web].
    receive: Literal["socket", "http"] = "socket"
    #: Websockets; with two, one is there while the other is renewed.
    connections: Annotated[int, Field(ge=2, le=10)] = 2
    #: Left out, it is read off the app token.
    app_id: Annotated[str, AfterValidator(_an_app_id)] = ""
    api_url: Address = "https://slack.com/api"

    @property
    def is_there(self) -> bool:
        return any((self.token.get_secret_value(), self.token_file, self.client_id))

    def read_token(self) -> str:
        """These four: "" where there is none. Raise ValueError where the file can't be read."""
        return read_secret(self.token, self.token_file, "slack.token_file")

    def read_app_token(self) -> str:
        return read_secret(self.app_token, self.app_token_file, "slack.app_token_file")

    def read_signing_secret(self) -> str:
        return read_secret(self.signing_secret, self.signing_secret_file, "slack.signing_secret_file")

    def read_client_secret(self) -> str:
        return read_secret(self.client_secret, self.client_secret_file, "slack.client_secret_file")
