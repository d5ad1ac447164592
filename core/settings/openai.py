"""The settings of a server that writes the replies."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_core import PydanticCustomError

from core.generation.openai_request import Extension, Mode
from core.settings.section import Section


class OpenAISettings(Section):
    """A server that follows OpenAI's format (vLLM, llama.cpp, Ollama, …) instead of the engine."""

    #: With its path: `http://localhost:8000/v1`.
    base_url: str = ""
    #: What the model is called there; "" is the persona's model.
    model: str = ""
    api_key: SecretStr = SecretStr("")
    #: `chat` leaves the chat template to the server; `completions` sends the prompt's token ids.
    mode: Mode = "chat"
    #: What the server knows beyond the standard.
    extensions: tuple[Extension, ...] = ()
    connect_timeout_s: Annotated[float, Field(gt=0)] = 10.0
    #: The longest silence, before the first word and between two.
    read_timeout_s: Annotated[float, Field(gt=0)] = 120.0
    #: How often a failure that may pass is tried again.
    retries: Annotated[int, Field(ge=0, le=10)] = 3
    #: Requests at the server at once; the others wait as they would for the engine (`engine.waiting_limit`, …).
    parallel_requests: Annotated[int, Field(ge=1)] = 16

    @field_validator("base_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        if "@" in url or "?" in url:
            raise PydanticCustomError("secret_in_address", "should hold no secrets; set BANTER_OPENAI__API_KEY instead")
        if url and not _is_web_address(url):
            raise PydanticCustomError("no_address", "should begin with http:// or https:// and name a host")
        return url.rstrip("/")

    @field_validator("api_key")
    @classmethod
    def _fits_a_header(cls, key: SecretStr) -> SecretStr:
        stripped = key.get_secret_value().strip()
        if not (stripped.isascii() and stripped.isprintable()) or " " in stripped:
            raise PydanticCustomError("no_key", "should be plain characters without spaces")
        return SecretStr(stripped)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
