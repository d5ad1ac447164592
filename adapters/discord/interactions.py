"""What people do with Discord's own means → what it says to the core. Pure: nothing is asked, sent or kept.

Presses of a reply's buttons are opinions. A command, and what comes out of a window, becomes a message, as if the
person had said the words; such a message is none of Discord's, so its id is made of the interaction's (`reply_ids`).
What is nobody else's business is answered so that nobody else sees it.

A value that was not made here, or for somebody else, says nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from adapters.discord.choices import Chosen
from adapters.discord.commands import CommandName, OptionName, What
from adapters.discord.interaction import Interaction, Kind
from adapters.discord.labels import NoticeLabels
from adapters.discord.modals import ModalKind, asked_in, changes_in, erased_in, kind_of, target_in
from adapters.discord.reply_ids import ReplyId, reply_id
from adapters.payloads import list_in, text_in
from adapters.seals import Seals
from core.clean_text import clean_text
from core.dialogue import Attachment, Called, Feedback, Inbound, InboundMessage, Opinion

_PREFIX, _HELP, _SETTINGS, _EXPORT_ME = "/", "/help", "/settings", "/export me"
#: How an interaction is answered.
_SAYS, _THINKS, _DOES, _COMPLETES, _OPENS = 4, 5, 6, 8, 9
#: Nobody but the asker sees it.
PRIVATE = 1 << 6


class Opinions(Protocol):
    """`OpinionValues`: what a press says, or None where the value was not made here, or for another channel."""

    def opinion(self, value: str, channel: str) -> Opinion | None: ...


@dataclass(frozen=True, slots=True)
class Target:
    """A message that somebody asks about."""

    #: Untrusted text.
    text: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """What an interaction is held against."""

    opinions: Opinions
    seals: Seals
    #: None where it is not known.
    chosen: Chosen | None = None
    target: Target = Target()


def to_inbound(interaction: Interaction, seen: Seen) -> list[Inbound]:
    """Nothing of what says nothing to the core, or was made up."""
    match interaction.kind:
        case Kind.COMMAND:
            return [*_commanded(interaction, seen.chosen)]
        case Kind.BUTTON:
            return [*_pressed(interaction, seen.opinions)]
        case Kind.MODAL:
            return [*_submitted(interaction, seen)]
        case _:
            return []


def settings_of(interaction: Interaction) -> InboundMessage:
    """That somebody wants to see what is chosen where they are."""
    return _said(interaction, [_SETTINGS], is_private=True)[0]


def acknowledged(interaction: Interaction, said: Sequence[Inbound], labels: NoticeLabels) -> dict[str, object]:
    """What Discord is answered, once the core has it."""
    if interaction.kind is Kind.BUTTON:
        return {"type": _DOES}
    ids = [found for one in said if isinstance(one, InboundMessage) and (found := reply_id(one.message_id))]
    if not ids:
        is_kept = kind_of(text_in(interaction.data, "custom_id"))[0] is ModalKind.FORGET
        return notice(labels.kept if is_kept else labels.try_again)
    return {"type": _THINKS, "data": {"flags": PRIVATE if ids[0].is_private else 0}}


def notice(text: str) -> dict[str, object]:
    return {"type": _SAYS, "data": {"content": text, "flags": PRIVATE, "allowed_mentions": {"parse": []}}}


def opened(window: dict[str, object]) -> dict[str, object]:
    return {"type": _OPENS, "data": window}


def completed(suggestions: dict[str, object]) -> dict[str, object]:
    return {"type": _COMPLETES, "data": suggestions}


def options_in(interaction: Interaction) -> dict[str, str]:
    """Those that are texts, on one line."""
    told = ((text_in(one, "name"), text_in(one, "value")) for one in list_in(interaction.data, "options"))
    return {name: " ".join(clean_text(value).split()) for name, value in told}


def _commanded(interaction: Interaction, chosen: Chosen | None) -> Sequence[InboundMessage]:
    """A message's menu opens a window first, and says nothing by itself."""
    options = options_in(interaction)
    match text_in(interaction.data, "name"):
        case CommandName.ASK if question := _as_question(options.get(OptionName.QUESTION, "")):
            return _said(interaction, [*_wishes(options, chosen), question])
        case CommandName.NEW | CommandName.REGENERATE as name:
            return _said(interaction, [_PREFIX + name])
        case CommandName.PERSONA if persona := options.get(OptionName.NAME):
            return _said(interaction, [f"/persona use {persona}"])
        case CommandName.PERSONA:
            return _said(interaction, ["/persona list"], is_private=True)
        case CommandName.SETTINGS:
            return _said(interaction, [_SETTINGS], is_private=True)
        case CommandName.EXPORT:
            is_all = options.get(OptionName.WHAT) == What.SESSION
            return _said(interaction, ["/export session" if is_all else _EXPORT_ME], is_private=True)
        case CommandName.STOP:
            return _said(interaction, ["/stop"], is_private=True)
        case CommandName.ASK | CommandName.HELP:
            return _said(interaction, [_HELP], is_private=True)
        case _:
            return []


def _wishes(options: dict[str, str], chosen: Chosen | None) -> Iterator[str]:
    """Who shall answer, where somebody else would. A persona brings its model along."""
    persona, model = options.get(OptionName.PERSONA, ""), options.get(OptionName.MODEL, "")
    is_other = bool(persona) and (chosen is None or chosen.persona != persona)
    if is_other:
        yield f"/persona use {persona}"
    if model and (is_other or chosen is None or chosen.model != model):
        yield f"/model use {model}"


def _as_question(text: str) -> str:
    """One that begins with a slash is no command."""
    return _PREFIX + text if text.startswith(_PREFIX) else text


def _pressed(interaction: Interaction, opinions: Opinions) -> Iterator[Feedback]:
    opinion = opinions.opinion(text_in(interaction.data, "custom_id"), interaction.channel)
    if opinion is not None and interaction.message_id:
        it = interaction
        yield Feedback(it.key, it.person, it.message_id, opinion, it.id, roles=it.roles)


def _submitted(interaction: Interaction, seen: Seen) -> Sequence[InboundMessage]:
    match kind_of(text_in(interaction.data, "custom_id"))[0]:
        case ModalKind.SETTINGS:
            changes = [f"{_SETTINGS} {name} {value}" for name, value in changes_in(interaction)]
            return _said(interaction, changes or [_SETTINGS], is_private=True)
        case ModalKind.FORGET if (what := erased_in(interaction)) is not None:
            return _said(interaction, [f"/forget {what.value} yes"], is_private=True)
        case ModalKind.ASK if target_in(interaction, seen.seals) and (asked := asked_in(interaction)):
            return _said(interaction, [_as_question(asked)], target=seen.target)
        case _:
            return []


def _said(
    interaction: Interaction, texts: Sequence[str], *, is_private: bool = False, target: Target = Target()
) -> list[InboundMessage]:
    """One after the other, as Discord tells who reads them."""
    it, is_hidden = interaction, is_private and interaction.is_read_by_others
    last = len(texts) - 1
    return [
        InboundMessage(
            it.key,
            it.person,
            str(ReplyId(it.id, is_hidden, None if number == (0 if is_hidden else last) else number)),
            text,
            it.happened_at,
            Called(directly=_is_direct(it, text), by_command=True),
            it.roles,
            attachments=target.attachments,
            quotes=target.text,
        )
        for number, text in enumerate(texts)
    ]


def _is_direct(interaction: Interaction, text: str) -> bool:
    """Whether nobody else has a part in it: what is one's own may be read wherever only oneself sees the answer."""
    return not interaction.is_read_by_others or bool(interaction.key.person) or text == _EXPORT_ME
