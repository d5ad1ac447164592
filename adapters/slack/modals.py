"""The modals: what is chosen for a dialogue, and a question about a message. What they show, and what comes back. Pure.

A modal carries what it was made for, sealed for the person who sees it.
"""

import json
from collections.abc import Iterator, Mapping
from enum import StrEnum

from adapters.payloads import Payload, text_in
from adapters.seals import Purpose, Seals
from adapters.slack.block_kit import Block, choice, modal, question, section
from adapters.slack.home import Home, HomeDialogue
from adapters.slack.labels import ModalLabels
from adapters.slack.places import facts_of
from core.clean_text import clean_text
from core.dialogue import SessionKey

_QUESTION = "question"
_QUESTION_CHARS = 3000
_SHOWN_QUOTE_CHARS = 300
#: Of a quoted message: with it the metadata fits a modal in every script.
_QUOTE_BYTES = 1800
#: Gives the choice of a language back to the place.
_USUAL = "default"
_ON, _OFF = "on", "off"


class ModalKind(StrEnum):
    """Their `callback_id`s, and what their metadata is sealed for."""

    SETTINGS = "settings"
    ASK = "ask_about_this"

    def purpose(self, workspace: str, person: str) -> Purpose:
        return Purpose(f"modal.{self.value}", workspace, person)


def settings_modal(dialogue: HomeDialogue, home: Home, person: str, seals: Seals, labels: ModalLabels) -> Block:
    now = _chosen(dialogue)
    offered = {
        "persona": (labels.persona, {name: name for name in home.personas}),
        "language": (labels.language, {_USUAL: labels.usual_language, **home.languages}),
        "streaming": (labels.streaming, {_ON: labels.streaming_on, _OFF: labels.streaming_off}),
    }
    purpose = ModalKind.SETTINGS.purpose(dialogue.key.workspace, person)
    return modal(
        ModalKind.SETTINGS.value,
        labels.settings_title,
        (labels.save, labels.cancel),
        [choice(name, label, options, now[name]) for name, (label, options) in offered.items() if options],
        seals.sealed(purpose, facts_of(dialogue.key) | now),
    )


def ask_modal(key: SessionKey, quotes: str, person: str, seals: Seals, labels: ModalLabels) -> Block:
    """About a message; where only that person will read the answer, it says so."""
    told = _within(clean_text(quotes), _QUOTE_BYTES)
    shown = [section(told, _SHOWN_QUOTE_CHARS)] if told else []
    if key.person:
        shown.append(section(labels.ask_alone))
    purpose = ModalKind.ASK.purpose(key.workspace, person)
    return modal(
        ModalKind.ASK.value,
        labels.ask_title,
        (labels.ask, labels.cancel),
        [*shown, question(_QUESTION, labels.question, _QUESTION_CHARS)],
        seals.sealed(purpose, facts_of(key) | {"quotes": told}),
    )


def asked_in(view: Payload) -> str:
    """The question; "" where none was written."""
    return clean_text(text_in(view, "state", "values", _QUESTION, _QUESTION, "value"))


def errors_of_question(view: Payload, labels: ModalLabels) -> Block | None:
    """What Slack shows in the modal instead of closing it."""
    if asked_in(view):
        return None
    return {"response_action": "errors", "errors": {_QUESTION: labels.empty_question}}


def changes_in(view: Payload, facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(setting, value) of what was not so before. The language comes first: the answers to the others are in it."""
    for name in ("language", "persona", "streaming"):
        value = text_in(view, "state", "values", name, name, "selected_option", "value")
        if value and value == clean_text(value) and "\n" not in value and value != facts.get(name):
            yield name, value


def _chosen(dialogue: HomeDialogue) -> dict[str, str]:
    return {
        "persona": dialogue.persona,
        "language": dialogue.language or _USUAL,
        "streaming": _ON if dialogue.streaming else _OFF,
    }


def _within(text: str, limit_bytes: int) -> str:
    """As much of the beginning as fits, as it is sealed."""
    while (size := len(json.dumps(text, ensure_ascii=False).encode())) > limit_bytes:
        text = text[: len(text) * limit_bytes // size]
    return text
