"""The words that people read in Discord's own places, in every language that there is.

The names of commands, and of what is said with them, are single words of small letters: people see "/ask question:".
"""

from adapters.discord.buttons import ButtonLabels
from adapters.discord.labels import CommandLabels, LabelBook, ModalLabels, NativeLabels, NoticeLabels, Worded
from core.texts import AGAIN_LABEL, STOP_LABEL, Texts


def button_labels(texts: Texts, language: str) -> ButtonLabels:
    usual = ButtonLabels()
    return ButtonLabels(
        stop=f"{usual.stop} {texts.say(language, STOP_LABEL)}",
        regenerate=f"{usual.regenerate} {texts.say(language, AGAIN_LABEL)}",
    )


def label_book(texts: Texts, language: str) -> LabelBook:
    """`language` is the operator's."""
    return LabelBook({tag: _native_labels(texts, tag) for tag in texts.languages}, language)


def _native_labels(texts: Texts, language: str) -> NativeLabels:
    say = texts.say
    return NativeLabels(
        commands=_command_labels(texts, language),
        modals=_modal_labels(texts, language),
        notices=NoticeLabels(
            try_again=say(language, "I could not take that in. Please try again."),
            not_here=say(language, "I do not talk with you here."),
            kept=say(language, "Nothing was erased."),
        ),
    )


def _command_labels(texts: Texts, language: str) -> CommandLabels:
    say = texts.say
    return CommandLabels(
        ask=Worded(say(language, "ask"), say(language, "ask me something")),
        question=Worded(say(language, "question"), say(language, "what you want to know")),
        ask_persona=Worded(say(language, "persona"), say(language, "who answers from now on")),
        model=Worded(say(language, "model"), say(language, "which model speaks from now on")),
        new=Worded(say(language, "new"), say(language, "begin a new dialogue")),
        persona=Worded(say(language, "persona"), say(language, "who you talk to")),
        persona_name=Worded(say(language, "name"), say(language, "who you want to talk to")),
        regenerate=Worded(say(language, "regenerate"), say(language, "draw another reply to your last message")),
        stop=Worded(say(language, "stop"), say(language, "stop the reply that is being written")),
        settings=Worded(say(language, "settings"), say(language, "what is chosen here, and how")),
        forget=Worded(say(language, "forget"), say(language, "erase what was said")),
        forget_what=Worded(say(language, "what"), say(language, "what you want to have erased")),
        export=Worded(say(language, "export"), say(language, "read what is remembered")),
        export_what=Worded(say(language, "what"), say(language, "what you want to read")),
        help=Worded(say(language, "help"), say(language, "what you can say to me")),
        ask_about_this=say(language, "Ask about this"),
        me=say(language, "Everything that I said"),
        session=say(language, "This dialogue"),
    )


def _modal_labels(texts: Texts, language: str) -> ModalLabels:
    say = texts.say
    return ModalLabels(
        settings_title=say(language, "Settings"),
        persona=say(language, "Persona"),
        language=say(language, "Language"),
        usual_language=say(language, "As usual here"),
        streaming=say(language, "Replies"),
        streaming_on=say(language, "Shown while they are written"),
        streaming_off=say(language, "Shown when they are whole"),
        ask_title=say(language, "Ask about this"),
        question=say(language, "Your question"),
        forget_session_sure=say(language, "Erase this dialogue?"),
        forget_session_hint=say(language, "What was said in it is erased, for good."),
        forget_me_sure=say(language, "Forget everything?"),
        forget_me_hint=say(
            language,
            "Everything that you ever said to me is erased, on every platform that you linked, for good.",
        ),
        yes=say(language, "Erase"),
        no=say(language, "Keep"),
    )
