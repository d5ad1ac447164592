"""What Discord offers while somebody types the name of a persona or a model. Pure."""

from collections.abc import Iterable, Sequence

from adapters.discord.choices import Choices
from adapters.discord.commands import OptionName
from adapters.discord.interaction import Interaction
from adapters.payloads import found_in, list_in, text_in

_MOST = 25
_NAME_CHARS = 100


def suggested(interaction: Interaction, choices: Choices) -> dict[str, object]:
    """The answer's data; what begins with the words comes before what has them inside."""
    for option in list_in(interaction.data, "options"):
        if found_in(option, "focused") is True:
            names = _names(text_in(option, "name"), choices)
            return {"choices": [{"name": one, "value": one} for one in _fitting(names, text_in(option, "value"))]}
    return {"choices": []}


def _names(option: str, choices: Choices) -> Sequence[str]:
    if option in (OptionName.PERSONA, OptionName.NAME):
        return choices.personas
    return choices.models if option == OptionName.MODEL else ()


def _fitting(names: Iterable[str], typed: str) -> list[str]:
    words = typed.strip().casefold()
    fitting = [name for name in names if 0 < len(name) <= _NAME_CHARS and words in name.casefold()]
    return sorted(fitting, key=lambda name: not name.casefold().startswith(words))[:_MOST]
