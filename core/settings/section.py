"""What every table of config.toml is."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A table of config.toml: nothing unknown, nothing changed later."""

    model_config = ConfigDict(extra="forbid", frozen=True)
