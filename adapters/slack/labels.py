"""The words that people read in Slack's own places: App Home, modals, suggested prompts. The caller translates them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A prompt that is offered where nothing was said yet."""

    title: str
    #: What is said when somebody picks it.
    message: str


@dataclass(frozen=True, slots=True)
class HomeLabels:
    title: str = "Your dialogues"
    hint: str = "Write to me in the Messages tab, mention me in a channel, or say /banter."
    empty: str = "There are none yet."
    untitled: str = "A dialogue"
    direct_message: str = "Direct message"
    settings: str = "Settings"
    forget: str = "Forget"
    forget_sure: str = "Erase this dialogue?"
    forget_hint: str = "What was said in it is erased, for good."
    forget_me: str = "Forget me"
    forget_me_sure: str = "Forget everything?"
    forget_me_hint: str = "Everything that you ever said to me is erased, on every platform that you linked, for good."
    yes: str = "Erase"
    no: str = "Keep"
    forgetting: str = "It is being erased."


@dataclass(frozen=True, slots=True)
class ModalLabels:
    settings_title: str = "Settings"
    save: str = "Save"
    cancel: str = "Cancel"
    persona: str = "Persona"
    language: str = "Language"
    usual_language: str = "As usual here"
    streaming: str = "Replies"
    streaming_on: str = "Shown while they are written"
    streaming_off: str = "Shown when they are whole"
    ask_title: str = "Ask about this"
    ask: str = "Ask"
    question: str = "Your question"
    #: The bot can't read where the message stands.
    ask_alone: str = "I am not in that channel, so only you will read my answer."
    empty_question: str = "Write a question."


@dataclass(frozen=True, slots=True)
class NativeLabels:
    home: HomeLabels = HomeLabels()
    modals: ModalLabels = ModalLabels()
    #: Slack shows at most four.
    suggestions: tuple[Suggestion, ...] = (
        Suggestion("What can you do?", "What can you help me with?"),
        Suggestion("Explain a word", "Explain to me what serendipity means, in simple words."),
        Suggestion("Write something", "Write a short, friendly greeting for my team."),
    )
    suggestions_title: str = "How can I help?"
