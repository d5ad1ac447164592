"""The windows: what is chosen for a dialogue, a question about a message, and whether something shall be erased.

What they show, and what comes back. Pure. Whatever a window needs later stands in its ids, so that it outlives a
restart. Which message is asked about is sealed: nobody can quote one that they were not shown.
"""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from hashlib import blake2s

from adapters.discord.choices import Choices, Chosen
from adapters.discord.commands import What
from adapters.discord.components import Component, choice, paragraph, question, window
from adapters.discord.interaction import Interaction
from adapters.discord.labels import ModalLabels
from adapters.payloads import list_in, text_in
from adapters.seals import Purpose, Seals
from core.clean_text import clean_text

_QUESTION = "question"
_QUESTION_CHARS = 4000
_SHOWN_QUOTE_CHARS = 300
_SEPARATOR = "."
#: Gives the choice of a language back to the place.
_USUAL = "default"
_ON, _OFF = "on", "off"
_SURE, _YES, _NO = "sure", "yes", "no"
_MARK_BYTES = 6


class ModalKind(StrEnum):
    """What their ids begin with."""

    SETTINGS = "settings"
    ASK = "ask"
    FORGET = "forget"


def kind_of(custom_id: str) -> tuple[ModalKind | None, str]:
    """A window's, and what else its id tells."""
    name, _, rest = custom_id.partition(_SEPARATOR)
    return (ModalKind(name) if name in list(ModalKind) else None), rest


def settings_window(chosen: Chosen, choices: Choices, labels: ModalLabels) -> Component:
    now = {
        "persona": chosen.persona,
        "language": chosen.language or _USUAL,
        "streaming": _ON if chosen.streaming else _OFF,
    }
    offered = {
        "persona": (labels.persona, {name: name for name in (*choices.personas, chosen.persona)}),
        "language": (labels.language, {_USUAL: labels.usual_language, **choices.languages}),
        "streaming": (labels.streaming, {_ON: labels.streaming_on, _OFF: labels.streaming_off}),
    }
    return window(
        ModalKind.SETTINGS.value,
        labels.settings_title,
        [
            choice(f"{name}{_SEPARATOR}{_mark(now[name])}", label, options, now[name])
            for name, (label, options) in offered.items()
        ],
    )


def changes_in(interaction: Interaction) -> Iterator[tuple[str, str]]:
    """(setting, value) of what was not so before. The language comes first: the answers to the others are in it."""
    told = _told_in(interaction)
    for name in ("language", "persona", "streaming"):
        for custom_id, value in told.items():
            setting, _, before = custom_id.partition(_SEPARATOR)
            if setting == name and value and value == " ".join(clean_text(value).split()) and _mark(value) != before:
                yield name, value


def ask_window(target: str, quote: str, interaction: Interaction, seals: Seals, labels: ModalLabels) -> Component:
    """About the message whose id is `target`."""
    said = " ".join(clean_text(quote).split())
    shown = said if len(said) <= _SHOWN_QUOTE_CHARS else said[: _SHOWN_QUOTE_CHARS - 1] + "…"
    sealed = seals.sealed(_purpose(interaction), {"m": target})
    return window(
        f"{ModalKind.ASK.value}{_SEPARATOR}{sealed}",
        labels.ask_title,
        [*([paragraph(f"> {shown}")] if shown else []), question(_QUESTION, labels.question, _QUESTION_CHARS)],
    )


def target_in(interaction: Interaction, seals: Seals) -> str:
    """The message that is asked about; "" where the window was not made here, or for somebody else."""
    kind, sealed = kind_of(text_in(interaction.data, "custom_id"))
    facts = seals.opened(_purpose(interaction), sealed) if kind is ModalKind.ASK else None
    return (facts or {}).get("m", "")


def asked_in(interaction: Interaction) -> str:
    return clean_text(_told_in(interaction).get(_QUESTION, ""))


def forget_window(what: What, labels: ModalLabels) -> Component:
    is_all = what is What.ME
    title = labels.forget_me_sure if is_all else labels.forget_session_sure
    hint = labels.forget_me_hint if is_all else labels.forget_session_hint
    return window(
        f"{ModalKind.FORGET.value}{_SEPARATOR}{what.value}",
        title,
        [paragraph(hint), choice(_SURE, title, {_NO: labels.no, _YES: labels.yes}, _NO)],
    )


def erased_in(interaction: Interaction) -> What | None:
    """None where it shall be kept."""
    kind, what = kind_of(text_in(interaction.data, "custom_id"))
    is_sure = _told_in(interaction).get(_SURE) == _YES
    return What(what) if kind is ModalKind.FORGET and is_sure and what in list(What) else None


def _told_in(interaction: Interaction) -> Mapping[str, str]:
    """By the id of each field."""
    told = {}
    for row in list_in(interaction.data, "components"):
        for field in (row.get("component") if isinstance(row, Mapping) else None, *list_in(row, "components")):
            values = list_in(field, "values")
            first = values[0] if values and isinstance(values[0], str) else ""
            told[text_in(field, "custom_id")] = text_in(field, "value") or first
    return told


def _purpose(interaction: Interaction) -> Purpose:
    return Purpose("modal.ask", interaction.channel, interaction.person.platform_id)


def _mark(value: str) -> str:
    """Of what was chosen before: a name may be longer than an id."""
    return blake2s(value.encode(errors="replace"), digest_size=_MARK_BYTES).hexdigest()
