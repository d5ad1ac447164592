"""The words that people read in Slack's own places, in the operator's language."""

from adapters.slack.buttons import ButtonLabels
from adapters.slack.labels import HomeLabels, ModalLabels, NativeLabels, Suggestion
from core.texts import AGAIN_LABEL, STOP_LABEL, Texts


def button_labels(texts: Texts, language: str) -> ButtonLabels:
    usual = ButtonLabels()
    return ButtonLabels(
        stop=f"{usual.stop} {texts.say(language, STOP_LABEL)}",
        regenerate=f"{usual.regenerate} {texts.say(language, AGAIN_LABEL)}",
    )


def native_labels(texts: Texts, language: str) -> NativeLabels:
    say = texts.say
    return NativeLabels(
        home=_home_labels(texts, language),
        modals=_modal_labels(texts, language),
        suggestions=(
            Suggestion(say(language, "What can you do?"), say(language, "What can you do?")),
            Suggestion(say(language, "Explain something"), say(language, "Why are there tides?")),
            Suggestion(say(language, "Write something"), say(language, "Write a short, friendly message to my team.")),
        ),
        suggestions_title=say(language, "How can I help?"),
    )


def _home_labels(texts: Texts, language: str) -> HomeLabels:
    say = texts.say
    return HomeLabels(
        title=say(language, "Your dialogues"),
        hint=say(language, "Write to me in the Messages tab, mention me in a channel, or say /banter."),
        empty=say(language, "There are none yet."),
        untitled=say(language, "A dialogue"),
        direct_message=say(language, "Direct message"),
        settings=say(language, "Settings"),
        forget=say(language, "Forget"),
        forget_sure=say(language, "Erase this dialogue?"),
        forget_hint=say(language, "What was said in it is erased, for good."),
        forget_me=say(language, "Forget me"),
        forget_me_sure=say(language, "Forget everything?"),
        forget_me_hint=say(
            language,
            "Everything that you ever said to me is erased, on every platform that you linked, for good.",
        ),
        yes=say(language, "Erase"),
        no=say(language, "Keep"),
        forgetting=say(language, "It is being erased."),
    )


def _modal_labels(texts: Texts, language: str) -> ModalLabels:
    say = texts.say
    return ModalLabels(
        settings_title=say(language, "Settings"),
        save=say(language, "Save"),
        cancel=say(language, "Cancel"),
        persona=say(language, "Persona"),
        language=say(language, "Language"),
        usual_language=say(language, "As usual here"),
        streaming=say(language, "Replies"),
        streaming_on=say(language, "Shown while they are written"),
        streaming_off=say(language, "Shown when they are whole"),
        ask_title=say(language, "Ask about this"),
        ask=say(language, "Ask"),
        question=say(language, "Your question"),
        ask_alone=say(language, "I am not in that channel, so only you will read my answer."),
        empty_question=say(language, "Write a question."),
    )
