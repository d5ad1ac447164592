"""The words that people read in Discord's own places: commands, modals, short notices. The caller translates them."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Worded:
    """A command, or what can be said with it."""

    #: Small letters, without spaces.
    name: str
    description: str


@dataclass(frozen=True, slots=True)
class CommandLabels:
    ask: Worded = Worded("ask", "ask me something")
    question: Worded = Worded("question", "what you want to know")
    ask_persona: Worded = Worded("persona", "who answers from now on")
    model: Worded = Worded("model", "which model speaks from now on")
    new: Worded = Worded("new", "begin a new dialogue")
    persona: Worded = Worded("persona", "who you talk to")
    persona_name: Worded = Worded("name", "who you want to talk to")
    regenerate: Worded = Worded("regenerate", "draw another reply to your last message")
    stop: Worded = Worded("stop", "stop the reply that is being written")
    settings: Worded = Worded("settings", "what is chosen here, and how")
    forget: Worded = Worded("forget", "erase what was said")
    forget_what: Worded = Worded("what", "what you want to have erased")
    export: Worded = Worded("export", "read what is remembered")
    export_what: Worded = Worded("what", "what you want to read")
    help: Worded = Worded("help", "what you can say to me")
    #: In the menu of a message; it may have spaces and great letters.
    ask_about_this: str = "Ask about this"
    me: str = "Everything that I said"
    session: str = "This dialogue"


@dataclass(frozen=True, slots=True)
class ModalLabels:
    settings_title: str = "Settings"
    persona: str = "Persona"
    language: str = "Language"
    usual_language: str = "As usual here"
    streaming: str = "Replies"
    streaming_on: str = "Shown while they are written"
    streaming_off: str = "Shown when they are whole"
    ask_title: str = "Ask about this"
    question: str = "Your question"
    forget_session_sure: str = "Erase this dialogue?"
    forget_session_hint: str = "What was said in it is erased, for good."
    forget_me_sure: str = "Forget everything?"
    forget_me_hint: str = "Everything that you ever said to me is erased, on every platform that you linked, for good."
    yes: str = "Erase"
    no: str = "Keep"


@dataclass(frozen=True, slots=True)
class NoticeLabels:
    """What is said at once, instead of an answer."""

    try_again: str = "I could not take that in. Please try again."
    not_here: str = "I do not talk with you here."
    kept: str = "Nothing was erased."


@dataclass(frozen=True, slots=True)
class NativeLabels:
    """Of one language."""

    commands: CommandLabels = CommandLabels()
    modals: ModalLabels = ModalLabels()
    notices: NoticeLabels = NoticeLabels()


@dataclass(frozen=True, slots=True)
class LabelBook:
    """Of all languages that there are."""

    by_language: Mapping[str, NativeLabels] = field(default_factory=lambda: {"en": NativeLabels()})
    #: The operator's.
    usual: str = "en"

    def of(self, locale: str) -> NativeLabels:
        """`es` for `es-419` too; for a locale that is in no book, the operator's."""
        tag = locale.casefold()
        for language in (tag, tag.partition("-")[0], self.usual):
            if language in self.by_language:
                return self.by_language[language]
        return NativeLabels()
