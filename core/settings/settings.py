"""The settings: config.toml, the environment over it, and a default that works for every key.

Only the package `bots` reads them; below it values are passed.
"""

import os
from pathlib import Path
from typing import Annotated, Literal, Self

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from core.errors import SettingsError
from core.generation.catalogue import DEFAULT_MODEL
from core.settings.answering import (
    AccessSettings,
    AnsweringSettings,
    PlaceName,
    PlaceSettings,
    QuotaSettings,
    RankSettings,
)
from core.settings.discord import DiscordSettings
from core.settings.memory import MemorySettings
from core.settings.openai import OpenAISettings
from core.settings.privacy import PrivacySettings, RetentionSettings
from core.settings.sampling import SamplingSettings
from core.settings.section import Section
from core.settings.service import ServiceSettings, WebSettings
from core.settings.slack import SlackSettings
from core.settings.telegram import TelegramSettings

ENVIRONMENT_PREFIX = "BANTER_"


#: Variables as people know them from other bots → the section and the key that they are.
TOKEN_VARIABLES = {
    "BANTER_DISCORD_TOKEN": ("discord", "token"),
    "BANTER_SLACK_TOKEN": ("slack", "token"),
    "BANTER_SLACK_APP_TOKEN": ("slack", "app_token"),
    "BANTER_SLACK_SIGNING_SECRET": ("slack", "signing_secret"),
    "BANTER_SLACK_CLIENT_SECRET": ("slack", "client_secret"),
    "BANTER_TELEGRAM_TOKEN": ("telegram", "token"),
}


def _tokens() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for variable, (section, key) in TOKEN_VARIABLES.items():
        if (token := os.environ.get(variable)) is not None:
            found.setdefault(section, {})[key] = token
    return found


def _whole(path: Path) -> Path:
    """`~` is somebody's home, and a relative path begins in the working folder. Raises ValueError for nobody's home."""
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        raise ValueError("there is no such home folder") from None


_WholePath = Annotated[Path, AfterValidator(_whole)]


class PathSettings(Section):
    """Where Banter keeps its things: whole paths, whatever was written."""

    #: The SQLite database and the logs.
    data: _WholePath = Field(default_factory=lambda: Path(platformdirs.user_data_dir("banter")), validate_default=True)
    #: Models, and the engine's socket.
    cache: _WholePath = Field(
        default_factory=lambda: Path(platformdirs.user_cache_dir("banter")), validate_default=True
    )


class DatabaseSettings(Section):
    #: `sqlite:///file` or `postgresql://user:password@host/name`; "" is banter.db in `paths.data`.
    url: SecretStr = SecretStr("")
    #: SQLite only. `full` survives a power cut; `normal` is faster and may lose the last seconds to one.
    synchronous: Literal["full", "normal"] = "full"


class GenerationSettings(Section):
    #: Who writes the replies: this machine's engine, or the server of `[openai]`.
    backend: Literal["local", "openai"] = "local"
    #: Its tokenizer counts what fits the prompt, whoever writes.
    model: str = DEFAULT_MODEL
    #: Tokens of prompt and reply together; never more than the model can see.
    context_window: Annotated[int, Field(ge=64)] = 2048
    #: From the question to the end of its reply.
    timeout_s: Annotated[float, Field(gt=0)] = 300.0


class GuardSettings(Section):
    """What is done when a small model goes astray."""

    #: How often a blank or repeated reply is drawn again.
    redraws: Annotated[int, Field(ge=0, le=10)] = 2
    #: A reply that says the same thing this often in a row is cut; 0 lets it run.
    loop_repeats: Annotated[int, Field(ge=0)] = 4


class EngineSettings(Section):
    """The process that holds the models."""

    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:\d+)?)$")] = "auto"
    #: CPU threads; 0 leaves it to PyTorch.
    threads: Annotated[int, Field(ge=0)] = 0
    #: Most memory that models may take; 0 is what the device has free.
    memory_gb: Annotated[float, Field(ge=0)] = 0.0
    #: It leaves after so long without a client.
    idle_s: Annotated[float, Field(gt=0)] = 300.0
    #: How long a client waits for a new engine to answer.
    start_timeout_s: Annotated[float, Field(gt=0)] = 120.0
    #: An engine that is so long at one step, or one piece of a model, is taken for hung and replaced.
    hang_timeout_s: Annotated[float, Field(ge=1)] = 120.0
    #: Replies that are written at once, of each model.
    batch: Annotated[int, Field(ge=1, le=1024)] = 32
    #: Tokens of prompts that are read at one step beside replies that are written: fewer are smoother, more are faster.
    prefill_tokens: Annotated[int, Field(ge=16)] = 128
    #: Requests that may wait; one more is refused.
    waiting_limit: Annotated[int, Field(ge=1)] = 256
    #: The same for one person; 0 is a quarter of all.
    waiting_per_person: Annotated[int, Field(ge=0)] = 0
    #: Share of a platform, a workspace ("slack/T012") or a person ("slack/T012/U7") beside its likes; 1 unless said.
    weights: dict[str, Annotated[float, Field(gt=0)]] = Field(default_factory=dict)


class PersonaSettings(Section):
    """A system prompt, a model and sampling under one name."""

    system_prompt: str = ""
    #: "" is `generation.model`.
    model: str = ""
    #: A folder with a LoRA adapter of the model, as PEFT saves it; "" is the model as it is.
    adapter: Annotated[str, AfterValidator(lambda folder: folder and str(_whole(Path(folder))))] = ""
    sampling: SamplingSettings = SamplingSettings()


class ModelSettings(Section):
    """How a model that is not in the catalogue, or not in its usual way, is used."""

    #: A hub name, a folder or a DialoGPT `.pkl` file; "" is the table's own name.
    source: str = ""
    #: How turns become a prompt; "" finds out.
    format: Literal["", "chat", "dialogpt"] = ""
    #: A file with a jinja2 chat template, instead of the model's own.
    chat_template: str = ""
    revision: str = ""
    #: Runs Python code that comes with the model. Only for authors that you trust with your machine.
    trust_remote_code: bool = False
    dtype: Literal["auto", "float32", "float16", "bfloat16", "int8"] = "auto"
    #: 0 is what the model's configuration says.
    context_window: Annotated[int, Field(ge=0)] = 0


class HubSettings(Section):
    #: For gated models; a token of huggingface.co.
    token: SecretStr = SecretStr("")
    #: A mirror; "" is huggingface.co.
    endpoint: str = ""


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"


DEFAULT_PERSONA_NAME = "banter"
#: Short, and near to what the default model was trained with: a longer one confuses it.
DEFAULT_PERSONA = PersonaSettings(system_prompt="You are a helpful AI assistant named Banter.")


class Settings(BaseSettings):
    """Everything an operator can set."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True
    )

    #: The persona of a new session.
    persona: str = DEFAULT_PERSONA_NAME
    paths: PathSettings = PathSettings()
    database: DatabaseSettings = DatabaseSettings()
    generation: GenerationSettings = GenerationSettings()
    sampling: SamplingSettings = SamplingSettings()
    guards: GuardSettings = GuardSettings()
    memory: MemorySettings = MemorySettings()
    engine: EngineSettings = EngineSettings()
    openai: OpenAISettings = OpenAISettings()
    hub: HubSettings = HubSettings()
    answering: AnsweringSettings = AnsweringSettings()
    access: AccessSettings = AccessSettings()
    ranks: RankSettings = RankSettings()
    quotas: QuotaSettings = QuotaSettings()
    service: ServiceSettings = ServiceSettings()
    web: WebSettings = WebSettings()
    discord: DiscordSettings = DiscordSettings()
    slack: SlackSettings = SlackSettings()
    telegram: TelegramSettings = TelegramSettings()
    privacy: PrivacySettings = PrivacySettings()
    retention: RetentionSettings = RetentionSettings()
    log: LogSettings = LogSettings()
    personas: dict[str, PersonaSettings] = {}
    models: dict[str, ModelSettings] = {}
    #: Workspaces and channels where something is different.
    places: dict[PlaceName, PlaceSettings] = {}

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        tokens = InitSettingsSource(settings_cls, _tokens())
        return tokens, env_settings, init_settings

    @model_validator(mode="after")
    def _the_persona_exists(self) -> Self:
        if self.persona not in self.known_personas:
            known = ", ".join(sorted(self.known_personas))
            raise PydanticCustomError("unknown_persona", "no such persona; known are {known}", {"known": known})
        return self

    @model_validator(mode="after")
    def _the_personas_of_places_exist(self) -> Self:
        for name, place in self.places.items():
            if place.persona is not None and place.persona not in self.known_personas:
                known = {"place": name, "persona": place.persona, "known": ", ".join(sorted(self.known_personas))}
                raise PydanticCustomError(
                    "unknown_place_persona", "{place} has no persona {persona}; known are {known}", known
                )
        return self

    @model_validator(mode="after")
    def _the_server_has_an_address(self) -> Self:
        if self.generation.backend == "openai" and not self.openai.base_url:
            raise PydanticCustomError(
                "no_server", 'generation.backend = "openai" needs a server, such as http://localhost:8000/v1'
            )
        return self

    @model_validator(mode="after")
    def _an_adapter_has_an_engine(self) -> Self:
        adapted = next((name for name, persona in self.personas.items() if persona.adapter), "")
        if adapted and self.generation.backend == "openai":
            told = 'should be "local" for personas.{name}.adapter; a server has its adapters as models of their own'
            raise PydanticCustomError("no_engine", told, {"name": adapted})
        return self

    @property
    def known_personas(self) -> dict[str, PersonaSettings]:
        """The configured ones, and the default one under its name unless it was configured."""
        return {DEFAULT_PERSONA_NAME: DEFAULT_PERSONA, **self.personas}

    def chosen(self, persona: str = "", model: str = "") -> Self:
        """The same settings with another default persona or model; "" keeps what is set.

        Raises SettingsError for a persona that there isn't.
        """
        if persona and persona not in self.known_personas:
            raise SettingsError(f"--persona {persona}: there are {', '.join(sorted(self.known_personas))}")
        generation = self.generation.model_copy(update={"model": model or self.generation.model})
        return self.model_copy(update={"persona": persona or self.persona, "generation": generation})

    @property
    def key_file(self) -> Path:
        """Raises SettingsError where it is in a home that there isn't."""
        try:
            return _whole(Path(self.privacy.key_file)) if self.privacy.key_file else self.paths.data / "secret.key"
        except ValueError as error:
            raise SettingsError(f"privacy.key_file: {error}; write the file's whole path") from None

    @property
    def database_url(self) -> str:
        """Raises SettingsError where the file is in a home that there isn't."""
        url = self.database.url.get_secret_value() or f"sqlite:///{self.paths.data / 'banter.db'}"
        scheme, _, file = url.partition(":///")
        if not (scheme.startswith("sqlite") and file.startswith("~")):
            return url
        try:
            return f"{scheme}:///{_whole(Path(file))}"
        except ValueError as error:
            raise SettingsError(f"database.url: {error}; write the file's whole path") from None
