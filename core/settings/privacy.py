"""What is kept for how long, sealed or not, and where a model may be trained on it."""

from typing import Annotated

from pydantic import Field, SecretStr

from core.dialogue import Platform
from core.settings.section import Section

_Days = Annotated[float, Field(ge=0)]


class PrivacySettings(Section):
    #: Texts are encrypted in the database; older turns are not searched then.
    encrypt: bool = False
    #: Base64 of 32 bytes each, the newest first, divided by commas; "" is the key file.
    key: SecretStr = SecretStr("")
    #: "" is secret.key in `paths.data`; it is made at the first start.
    key_file: str = ""
    #: The platforms where the operator may train a model on what people say: by their terms, and by the people's will.
    train_on: tuple[Platform, ...] = ()


class RetentionSettings(Section):
    """In days; 0 keeps for ever."""

    #: With their candidates and feedback.
    turns_days: _Days = 0.0
    #: What platforms delivered, once it is answered, and the copy of the reply that was sent.
    events_days: _Days = 7.0
    #: Events that were not understood.
    dead_letters_days: _Days = 30.0
    feedback_days: _Days = 0.0
    #: What answering took; quotas need a day of it.
    usage_days: _Days = 90.0
    #: How often the bots look for what is too old; 0 leaves it to `banter retain`.
    every_hours: Annotated[float, Field(ge=0)] = 1.0
