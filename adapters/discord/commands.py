"""The commands that Discord offers to people, as it takes them. Pure.

Their names here are what interactions tell, in whatever language people see them. They may be said everywhere: in
servers, in direct messages with the bot and, by people who installed the app for themselves, anywhere else.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum, StrEnum

from adapters.discord.labels import CommandLabels, NativeLabels, Worded

Command = dict[str, object]
_Wording = Callable[[CommandLabels], Worded]
_Phrase = Callable[[CommandLabels], str]

#: By servers, and by people for themselves.
INSTALLS = (0, 1)
#: Servers, direct messages with the bot, other private channels.
_CONTEXTS = (0, 1, 2)
#: https://discord.com/developers/docs/reference#locales, without English.
_LOCALES = (
    *("id", "da", "de", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR", "ro", "fi"),
    *("sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko"),
)
_ENGLISH = "en"
_NAME = re.compile(r"[-_'\w]{1,32}")
_MENU_NAME_CHARS = 32
_DESCRIPTION_CHARS = 100
_TEXT_OPTION = 3


class CommandKind(IntEnum):
    SLASH = 1
    #: In the menu of a message.
    MESSAGE = 3


class CommandName(StrEnum):
    ASK = "ask"
    NEW = "new"
    PERSONA = "persona"
    REGENERATE = "regenerate"
    STOP = "stop"
    SETTINGS = "settings"
    FORGET = "forget"
    EXPORT = "export"
    HELP = "help"


class OptionName(StrEnum):
    QUESTION = "question"
    PERSONA = "persona"
    MODEL = "model"
    NAME = "name"
    WHAT = "what"


class What(StrEnum):
    """What can be erased or read, as the core names it."""

    ME = "me"
    SESSION = "session"


def commands_of(labels: Mapping[str, NativeLabels]) -> list[Command]:
    """`labels` by language; whom Discord has no locale for sees English."""
    told = _Told({language: one.commands for language, one in labels.items()})
    placed = {"integration_types": list(INSTALLS), "contexts": list(_CONTEXTS)}
    return [command | placed for command in (*_slash_commands(told), told.about_this())]


def _slash_commands(told: "_Told") -> Iterator[Command]:
    what = {"choices": [told.choice(What.ME, lambda own: own.me), told.choice(What.SESSION, lambda own: own.session)]}
    completed = {"autocomplete": True}
    question = told.option(OptionName.QUESTION, lambda own: own.question) | {"required": True}
    persona = told.option(OptionName.PERSONA, lambda own: own.ask_persona) | completed
    model = told.option(OptionName.MODEL, lambda own: own.model) | completed
    name = told.option(OptionName.NAME, lambda own: own.persona_name) | completed
    erased = told.option(OptionName.WHAT, lambda own: own.forget_what) | what | {"required": True}
    read = told.option(OptionName.WHAT, lambda own: own.export_what) | what
    yield told.command(CommandName.ASK, lambda own: own.ask, question, persona, model)
    yield told.command(CommandName.NEW, lambda own: own.new)
    yield told.command(CommandName.PERSONA, lambda own: own.persona, name)
    yield told.command(CommandName.REGENERATE, lambda own: own.regenerate)
    yield told.command(CommandName.STOP, lambda own: own.stop)
    yield told.command(CommandName.SETTINGS, lambda own: own.settings)
    yield told.command(CommandName.FORGET, lambda own: own.forget, erased)
    yield told.command(CommandName.EXPORT, lambda own: own.export, read)
    yield told.command(CommandName.HELP, lambda own: own.help)


class _Told:
    """In English, and in the locales of Discord that something else is said in."""

    def __init__(self, labels: Mapping[str, CommandLabels]) -> None:
        self._english = labels.get(_ENGLISH, CommandLabels())
        spoken = ((locale, own) for tag, own in labels.items() for locale in locales_of(tag))
        self._locales = dict(spoken)

    def command(self, name: CommandName, wording: _Wording, *options: Command) -> Command:
        return {"type": CommandKind.SLASH.value} | self._worded(name, wording) | {"options": list(options)}

    def option(self, name: OptionName, wording: _Wording) -> Command:
        return {"type": _TEXT_OPTION} | self._worded(name, wording)

    def choice(self, value: What, phrase: _Phrase) -> Command:
        return {"value": value.value} | self._phrased(phrase, _DESCRIPTION_CHARS)

    def about_this(self) -> Command:
        return {"type": CommandKind.MESSAGE.value} | self._phrased(lambda own: own.ask_about_this, _MENU_NAME_CHARS)

    def _worded(self, name: str, wording: _Wording) -> Command:
        """Discord refuses all commands where one name is none, so such a name is left out."""
        names = {locale: wording(own).name for locale, own in self._locales.items()}
        descriptions = {locale: wording(own).description for locale, own in self._locales.items()}
        return {
            "name": name,
            "name_localizations": {locale: told for locale, told in names.items() if _is_name(told)},
            "description": wording(self._english).description[:_DESCRIPTION_CHARS],
            "description_localizations": {
                locale: told[:_DESCRIPTION_CHARS] for locale, told in descriptions.items() if told
            },
        }

    def _phrased(self, phrase: _Phrase, limit_chars: int) -> Command:
        names = {locale: phrase(own)[:limit_chars] for locale, own in self._locales.items()}
        return {
            "name": phrase(self._english)[:limit_chars],
            "name_localizations": {locale: told for locale, told in names.items() if told},
        }


def locales_of(language: str) -> tuple[str, ...]:
    """Discord's, for a tag: both of `es`. None for English, which stands where nothing else does."""
    tag = language.replace("_", "-").casefold()
    named = tuple(locale for locale in _LOCALES if locale.casefold() == tag)
    return named or tuple(locale for locale in _LOCALES if locale.partition("-")[0] == tag)


def _is_name(told: str) -> bool:
    return _NAME.fullmatch(told) is not None and told == told.lower()
